"""Which column holds what of a value: nested as the target is, or flat, with dots in the names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from extractify.cells import Cell, fitted, undeclared
from extractify.columns import JSON, TEXT, VALUE, Column, Table
from extractify.nodes import escaped
from extractify.plain import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify.messages import JsonValue

ID = "id"
"""The column of the row's id."""


class Layout:
    """The columns of an output beside the id, in order, the one for the rest last.

    Names are unique without regard to case: a later one that is taken gets underscores, as does a
    target's own `id`. flat: structs become columns such as `address.street`. scalar: so do lists
    and maps, as JSON text, and dates and decimals stay text.
    """

    def __init__(self, table: Table, *, flat: bool = False, scalar: bool = False) -> None:
        self._root = _scalars(table.root) if scalar else table.root
        self._flat = flat or scalar
        self._wraps = table.wraps
        taken = {ID}
        self.columns: dict[str, Column] = {}
        for steps, column in self._leaves(self._root, ()):
            self.columns[_unique(".".join(steps), taken)] = column
        self.columns[_unique(table.rest, taken)] = JSON

    def cells(self, data: JsonValue) -> list[Cell]:
        """A value as one cell for each column."""
        rest: dict[str, JsonValue] = {}
        cells: list[Cell] = []
        self._fill(self._root, {VALUE: data} if self._wraps else data, "", (cells, rest))
        return [*cells, json_text(rest) if rest else None]

    def _leaves(self, struct: Column, above: tuple[str, ...]) -> Iterator[tuple[list[str], Column]]:
        for name, column in struct.fields.items():
            if self._flat and column.kind == "struct":
                yield from self._leaves(column, (*above, name))
            else:
                yield [*above, name], column

    def _fill(
        self,
        struct: Column,
        data: JsonValue,
        at: str,
        filled: tuple[list[Cell], dict[str, JsonValue]],
    ) -> None:
        cells, rest = filled
        before = len(cells)
        known = data if isinstance(data, dict) else {}
        for name, column in struct.fields.items():
            held, place = known.get(name), f"{at}/{escaped(name)}"
            if self._flat and column.kind == "struct":
                self._fill(column, held, place, filled)
            else:
                cells.append(fitted(column, held, place, rest))
        if isinstance(data, dict):
            undeclared(struct, data, at, rest)
        # An object of nulls alone would look like the null that may stand there as well.
        is_lost = struct.nullable and all(cell is None for cell in cells[before:])
        if data is not None and (is_lost or data is not known):
            rest[at] = data


def _scalars(column: Column) -> Column:
    if column.kind == "struct":
        fields = {name: _scalars(inner) for name, inner in column.fields.items()}
        return replace(column, fields=fields)
    if column.kind in {"list", "map"}:
        return JSON
    return TEXT if column.kind in {"date", "decimal"} else column


def _unique(name: str, taken: set[str]) -> str:
    while name.lower() in taken:
        name += "_"
    taken.add(name.lower())
    return name
