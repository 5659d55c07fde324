"""Patches: which leaves are asked for again, and how the reply is put in."""

from __future__ import annotations

import json
from enum import Enum
from typing import Annotated, Any, Self

import pytest
from pydantic import BaseModel, Field, model_validator

from extractify.messages import JsonValue, Problem
from extractify.patching import Patch, patch_for, read_patch
from extractify.reading import Reading, read_answer
from extractify.schema import compile_schema


class Color(Enum):
    RED = "RED"
    GREEN = "GREEN"


class Order(BaseModel):
    number: int
    color: Color
    price: Annotated[float, Field(ge=0)] = 0.0
    note: str | None = None


class Book(BaseModel):
    customer: str
    orders: list[Order]
    by_name: dict[str, int] = {}

    @model_validator(mode="after")
    def has_orders(self) -> Self:
        if not self.orders:
            raise ValueError("there must be an order")
        return self


SCHEMA = compile_schema(Book)


def book(count: int = 6) -> Any:
    orders: list[JsonValue] = [
        {"number": number, "color": "RED", "price": 1.5, "note": None} for number in range(count)
    ]
    return {"customer": "Acme", "orders": orders, "by_name": {"a/b": 1}}


def reading(data: JsonValue) -> Reading[Book]:
    return read_answer(json.dumps(data), SCHEMA)


def broken(changes: dict[str, JsonValue]) -> Any:
    """The book, with other values at pointers such as `/orders/3/color`."""
    data: Any = book()
    for pointer, value in changes.items():
        *above, last = pointer.split("/")[1:]
        parent = data
        for step in above:
            parent = parent[int(step) if step.isdecimal() else step]
        parent[last] = value
    return data


def planned(data: JsonValue) -> Patch:
    patch = patch_for(SCHEMA, reading(data))
    assert patch is not None
    return patch


def test_the_patch_s_schema_holds_exactly_the_failing_pointers() -> None:
    patch = planned(broken({"/orders/3/color": "PURPLE", "/orders/5/price": -1}))
    assert patch.pointers == ("/orders/3/color", "/orders/5/price")
    canonical = patch.schema.canonical
    assert list(canonical["properties"]) == list(patch.pointers)
    assert canonical["required"] == list(patch.pointers)
    assert canonical["additionalProperties"] is False
    colors = [*patch.schema.branches(canonical["properties"]["/orders/3/color"])]
    assert [node.get("enum") for node in colors] == [["RED", "GREEN"]]


def test_a_missing_member_is_asked_for_alone() -> None:
    data = broken({})
    del data["orders"][2]["number"]
    assert planned(data).pointers == ("/orders/2/number",)


def test_a_free_mapping_is_patched_by_its_escaped_key() -> None:
    data = broken({})
    data["by_name"] = {"a/b": "many"}
    patch = planned(data)
    assert patch.pointers == ("/by_name/a~1b",)
    mended = read_patch('{"patch": {"/by_name/a~1b": 3}}', patch, SCHEMA)
    assert mended.value.by_name == {"a/b": 3}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param([1, 2], id="the root has the wrong shape"),
        pytest.param({**book(), "orders": []}, id="the problem has no place of its own"),
        pytest.param({"customer": 1, "orders": [{"number": "x"}]}, id="most of it is wrong"),
        pytest.param({"customer": 1, "orders": [], "by_name": {}}, id="it is tiny"),
    ],
)
def test_the_whole_is_asked_for_again_where(data: JsonValue) -> None:
    assert patch_for(SCHEMA, reading(data)) is None


def test_what_could_not_be_read_is_not_patched() -> None:
    assert patch_for(SCHEMA, read_answer("no JSON here", SCHEMA)) is None


