"""extractify.conformance: plain data and a JSON Schema, in bounded time."""

from __future__ import annotations

from typing import Any

import pytest

from extractify.conformance import conform
from extractify.drafts import validator
from extractify.reading import read


def told(schema: dict[str, Any], data: Any) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.kind) for problem in conform(validator(schema), data)]


@pytest.mark.parametrize(
    ("items", "unique"),
    [
        ([1, 2, True, "1", None, [1], {"a": 1}], True),
        ([1, 1.0], False),
        ([{"a": 1, "b": [2.0]}, {"b": [2], "a": 1.0}], False),
        ([0, False], True),
        (["a", "a"], False),
    ],
)
def test_items_are_unique_as_json_means_it(items: list[Any], *, unique: bool) -> None:
    assert told({"uniqueItems": True}, items) == ([] if unique else [("", "uniqueItems")])
    assert told({"uniqueItems": False}, items) == told({"uniqueItems": True}, "aa") == []


def test_a_thousand_objects_are_told_apart_at_once() -> None:
    items = [{"a": [number]} for number in range(20_000)]
    assert told({"uniqueItems": True}, items) == []


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("^a+$", "aaa", True),
        ("^a+$", "bbb", False),
        ("b", "abc", True),
        (r"^(?=.*\d)\w{4,}$", "abc1", True),
        (r"^(?=.*\d)\w{4,}$", "abcd", False),
        (r"(a)\1", "aa", True),
        (r"(?=a)(a+)+$", "a" * 60 + "b", False),
        (r"(?=a)(a+)+$", "a" * 10, True),
        (r"(a+)+$", "a" * 5000 + "b", False),
        (r"^(\w+\s?)+$", "word " * 2000, True),
    ],
)
def test_a_pattern_is_searched_for_without_backtracking(
    pattern: str, text: str, *, matches: bool
) -> None:
    assert told({"pattern": pattern}, text) == ([] if matches else [("", "pattern")])
    assert told({"pattern": pattern}, 5) == []


UNION: dict[str, Any] = {
    "anyOf": [
        {"type": "integer"},
        {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a", "b"]},
        {"type": "object", "properties": {"a": {"const": 2}, "c": {"type": "string"}}},
    ]
}


def test_the_one_branch_that_can_be_meant_tells_its_problems() -> None:
    assert told(UNION, {"a": 1}) == [("/b", "missing")]
    assert told(UNION, {"a": 2, "c": 5}) == [("/c", "type")]


def test_a_union_of_which_no_branch_can_be_meant_is_pointed_at_itself() -> None:
    (problem,) = conform(validator({"properties": {"x": UNION}}), {"x": "text"})
    assert str(problem) == '/x: expected type "integer" or type "object"; got "text"'


def test_numbers_too_big_for_a_float_are_judged() -> None:
    assert read("[1" + "0" * 400 + "]", {"items": {"multipleOf": 0.5}}).problems
