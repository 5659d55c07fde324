from __future__ import annotations

import datetime as dt
import json
import math
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, cast

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import (
    BaseModel,
    Field,
    model_serializer,
)

from extractify.arrow import arrow_type, to_arrow
from extractify.columns import DEEPEST, MOST, table
from extractify.nodes import put
from extractify.plain import dumped
from extractify.schema import compile_schema
from tests.everything import TARGETS, VALUES, WRAPPED, Address, Everything, Line, Partly, same

if TYPE_CHECKING:
    from pathlib import Path


def back(kind: pa.DataType, value: Any, *, is_json: bool = False) -> Any:
    """What a reader makes of a cell, going by the file alone."""
    if value is None:
        return None
    if is_json:
        return json.loads(value)
    if pa.types.is_struct(kind):
        return {
            field.name: back(field.type, value[field.name], is_json=bool(field.metadata))
            for field in kind
        }
    if pa.types.is_map(kind):
        item = kind.item_field
        return {key: back(item.type, held, is_json=bool(item.metadata)) for key, held in value}
    if pa.types.is_list(kind):
        item = kind.value_field
        return [back(item.type, held, is_json=bool(item.metadata)) for held in value]
    return value


def restored(kind: pa.StructType, row: dict[str, Any]) -> Any:
    data = back(kind, row)
    rest = data.pop(kind.field(kind.num_fields - 1).name)
    return put(data, rest or {})


def there_and_back(target: Any, *values: Any, file: Path | None = None) -> list[Any]:
    schema = compile_schema(target)
    kind = arrow_type(schema)
    array = pa.array([to_arrow(schema, value) for value in values], type=kind)
    if file is not None:
        pq.write_table(pa.Table.from_struct_array(array), file)
        array = pq.read_table(file).to_struct_array().combine_chunks()
        assert array.type == kind
    return [restored(kind, row) for row in array.to_pylist()]


def test_each_kind_of_field_has_its_type() -> None:
    kind = arrow_type(compile_schema(Everything))
    assert {field.name: str(field.type) for field in kind} == {
        "text": "string",
        "whole": "int64",
        "real": "double",
        "either": "double",
        "yes": "bool",
        "day": "date32[day]",
        "maybe_day": "date32[day]",
        "moment": "string",
        "aware": "string",
        "time": "string",
        "span": "string",
        "money": "decimal128(12, 4)",
        "loose": "string",
        "colour": "string",
        "size": "int64",
        "mixed": "string",
        "address": "struct<street: string, number: int64>",
        "second": "struct<street: string, number: int64>",
        "lines": "list<element: struct<what: string, price: decimal128(9, 2), day: date32[day]>>",
        "by_name": "map<string, struct<street: string, number: int64>>",
        "by_number": "map<string, list<element: double>>",
        "pet": "string",
        "tuple_of_two": "list<element: string>",
        "point": "list<element: string>",
        "any": "string",
        "text_or_number": "string",
        "unique": "list<element: int64>",
        "out put": "int64",
        "raw": "string",
        "length": "int64",
        "_rest": "string",
    }
    json_text = {field.name for field in kind if field.metadata}
    assert json_text == {"mixed", "pet", "any", "text_or_number", "_rest"}


@pytest.mark.parametrize("name", TARGETS)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=30)
@given(data=st.data())
def test_a_value_comes_back_as_it_was(name: str, data: st.DataObject) -> None:
    schema = compile_schema(TARGETS[name])
    assert schema.adapter is not None
    values = data.draw(st.lists(VALUES[name], min_size=1, max_size=3))
    plain = [dumped(schema.adapter, value) for value in values]
    for before, after in zip(plain, there_and_back(TARGETS[name], *plain), strict=True):
        whole = after["value"] if name in WRAPPED else after
        assert same(whole, before), (whole, before)


class Money(BaseModel):
    price: Annotated[Decimal, Field(max_digits=5, decimal_places=2)]
    tiny: Annotated[Decimal, Field(max_digits=2, decimal_places=5)]
    huge: Annotated[Decimal, Field(max_digits=50, decimal_places=2)]


@pytest.mark.parametrize("price", ["0", "-0.00", "1E+2", "999.99", "-999.9", "0E+7", "0.10"])
def test_a_bounded_decimal_is_a_number_however_it_was_written(price: str) -> None:
    [row] = there_and_back(Money, {"price": price, "tiny": "0.00012", "huge": "1" * 48})
    assert row == {"price": Decimal(price), "tiny": "0.00012", "huge": "1" * 48}


