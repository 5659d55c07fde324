"""What the gate of a run costs in CPU time, beside a semaphore of asyncio's.

Requests that pass `Regulator.admit` and `release`, or a semaphore of the same size, and do nothing
in between but yield once: 64 at a time of 128 that wait, in turn, several rounds; medians. The
promise is 30 microseconds a request. Exits with 1 where it is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

from extractify.pace import Pace, Regulator
from extractify.rates import Allowance, Rate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PROMISE = 30.0
AT_ONCE = 64
PLENTY = 1e9


async def with_semaphore(requests: int) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with gate:
            await asyncio.sleep(0)

    await by_workers(requests, one)


async def with_regulator(requests: int, pace: Pace, rate: Rate | None = None) -> None:
    gate = Regulator(pace)

    async def one() -> None:
        permit = await gate.admit(1000.0)
        await asyncio.sleep(0)
        gate.release(permit, tokens=300)
        if rate is not None:
            gate.heed(rate)

    await by_workers(requests, one)


async def by_workers(requests: int, one: Callable[[], Awaitable[None]]) -> None:
    async def worker() -> None:
        for _ in range(requests // (2 * AT_ONCE)):
            await one()

    await asyncio.gather(*(worker() for _ in range(2 * AT_ONCE)))


def cpu(requests: int, run: Callable[[int], Awaitable[None]]) -> float:
    """Microseconds of this process's CPU time for a request."""

    async def timed() -> float:
        started = time.process_time()
        await run(requests)
        return time.process_time() - started

    return asyncio.run(timed()) / requests * 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=12_800)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    limited = Pace(AT_ONCE, requests_per_minute=PLENTY, tokens_per_minute=PLENTY)
    rate = Rate(Allowance(PLENTY, PLENTY), Allowance(PLENTY, PLENTY))
    kinds: dict[str, Callable[[int], Awaitable[None]]] = {
        "semaphore": with_semaphore,
        "concurrency alone": lambda requests: with_regulator(requests, Pace(AT_ONCE)),
        "requests and tokens a minute": lambda requests: with_regulator(requests, limited),
        "likewise, headers on each answer": lambda requests: with_regulator(
            requests, limited, rate
        ),
    }
    rounds = [
        {name: cpu(options.requests, run) for name, run in kinds.items()}
        for _ in range(options.rounds)
    ]
    figures = {name: median(each[name] for each in rounds) for name in kinds}
    for name, figure in figures.items():
        print(f"{name:34} {figure:6.1f} us a request  {figure / figures['semaphore']:5.2f}x")
    return int(max(figures.values()) > PROMISE)


if __name__ == "__main__":
    sys.exit(main())
