"""SQLite: a table `extractions` with the id and a column for each leaf of the target."""

from __future__ import annotations

import math
import sqlite3
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from extractify.columns import table
from extractify.errors import ConfigurationError, OutputError
from extractify.sinks.layout import ID, Layout
from extractify.sinks.part import Part, unwritable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from extractify.cells import Cell
    from extractify.columns import Column
    from extractify.entries import Entry
    from extractify.rows import RowId
    from extractify.schema import Schema

_TYPES = {"integer": "INTEGER", "boolean": "INTEGER", "number": "REAL"}
_INT64 = range(-(2**63), 2**63)
_BATCH = 1_000
_MOST_COLUMNS = 2_000
_INSERT = "INSERT INTO extractions VALUES (?)"
# The file is written afresh, so it needs no journal but to stay whole where the disk is full.
_SET_UP = "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -8000;"


class Sqlite:
    """A database file. Lists are JSON text, booleans 0 and 1, and ids what they are, also twice."""

    def __init__(self, output: Path, schema: Schema[Any]) -> None:
        self._layout = Layout(table(schema), scalar=True)
        count = 1 + len(self._layout.columns)
        if count > _MOST_COLUMNS:
            raise ConfigurationError(
                f"The target has {count} columns, and a table of SQLite {_MOST_COLUMNS} at most. "
                "Write JSON lines or Parquet."
            )
        self._insert = _INSERT.replace("?", ", ".join("?" * count))
        self._count = 0
        columns = ", ".join(_declared(*each) for each in self._layout.columns.items())
        self._part = Part(output)
        self._file = self._part.opened()
        self._base = sqlite3.connect(self._part.path, isolation_level=None)
        try:
            with self._written():
                self._base.executescript(f"{_SET_UP} CREATE TABLE extractions ({ID}, {columns});")
        except OutputError:
            self.close(complete=False)
            raise

    def write(self, row_id: RowId, entry: Entry) -> None:
        """Add a row. Raises: OutputError."""
        cells = [row_id, *self._layout.cells(entry.data)]
        with self._written():
            if not self._base.in_transaction:
                self._base.execute("BEGIN")
            self._base.execute(self._insert, list(map(_bound, cells)))
            self._count += 1
            if self._count % _BATCH == 0:
                self._base.execute("COMMIT")

    def close(self, *, complete: bool) -> None:
        """Put the file in its place, or leave it as `.part`, readable. Raises: OutputError."""
        with nullcontext() if complete else suppress(OutputError), self._written():
            if self._base.in_transaction:
                self._base.execute("COMMIT")
        self._base.close()
        if complete:
            self._part.complete(self._file)
        else:
            self._part.abandon(self._file)

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._base.rollback()
            raise unwritable(self._part.path, error) from error


def _declared(name: str, column: Column) -> str:
    quoted = name.replace('"', '""')
    return f'"{quoted}" {_TYPES.get(column.kind, "TEXT")}'


def _bound(cell: Cell) -> Cell:
    """What SQLite can hold: it takes NaN for null, and has whole numbers of 64 bits."""
    if isinstance(cell, float) and math.isnan(cell):
        return "NaN"
    if isinstance(cell, int) and cell not in _INT64:
        return str(cell)
    if isinstance(cell, str):
        return cell.encode("utf-8", "backslashreplace").decode()
    return cell
