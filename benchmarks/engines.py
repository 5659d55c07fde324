"""Rows a second through Ray Data, for one, two and four workers, and for one process without Ray.

A loopback server in a process of its own holds each answer back for the latency. "steady" is from
the first answer to the last, "whole" with what Ray takes to start its workers. Rows take turns in
one run; the best round of each is shown. Needs the extra `ray`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
import ray.data
from instant_server import running
from pydantic import BaseModel

from extractify import Endpoint
from extractify.engines.ray import extract
from extractify.many import Many
from extractify.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]


class Vendor(BaseModel):
    name: str
    city: str


class Invoice(BaseModel):
    number: str
    vendor: Vendor
    total: float


def on_ray(endpoint: Endpoint, count: int, actors: int, in_flight: int) -> tuple[float, float]:
    """Rows a second: steady, whole."""
    texts = [{"id": each, "text": f"Invoice {each}"} for each in range(count)]
    started = time.monotonic()
    ds = extract(
        ray.data.from_items(texts, override_num_blocks=4),
        Invoice,
        endpoint,
        actors=actors,
        in_flight=in_flight,
    )
    arrived: list[tuple[float, int]] = []
    for batch in ds.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        assert set(batch["_status"].to_pylist()) == {"ok"}  # noqa: S101
        arrived.append((time.monotonic(), batch.num_rows))
    whole = count / (arrived[-1][0] - started)
    (first, rows), (last, _) = arrived[0], arrived[-1]
    return (count - rows) / (last - first), whole


def alone(endpoint: Endpoint, count: int, in_flight: int) -> tuple[float, float]:
    async def main() -> float:
        rows: list[dict[str, Any]] = [{"text": f"Invoice {each}"} for each in range(count)]
        async with Many(Invoice, endpoint, pace=Pace(in_flight)) as many:
            await many.extract_many(rows[: 2 * in_flight])
            started = time.monotonic()
            await many.extract_many(rows)
            return count / (time.monotonic() - started)

    rate = asyncio.run(main())
    return rate, rate


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--in-flight", type=int, default=32, help="of each worker")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, logging_level="error")
    ray.data.DataContext.get_current().enable_progress_bars = False
    count, in_flight = options.rows, options.in_flight
    with running(options.latency) as base:
        endpoint = Endpoint(url=f"{base}/v1", model="m", api_key="none")
        runs: dict[str, Callable[[], tuple[float, float]]] = {
            "no Ray, 1 process": lambda: alone(endpoint, count, in_flight),
            "Ray, 1 worker": lambda: on_ray(endpoint, count, 1, in_flight),
            "Ray, 2 workers": lambda: on_ray(endpoint, count, 2, in_flight),
            "Ray, 4 workers": lambda: on_ray(endpoint, count, 4, in_flight),
        }
        best = dict.fromkeys(runs, (0.0, 0.0))
        for _ in range(options.rounds):
            for name, run in runs.items():
                best[name] = max(best[name], run())
    print(f"{count} rows, {in_flight} in flight a worker, {options.latency * 1000:.0f} ms latency")
    for name, (steady, whole) in best.items():
        print(f"  {name:<20} steady {steady:6.0f}/s   whole {whole:6.0f}/s")
    ray.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