@pytest.mark.parametrize("price", ["1000", "1.234", "1E+3", "NaN", "x", "1_0", 1.5, {"a": []}])
def test_what_is_no_such_decimal_is_kept_beside(price: Any) -> None:
    data = {"price": price, "tiny": "0", "huge": "0"}
    cells = to_arrow(compile_schema(Money), data)
    assert cells["price"] is None
    assert json.loads(cells["_rest"]) == {"/price": price}
    assert there_and_back(Money, data) == [data]


ODD: dict[str, Any] = {
    "type": "object",
    "properties": {
        "whole": {"type": "integer"},
        "real": {"type": ["number", "null"]},
        "text": {"type": "string"},
        "yes": {"type": "boolean"},
        "day": {"type": "string", "format": "date"},
        "inner": {"type": "object", "properties": {"a/b": {"type": "integer"}}},
        "list": {"items": {"type": "integer"}},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}},
        "nothing": {"type": "null"},
        "enum": {"enum": ["a", None]},
        "pair": {"prefixItems": [{"type": "integer"}, {"type": "number"}], "maxItems": 2},
        "empty": {"type": "object", "properties": {}, "additionalProperties": False},
        "joined": {"allOf": [{"properties": {"x": {"type": "integer"}}}, {"type": "object"}]},
    },
}


@pytest.mark.parametrize(
    "odd",
    [
        {"whole": 2**63},
        {"whole": 7.5},
        {"whole": True},
        {"real": 2**53 + 1},
        {"real": 10**400},
        {"text": "a lone \ud800"},
        {"text": 5},
        {"yes": 1},
        {"day": "20240229"},
        {"day": "2024-02-30"},
        {"day": 5},
        {"inner": {"a/b": 10**30}},
        {"inner": {"a/b": 1, "new~": [None]}},
        {"inner": [1]},
        {"list": [1, 10**30, "x"]},
        {"list": {}},
        {"map": {"a": 1, "\ud800": 2}},
        {"map": {"a": "x"}},
        {"map": []},
        {"undeclared": {"a": [1, None]}},
        {"pair": [1, "x"]},
    ],
)
def test_what_does_not_fit_is_kept_beside(odd: dict[str, Any]) -> None:
    cells = to_arrow(compile_schema(ODD), odd)
    assert cells["_rest"].isascii()
    [row] = there_and_back(ODD, odd)
    assert {key: held for key, held in row.items() if held is not None} == odd


@pytest.mark.parametrize(
    "usual",
    [
        {},
        {"whole": -(2**63), "real": 5, "text": "ü", "yes": False, "day": "0001-01-01"},
        {"whole": 7.0, "real": None, "inner": {"a/b": 1}, "list": [None, 1], "map": {}},
        {"enum": None, "pair": [1, 2.5], "empty": {}, "joined": {"x": 1}, "nothing": None},
    ],
)
def test_what_fits_leaves_no_rest(usual: dict[str, Any]) -> None:
    assert to_arrow(compile_schema(ODD), usual)["_rest"] is None
    [row] = there_and_back(ODD, usual)
    assert same({key: row[key] for key in usual}, usual)


@pytest.mark.parametrize("value", [[], "text", 5, None])
def test_a_value_that_is_no_object_is_kept_beside_where_an_object_was_due(value: Any) -> None:
    assert there_and_back(Address, value) == [value]


def test_a_target_of_its_own_named_value_is_not_the_wrapping() -> None:
    class Value(BaseModel):
        value: int

    assert to_arrow(compile_schema(Value), {"value": 1}) == {"value": 1, "_rest": None}
    assert to_arrow(compile_schema(dict[str, int]), {"value": 1})["value"] == [("value", 1)]
    assert there_and_back(Value, 5) == [5]


def test_a_property_called_like_the_rest_stays_what_it_is() -> None:
    target = {"type": "object", "properties": {"_rest": {"type": "integer"}}}
    assert to_arrow(compile_schema(target), {"_rest": 1, "x": 2}) == {
        "_rest": 1,
        "__rest": '{"/x":2}',
    }


def test_a_name_that_no_file_carries_is_no_column() -> None:
    names = {"": 1, "\ud800": 2, "a\0b": 3, "ü.[0]": 4}
    target = {"type": "object", "properties": {key: {"type": "integer"} for key in names}}
    assert [field.name for field in arrow_type(compile_schema(target))] == ["", "ü.[0]", "_rest"]
    assert there_and_back(target, names) == [names]


