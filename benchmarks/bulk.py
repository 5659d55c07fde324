"""What a bulk run costs, and what becomes of one that is killed.

The rate: 10,000 rows of which 64 are in flight, against a loopback server that holds each answer
back for 50 ms; bare aiohttp posts the same bytes and validates the answer, and they take turns; the
best round of each counts. A run has uvloop's event loop, since the extra brings that; bare aiohttp
has asyncio's own, and for comparison uvloop's.

The memory: the peak of a run in a process of its own, against an endpoint in that process, journal
and output included; it should not grow with the rows. A million rows take long, and are only run
where the environment has `MILLION_ROWS=1`.

The kills: a run over 2,000 rows against a server with faults (5 % 429, 2 % 500, 1 % resets, 3 %
answers that aren't valid) is killed with SIGKILL at random instants and resumed until it is done.
It is broken where its output and its dead letters aren't, byte by byte, those of an undisturbed
run, where a row that was finished was asked again, or where more was asked twice than was in flight
at that kill. `benchmarks/kills.py` does the same at length.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import kills
import uvloop
from callers import ASYNC_CALLERS
from instant_server import answer_body, running
from invoices import DOCUMENT, Invoice
from measured import Part, Promise, Table
from peak import peak_mb

from extractify import Client, Endpoint, Pace, Plan
from extractify.testing import ScriptedEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

ROWS, IN_FLIGHT, LATENCY = 10_000, 64, 0.05
MEMORY, MILLION = (10_000, 100_000), 1_000_000
KILLED_ROWS, KILLED_RUNS = 2000, 3
BODY = answer_body("result")
BARE, BARE_UV, OURS = "bare aiohttp", "bare aiohttp, uvloop", "extractify, run"


def measure(*, quick: bool) -> Part:
    found = rates(3000, 2) if quick else rates(ROWS, 3)
    best = {name: max(each) for name, each in found.items()}
    rate, cpu = best[OURS]
    share = rate / best[BARE][0]
    promises = (
        Promise(
            f"rate of a bulk run beside bare aiohttp, {IN_FLIGHT} in flight, 50 ms",
            share,
            bound=0.80,
            wide=0.45,
            kind="at least",
        ),
    )
    table = Table(
        "Rows a second",
        ("", "rows/s", "CPU ms a row", "share"),
        tuple((name, *each, each[0] / best[BARE][0]) for name, each in best.items()),
    )
    raw = {f"rows/s, {name}": tuple(rate for rate, _ in each) for name, each in found.items()}
    if quick:
        return Part((table,), promises, raw=raw)
    counts = (*MEMORY, MILLION) if os.environ.get("MILLION_ROWS") == "1" else MEMORY
    peaks = {count: peak(count) for count in counts}
    growth = peaks[counts[-1]][0] / peaks[counts[0]][0]
    grows = f"peak memory with {counts[-1]:,} rows beside {counts[0]:,}"
    ended, broken = killed_runs()
    return Part(
        (table, _memory(peaks), _kills(ended, broken)),
        (
            *promises,
            Promise(grows, growth, bound=1.5, wide=2.0),
            Promise("runs broken by kills", broken, bound=0, wide=0),
        ),
        (
            (
                f"A bulk run gets through {rate:.0f} rows a second with {IN_FLIGHT} in flight, "
                f"{share:.0%} of bare aiohttp's rate, at {cpu:.2f} ms of CPU a row."
            ),
            f"Its peak memory is {_in_words(peaks)}.",
            (
                f"{sum(each.kills for each in ended)} kills and resumptions in {len(ended)} runs: "
                f"{broken} of them came out other than an undisturbed one; "
                f"{sum(sum(each.repeats) for each in ended)} answers were paid for twice."
            ),
        ),
        raw,
    )


# --- the rate --------------------------------------------------------------------------------


def rates(count: int, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Rows a second and ms of CPU each, of each round, in turn."""
    ways: dict[str, Callable[[str, int], None]] = {
        BARE: lambda url, count: asyncio.run(bare(url, count)),
        BARE_UV: lambda url, count: uvloop.run(bare(url, count)),
        OURS: run,
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    with running(LATENCY) as base:
        for _ in range(rounds):
            for name, way in ways.items():
                started, cpu = time.perf_counter(), time.process_time()
                way(f"{base}/v1", count)
                wall, cpu = time.perf_counter() - started, time.process_time() - cpu
                found[name].append((count / wall, cpu / count * 1000))
    return found


def run(url: str, count: int) -> None:
    through(Endpoint(url=url, model="m"), count)


def through(endpoint: Endpoint, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder, Client(endpoint) as client:
        plan = Plan(pace=Pace(IN_FLIGHT))
        report = client.run(Invoice, rows(count), Path(folder, "out.jsonl"), plan)
        if not report.ok:
            raise RuntimeError(f"rows failed: {report}")


def rows(count: int) -> Iterator[tuple[int, str]]:
    for number in range(count):
        yield number, f"{DOCUMENT}\nReference {number}"


async def bare(url: str, count: int) -> None:
    async with ASYNC_CALLERS[BARE].opened(url) as call:
        turns = iter(range(count))

        async def work() -> None:
            for _ in turns:
                await call()

        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


# --- the memory ------------------------------------------------------------------------------


def peak(count: int) -> tuple[float, float]:
    """The peak of a process that runs through so many rows, in MB, and its CPU a row, in ms."""
    command = [sys.executable, __file__, str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    mb, cpu = done.stdout.split()
    return float(mb), float(cpu)


class Fixed(ScriptedEndpoint):
    """Answers in this process, always the same, and keeps nothing."""

    def exchange(
        self, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], Iterable[bytes | float]]:
        del path, headers, body
        return 200, {"content-type": "application/json"}, [BODY]


def _memory(peaks: dict[int, tuple[float, float]]) -> Table:
    return Table(
        "Memory",
        ("rows", "peak MB", "CPU ms a row, endpoint included"),
        tuple((count, *each) for count, each in peaks.items()),
    )


def _in_words(peaks: dict[int, tuple[float, float]]) -> str:
    return ", ".join(f"{mb:.0f} MB with {count:,} rows" for count, (mb, _) in peaks.items())


# --- kills -----------------------------------------------------------------------------------


def killed_runs() -> tuple[list[kills.Killed], int]:
    """Runs that were killed, and the number of those that broke by it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kills.prepared(folder, KILLED_ROWS)
        expected = kills.undisturbed(folder, IN_FLIGHT)
        ended = [
            kills.killed(folder, f"{seed}.jsonl", IN_FLIGHT, seed) for seed in range(KILLED_RUNS)
        ]
    return ended, sum(each.is_broken(expected, IN_FLIGHT) for each in ended)


def _kills(ended: list[kills.Killed], broken: int) -> Table:
    return Table(
        "Killed and resumed",
        ("runs", "rows of each", "kills", "answers paid for twice", "asked again", "broken runs"),
        (
            (
                len(ended),
                KILLED_ROWS,
                sum(each.kills for each in ended),
                sum(sum(each.repeats) for each in ended),
                sum(each.asked_again for each in ended),
                broken,
            ),
        ),
        note=f"At most {IN_FLIGHT} answers are under way at a kill, which are paid for twice.",
    )


def main() -> None:
    """A run of so many rows in this process."""
    count = int(sys.argv[1])
    cpu = time.process_time()
    through(Fixed(), count)
    print(peak_mb(), (time.process_time() - cpu) / count * 1000)


if __name__ == "__main__":
    main()
