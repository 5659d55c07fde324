"""A column of texts in a frame of pandas or polars, and what is extracted from each as columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from extractify.arrow import arrow, arrow_type, to_arrow
from extractify.client import Client
from extractify.entries import Entry, dead_letter
from extractify.errors import ConfigurationError, ExtractifyError
from extractify.feeds import tables
from extractify.feeds.fields import Fields
from extractify.task import Task

if TYPE_CHECKING:
    import pyarrow as pa

    from extractify.feeds.tables import Frame
    from extractify.plans import Plan
    from extractify.rows import RowId
    from extractify.schema import Schema

F = TypeVar("F")
ExtractAll: TypeAlias = Callable[[Task[Any], Sequence[str]], Sequence[Entry]]
"""Extracts from texts: an entry for each, in their order, and none raises."""
STATUS = "_status"
"""The column of `Entry.status`: "ok", "invalid" or "failed"."""
ERROR = "_error"
"""The column of `Entry.error`: JSON text, "" where there is none."""

_AT_ONCE = 1000  # rows: as plain data they take many times the memory of their columns


def extract_column(
    frame: F,
    column: str,
    task: object,
    *,
    client: Client | None = None,
    plan: Plan | None = None,
    extract_all: ExtractAll | None = None,
) -> F:
    """A frame of the same kind, with a row for each of the frame's in their order.

    Its columns are those of `arrow_type` for the target, whatever the values are, then `_status`
    and `_error`. A pandas frame has the index of the one given, so that it can be joined to it, and
    Arrow's types, which lose no digits. A row that fails has nulls and its error; one without a
    text isn't sent.

    column: of the texts. task: or its target. client: None is one at EXTRACTIFY_ENDPOINT. plan: of
    the run; with a journal, what is done isn't asked again. extract_all: instead of a run. Raises:
    ConfigurationError without the column or the extra `etl`, and what a run raises.
    """
    if not tables.is_frame(frame):
        raise ConfigurationError(
            f"A {type(frame).__name__} has no columns to extract from. Pass a DataFrame of pandas "
            "or polars; a lazy one has to be collected first."
        )
    task = task if isinstance(task, Task) else Task(cast("Any", task))
    arrow_type(task.schema)  # what is missing for it is missed before anything is paid for
    entries = _entries(cast("Frame", frame), column, task, extract_all or _running(client, plan))
    table = _table(task.schema, entries)
    if not hasattr(frame, "index"):
        return cast("F", import_module("polars").from_arrow(table))
    made = table.to_pandas(types_mapper=import_module("pandas").ArrowDtype)
    made.index = frame.index
    return cast("F", made)


def _running(client: Client | None, plan: Plan | None) -> ExtractAll:
    """What a run makes of the texts; where it stopped, what is left says so."""

    def extract_all(task: Task[Any], texts: Sequence[str]) -> Sequence[Entry]:
        entries: dict[RowId, Entry] = {}
        with nullcontext(client) if client else Client() as asked:
            report = asked.run(task, list(enumerate(texts)), entries.__setitem__, plan)
        left = dead_letter(ExtractifyError(f"It wasn't asked: {report.stopped}."), seconds=0.0)
        return [entries.get(number, left) for number in range(len(texts))]

    return extract_all


def _entries(
    frame: Frame, column: str, task: Task[Any], extract_all: ExtractAll
) -> Sequence[Entry]:
    fields = Fields(column, column)
    fields.check(frame.columns, "The frame")
    rows = [
        fields.pair(number, number, text, f"The frame's row {number}")
        for number, text in enumerate(frame[column], start=1)
    ]
    asked = [(row.id, row.text) for row in rows if row.text is not None]
    made = extract_all(task, [text for _, text in asked])
    entries = dict(zip((row_id for row_id, _ in asked), made, strict=True))
    return [dead_letter(row.error, seconds=0.0) if row.error else entries[row.id] for row in rows]


def _table(schema: Schema[Any], entries: Sequence[Entry]) -> pa.Table:
    """The values as columns, and what became of each."""
    pyarrow = arrow()
    values = arrow_type(schema)
    names = [_free(name, values.names) for name in (STATUS, ERROR)]
    kind = pyarrow.schema([*values, *((name, pyarrow.string()) for name in names)])
    batches = []
    for start in range(0, len(entries), _AT_ONCE):
        some = entries[start : start + _AT_ONCE]
        held = pyarrow.array(
            [to_arrow(schema, entry.data) if entry.ok else None for entry in some], values
        )
        told = ([entry.status for entry in some], [entry.error for entry in some])
        batches.append(pyarrow.record_batch([*held.flatten(), *map(pyarrow.array, told)], kind))
    return pyarrow.Table.from_batches(batches, kind)


def _free(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name = f"_{name}"
    return name
