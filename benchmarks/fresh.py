"""A new environment and a new process in it: what is installed, loaded, and paid for a first call.

pip resolves each library anew, into a folder of its own that is removed afterwards. A process that
sees this folder alone, beside the standard library, imports what a script needs and makes one call.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from callers import CALLERS
from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
PATIENCE = 400.0  # seconds for an installation, well within what a part may take
BASE = "pydantic, httpx, tenacity"

# What is installed, and which caller makes the first call: in each library's own default mode.
LIBRARIES = {
    "extractify": "extractify",
    "openai": "openai",
    "instructor": "instructor, TOOLS",
    "pydantic-ai-slim[openai]": "pydantic-ai, ToolOutput",
    "langextract": "",  # it has no typed results to ask for
}
LANGEXTRACT = "langextract==1.7.1"  # in no other comparison, so not among the requirements

CODE = """
import sys, time
url, started, *folders = sys.argv[1:]
sys.path[:0] = folders
cpu, loaded = time.process_time(), len(sys.modules)
{imports}
cpu, loaded = time.process_time() - cpu, len(sys.modules) - loaded
from peak import peak_mb
peak = peak_mb()
if url:
    from callers import CALLERS
    with CALLERS[{caller!r}].opened(url) as call:
        call()
        first = time.process_time() * 1000, (time.monotonic() - float(started)) * 1000
else:
    first = None
import json
print(json.dumps([cpu * 1000, loaded, peak, first]))
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """packages and mb (without bytecode) are None where pip failed; the failure says why."""

    folder: Path | None
    packages: int | None = None
    mb: float | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """Medians. Milliseconds of CPU of the imports, and MB after them; of the whole first call."""

    import_ms: float
    modules: int
    peak_mb: float
    first_cpu_ms: float | None
    first_wall_ms: float | None
    rounds: tuple[float, ...]


def installed(into: Path) -> dict[str, Installed]:
    """All libraries, in folders below `into`. At once, as nothing of this is timed."""
    with ThreadPoolExecutor() as at_once:
        done = at_once.map(lambda name: _install(name, into / name.partition("[")[0]), LIBRARIES)
        return dict(zip(LIBRARIES, done, strict=True))


def _install(name: str, folder: Path) -> Installed:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
    try:
        subprocess.run(
            [*command, "--target", str(folder), requirement(name)],
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    except (subprocess.SubprocessError, OSError) as error:
        return Installed(None, failure=f"pip couldn't install {name} ({type(error).__name__})")
    files = [each for each in folder.rglob("*") if each.is_file()]
    return Installed(
        folder,
        packages=sum(each.suffix == ".dist-info" for each in folder.iterdir()),
        mb=sum(each.stat().st_size for each in files) / 1e6,
    )


def requirement(name: str) -> str:
    """What pip is asked for: this project, or the pinned release of a peer."""
    if name == "extractify":
        return str(HERE.parent)
    if name == "langextract":
        return LANGEXTRACT
    package, bracket, extra = name.partition("[")
    for line in (HERE / "requirements.txt").read_text().splitlines():
        pinned, _, version = line.partition("==")
        if pinned == package:
            return f"{package}{bracket}{extra}=={version}"
    raise LookupError(f"{package} isn't pinned in requirements.txt")


def starts(found: dict[str, Installed], base: str, rounds: int) -> dict[str, Start]:
    """New processes of each library that is installed, in turn; the first ones write bytecode."""
    ways = {name: (each.folder, LIBRARIES[name]) for name, each in found.items() if each.folder}
    if "extractify" in ways:
        ways = {BASE: (ways["extractify"][0], "bare httpx"), **ways}
    costs: dict[str, list[_Cost]] = defaultdict(list)
    for turn in range(rounds + 1):
        for name, (folder, caller) in ways.items():
            cost = _start(name, folder, caller, base)
            costs[name] += [cost] * (turn > 0)
    return {name: _medians(each) for name, each in costs.items()}


_Cost = tuple[float, int, float, tuple[float, float] | None]


def _start(name: str, folder: Path | None, caller: str, base: str) -> _Cost:
    imports = CALLERS[caller].imports if caller else f"import {name} as it; it.extract"
    if name == BASE:
        imports += ", tenacity"
    url = base + CALLERS[caller].path if caller else ""
    code = CODE.format(imports=imports, caller=caller)
    argv = [sys.executable, "-I", "-S", "-c", code]
    argv += [url, str(time.monotonic()), str(folder), str(HERE)]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE)
    return TypeAdapter(_Cost).validate_json(done.stdout)


def _medians(costs: Sequence[_Cost]) -> Start:
    imports, modules, peaks, firsts = zip(*costs, strict=True)
    made = [first for first in firsts if first]
    return Start(
        import_ms=median(imports),
        modules=round(median(modules)),
        peak_mb=median(peaks),
        first_cpu_ms=median(cpu for cpu, _ in made) if made else None,
        first_wall_ms=median(wall for _, wall in made) if made else None,
        rounds=tuple(cpu for cpu, _ in made) or imports,
    )
