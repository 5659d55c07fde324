"""How many calls a second one process gets through with many in flight, and what they take.

Each row asks a loopback server that holds every answer back for the latency; each library runs at
each number in flight in a process of its own, in turn, after as many calls as are in flight, which
open the connections. "bare aiohttp" posts the bytes that extractify sends and reads the answer with
`json.loads` and `model_validate`; "extractify" is the whole of `AsyncClient.extract` with the extra
`aiohttp`, "base" without it, "threads" a `Client` and as many threads. The peers are used as their
documentation shows: [openai](https://github.com/openai/openai-python#async-usage)'s `AsyncOpenAI`,
also [with aiohttp](https://github.com/openai/openai-python#with-aiohttp), and on one of those
[instructor](https://python.useinstructor.com/integrations/openai/) in JSON_SCHEMA mode and
[pydantic-ai](https://ai.pydantic.dev/models/openai/) with NativeOutput, the cheaper ones of theirs.
All of them may keep as many connections as they use.

The rate is bounded by in flight / latency, and by the CPU: 1000 / (CPU ms of a call). With a short
latency and many in flight, the share of bare aiohttp's rate tells what a call costs, not how well
calls wait.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from statistics import quantiles
from typing import TYPE_CHECKING

from callers import ASYNC_CALLERS, CALLERS
from instant_server import running
from measured import Chart, Part, Promise, Table
from peak import peak_mb
from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BARE, THREADS = "bare aiohttp", "extractify, threads"
NAMES = (*ASYNC_CALLERS, THREADS)
OURS = ("extractify", "extractify, base", THREADS)
IN_FLIGHT, MOST_THREADS = (1, 8, 64, 256, 512), 64
LATENCY, SHORT = 0.2, 0.05  # seconds
LEAST_CALLS, TURNS, MOST_CALLS = 20, 4, 1024  # calls; calls for each in flight; calls
PROMISED = 64  # in flight, at the short latency
PROMISES = {"extractify": (0.85, 0.60), "extractify, base": (0.40, 0.25), THREADS: (0.40, 0.25)}


@dataclass(frozen=True, slots=True)
class Load:
    """Calls a second, CPU ms of each, ms that the slowest of a hundred exceeds the latency by."""

    rate: float
    cpu: float
    late: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds: of all calls by the clock and of CPU, and of each."""

    wall: float
    cpu: float
    times: list[float]


def measure(*, quick: bool) -> Part:
    with running(SHORT) as base:
        shares = _rounds((BARE, *OURS), base, PROMISED, 1000 if quick else 2000, 2 if quick else 3)
    promises = tuple(
        Promise(
            f"rate of {name} beside bare aiohttp, {PROMISED} in flight, {SHORT * 1000:.0f} ms",
            shares[name][0].rate / shares[BARE][0].rate,
            bound=bound,
            wide=wide,
            kind="at least",
        )
        for name, (bound, wide) in PROMISES.items()
    )
    raw = {f"calls/s, {name}": tuple(x.rate for x in each) for name, each in shares.items()}
    tables = [_shares(f"{PROMISED} in flight, 50 ms latency", shares)]
    if quick:
        return Part(tuple(tables), promises, raw=raw)
    there = [name for name in NAMES if name == THREADS or ASYNC_CALLERS[name].there()]
    with running(SHORT) as base:
        bound = _rounds((BARE, "extractify", "extractify, base"), base, 256, 2000, 3)
    tables.append(_shares("256 in flight, 50 ms latency: bounded by the CPU", bound))
    with running(LATENCY) as base:
        found = {name: dict(_loads(name, base)) for name in there}
    return Part((*_grids(found), *tables), promises, (_headline(found),), raw)


def _loads(name: str, base: str) -> Iterator[tuple[int, Load]]:
    """By calls in flight, without those that failed: a client may give up before its turn comes."""
    for at in IN_FLIGHT:
        if name == THREADS and at > MOST_THREADS:
            return
        try:
            calls = min(max(LEAST_CALLS, TURNS * at), MOST_CALLS)
            yield at, load(name, base, at, calls, LATENCY)
        except subprocess.CalledProcessError as error:
            print(f"{name}, {at} in flight: {error}", file=sys.stderr)


