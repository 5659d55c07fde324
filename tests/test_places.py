"""extractify.places: where a patch puts what."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from extractify.places import applied, list_place, part
from extractify.schema import compile_schema


class Line(BaseModel):
    text: str


class Bill(BaseModel):
    lines: list[Line]
    pair: tuple[int, int]


BASE: dict[str, Any] = {"lines": [{"text": "a"}, {"text": "b"}, {"text": "c"}], "-": 1}


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({"/lines/-": [{"text": "d"}]}, "abcd"),
        ({"/lines/remove": [0, 2]}, "b"),
        ({"/lines/1/text": "x"}, "axc"),
        ({"/lines/-": [{"text": "d"}], "/lines/remove": [0], "/lines/2/text": "z"}, "bzd"),
        ({"/lines/-": []}, "abc"),
    ],
)
def test_items_are_changed_taken_out_and_added_by_their_old_positions(
    values: dict[str, Any], lines: str
) -> None:
    whole: Any = applied(BASE, values)
    assert "".join(line["text"] for line in whole["lines"]) == lines
    assert len(BASE["lines"]) == 3


def test_a_key_that_looks_like_an_operation_is_a_key() -> None:
    assert list_place(BASE, "/-") == ("", "/-", [])
    assert applied(BASE, {"/-": 2}) == {**BASE, "-": 2}


def test_items_to_add_are_asked_for_by_the_schema_of_the_next_one() -> None:
    schema = compile_schema(Bill)
    asked = part(schema, BASE, "/lines/-")
    assert asked is not None
    assert asked["items"] == {"$ref": "#/$defs/Line"}
    assert "3 already given" in asked["description"]
    assert part(schema, {"pair": [1, 2]}, "/pair/-") is None


def test_positions_to_take_out_are_those_of_the_list() -> None:
    asked = part(compile_schema(Bill), BASE, "/lines/remove")
    assert asked is not None
    assert asked["items"] == {"type": "integer", "minimum": 0, "maximum": 2}
