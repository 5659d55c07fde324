"""Values as the cells of a row, each as the type of its column wants it, and the rest beside."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeAlias

from extractify.columns import JSON, VALUE, Column, Table
from extractify.nodes import escaped
from extractify.plain import json_text, travels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.messages import JsonValue

Cell: TypeAlias = Any
_INT64 = range(-(2**63), 2**63)


def fit(table: Table, data: JsonValue) -> tuple[dict[str, Cell], str | None]:
    """A value as the cells of a row, nested as the columns are, and the rest as JSON text.

    A date is a `date` and a decimal a `Decimal`. What doesn't fit is None, and stands in the rest
    by its JSON pointer in the row, as `nodes.put` takes it; None where there is none.
    """
    rest: dict[str, JsonValue] = {}
    data = {VALUE: data} if table.wraps else data
    cells = _fit_struct(table.root, data, "", rest) or dict.fromkeys(table.root.fields)
    return cells, json_text(rest) if rest else None


def fitted(column: Column, data: JsonValue, at: str, rest: dict[str, JsonValue]) -> Cell:
    """One cell. at: the JSON pointer of `data`. rest: takes what doesn't fit."""
    if data is None:
        return None
    if column.kind == "json":
        return json_text(data)
    if column.kind in _NESTED:
        return _NESTED[column.kind](column, data, at, rest)
    cell = _READ[column.kind](column, data)
    if cell is None:
        rest[at] = data
    return cell


def _fit_struct(column: Column, data: JsonValue, at: str, rest: dict[str, JsonValue]) -> Cell:
    if not isinstance(data, dict):
        rest[at] = data
        return None
    cells = {
        name: fitted(inner, data.get(name), f"{at}/{escaped(name)}", rest)
        for name, inner in column.fields.items()
    }
    undeclared(column, data, at, rest)
    return cells


def undeclared(
    struct: Column, data: Mapping[str, JsonValue], at: str, rest: dict[str, JsonValue]
) -> None:
    """Keep the members that no column has. at, rest: as for `fitted`."""
    if not data.keys() <= struct.fields.keys():
        rest |= {f"{at}/{escaped(key)}": data[key] for key in data if key not in struct.fields}


def _fit_list(column: Column, data: JsonValue, at: str, rest: dict[str, JsonValue]) -> Cell:
    if not isinstance(data, list):
        rest[at] = data
        return None
    item = column.item or JSON
    return [fitted(item, held, f"{at}/{index}", rest) for index, held in enumerate(data)]


def _fit_map(column: Column, data: JsonValue, at: str, rest: dict[str, JsonValue]) -> Cell:
    if not isinstance(data, dict):
        rest[at] = data
        return None
    item = column.item or JSON
    rest |= {f"{at}/{escaped(key)}": held for key, held in data.items() if not travels(key)}
    return [
        (key, fitted(item, held, f"{at}/{escaped(key)}", rest))
        for key, held in data.items()
        if travels(key)
    ]


def _text(_: Column, data: JsonValue) -> str | None:
    return data if isinstance(data, str) and travels(data) else None


def _boolean(_: Column, data: JsonValue) -> bool | None:
    return data if isinstance(data, bool) else None


def _integer(_: Column, data: JsonValue) -> int | None:
    if isinstance(data, float) and data.is_integer():
        data = int(data)
    if not isinstance(data, int) or isinstance(data, bool):
        return None
    return data if data in _INT64 else None


def _number(_: Column, data: JsonValue) -> float | None:
    if isinstance(data, float):
        return data
    if not isinstance(data, int) or isinstance(data, bool):
        return None
    try:
        return float(data) if float(data) == data else None
    except OverflowError:
        return None


def _date(_: Column, data: JsonValue) -> date | None:
    try:
        day = date.fromisoformat(data) if isinstance(data, str) else None
    except ValueError:
        return None
    return day if day and day.isoformat() == data else None


def _decimal(column: Column, data: JsonValue) -> Decimal | None:
    try:
        number = Decimal(data) if isinstance(data, str) else None
    except InvalidOperation:
        return None
    if number is None or not number.is_finite() or str(number) != data:
        return None
    most, behind = column.digits
    if not number:
        return Decimal()  # whatever the exponent
    fits = -behind <= int(number.as_tuple().exponent) and number.adjusted() < most - behind
    return number if fits else None


_READ = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "decimal": _decimal,
}
_NESTED = {"struct": _fit_struct, "list": _fit_list, "map": _fit_map}
