"""What a bulk run costs: its rate beside bare aiohttp, its CPU a row, and its memory.

The rate: 10,000 rows, 64 in flight, against a loopback server that holds each answer back for
50 ms; bare aiohttp posts the same bytes and validates the answer, and the two take turns. The
memory: the peak of a run of its own process against an endpoint in that process, journal and
output included; it should not grow with the rows. Exits with 1 where the promise of 80 % is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from concurrency import bare
from instant_server import answer_body, running
from per_call import DOCUMENT, Invoice

from extractify import AsyncClient, Endpoint, Pace, Plan
from extractify.testing import ScriptedEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PROMISE = 0.80
IN_FLIGHT = 64
BODY = answer_body("result")


def rows(count: int) -> Iterator[tuple[int, str]]:
    for number in range(count):
        yield number, f"{DOCUMENT}\nReference {number}"


async def bulk_rate(base: str, count: int) -> tuple[float, float]:
    endpoint = Endpoint(url=f"{base}/v1", model="m")
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncClient(endpoint) as client:
            plan = Plan(pace=Pace(IN_FLIGHT))
            started, cpu = time.perf_counter(), time.process_time()
            report = await client.run(Invoice, rows(count), Path(folder, "out.jsonl"), plan)
            assert report.ok, report  # noqa: S101
            return count / (time.perf_counter() - started), (time.process_time() - cpu) / count


async def bare_rate(base: str, count: int) -> tuple[float, float]:
    async with bare(base) as call:
        turns = iter(range(count))

        async def work() -> None:
            for _ in turns:
                await call()

        started, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
        return count / (time.perf_counter() - started), (time.process_time() - cpu) / count


def peak(count: int) -> tuple[int, float]:
    """The peak of a process that runs through so many rows, in MiB, and its CPU a row, in ms."""
    command = [sys.executable, __file__, "--rows-here", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    mib, cpu = done.stdout.split()
    return int(mib), float(cpu)


class Fixed(ScriptedEndpoint):
    """Answers in this process, always the same, and keeps nothing."""

    def exchange(
        self, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], Iterable[bytes | float]]:
        del path, headers, body
        return 200, {"content-type": "application/json"}, [BODY]


def rows_here(count: int) -> None:
    async def run() -> None:
        endpoint = Fixed()
        with tempfile.TemporaryDirectory() as folder:
            async with AsyncClient(endpoint) as client:
                plan = Plan(pace=Pace(IN_FLIGHT))
                report = await client.run(Invoice, rows(count), Path(folder, "out.jsonl"), plan)
                assert report.ok, report  # noqa: S101

    cpu = time.process_time()
    asyncio.run(run())
    each = (time.process_time() - cpu) / count * 1000
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, f"{each:.3f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--rows-here", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rows_here:
        rows_here(options.rows_here)
        return 0
    found: dict[str, list[tuple[float, float]]] = {"bare aiohttp": [], "extractify, run": []}
    with running(0.05) as base:
        for _ in range(options.rounds):
            found["bare aiohttp"].append(asyncio.run(bare_rate(base, options.rows)))
            found["extractify, run"].append(asyncio.run(bulk_rate(base, options.rows)))
    best = {name: max(each) for name, each in found.items()}
    reference = best["bare aiohttp"][0]
    for name, (rate, cpu) in best.items():
        share = rate / reference
        print(f"{name:<16} {rate:6.0f} rows/s  {cpu * 1000:.2f} ms CPU a row  {share:4.0%}")
    for count in options.memory:
        mib, cpu = peak(count)
        print(f"{count:>9,} rows  peak {mib} MiB  {cpu:.2f} ms CPU a row, endpoint included")
    return int(best["extractify, run"][0] / reference < PROMISE)


if __name__ == "__main__":
    sys.exit(main())
