"""Which leaves of another type are read, and as what; each row of the documented table."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, create_model

from extractify import read
from extractify.messages import Fix, JsonValue
from extractify.schema import compile_schema
from extractify.validation import validate


class Color(Enum):
    RED = "RED"
    DARK_BLUE = "DARK_BLUE"


def judged(target: object, leaf: JsonValue) -> Any:
    fields: dict[str, Any] = {"a": (target, ...)}
    return validate(compile_schema(create_model("Model", **fields)), {"a": leaf})


READ: list[tuple[object, JsonValue, object]] = [
    (int, "36", 36),
    (int, " 36 ", 36),
    (int, 36.0, 36),
    (int, "36.0", 36),
    (int, "1,234,567", 1234567),
    (int, "1.234.567", 1234567),
    (float, "1,234.50", 1234.5),
    (float, "1.234,50", 1234.5),
    (float, "-1,234.5", -1234.5),
    (float, "EUR 1.249,50", 1249.5),
    (float, "1,249.50 EUR", 1249.5),
    (float, "$ 12.5", 12.5),
    (float, "12.5€", 12.5),
    (Decimal, "£1,249.50", Decimal("1249.5")),
    (bool, "yes", True),
    (bool, "No", False),
    (bool, "TRUE", True),
    (bool, 0, False),
    (bool, 1.0, True),
    (Color, "red", Color.RED),
    (Color, "dark blue", Color.DARK_BLUE),
    (Color, "Dark-Blue", Color.DARK_BLUE),
    (Literal["full-time", "part-time"], "Full Time", "full-time"),
    (Literal[1, 2], "2", 2),
    (str, 12, "12"),
]
REFUSED: list[tuple[object, JsonValue]] = [
    (int, "1,234"),  # a decimal comma, or a thousand
    (float, "3,14"),
    (float, "1.234,5,6"),
    (float, "12,34.5"),
    (float, "12 %"),
    (float, "3 million"),
    (float, "1.5k"),
    (float, "about 12"),
    (float, "12 to 15"),
    (float, "EUR"),
    (float, ""),
    (float, "1e999"),
    (int, "36.5"),
    (int, 36.5),
    (int, True),
    (bool, "maybe"),
    (bool, 2),
    (Color, "not RED"),
    (Color, "RED, DARK_BLUE"),
    (Literal["a", "A"], " a "),  # two members are spelled alike
    (str, 1.5),  # its digits are lost: it may have been 1.50
    (str, True),
    (str, None),
    (int, None),
    (list[int], "1, 2"),
]


@pytest.mark.parametrize(("target", "leaf", "value"), READ)
def test_a_leaf_that_can_mean_one_thing_only_is_read(
    target: object, leaf: JsonValue, value: object
) -> None:
    verdict = judged(target, leaf)
    assert verdict.problems == ()
    assert verdict.value.a == value
    assert type(verdict.value.a) is type(value)
    assert [(fix.pointer, fix.kind) for fix in verdict.fixes] == [("/a", "coerced")]


@pytest.mark.parametrize(("target", "leaf"), REFUSED)
def test_a_leaf_that_may_mean_something_else_is_a_problem(target: object, leaf: JsonValue) -> None:
    verdict = judged(target, leaf)
    assert verdict.value is None
    assert {problem.pointer for problem in verdict.problems} == {"/a"}


@pytest.mark.parametrize(
    ("node", "leaf", "value"),
    [
        ({"type": "integer"}, "36", 36),
        ({"type": ["number", "null"]}, "1,249.50 EUR", 1249.5),
        ({"enum": ["RED", "GREEN"]}, "green", "GREEN"),
        ({"type": "boolean"}, "yes", True),
        ({"type": "string"}, 12, "12"),
    ],
)
def test_a_json_schemas_leaves_are_read_alike(
    node: JsonValue, leaf: JsonValue, value: JsonValue
) -> None:
    schema = compile_schema({"type": "object", "properties": {"a": node}, "required": ["a"]})
    verdict = validate(schema, {"a": leaf})
    assert verdict.value == {"a": value}
    assert [fix.kind for fix in verdict.fixes] == ["coerced"]


def test_a_target_that_is_strict_stays_so() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)
        number: int
        flag: bool

    found = read('{"number": "36", "flag": "yes"}', Strict)
    assert [problem.pointer for problem in found.problems] == ["/number", "/flag"]


def test_each_coercion_is_recorded_where_it_was_made() -> None:
    class Line(BaseModel):
        price: float
        color: Color

    lines = '[{"price": "1,249.50", "color": "red"}, {"price": 2, "color": "RED"}]'
    found = read(lines, list[Line])
    assert found.value[0] == Line(price=1249.5, color=Color.RED)
    assert found.fixes == (
        Fix("/0/price", "coerced", '"1,249.50"'),
        Fix("/0/color", "coerced", '"red"'),
    )


@given(st.text(alphabet="0123456789.,-+ $€%k", max_size=15))
def test_no_text_is_read_as_a_number_with_other_digits(text: str) -> None:
    verdict = judged(Decimal, text)
    if verdict.value is not None:
        digits = "".join(str(digit) for digit in verdict.value.a.as_tuple().digits)
        said = "".join(char for char in text if char.isdecimal())
        assert digits.strip("0") == said.strip("0")


@pytest.mark.parametrize(
    ("text", "target", "value"),
    [
        ('{"a": 1} and {"a": 2}', list[dict[str, int]], [{"a": 1}, {"a": 2}]),
        ('{"a": 1}\n{"a": 1}\n', list[dict[str, int]], [{"a": 1}, {"a": 1}]),
        ("dark blue", Color, Color.DARK_BLUE),
        ("<think>green?</think>\nred", Color, Color.RED),
        ("Dear Sir", str, "Dear Sir"),
        ('{"a": "{\\"b\\": 1}"}', dict[str, dict[str, int]], {"a": {"b": 1}}),
    ],
)
def test_what_is_not_one_value_of_the_targets_kind_is_read_where_it_is_plain(
    text: str, target: Any, value: object
) -> None:
    found = read(text, target)
    assert found.value == value
    assert found.fixes


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("It is red", Color),
        ("red or dark blue", Color),
        ('"Dear', str),
        ("[1, 2", str),
        ("{}", str),
    ],
)
def test_nothing_is_taken_out_of_prose_or_of_what_was_cut_off(text: str, target: Any) -> None:
    assert not read(text, target).ok