def _rounds(
    names: Sequence[str], base: str, in_flight: int, calls: int, rounds: int
) -> dict[str, list[Load]]:
    """Each round's load, the best first: what else the machine does only ever slows one down."""
    found: dict[str, list[Load]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            found[name].append(load(name, base, in_flight, calls, SHORT))
    return {
        name: sorted(each, key=lambda load: load.rate, reverse=True) for name, each in found.items()
    }


def _shares(title: str, found: dict[str, list[Load]]) -> Table:
    best = {name: each[0] for name, each in found.items()}
    return Table(
        title,
        ("library", "calls/s", "CPU ms a call", "1000 / CPU ms", "share of bare aiohttp"),
        tuple(
            (name, each.rate, each.cpu, 1000 / each.cpu, each.rate / best[BARE].rate)
            for name, each in best.items()
        ),
        note="The best round of each.",
    )


def _grids(found: dict[str, dict[int, Load]]) -> list[Table]:
    figures: dict[str, Callable[[Load], float]] = {
        "Calls a second": lambda each: each.rate,
        "CPU of a call, ms": lambda each: each.cpu,
        "Peak memory of the process, MB": lambda each: each.peak_mb,
        "What the slowest of a hundred calls takes beyond the latency, ms": lambda each: each.late,
    }
    chart = Chart("concurrency", "lines", tuple(found), "calls a second", logarithmic=True)
    return [
        Table(
            f"{title}; {LATENCY * 1000:.0f} ms latency",
            ("in flight", *found),
            tuple(
                (at, *(figure(each[at]) if at in each else None for each in found.values()))
                for at in IN_FLIGHT
            ),
            note=f"A dash: calls failed, or more than {MOST_THREADS} threads, which weren't tried.",
            chart=chart if title == "Calls a second" else None,
        )
        for title, figure in figures.items()
    ]


def _headline(found: dict[str, dict[int, Load]]) -> str:
    most = IN_FLIGHT[-1]
    rates = [f"{name} {each[most].rate:.0f}" for name, each in found.items() if most in each]
    return (
        f"Calls a second of one process with {most} in flight and {LATENCY * 1000:.0f} ms latency: "
        f"{'; '.join(rates)}."
    )


# --- in a process of its own -----------------------------------------------------------------


def load(name: str, base: str, in_flight: int, calls: int, latency: float) -> Load:
    argv = [name, base, str(in_flight), str(calls), str(latency)]
    done = subprocess.run([sys.executable, __file__, *argv], check=True, stdout=subprocess.PIPE)
    return TypeAdapter(Load).validate_json(done.stdout)


async def _asynchronous(name: str, base: str, in_flight: int, calls: int) -> Spent:
    caller = ASYNC_CALLERS[name]
    async with caller.opened(base + caller.path) as call:

        async def work(turns: Iterator[int], times: list[float]) -> None:
            for _ in turns:
                started = time.perf_counter()
                await call()
                times.append(time.perf_counter() - started)

        async def together(calls: int) -> list[float]:
            turns, times = iter(range(calls)), list[float]()
            await asyncio.gather(*(work(turns, times) for _ in range(in_flight)))
            return times

        await together(in_flight)
        wall, cpu = time.perf_counter(), time.process_time()
        times = await together(calls)
        return Spent(time.perf_counter() - wall, time.process_time() - cpu, times)


def _threaded(base: str, in_flight: int, calls: int) -> Spent:
    caller = CALLERS["extractify"]
    with caller.opened(base + caller.path) as call:

        def work(turns: Iterator[int], times: list[float]) -> None:
            for _ in turns:
                started = time.perf_counter()
                call()
                times.append(time.perf_counter() - started)

        def together(calls: int) -> list[float]:
            turns, times = iter(range(calls)), list[float]()
            threads = [threading.Thread(target=work, args=(turns, times)) for _ in range(in_flight)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return times

        together(in_flight)
        wall, cpu = time.perf_counter(), time.process_time()
        times = together(calls)
        return Spent(time.perf_counter() - wall, time.process_time() - cpu, times)


def main() -> None:
    name, base, in_flight, calls, latency = sys.argv[1:]
    work = (base, int(in_flight), int(calls))
    spent = _threaded(*work) if name == THREADS else asyncio.run(_asynchronous(name, *work))
    loaded = Load(
        rate=int(calls) / spent.wall,
        cpu=spent.cpu / int(calls) * 1000,
        late=(quantiles(spent.times, n=100, method="inclusive")[-1] - float(latency)) * 1000,
        peak_mb=peak_mb(),
    )
    print(TypeAdapter(Load).dump_json(loaded).decode())


if __name__ == "__main__":
    main()
