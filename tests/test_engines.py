"""extractify.engines.ray on a real Ray of this machine: its workers are processes of their own.

What is killed here is a process, and what is down is a socket.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from pydantic import BaseModel, field_validator

from extractify.engines.lender import Lender
from extractify.engines.ray import ExtractBatch, extract
from extractify.errors import ConfigurationError
from extractify.many import COLUMNS, RESULT
from extractify.pace import Pace
from extractify.testing import Answer, Seen, anything, serve
from extractify.testing.script import CLOUDFLARE
from tests.loopback import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify import Endpoint

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Ray's own
]
ROOT = Path(__file__).parents[1]
WORKERS = "EXTRACTIFY_TEST_WORKERS"
LATENCY = 0.05


class Receipt(BaseModel):
    """Its validator tells in which process it runs, and fails for some totals."""

    total: int
    note: str | None = None

    @field_validator("total")
    @classmethod
    def told(cls, total: int) -> int:
        (Path(os.environ[WORKERS]) / str(os.getpid())).touch()
        if total == 13:
            raise ValueError("13 is no total")
        if total == 17:
            raise LookupError("a bug in the validator")
        return total


def at(url: str) -> Endpoint:
    return replace(CLOUDFLARE, url=url)


def number(seen: Seen) -> int:
    """The number of the document that a request asks about."""
    asked = str(seen.asked["messages"][1]["content"])
    return int(asked.split("Total ")[1].split(maxsplit=1)[0])


def answer(seen: Seen) -> object:
    return {"total": number(seen)}


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which each worker leaves a file of its process's number."""
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def ray(workers: Path) -> Iterator[Any]:
    """A Ray of this machine, by which this process drives."""
    reason = "Ray isn't installed: pip install 'extractify[ray]'"
    ray = pytest.importorskip("ray", reason=reason)
    pytest.importorskip("ray.data", reason=reason)
    quiet = {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    with (
        environment(PYTHONPATH=str(ROOT), **{WORKERS: str(workers)}, **quiet),
        pytest.MonkeyPatch.context() as patch,
    ):
        for name in [each for each in os.environ if each.startswith("COVERAGE")]:
            patch.delenv(name)  # a process that is killed tells nothing of its coverage
        ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        yield ray
        ray.shutdown()


def rows(ray: Any, count: int, spoilt: dict[int, object] | None = None) -> Any:
    texts = [(spoilt or {}).get(each, f"Total {each}") for each in range(100, 100 + count)]
    return ray.data.from_items(
        [{"id": 100 + each, "body": text} for each, text in enumerate(texts)],
        override_num_blocks=4,
    )


def by_id(ds: Any) -> dict[int, dict[str, Any]]:
    taken = ds.take_all()
    told = {row["id"]: row for row in taken}
    assert len(told) == len(taken)
    return told


def test_rows_go_through_several_processes_and_the_poisoned_ones_are_rows(
    ray: Any, workers: Path
) -> None:
    spoilt: dict[int, object] = {
        100: None,
        101: "",
        102: "Total \0",
        103: "Total 13",  # never valid
        104: "Total 17",  # crashes the validator
        105: "Total 105 poison",  # fails at the endpoint
    }

    def poisoned(seen: Seen) -> object:
        return Answer("", 400) if "poison" in str(seen.body) else answer(seen)

    with serve(poisoned, contract=anything, latency=LATENCY) as server:
        ds = rows(ray, 100, spoilt)
        ds = extract(ds, Receipt, server.endpoint, text="body", rows_per_block=6)
        blocks = list(ds.iter_batches(batch_size=None, batch_format="pyarrow"))
    told = {row["id"]: row for block in blocks for row in block.to_pylist()}
    assert len(told) == 100
    statuses = [told[each]["_status"] for each in sorted(told)]
    assert statuses == ["invalid"] * 5 + ["failed"] + ["ok"] * 94
    assert told[150][RESULT]["total"] == 150
    assert told[150]["_error"] == ""
    assert told[100][RESULT] is None
    assert len(list(workers.iterdir())) == 2
    # The first block has no value at all, and the same schema as the others.
    assert len(blocks) == 17
    assert all(block.schema == blocks[0].schema for block in blocks)
    assert blocks[0].schema.names == ["id", "body", RESULT, *COLUMNS]


def test_a_worker_that_is_killed_in_mid_batch_costs_its_blocks_and_no_row(
    ray: Any, workers: Path
) -> None:
    for each in workers.iterdir():
        each.unlink()
    killed: list[int] = []

    def killing(seen: Seen) -> object:
        if number(seen) == 180 and not killed:
            killed.append(int(next(workers.iterdir()).name))
            os.kill(killed[0], signal.SIGKILL)
        return answer(seen)

    with serve(killing, contract=anything, latency=LATENCY) as server:
        ds = rows(ray, 200)
        told = by_id(
            extract(ds, Receipt, server.endpoint, text="body", in_flight=8, rows_per_block=20)
        )
        asked = len(server.requests)
    assert killed
    assert Counter(row["_status"] for row in told.values()) == {"ok": 200}
    assert all(row[RESULT]["total"] == each for each, row in told.items())
    assert asked <= 200 + 2 * 20  # two blocks at a time


def test_a_driver_that_is_killed_goes_on_where_its_checkpoint_is(ray: Any, tmp_path: Path) -> None:
    parquet = import_module("pyarrow.parquet")
    (tmp_path / "in").mkdir()
    table = import_module("pyarrow").table(
        {"id": list(range(100, 500)), "body": [f"Total {n}" for n in range(100, 500)]}
    )
    parquet.write_table(table, tmp_path / "in" / "rows.parquet")
    cluster = ray.get_runtime_context().gcs_address

    def saved() -> int:
        done = [
            each for each in (tmp_path / "done").glob("*.parquet") if "pending" not in each.name
        ]
        return sum(parquet.read_metadata(each).num_rows for each in done)

    killed = threading.Event()

    def holding(seen: Seen) -> object:
        """Answer 300 documents; the others wait until the driver is killed."""
        if len(server.requests) > 300:
            killed.wait(60)
        return answer(seen)

    def command(url: str) -> list[str]:
        return [sys.executable, "-m", "tests.ray_driver", cluster, url, str(tmp_path)]

    with serve(holding, contract=anything, latency=LATENCY) as server:
        with subprocess.Popen(
            command(server.url), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as driver:
            while driver.poll() is None and saved() < 40:
                time.sleep(0.02)
            driver.kill()
        killed.set()
        before = saved()
    assert 40 <= before < 400
    with serve(answer, contract=anything, latency=LATENCY) as server:
        subprocess.run(command(server.url), cwd=ROOT, check=True, capture_output=True)
        asked = len(server.requests)
    out = parquet.read_table(tmp_path / "out").to_pylist()
    assert sorted(row["id"] for row in out) == list(range(100, 500))
    assert all(row[RESULT]["total"] == row["id"] for row in out)
    assert asked <= 400 - before


def test_an_endpoint_that_is_down_for_ten_seconds_costs_time_and_no_row(ray: Any) -> None:
    with ThreadPoolExecutor() as pool:
        with serve(answer, contract=anything, latency=LATENCY) as server:
            ds = extract(rows(ray, 200), Receipt, server.endpoint, text="body", in_flight=8)
            taken = pool.submit(by_id, ds)
            while len(server.requests) < 40:
                time.sleep(0.01)
        time.sleep(10)
        port = urlsplit(server.url).port or 0
        with serve(answer, contract=anything, latency=LATENCY, port=port):
            told = taken.result()
    assert Counter(row["_status"] for row in told.values()) == {"ok": 200}


def test_a_storm_of_429_costs_time_and_no_row(ray: Any) -> None:
    arrived: list[float] = []
    refused: list[float] = []

    def limited(seen: Seen) -> object:
        """Bear 40 requests a second."""
        now = time.monotonic()
        if sum(each > now - 1 for each in arrived) >= 40:
            refused.append(now)
            return Answer("", 429, {"retry-after": "1"})
        arrived.append(now)
        return answer(seen)

    with serve(limited, contract=anything, latency=LATENCY) as server:
        told = by_id(extract(rows(ray, 200), Receipt, server.endpoint, text="body"))
    assert Counter(row["_status"] for row in told.values()) == {"ok": 200}
    assert refused
    assert len(refused) <= 200


def test_a_429_at_one_worker_halves_the_concurrency_of_another(ray: Any) -> None:
    pa = import_module("pyarrow")
    latency = 0.2
    once = iter([Answer("", 429, {"retry-after": "0"})])
    arrived: list[float] = []

    def refusing(seen: Seen) -> object:
        return next(once, answer(seen))

    def timed(seen: Seen) -> object:
        arrived.append(time.monotonic())
        return answer(seen)

    async def ask(worker: ExtractBatch, count: int) -> int:
        """How many requests the other endpoint had at once; each of them is there for a while."""
        arrived.clear()
        numbers = range(100, 100 + count)
        table = pa.table({"id": list(numbers), "body": [f"Total {each}" for each in numbers]})
        (made,) = [made async for made in worker(table)]
        assert set(made["_status"].to_pylist()) == {"ok"}
        return max(
            (sum(at <= each < at + latency for each in arrived) for at in arrived), default=0
        )

    async def main(*urls: str) -> tuple[int, int]:
        lender = ray.remote(Lender).remote(Pace())
        one, other = (ExtractBatch(Receipt, at(url), text="body", lender=lender) for url in urls)
        before = await ask(other, 100)
        await ask(one, 1)
        return before, await ask(other, 60)

    with (
        serve(refusing, contract=anything) as first,
        serve(timed, contract=anything, latency=latency) as second,
    ):
        before, after = asyncio.run(main(first.url, second.url))
    assert len(first.requests) == 2
    assert before > 20  # of 32
    assert after <= 16 + 60 // 16  # it grows by one with each round trip


def test_a_rate_holds_for_all_workers_together(ray: Any) -> None:
    arrived: list[float] = []

    def timed(seen: Seen) -> object:
        arrived.append(time.monotonic())
        return answer(seen)

    pace = Pace(requests_per_minute=1_200)
    with serve(timed, contract=anything) as server:
        ds = extract(rows(ray, 100), Receipt, server.endpoint, text="body", pace=pace)
        assert len(by_id(ds)) == 100
    assert arrived[-1] - arrived[0] >= 0.9 * (100 - 20) / 20


def test_the_class_alone_takes_batches_of_any_format(ray: Any) -> None:
    with serve(answer, contract=anything) as server:
        step = {"task": Receipt, "endpoint": server.endpoint, "text": "body", "in_flight": 4}
        told = by_id(
            rows(ray, 20).map_batches(ExtractBatch, fn_constructor_kwargs=step, concurrency=1)
        )
    assert Counter(row["_status"] for row in told.values()) == {"ok": 20}


def test_what_an_actor_does_is_done_in_any_process(ray: Any) -> None:
    table = import_module("pyarrow").table({"id": [100, 101], "body": ["Total 100", None]})

    async def main(url: str) -> list[Any]:
        lender = ray.remote(Lender).remote(Pace())
        step = ExtractBatch(Receipt, at(url), text="body", lender=lender)
        return [made async for made in step(table)]

    with serve(answer, contract=anything) as server:
        (made,) = asyncio.run(main(server.url))
    assert made["_status"].to_pylist() == ["ok", "invalid"]


def test_a_column_that_is_not_there_ends_the_job_and_says_so(ray: Any) -> None:
    with pytest.raises(Exception, match="There is no column 'text'; there are: id, body"):
        extract(rows(ray, 4), Receipt, at("http://127.0.0.1:9/v1")).take_all()


def test_a_checkpoint_needs_a_column_to_go_by(ray: Any) -> None:
    with pytest.raises(ConfigurationError, match="needs id="):
        extract(rows(ray, 4), Receipt, at("http://127.0.0.1:9/v1"), checkpoint="never")
