"""Extraction as a step of a Ray Data pipeline. Needs the extra `ray`.

from extractify.engines.ray import extract

read = ray.data.read_parquet("in/")
extract(read, Invoice, "cloudflare:minimax/m2.7", text="body").write_parquet("out/")
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict, cast
from uuid import uuid4

from extractify.arrow import arrow
from extractify.endpoints import Endpoint, resolve
from extractify.engines.blocks import cells, engine, fields
from extractify.engines.lender import Lender
from extractify.errors import ConfigurationError
from extractify.many import DEFAULT_PACE, Many, check_columns
from extractify.task import Task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from typing import Unpack

    import pyarrow as pa
    from ray.actor import ActorHandle
    from ray.data import Dataset

    from extractify.leases import Lease
    from extractify.pace import Pace

_CPUS = 0.1  # a worker waits for answers nearly all of the time
_BLOCKS_AT_ONCE = 2  # the first rows of one go out while the last ones of another are out


class Options(TypedDict, total=False):
    """What `extract` takes by name.

    text: the column of the documents, "text" unless given. id: the column that tells rows apart,
    for `checkpoint`. actors: worker processes, 2. in_flight: documents at a time of each, 32.
    rows_per_block: 100; as many of each are lost at a kill. checkpoint: a path that all machines
    see; a pipeline that ends in a `write_…` and is run again skips the rows it wrote. pace: its
    requests and tokens per minute hold for the whole cluster.
    """

    text: str
    id: str
    actors: int
    in_flight: int
    rows_per_block: int
    checkpoint: str
    pace: Pace


def extract(
    ds: Dataset,
    task: Task[Any] | type | Mapping[str, Any],
    endpoint: Endpoint | str | None = None,
    **options: Unpack[Options],
) -> Dataset:
    """Add to each row its result, a struct by the target's schema, and `many.COLUMNS`.

    endpoint: or its name, looked up here; the workers need no variables. Nothing runs before the
    dataset is consumed. Raises: ConfigurationError, SchemaError.
    """
    ray, data = engine("ray"), engine("ray.data")
    if "checkpoint" in options:
        if "id" not in options:
            raise ConfigurationError("extract(checkpoint=…) needs id=…, the column to go by.")
        config = engine("ray.data.checkpoint").CheckpointConfig
        ds.context.checkpoint_config = config(  # kept for a run of the rows that failed
            options["id"], options["checkpoint"], delete_checkpoint_on_success=False
        )
    task = task if isinstance(task, Task) else Task(task)
    where, pace = resolve(endpoint), options.get("pace", DEFAULT_PACE)
    lasting = {"name": f"extractify-{uuid4()}", "max_restarts": -1, "max_task_retries": -1}
    lender = ray.remote(Lender).options(num_cpus=0, **lasting)
    ds = ds.repartition(target_num_rows_per_block=options.get("rows_per_block", 100), strict=True)
    return ds.map_batches(
        ExtractBatch,
        fn_constructor_kwargs={
            "task": task,
            "endpoint": where,
            "text": options.get("text", "text"),
            "in_flight": options.get("in_flight", 32),
            "pace": pace,
            "lender": lender.remote(pace, where.requests_per_minute),
        },
        batch_size=None,
        batch_format="pyarrow",
        compute=data.ActorPoolStrategy(
            size=options.get("actors", 2), max_concurrent_calls_per_actor=_BLOCKS_AT_ONCE
        ),
        num_cpus=_CPUS,
    )


class ExtractBatch:
    """For `Dataset.map_batches`: adds the result and its columns.

    Each actor makes one. lender: an actor of `engines.lender.Lender`, by whose limits all go.
    """

    def __init__(
        self,
        task: Task[Any] | type | Mapping[str, Any],
        endpoint: Endpoint | str | None = None,
        *,
        text: str = "text",
        in_flight: int = 32,
        pace: Pace = DEFAULT_PACE,
        lender: ActorHandle | None = None,
    ) -> None:
        """As `Many`; in_flight: documents at a time, in place of the pace's concurrency."""
        pace = replace(pace, concurrency=in_flight)
        at = lender and _Elsewhere(lender)
        self._many = Many(task, endpoint, text=text, pace=pace, lessor=at)
        self._text = text
        self._fields = fields(self._many.task)

    async def __call__(self, batch: object) -> AsyncIterator[pa.Table]:
        """Give the same rows, in the same order, in a schema that is fixed from the first on."""
        blocks = engine("ray.data.block").BlockAccessor
        table = blocks.for_block(blocks.batch_to_block(batch)).to_arrow()
        check_columns(table.column_names)
        if self._text not in table.column_names:
            there = ", ".join(table.column_names)
            message = f"There is no column {self._text!r}; there are: {there}. Name it with text=…"
            raise ConfigurationError(message)
        texts = table.column(self._text).to_pylist()
        rows = await self._many.extract_many([{self._text: text} for text in texts])
        made = arrow().Table.from_pylist(cells(self._many.task, rows), self._fields)
        for field, column in zip(made.schema, made.columns, strict=True):
            table = table.append_column(field, column)
        yield table


class _Elsewhere:
    """A Lender that is an actor."""

    def __init__(self, actor: ActorHandle) -> None:
        self._actor = actor

    async def lease(self, requests: int, tokens: float) -> Lease:
        return cast("Lease", await self._actor.lease.remote(requests, tokens))

    async def report(self, seconds: float, known: int | None) -> int:
        return cast("int", await self._actor.report.remote(seconds, known))
