"""Parquet: the id as text, and the columns of the target with their Arrow types."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from extractify.arrow import arrow, arrow_field
from extractify.columns import table
from extractify.sinks.layout import ID, Layout
from extractify.sinks.part import Part

if TYPE_CHECKING:
    from pathlib import Path

    from extractify.cells import Cell
    from extractify.entries import Entry
    from extractify.rows import RowId
    from extractify.schema import Schema

ROWS = 1_000
"""The most rows of a row group, which is held in memory."""
CHARACTERS = 16_000_000
"""The most characters of JSON that a row group is made of, give or take a value."""


class Parquet:
    """A file of row groups; the same entries give the same bytes under the same pyarrow."""

    def __init__(self, output: Path, schema: Schema[Any], *, flat: bool) -> None:
        pa = arrow()
        self._layout = Layout(table(schema), flat=flat)
        fields = [arrow_field(name, column) for name, column in self._layout.columns.items()]
        self._schema = pa.schema([pa.field(ID, pa.string()), *fields])
        self._rows: list[list[Cell]] = []
        self._characters = 0
        self._part = Part(output)
        self._file = self._part.opened()
        with self._part.written():
            self._writer = import_module("pyarrow.parquet").ParquetWriter(self._file, self._schema)

    def write(self, row_id: RowId, entry: Entry) -> None:
        """Add a row, and write the group if it is full. Raises: OutputError."""
        named = str(row_id).encode("utf-8", "backslashreplace").decode()
        self._rows.append([named, *self._layout.cells(entry.data)])
        self._characters += len(entry.value)
        if len(self._rows) >= ROWS or self._characters >= CHARACTERS:
            with self._part.written():
                self._flush()

    def close(self, *, complete: bool) -> None:
        """Put the file in its place, or leave it as `.part`, readable. Raises: OutputError."""
        if complete:
            with self._part.written():
                self._flush()
                self._writer.close()
            self._part.complete(self._file)
            return
        with suppress(OSError):
            self._flush()
            self._writer.close()
        self._part.abandon(self._file)

    def _flush(self) -> None:
        pa = arrow()
        rows, self._rows, self._characters = self._rows, [], 0
        if rows:
            columns = zip(*rows, strict=True)
            arrays = [
                pa.array(cells, type=field.type)
                for cells, field in zip(columns, self._schema, strict=True)
            ]
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
