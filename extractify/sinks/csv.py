"""CSV: the id and a column for each leaf of the target, lists as JSON text."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from extractify.columns import table
from extractify.sinks.layout import ID, Layout
from extractify.sinks.part import Part

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from extractify.cells import Cell
    from extractify.entries import Entry
    from extractify.rows import RowId
    from extractify.schema import Schema

_QUOTED = re.compile(r'[",\r\n]|^\s|\s$|^$')


class Csv:
    """A file as RFC 4180 has it, in UTF-8, with a heading and a line feed after each row.

    A null is an empty field, an empty text a quoted one. Values stay as they are: where
    a spreadsheet will open the file, mind that it takes a text which begins with = for a formula.
    """

    def __init__(self, output: Path, schema: Schema[Any]) -> None:
        self._layout = Layout(table(schema), scalar=True)
        self._part = Part(output)
        self._file = self._part.opened()
        with self._part.written():
            self._file.write(_row([ID, *self._layout.columns]))

    def write(self, row_id: RowId, entry: Entry) -> None:
        """Add a row. Raises: OutputError."""
        cells = self._layout.cells(entry.data)
        with self._part.written():
            self._file.write(_row([row_id, *cells]))

    def close(self, *, complete: bool) -> None:
        """Put the file in its place, or leave it as `.part`. Raises: OutputError."""
        if complete:
            self._part.complete(self._file)
        else:
            self._part.abandon(self._file)


def _row(cells: Iterable[Cell]) -> bytes:
    return (",".join(map(_field, cells)) + "\n").encode("utf-8", "backslashreplace")


def _field(cell: Cell) -> str:
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return json.dumps(cell)
    return '"' + cell.replace('"', '""') + '"' if _QUOTED.search(cell) else cell