def test_an_object_whose_names_no_file_carries_is_json_text() -> None:
    target = {"type": "object", "properties": {"\ud800": {"type": "integer"}}}
    assert to_arrow(compile_schema(target), {"\ud800": 1}) == {
        "value": '{"\\ud800":1}',
        "_rest": None,
    }


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (dt.date | Decimal, "string"),
        (dt.date | None, "date32[day]"),
        (int | float | None, "double"),
        (int | bool, "string"),
        (list[int] | list[float], "string"),
        ({"enum": [1, 2.5]}, "double"),
        ({"type": "null"}, "string"),
        (dict[str, None], "map<string, string>"),
        (list[Any], "list<element: string>"),
        (dict[str, Any], "string"),
    ],
)
def test_a_union_has_the_type_of_its_one_kind_or_is_text(target: Any, kind: str) -> None:
    assert str(arrow_type(compile_schema(target)).field("value").type) == kind


def test_numbers_that_json_does_not_know_are_numbers_in_a_column_and_names_in_json_text() -> None:
    class Loose(BaseModel):
        real: float
        any: Any

    cells = to_arrow(compile_schema(Loose), {"real": math.inf, "any": {"a": [math.nan, -math.inf]}})
    assert cells == {"real": math.inf, "any": '{"a":["NaN","-Infinity"]}', "_rest": None}


def test_an_absent_key_is_null() -> None:
    assert there_and_back(Partly, {"here": 1}, {}) == [
        {"here": 1, "there": None},
        {"here": None, "there": None},
    ]


def test_a_class_that_writes_other_than_it_says_loses_nothing() -> None:
    class Lying(BaseModel):
        number: int

        @model_serializer
        def odd(self) -> dict[str, int]:
            return {"number": self.number, "more": cast("int", "text")}

    data = dumped(compile_schema(Lying).adapter, Lying(number=1))
    [row] = there_and_back(Lying, data)
    assert row["value"] == data


def nested(levels: int) -> tuple[dict[str, Any], Any]:
    """Lists of maps of lists, and so on, for each of which Parquet needs two levels."""
    node: dict[str, Any] = {"type": "string"}
    value: Any = "inside"
    for level in range(levels):
        node = (
            {"type": "array", "items": node}
            if level % 2
            else {"type": "object", "additionalProperties": node}
        )
        value = [value] if level % 2 else {"a": value}
    return node, value


@pytest.mark.parametrize("levels", [DEEPEST - 1, DEEPEST, DEEPEST + 1, 61])
def test_a_deep_target_is_read_back_from_a_file(levels: int, tmp_path: Path) -> None:
    target, value = nested(levels)
    [row] = there_and_back(target, value, file=tmp_path / "deep.parquet")
    assert row == {"value": value}


def test_a_wide_target_has_the_most_columns_and_json_text_for_the_rest() -> None:
    definitions: dict[str, Any] = {"N0": {"type": "integer"}}
    for level in range(1, 30):  # written out, a thousand million columns
        below = {"$ref": f"#/$defs/N{level - 1}"}
        definitions[f"N{level}"] = {"type": "object", "properties": {"a": below, "b": below}}
    target = {"$ref": "#/$defs/N29", "$defs": definitions}
    assert table(compile_schema(target)).root.size <= MOST
    value: Any = 5
    for _ in range(29):
        value = {"a": value, "b": None}
    [row] = there_and_back(target, value)
    assert _pruned(row) == _pruned(value)


def _pruned(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _pruned(held) for key, held in data.items() if held is not None}
    return data


def test_everything_goes_through_a_file(tmp_path: Path) -> None:
    line = {"what": "Ä", "price": "1.50", "day": "2024-02-29"}
    [[row]] = [
        there_and_back(list[Line], [line], file=tmp_path / "lines.parquet")[0]["value"],
    ]
    assert row == {"what": "Ä", "price": Decimal("1.50"), "day": dt.date(2024, 2, 29)}


def test_pandas_and_polars_read_the_columns(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    there_and_back(
        Address, {"street": "a", "number": 1}, {"street": "b", "number": None}, file=file
    )
    assert pl.read_parquet(file)["street"].to_list() == ["a", "b"]
    assert pd.read_parquet(file)["street"].tolist() == ["a", "b"]


def test_without_pyarrow_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from extractify.arrow import arrow_type\n"
        "from extractify.schema import compile_schema\n"
        "from extractify import ConfigurationError\n"
        "try: arrow_type(compile_schema(int))\n"
        "except ConfigurationError as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert ran.stdout.decode().strip() == "This needs pyarrow. Run: pip install 'extractify[etl]'"
