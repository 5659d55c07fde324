"""extractify.hazards: what a validator would pass over in silence, or never come back from."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from extractify.coercion import Numbers
from extractify.hazards import DEEPEST_UNION, is_entangled
from extractify.reading import Reading, read, read_answer
from extractify.schema import compile_schema


class Price(BaseModel):
    amount: Decimal | None
    rate: float = 0.0


class Count(BaseModel):
    count: int


class Inner(BaseModel):
    model_config = ConfigDict(strict=True)

    label: str


class Outer(BaseModel):
    inner: Inner


class Left(BaseModel):
    left: Left | Right | None = None
    value: int


class Right(BaseModel):
    left: Left | Right | None = None
    value: int
    other: int


Tree = dict[str, Any]


def told(reading: Reading[Any]) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.kind) for problem in reading.problems]


DIGITS = "1234567890123456789.123456789"


@pytest.mark.parametrize("around", ["{}", "Here: {}.", "```\n{}\n```", '{{"result": {}}}'])
@pytest.mark.parametrize("number", [DIGITS, f"-{DIGITS}", "36.00000000000000000001", "0.1", "12"])
def test_a_decimal_keeps_all_its_digits(number: str, around: str) -> None:
    text = f'{{"amount": {number}, "rate": 0.5}}'
    reading = read(around.replace("{}", text).replace("{{", "{").replace("}}}", "}}"), Price)
    assert reading.value.amount == Decimal(number)


def test_a_mended_decimal_keeps_all_its_digits() -> None:
    assert read(f"{{'amount': {DIGITS}, 'rate': +0.5,}}", Price).value.amount == Decimal(DIGITS)


def test_a_float_may_be_rounded_as_all_floats_are() -> None:
    value = read('{"amount": null, "rate": 3.14159265358979323846}', Price).value
    assert value == Price(amount=None, rate=3.141592653589793)


@pytest.mark.parametrize(
    "target", [Count, {"type": "object", "properties": {"count": {"type": "integer"}}}]
)
@pytest.mark.parametrize("around", ["{}", "Here: {}."])
def test_digits_behind_the_point_are_never_dropped(target: Any, around: str) -> None:
    text = around.replace("{}", '{"count": 36.00000000000000000001}')
    assert told(read(text, target)) == [("/count", "int_from_float")]


@pytest.mark.parametrize("around", ["{}", "Here: {}."])
def test_keys_that_are_one_number_are_a_conflict(around: str) -> None:
    text = around.replace("{}", '{"1": 5, "01": 6}')
    for target in (dict[int, int], dict[Decimal, int]):
        assert told(read_answer(text, compile_schema(target))) == [("/01", "conflict")]
    assert read(text, dict[str, int]).value == {"1": 5, "01": 6}
    assert read('{"1": 5, "2": 6}', dict[int, int]).value == {1: 5, 2: 6}
    assert told(read('[{"a": {"1": 5, "1.0": 6}}]', list[dict[str, dict[int, int]]])) == [
        ("/0/a/1.0", "conflict")
    ]


def test_a_strict_part_of_a_target_is_strict() -> None:
    assert told(read('{"inner": {"label": 12}}', Outer)) == [("/inner/label", "string_type")]


def nested(depth: int, last: str) -> str:
    return '{"value": 1, "other": 2, "left": ' * depth + last + "}" * depth


def test_a_deep_union_of_recursive_types_is_refused_in_bounded_time() -> None:
    schema = compile_schema(Right)
    assert is_entangled(schema)
    for target in (schema, compile_schema(schema.canonical)):
        shallow = read_answer(nested(DEEPEST_UNION - 1, "null"), target)
        assert shallow.ok
        started = time.process_time()
        for depth, last in [(DEEPEST_UNION - 1, '{"value": "x"}'), (60, '{"value": "x"}')]:
            assert not read_answer(nested(depth, last), target).ok
        assert time.process_time() - started < 10


def test_recursion_without_such_a_union_has_no_such_bound() -> None:
    class Node(BaseModel):
        kind: Literal["node"]
        inner: Annotated[Node | Leaf, Field(discriminator="kind")] | None = None

    class Leaf(BaseModel):
        kind: Literal["leaf"]

    Node.model_rebuild(_types_namespace={"Leaf": Leaf, "Node": Node})
    assert not is_entangled(compile_schema(Node))
    deep = '{"kind": "node", "inner": ' * 50 + "null" + "}" * 50
    assert read(deep, Node).ok


@pytest.mark.parametrize("exponent", ["99999999999999999999", "-99999999999999999999", "5000"])
def test_an_exponent_beyond_all_numbers_is_no_reason_to_fail(exponent: str) -> None:
    for given in (f"1.5e{exponent}", f'"1.5e{exponent} k"'):
        for around in ("{}", "Here: {}."):
            text = around.replace("{}", f'{{"amount": null, "rate": {given}}}')
            reading = read(text, Price, numbers=Numbers(words=True))
            assert reading.ok == (given[0] == "1" and exponent[0] == "-")
