"""extractify.problems: what a validator has to say, in one line each."""

from __future__ import annotations

from types import GenericAlias
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, field_validator

from extractify.reading import read, read_answer
from extractify.schema import compile_schema


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str


class Line(BaseModel):
    text: str
    price: float


class Note(BaseModel):
    note: str
    by: str


class Home(BaseModel):
    pet: Cat | Dog | None = None
    tagged: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    either: int | bool | None = None
    content: Line | Note | str = ""
    count: int | list[int] = 0


def lines(text: str, target: Any = Home) -> list[str]:
    return [str(problem) for problem in read_answer(text, compile_schema(target)).problems]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"pet": {"kind": "cat"}}', "/pet/lives: expected a value; it is missing"),
        ('{"pet": {"kind": "fish"}}', '/pet: expected Cat or Dog; got {"kind": "fish"}'),
        (
            '{"count": "x"}',
            "/count: expected a valid integer, unable to parse",
        ),
        ('{"content": {"text": "a"}}', "/content: expected Line or Note or a valid string; got"),
        ('{"count": ["x"]}', "/count/0: expected a valid integer"),
        ('{"tagged": {"kind": "cat", "cat": 1}}', "/tagged/lives: expected a value; it is missing"),
        ('{"tagged": {"kind": "cat", "cat": 1, "lives": "x"}}', "/tagged/lives: expected a valid"),
    ],
)
def test_a_problem_of_a_union_is_that_of_the_branch_that_can_be_meant(text: str, told: str) -> None:
    (line,) = lines(text)
    assert line.startswith(told)


def test_a_problem_has_one_line_whatever_a_validator_says() -> None:
    class Own(BaseModel):
        word: str

        @field_validator("word")
        @classmethod
        def check(cls, _word: str) -> str:
            raise ValueError("one\ntwo")

    assert lines('{"word": "a\\nb"}', Own) == [r'/word: one two; got "a\nb"']


def test_more_leaves_are_mended_than_problems_are_told() -> None:
    text = "[" + ", ".join('"1,234.50"' for _ in range(60)) + "]"
    assert read(text, list[float]).value == [1234.5] * 60


@pytest.mark.parametrize(
    ("given", "ok"), [('"yes"', True), ("1.0", False), ('"36"', 36), ('"1"', 1)]
)
def test_a_leaf_of_a_union_is_read_only_in_one_way(given: str, ok: int) -> None:
    for target in (int | bool, bool | int):
        reading = read_answer(f"[{given}]", compile_schema(GenericAlias(list, (target,))))
        assert reading.ok == bool(ok)
        if reading.ok:
            assert (type(reading.value[0]), reading.value) == (type(ok), [ok])
