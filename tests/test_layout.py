"""extractify.sinks.layout: a value as flat cells, from which it can be put together again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extractify.columns import Column, table
from extractify.nodes import put
from extractify.plain import dumped
from extractify.schema import compile_schema
from extractify.sinks.layout import Layout
from tests.everything import TARGETS, VALUES, WRAPPED, Address, same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify.cells import Cell


def together(column: Column, cells: Iterator[Cell], *, scalar: bool) -> Any:
    """What a reader makes of the cells in their order."""
    if column.kind == "struct":
        inner = {name: together(each, cells, scalar=scalar) for name, each in column.fields.items()}
        nothing = column.nullable and all(held is None for held in inner.values())
        return None if nothing else inner
    cell = next(cells)
    if cell is None:
        return None
    if column.kind == "json" or (scalar and column.kind in {"list", "map"}):
        return json.loads(cell)
    if column.kind == "list" and column.item:
        return [nested(column.item, held) for held in cell]
    return {key: nested(column.item, held) for key, held in cell} if column.kind == "map" else cell


def nested(column: Column | None, cell: Cell) -> Any:
    if column is None or cell is None:
        return None
    if column.kind == "struct":
        return {name: nested(each, cell[name]) for name, each in column.fields.items()}
    return together(column, iter([cell]), scalar=False)


@pytest.mark.parametrize("scalar", [False, True])
@pytest.mark.parametrize("name", TARGETS)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=20)
@given(data=st.data())
def test_a_value_comes_back_from_flat_cells(
    name: str, *, scalar: bool, data: st.DataObject
) -> None:
    schema = compile_schema(TARGETS[name])
    before = dumped(schema.adapter, data.draw(VALUES[name]))
    columns = table(schema)
    layout = Layout(columns, flat=True, scalar=scalar)
    *cells, rest = layout.cells(before)
    assert len(cells) + 1 == len(layout.columns)
    after: Any = put(together(columns.root, iter(cells), scalar=scalar), json.loads(rest or "{}"))
    assert same(after["value"] if name in WRAPPED else after, before)


def test_a_nested_layout_has_a_column_for_each_field() -> None:
    layout = Layout(table(compile_schema(Address)))
    assert list(layout.columns) == ["street", "number", "_rest"]
    assert layout.cells({"street": "a", "number": 1, "more": 2}) == ["a", 1, '{"/more":2}']


@pytest.mark.parametrize("scalar", [False, True])
def test_what_is_no_object_is_with_the_rest(*, scalar: bool) -> None:
    layout = Layout(table(compile_schema(Address)), scalar=scalar)
    assert layout.cells(["a"]) == [None, None, '{"":["a"]}']