def test_a_reply_mends_the_value_and_is_recorded_as_fixes() -> None:
    patch = planned(broken({"/orders/3/color": "PURPLE"}))
    mended = read_patch('```json\n{"patch": {"/orders/3/color": "GREEN"}}\n```', patch, SCHEMA)
    assert mended.ok
    assert mended.value.orders[3].color is Color.GREEN
    assert [(fix.pointer, fix.kind, fix.got) for fix in mended.fixes] == [
        ("/orders/3/color", "patched", '"PURPLE"')
    ]
    assert mended.value.orders[2] == Order(number=2, color=Color.RED, price=1.5)


def test_a_reply_without_its_envelope_is_read() -> None:
    patch = planned(broken({"/orders/3/color": "PURPLE"}))
    assert read_patch('{"/orders/3/color": "GREEN"}', patch, SCHEMA).ok


@pytest.mark.parametrize("envelope", [None, "result", "patch"])
def test_the_whole_value_is_read_where_nothing_else_changed(envelope: str | None) -> None:
    patch = planned(broken({"/orders/3/color": "PURPLE"}))
    whole = broken({"/orders/3/color": "GREEN"})
    mended = read_patch(json.dumps({envelope: whole} if envelope else whole), patch, SCHEMA)
    assert mended.ok
    assert mended.value == SCHEMA.adapter.validate_python(whole) if SCHEMA.adapter else None
    other = broken({"/orders/3/color": "GREEN", "/customer": "Mallory"})
    assert not read_patch(json.dumps(other), patch, SCHEMA).ok


def test_a_pointer_that_was_not_asked_for_is_refused() -> None:
    patch = planned(broken({"/orders/3/color": "PURPLE"}))
    reply = '{"patch": {"/orders/3/color": "GREEN", "/customer": "Mallory"}}'
    refused = read_patch(reply, patch, SCHEMA)
    assert [problem.kind for problem in refused.problems] == ["enum", "unasked"]
    assert refused.partial == patch.base
    assert "Mallory" not in str(refused)


def test_the_base_is_never_changed() -> None:
    data = broken({"/orders/3/color": "PURPLE"})
    patch = planned(data)
    read_patch('{"patch": {"/orders/3/color": "GREEN"}}', patch, SCHEMA)
    assert patch.base == data


def test_a_reply_that_leaves_one_out_says_which() -> None:
    patch = planned(broken({"/orders/3/color": "PURPLE", "/orders/5/price": -1}))
    half = read_patch('{"patch": {"/orders/3/color": "GREEN"}}', patch, SCHEMA)
    assert [problem.pointer for problem in half.problems] == ["/orders/5/price"]
    whole: Any = half.partial
    assert whole["orders"][3]["color"] == "GREEN"


@pytest.mark.parametrize("reply", ["", "sorry", "[]", '{"patch": 5}', '{"patch": {"/x": 1}}', "{"])
def test_any_other_reply_keeps_the_base_and_its_problems(reply: str) -> None:
    patch = planned(broken({"/orders/3/color": "PURPLE"}))
    unread = read_patch(reply, patch, SCHEMA)
    assert [problem.kind for problem in unread.problems] == ["enum", "no_patch"]
    assert unread.partial == patch.base


def test_a_patched_value_is_judged_as_a_whole() -> None:
    patch = planned(broken({"/orders/3/color": "PURPLE"}))
    worse = read_patch('{"patch": {"/orders/3/color": "PINK"}}', patch, SCHEMA)
    assert [(p.pointer, p.kind) for p in worse.problems] == [("/orders/3/color", "enum")]
    assert worse.problems[0] == Problem(
        "/orders/3/color", "enum", "expected 'RED' or 'GREEN'", '"PINK"'
    )


def test_the_patch_of_300_orders_asks_for_one_leaf() -> None:
    data = book(300)
    data["orders"][217]["color"] = "PURPLE"
    patch = planned(data)
    assert patch.pointers == ("/orders/217/color",)
    assert len(json.dumps(patch.schema.canonical)) < len(json.dumps(SCHEMA.canonical)) + 200
