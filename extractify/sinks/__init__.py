"""Where the values of a bulk run go: a file by its suffix, standard output, or a callable.

A file is written afresh as `<output>.part` and takes its name when it is complete, so whatever
stood there before stays until then, and a run that was killed leaves nothing that is torn.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from extractify.errors import ConfigurationError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from extractify.entries import Entry
    from extractify.rows import RowId
    from extractify.task import Task

    Output: TypeAlias = "str | os.PathLike[str] | Callable[[RowId, Entry], object]"


class Sink(Protocol):
    """Takes the entries that have a value, one after another, in the order of the output."""

    def write(self, row_id: RowId, entry: Entry) -> None:
        """Take one more. Raises: OutputError where it can't be written."""
        ...

    def close(self, *, complete: bool) -> None:
        """Finish; a file takes its name if it is complete, and is left as `.part` if not."""
        ...


def opened(output: Output, task: Task[Any], *, flat: bool = False) -> Sink:
    """Open what an output names.

    output: a path that ends in .jsonl, .ndjson, .csv, .parquet, .sqlite or .db; "-" for JSON lines
    on standard output; or a callable of (id, entry). flat: a Parquet file without structs, whose
    columns are named with dots; CSV and SQLite are always so. Raises: ConfigurationError if nothing
    can be written there.
    """
    suffix = "" if callable(output) else Path(output).suffix.lower()
    if flat and suffix != ".parquet":
        raise ConfigurationError("flat is for Parquet. CSV and SQLite are flat without it.")
    if callable(output):
        from extractify.sinks.calling import Calling

        return Calling(output)
    if output == "-":
        from extractify.sinks.jsonl import StandardOutput

        return StandardOutput()
    path = Path(output)
    if suffix in {".jsonl", ".ndjson"}:
        from extractify.sinks.jsonl import JsonLines

        return JsonLines(path)
    if suffix == ".csv":
        from extractify.sinks.csv import Csv

        return Csv(path, task.schema)
    if suffix == ".parquet":
        from extractify.sinks.parquet import Parquet

        return Parquet(path, task.schema, flat=flat)
    if suffix in {".sqlite", ".sqlite3", ".db"}:
        from extractify.sinks.sqlite import Sqlite

        return Sqlite(path, task.schema)
    raise ConfigurationError(
        f"{path} has no suffix that says what to write. Let it end in .jsonl, .csv, .parquet or "
        '.sqlite, or name "-" for JSON lines on standard output.'
    )
