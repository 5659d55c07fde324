"""How many calls a second one machine gets through with many in flight, beside bare aiohttp.

Every row asks the same loopback server in the same run, which holds each answer back for the
latency. "bare aiohttp" posts the same bytes, and reads and validates the answer with json.loads and
model_validate; "extractify" is the whole of `extract`. Rows take turns; the best round of each
counts. The promises are shares of bare aiohttp's rate; exits with 1 where one is broken.

The rate is bounded by in_flight / latency, and by the CPU: with a short latency and many in flight
the share tells what a call costs, not how well calls wait. With nothing else to do, a machine needs
a part of a millisecond for the prompt, the checks and the validation of a call.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import threading
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import aiohttp
from instant_server import running
from per_call import DOCUMENT, Invoice

from extractify import AsyncClient, Client, Endpoint, Limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

Call: TypeAlias = "Callable[[], Awaitable[object]]"
PROMISES = {"extractify, aiohttp": 0.85, "extractify, base": 0.40, "threads, base": 0.40}


@asynccontextmanager
async def bare(base: str) -> AsyncIterator[Call]:
    url = f"{base}/v1/chat/completions"
    body = json.dumps(dict(Client(_endpoint(base)).build_request(Invoice, DOCUMENT).body)).encode()
    headers = {"content-type": "application/json"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def call() -> object:
            async with session.post(url, data=body, headers=headers) as response:
                content = await response.read()
            text = json.loads(content)["choices"][0]["message"]["content"]
            return Invoice.model_validate(json.loads(text))

        yield call


@asynccontextmanager
async def ours(base: str, *, uses_aiohttp: bool) -> AsyncIterator[Call]:
    limits = Limits(connections=None, kept=1024, aiohttp=uses_aiohttp)
    async with AsyncClient(_endpoint(base), limits=limits) as client:

        async def call() -> object:
            return (await client.extract(Invoice, DOCUMENT)).value

        yield call


def _endpoint(base: str) -> Endpoint:
    return Endpoint(url=f"{base}/v1", model="m")


async def _load(call: Call, calls: int, in_flight: int) -> None:
    turns = iter(range(calls))

    async def work() -> None:
        for _ in turns:
            await call()

    await asyncio.gather(*(work() for _ in range(in_flight)))


async def _async_rate(opened: Callable[[], Any], calls: int, in_flight: int) -> tuple[float, float]:
    async with opened() as call:
        await _load(call, in_flight, in_flight)  # opens the connections
        started, cpu = time.perf_counter(), time.process_time()
        await _load(call, calls, in_flight)
        return _measured(calls, started, cpu)


def _thread_rate(base: str, calls: int, in_flight: int) -> tuple[float, float]:
    with Client(_endpoint(base), limits=Limits(connections=None, kept=1024)) as client:
        _in_threads(client, in_flight, in_flight)
        started, cpu = time.perf_counter(), time.process_time()
        _in_threads(client, calls, in_flight)
        return _measured(calls, started, cpu)


def _in_threads(client: Client, calls: int, in_flight: int) -> None:
    turns: Iterator[int] = iter(range(calls))

    def work() -> None:
        for _ in turns:
            client.extract(Invoice, DOCUMENT)

    threads = [threading.Thread(target=work) for _ in range(in_flight)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _measured(calls: int, started: float, cpu: float) -> tuple[float, float]:
    rate = calls / (time.perf_counter() - started)
    return rate, (time.process_time() - cpu) / calls * 1000


def rates(base: str, calls: int, in_flight: int, rounds: int) -> dict[str, tuple[float, float]]:
    """Calls a second and milliseconds of CPU each, the best of the rounds."""
    rows: dict[str, Callable[[], tuple[float, float]]] = {
        "bare aiohttp": lambda: asyncio.run(_async_rate(lambda: bare(base), calls, in_flight)),
        "extractify, aiohttp": lambda: asyncio.run(
            _async_rate(lambda: ours(base, uses_aiohttp=True), calls, in_flight)
        ),
        "extractify, base": lambda: asyncio.run(
            _async_rate(lambda: ours(base, uses_aiohttp=False), calls, in_flight)
        ),
        "threads, base": lambda: _thread_rate(base, calls, in_flight),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in rows}
    for _ in range(rounds):
        for name, measure in rows.items():
            found[name].append(measure())
    return {name: max(results) for name, results in found.items()}


def memory(base: str, calls: int) -> tuple[int, int]:
    """The process's peak, in KiB, after a tenth of the calls, and after all of them."""

    async def run() -> tuple[int, int]:
        async with ours(base, uses_aiohttp=True) as call:
            await _load(call, calls // 10, 64)
            early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            await _load(call, calls, 64)
            return early, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    return asyncio.run(run())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--in-flight", type=int, nargs="*", default=[64, 256])
    parser.add_argument("--latency", type=float, default=0.05, help="seconds")
    parser.add_argument("--memory", type=int, default=0, help="calls; 0 leaves it out")
    options = parser.parse_args()
    broken = 0
    with running(options.latency) as base:
        for in_flight in options.in_flight:
            print(f"{in_flight} in flight, {options.latency * 1000:.0f} ms latency")
            found = rates(base, options.calls, in_flight, options.rounds)
            reference, _ = found["bare aiohttp"]
            for name, (rate, cpu) in found.items():
                share, promise = rate / reference, PROMISES.get(name, 0)
                broken += share < promise
                told = f"promise {promise:.0%}" if promise else ""
                print(f"  {name:<20} {rate:6.0f}/s  {cpu:.2f} ms CPU  {share:4.0%}  {told}")
    if options.memory:
        with running() as base:
            early, late = memory(base, options.memory)
        print(f"{options.memory} calls more: peak of {early} KiB grew by {late - early} KiB")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
