"""What an attack on reading and repair found, each as it has to be."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict

from extractify import Invalid, read
from extractify.nodes import has_place, put
from extractify.patching import patch_for, read_patch
from extractify.reading import read_answer
from extractify.schema import compile_schema
from extractify.validation import without_idle_nulls

if TYPE_CHECKING:
    from extractify.messages import JsonValue


class Number(BaseModel):
    a: int


class Defaults(BaseModel):
    a: int = 1
    b: str = ""


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    a: str


class A(BaseModel):
    k: Literal["a"]
    c: A | B | None = None


class B(BaseModel):
    k: Literal["b"]
    c: A | B | None = None


def kinds(text: str, target: Any) -> list[str]:
    return [problem.kind for problem in read(text, target).problems]


@pytest.mark.parametrize(
    "text", ['```json\n{"a": 1, "a": 2}\n```', 'Here: {"a": 1, "a": 2}', "{'a': 1, 'a': 2}"]
)
def test_a_key_given_twice_is_no_choice(text: str) -> None:
    assert kinds(text, Number) == ["conflict"]


def test_a_key_given_twice_alike_is_one() -> None:
    assert read('Here: {"a": 1, "a": 1}', Number).value == Number(a=1)


def test_a_model_of_defaults_is_never_made_of_nothing_that_was_said() -> None:
    assert read('{"result": {"a": 5}}', Defaults).value == Defaults(a=5)
    assert kinds('{"error": "x"}', Defaults) == ["no_known_key"]
    assert read("{}", Defaults).value == Defaults()
    assert read('{"a": 5}', Defaults).fixes == ()


@pytest.mark.parametrize(
    "leaf", ["1.000", "EUR 1.000", "€ 1.249", "3 MRD", "12 PCT", "NOT 5", "0.123.456"]
)
def test_a_number_that_may_be_another_is_a_problem(leaf: str) -> None:
    assert not read(json.dumps({"a": leaf}), Number).ok


@pytest.mark.parametrize("leaf", ["[1e999]", "[NaN]"])
def test_a_list_that_was_encoded_twice_holds_finite_numbers(leaf: str) -> None:
    class Floats(BaseModel):
        a: list[float]

    assert not read(json.dumps({"a": leaf}), Floats).ok


def test_a_strict_model_takes_no_number_for_text() -> None:
    assert not read('{"a": 12}', Strict).ok


def test_a_thought_is_one_in_capitals_too() -> None:
    assert read('<THINK>{"a": 1}</THINK>{"a": 2}', Number).value == Number(a=2)


def test_nulls_in_a_recursive_union_are_looked_at_once() -> None:
    data: JsonValue = None
    for depth in range(60):
        data = {"k": "ab"[depth % 2], "c": data}
    started = time.process_time()
    assert without_idle_nulls(compile_schema(A | B), data) == data
    assert time.process_time() - started < 5


def test_a_missing_item_behind_the_last_is_patched() -> None:
    class Pair(BaseModel):
        name: str
        text: str
        pair: tuple[int, str]

    schema = compile_schema(Pair)
    data = {"name": "a" * 30, "text": "b" * 30, "pair": [1]}
    patch = patch_for(schema, read_answer(json.dumps(data), schema))
    assert patch is not None
    mended = read_patch('{"patch": {"/pair/1": "x"}}', patch, schema)
    assert mended.value.pair == (1, "x")


def test_no_patch_is_asked_for_a_place_that_is_out_of_reach() -> None:
    data: JsonValue = {"lines": [1, 2], "a": {}}
    reach = {"/lines/1": True, "/lines/2": True, "/lines/3": False, "/lines/01": False}
    reach |= {"/lines/\u0663": False, "/none/1": False, "/a/new": True}
    assert {pointer: has_place(data, pointer) for pointer in reach} == reach
    assert put(data, {"/lines/9": 9, "/lines/x": 9, "/none/1": 9}) == data


def test_a_reply_that_gives_a_place_twice_is_no_patch() -> None:
    class Wide(BaseModel):
        name: str
        text: str
        count: int

    schema = compile_schema(Wide)
    data = {"name": "a" * 30, "text": "b" * 30, "count": "many"}
    patch = patch_for(schema, read_answer(json.dumps(data), schema))
    assert patch is not None
    assert not read_patch('{"patch": {"/count": 5, "/count": 6}}', patch, schema).ok


def test_a_pointer_without_its_slash_gets_one() -> None:
    assert Invalid("lines/0", "bad").pointer == "/lines/0"
    assert Invalid("", "bad").pointer == ""


def test_the_reprs_of_readings_hold_no_word_of_the_answer() -> None:
    assert "Zyxomma" not in repr(read('x {"a": "Zyxomma"}', Number))
    assert "Zyxomma" not in repr(read('{"b": "Zyxomma"}', Defaults))
