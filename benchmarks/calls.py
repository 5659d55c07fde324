"""What a call costs, and what it costs to come to the first one.

Each library extracts the same invoice into the same nested pydantic model, from the same loopback
server, which answers at once with the same value: as text, or as the arguments of a tool where a
mode asks for one. Calls follow one another on one open client, libraries take turns, and all values
are compared before. "bare httpx" posts the bytes that extractify sends, and reads the answer with
`json.loads` and `model_validate`: the least that could do the job. Each peer is used as its
documentation shows for a server of OpenAI's API:
[openai](https://github.com/openai/openai-python#structured-outputs) by `chat.completions.parse`,
[instructor](https://python.useinstructor.com/integrations/openai/) by `create(response_model=…)`,
[pydantic-ai](https://ai.pydantic.dev/output/) by `Agent(output_type=…).run_sync`.

The first call is that of a new process, from its start, imports and all, in an environment that pip
has just made for this one library; each in the mode that is its default. `langextract` has no typed
results, and is only installed and imported.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import fresh
from callers import CALLERS, as_ours, bare
from instant_server import running
from measured import Chart, Cost, Part, Promise, Table, side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import BaseModel

OURS = ("extractify", "extractify, m2.7")
BARE = "bare httpx"

# Pydantic and extractify load their classes when they are asked for; a bare import loads none.
DEPENDENCIES, BARE_IMPORT = "import pydantic, httpx, tenacity", "import extractify"
MEASURE = "import time; t = time.process_time(); {}; print(time.process_time() - t)"


def measure(*, quick: bool) -> Part:
    costs = per_call(OURS, 3, 200) if quick else per_call(CALLERS, 9, 100)
    theirs, mine = imports(5 if quick else 15)
    promises = (
        Promise(
            "CPU of a call, to bare httpx and pydantic",
            max(costs[name].cpu for name in OURS) / costs[BARE].cpu,
            bound=1.5,
            wide=1.9,
        ),
        Promise(
            "CPU of `import extractify`, to pydantic, httpx and tenacity",
            median(mine) / median(theirs),
            bound=1.2,
            wide=1.5,
        ),
    )
    raw = {f"CPU ms of a call, {name}": cost.rounds for name, cost in costs.items()}
    raw |= {f"CPU ms of `{DEPENDENCIES}`": theirs, f"CPU ms of `{BARE_IMPORT}`": mine}
    if quick:
        return Part((_calls(costs),), promises, raw=raw)
    with tempfile.TemporaryDirectory() as folder, running() as base:
        installed = fresh.installed(Path(folder))
        starts = fresh.starts(installed, base, 7)
    raw |= {f"CPU ms of a first call, {name}": start.rounds for name, start in starts.items()}
    return Part(
        (_calls(costs), _first(starts), _installs(installed)),
        promises,
        (_headline(costs), *_headlines(installed, starts)),
        raw,
    )


def per_call(names: Iterable[str], rounds: int, calls: int) -> dict[str, Cost]:
    """What a call costs of bare httpx, and of those callers whose library is there."""
    with running() as base, ExitStack() as stack:
        url = f"{base}/v1"
        ways: dict[str, Callable[[], BaseModel]] = {}
        ways[BARE] = stack.enter_context(bare(url, as_ours(url)))
        for name in names:
            if name != BARE and CALLERS[name].there():
                caller = CALLERS[name]
                ways[name] = stack.enter_context(caller.opened(base + caller.path))
        expected = ways[BARE]().model_dump()
        for name, call in ways.items():
            if call().model_dump() != expected:
                raise ValueError(f"{name} gives another value than bare httpx and pydantic")
        many = {name: _times(call, calls) for name, call in ways.items()}
        return side_by_side(many, rounds, units=calls)


def _times(call: Callable[[], object], calls: int) -> Callable[[], None]:
    def work() -> None:
        for _ in range(calls):
            call()

    return work


def imports(rounds: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """CPU ms of importing the dependencies and of importing extractify, each round's, in turn."""
    for statement in (DEPENDENCIES, BARE_IMPORT):
        _import(statement)  # compiles the bytecode
    costs = [(_import(DEPENDENCIES), _import(BARE_IMPORT)) for _ in range(rounds)]
    theirs, mine = zip(*costs, strict=True)
    return theirs, mine


def _import(statement: str) -> float:
    argv = [sys.executable, "-c", MEASURE.format(statement)]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout) * 1000


def _calls(costs: dict[str, Cost]) -> Table:
    return Table(
        "A call",
        ("library", "CPU ms", "ratio to bare", "wall ms"),
        tuple(
            (name, cost.cpu, cost.cpu / costs[BARE].cpu, cost.wall) for name, cost in costs.items()
        ),
        note="The server runs beside them: in wall time it takes its part.",
        chart=Chart("calls", "bars", ("CPU ms",), "CPU time of a call, ms"),
    )


def _first(starts: dict[str, fresh.Start]) -> Table:
    return Table(
        "The first call of a new process",
        ("library", "import, CPU ms", "modules", "peak MB", "first call, CPU ms", "wall ms"),
        tuple(
            (
                name,
                start.import_ms,
                start.modules,
                start.peak_mb,
                start.first_cpu_ms,
                start.first_wall_ms,
            )
            for name, start in starts.items()
        ),
        note="Modules and peak memory after the imports; the first call from the process's start.",
        chart=Chart("first-call", "bars", ("first call, CPU ms",), "CPU time, ms"),
    )


def _installs(installed: dict[str, fresh.Installed]) -> Table:
    failures = "; ".join(each.failure for each in installed.values() if each.failure)
    return Table(
        "An installation",
        ("library", "requirement", "packages", "MB"),
        tuple(
            (
                name,
                "this project" if name == "extractify" else fresh.requirement(name),
                each.packages,
                each.mb,
            )
            for name, each in installed.items()
        ),
        note=f"Sizes without bytecode.{f' Not measured: {failures}.' if failures else ''}",
    )


def _headline(costs: dict[str, Cost]) -> str:
    def ratio(name: str) -> float:
        return costs[name].cpu / costs[BARE].cpu

    peers = [name for name in costs if name not in {BARE, *OURS}]
    told = ", ".join(f"{ratio(name):.1f} with {name.replace(',', ' in')}" for name in peers)
    return (
        f"A call costs {ratio('extractify'):.2f} times the CPU time of bare httpx and pydantic"
        f"{f'; {told}' if told else ''}."
    )


def _headlines(
    installed: dict[str, fresh.Installed], starts: dict[str, fresh.Start]
) -> Iterable[str]:
    whole = {name: each for name, each in installed.items() if each.mb is not None}
    if "extractify" in whole:
        sizes = [f"{name} {each.packages} and {each.mb:.0f} MB" for name, each in whole.items()]
        yield f"Installed: {sizes[0].replace(' and', ' packages and', 1)}; {'; '.join(sizes[1:])}."
    firsts = [
        f"{name} {start.first_cpu_ms / 1000:.2f} s"
        for name, start in starts.items()
        if start.first_cpu_ms
    ]
    if firsts:
        yield f"CPU time of a new process until its first answer: {'; '.join(firsts)}."
