"""Measure everything that is promised, beside the peers, and write down what came out.

It runs all parts, or those that are named, and writes results/*.json, RESULTS.md, the pictures and
the README's figures; of parts that weren't run, what was kept before stands. `--quick` runs few
rounds of what is promised, writes nothing, and fails where a promise is broken by a wide margin.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import report
from environment import environment
from measured import Part
from pydantic import TypeAdapter
from report import PARTS, Result

PATIENCE = 900.0  # seconds for a part
RESULTS = Path(__file__).parent / "results"


def measured(name: str, *, quick: bool) -> Result:
    """Run a part in a process of its own, so that none pays for what another loaded."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.json"
        command = [sys.executable, __file__, name, "--into", str(found)]
        try:
            _run(command + ["--quick"] * quick)
            part = TypeAdapter(Part).validate_json(found.read_bytes())
            failure = ""
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            part, failure = Part(tables=()), f"{type(error).__name__}: {error}"
    return Result(
        name=name,
        method=importlib.import_module(name).__doc__ or "",
        found=part,
        failure=failure,
        seconds=time.monotonic() - started,
        environment=environment(),
    )


def _run(command: list[str]) -> None:
    """Run it, and end it with all that it started. Raises: SubprocessError if it fails."""
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            code = process.wait(PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if code:
        raise subprocess.CalledProcessError(code, command)


def told(results: list[Result], *, quick: bool) -> int:
    """Say which promises hold; the number of those that don't, and of parts that failed."""
    broken = 0
    for result in results:
        if result.failure:
            print(f"FAILED   {result.name}: {result.failure}")
        broken += bool(result.failure)
        for promise in result.found.promises:
            holds = promise.holds(quick=quick)
            bound = promise.wide if quick else promise.bound
            print(
                f"{'holds ' if holds else 'BROKEN'}   {promise.what}: "
                f"{promise.measured:.3g}, {promise.kind} {bound:.3g}"
            )
            broken += not holds
    return broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="few rounds, wide bounds")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)  # of a part's own process
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part is named {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if options.into:
        (name,) = options.parts
        part = importlib.import_module(name).measure(quick=options.quick)
        options.into.write_bytes(TypeAdapter(Part).dump_json(part, indent=1))
        return 0
    results = []
    for name in options.parts or PARTS:
        print(f"==> Measuring: {name}", flush=True)
        results.append(measured(name, quick=options.quick))
        print(report.section(results[-1]), flush=True)
    if not options.quick:
        report.write(results, RESULTS)
    return int(told(results, quick=options.quick) > 0)


if __name__ == "__main__":
    sys.exit(main())
