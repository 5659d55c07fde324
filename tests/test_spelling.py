"""extractify.spelling: keys in another spelling."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from extractify.messages import Fix
from extractify.reading import Reading, read
from extractify.spelling import folded


class Line(BaseModel):
    unit_price: float
    qty: int = 1


class Order(BaseModel):
    order_id: str
    line_items: list[Line] = []
    by_key: dict[str, int] = {}
    delivery: Line | None = None


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    order_id: str


def told(reading: Reading[Any]) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.kind) for problem in reading.problems]


@pytest.mark.parametrize(
    "key", ["Order_ID", "order-id", "order id", "orderId", "OrderID", "ORDER ID", " order_id "]
)
@pytest.mark.parametrize("target", [Order, Closed])
def test_a_key_in_another_spelling_is_the_declared_one(key: str, target: type[BaseModel]) -> None:
    reading = read(f'{{"{key}": "A"}}', target)
    assert reading.ok
    assert reading.value == target(order_id="A")
    assert reading.fixes == (Fix("/order_id", "key", key),)


def test_keys_are_respelled_at_any_depth() -> None:
    reading = read(
        '{"orderId": "A", "Line Items": [{"unitPrice": 1.5, "QTY": 2}], "Delivery": '
        '{"Unit-Price": 5.0}}',
        Order,
    )
    assert reading.value == Order(
        order_id="A",
        line_items=[Line(unit_price=1.5, qty=2)],
        delivery=Line(unit_price=5.0),
    )
    assert [fix.pointer for fix in reading.fixes] == [
        "/order_id",
        "/line_items",
        "/delivery",
        "/line_items/0/unit_price",
        "/line_items/0/qty",
        "/delivery/unit_price",
    ]


def test_problems_point_at_the_declared_key_and_so_does_the_partial_value() -> None:
    reading = read('{"orderId": "A", "Line Items": [{"unitPrice": "none"}]}', Order)
    assert [problem.pointer for problem in reading.problems] == ["/line_items/0/unit_price"]
    assert reading.partial == {"order_id": "A", "line_items": [{"unit_price": "none"}]}


def test_a_free_key_stays_as_it_is() -> None:
    reading = read('{"order_id": "A", "by_key": {"Order ID": 1, "order-id": 2}}', Order)
    assert reading.value.by_key == {"Order ID": 1, "order-id": 2}


@pytest.mark.parametrize("target", [Order, Closed])
def test_two_spellings_with_different_values_are_a_conflict(target: type[BaseModel]) -> None:
    assert told(read('{"orderId": "A", "order-id": "B"}', target)) == [("/order_id", "conflict")]
    assert told(read('{"orderId": "A", "order_id": "B"}', target)) == [("/order_id", "conflict")]


def test_two_spellings_with_one_value_are_that_value() -> None:
    assert read('{"orderId": "A", "order_id": "A"}', Closed).value == Closed(order_id="A")


def test_a_key_that_two_declared_ones_could_be_is_none_of_them() -> None:
    class Twice(BaseModel):
        lineitem: str = ""
        line_item: str = ""
        other: str

    reading = read('{"LineItem": "a", "other": "b"}', Twice)
    assert reading.ok
    assert reading.value == Twice(other="b")


def test_a_schema_that_keeps_other_keys_keeps_them() -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"id": {"type": "integer"}}}
    assert read('{"id": 1, "ID": "x"}', schema).value == {"id": 1, "ID": "x"}


@pytest.mark.parametrize(
    ("one", "other"), [("_id", "id"), ("a_1_2", "a_12"), ("c++", "c"), ("total_", "total")]
)
def test_what_may_be_another_key_is_not_the_same(one: str, other: str) -> None:
    assert folded(one) != folded(other)
