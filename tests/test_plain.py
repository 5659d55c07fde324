"""extractify.plain: any value as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel, Field

from extractify import DocumentError, ground
from extractify.plain import member_names, plain_data


class Color(Enum):
    DARK_RED = "#800"
    BLUE = "#00f"


class Car(BaseModel):
    color: Color
    price: Decimal
    bought: date = Field(alias="boughtOn")


@dataclass
class Garage:
    cars: list[Car]
    street: str


CAR = Car(color=Color.DARK_RED, price=Decimal("12.50"), boughtOn=date(2024, 3, 5))


def test_a_model_is_plain_data_by_alias() -> None:
    assert plain_data(CAR) == {"color": "#800", "price": "12.50", "boughtOn": "2024-03-05"}
    assert plain_data(Garage([CAR], "x")) == {"cars": [plain_data(CAR)], "street": "x"}
    assert plain_data((1, {2: "a"})) == [1, {"2": "a"}]
    assert plain_data({"a": {1: "b"}}) == {"a": {"1": "b"}}


def test_enum_members_stand_by_their_names_too() -> None:
    assert member_names(Garage([CAR], "x")) == {"/cars/0/color": "DARK_RED"}
    evidence = ground(Garage([CAR], "Elm St"), "Elm St: dark red, bought 5 March 2024 for 12,50")
    assert {found.status for found in evidence.values()} == {"exact", "typed"}
    assert ground({"a": Color.BLUE}, "it is blue")["/a"].spans == ((6, 10),)


@pytest.mark.parametrize(
    "value", [b"\xff\x00", float("nan"), float("inf"), None, {}, [], "", "\ud800", {"": ""}, object]
)
def test_a_strange_value_stands_nowhere(value: Any) -> None:
    assert not any(found.spans for found in ground(value, "a text").values())


def test_a_document_has_to_be_a_text() -> None:
    wrong: Any = b"bytes"
    with pytest.raises(DocumentError, match="A bytes is no document"):
        ground("a", wrong)


def test_values_may_be_nested_deeply() -> None:
    value: Any = "deep"
    for _ in range(500):
        value = {"a": [value]}
    assert ground(value, "so deep")["/a/0" * 500].status == "exact"
    assert ground("a", "")[""].status == "missing"
