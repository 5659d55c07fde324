"""Where something was measured: the machine, the interpreter, and what took part."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "extractify",
    "pydantic",
    "httpx",
    "aiohttp",
    "instructor",
    "pydantic-ai-slim",
    "openai",
    "langextract",
    "baml-py",
    "json-repair",
    "jsonschema",
    "xllamacpp",
)


def environment() -> dict[str, str]:
    """Facts by name; a package that isn't installed has none."""
    facts = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": f"{len(os.sched_getaffinity(0))} cores of {_processor()}, {_memory()} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    for package in PACKAGES:
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            continue
    return facts


def _processor() -> str:
    told = re.search(r"^model name\s*: (.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    return told[1] if told else platform.processor() or "an unknown processor"


def _memory() -> int:
    told = re.search(r"^MemTotal:\s*(\d+) kB", _read("/proc/meminfo"), re.MULTILINE)
    return round(int(told[1]) / 2**20) if told else 0


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
