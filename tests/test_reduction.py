"""extractify.reduction: what is left out lets more through, never less, and is recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from extractify.profiles import GEMINI, LLAMA_CPP, LLGUIDANCE, OPENAI_STRICT, Profile
from extractify.reduction import Reduction

Json = dict[str, Any]


def reduced(node: Json, profile: Profile) -> tuple[Json, list[tuple[str, str]]]:
    lost: list[tuple[str, str]] = []
    reduction = Reduction(profile, lambda pointer, keyword: lost.append((pointer, keyword)))
    return reduction.reduced(node), lost


@pytest.mark.parametrize(
    ("pattern", "is_plain", "is_linear"),
    [
        ("^[A-Z]{2}[0-9]+$", True, True),
        ("^(a|b)-[0-9]$", True, True),
        (r"^-?[0-9]{1,15}(\.[0-9]{1,9})?$", True, True),
        ("^a|b$", False, True),
        ("a", False, True),
        (r"^\d+$", False, True),
        ("^.$", False, True),
        ("^[^a]$", False, True),
        ("^(?:a)$", False, True),
        ("^(?=a)a$", False, False),
        (r"^(a)\1$", False, False),
        ("^ä$", False, True),
    ],
)
def test_a_pattern_is_kept_where_the_engine_knows_all_of_it(
    pattern: str, *, is_plain: bool, is_linear: bool
) -> None:
    node = {"type": "string", "pattern": pattern}
    assert ("pattern" in reduced(node, LLAMA_CPP)[0]) is is_plain
    assert ("pattern" in reduced(node, LLGUIDANCE)[0]) is is_linear


@pytest.mark.parametrize(
    ("node", "result", "lost"),
    [
        ({"oneOf": [{"type": "string"}]}, {"anyOf": [{"type": "string"}]}, [("", "oneOf")]),
        ({"type": "number", "minimum": 1}, {"type": "number"}, [("", "minimum")]),
        ({"type": "integer", "minimum": 1}, {"type": "integer", "minimum": 1}, []),
        ({"type": "string", "format": "uri"}, {"type": "string"}, [("", "format")]),
        ({"type": "object", "patternProperties": {"^x": {}}, "additionalProperties": False},
         {"type": "object"}, [("", "patternProperties"), ("", "additionalProperties")]),
        ({"not": {"type": "null"}}, {}, [("", "not")]),
        ({"type": "string", "title": "t", "examples": [1]}, {"type": "string"}, []),
        ({"prefixItems": [{}, {}], "items": False}, {"prefixItems": [{}, {}], "maxItems": 2}, []),
        ({"items": True}, {}, []),
        ({"items": {"uniqueItems": True}}, {"items": {}}, [("/items", "uniqueItems")]),
    ],
)  # fmt: skip
def test_a_grammar_gets_what_it_can_say(
    node: Json, result: Json, lost: list[tuple[str, str]]
) -> None:
    assert reduced(node, LLAMA_CPP) == (result, lost)


@pytest.mark.parametrize(
    ("node", "items"),
    [
        ({"prefixItems": [{"type": "string"}, {"type": "null"}], "items": False},
         {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"prefixItems": [{"type": "string"}, {"type": "string"}], "items": False},
         {"type": "string"}),
        ({"prefixItems": [{"type": "string"}], "items": {"type": "null"}},
         {"anyOf": [{"type": "string"}, {"type": "null"}]}),
    ],
)  # fmt: skip
def test_a_tuple_for_openai_is_a_list_of_what_it_holds(node: Json, items: Json) -> None:
    result, lost = reduced({"type": "array", **node}, OPENAI_STRICT)
    assert {**result, "items": items} == result
    assert result.keys() <= {"type", "items", "maxItems"}
    assert lost == [("", "prefixItems")]


def test_a_constant_is_an_enum_of_one_for_gemini() -> None:
    assert reduced({"const": "a"}, GEMINI)[0] == {"enum": ["a"]}


def test_a_branch_and_a_property_that_nothing_fits_arent_asked_for() -> None:
    never: Json = {"not": {}}
    assert reduced({"anyOf": [never, {"type": "null"}]}, LLAMA_CPP)[0] == {
        "anyOf": [{"type": "null"}]
    }
    node = {"type": "object", "properties": {"a": never, "b": {}}, "required": ["b"]}
    assert reduced(node, LLAMA_CPP)[0]["properties"] == {"b": {}}


def test_what_is_left_out_lets_more_through() -> None:
    nodes: list[Json] = [
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(?=x)"}},
         "patternProperties": {"^b": {"type": "null"}}, "additionalProperties": False},
        {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
        {"oneOf": [{"type": "string", "pattern": r"\d"}, {"type": "string", "maxLength": 1}]},
    ]  # fmt: skip
    values: list[Any] = [{}, {"a": "x"}, {"b": None}, ["a", 1], [], "1", "22", "a"]
    for profile in (LLAMA_CPP, LLGUIDANCE, OPENAI_STRICT, replace(GEMINI, formats=None)):
        for node in nodes:
            result = jsonschema.Draft202012Validator(reduced(node, profile)[0])
            for value in values:
                original = jsonschema.Draft202012Validator(node).is_valid(value)
                assert result.is_valid(value) or not original


def test_an_object_that_loses_its_pattern_of_keys_says_that_it_takes_others() -> None:
    node = {"type": "object", "properties": {"a": {}}, "patternProperties": {"^x": {}}}
    kept = {"type": "object", "properties": {"a": {}}, "additionalProperties": True}
    for given in (node, {**node, "additionalProperties": {"type": "string"}}):
        assert reduced(given, LLAMA_CPP)[0] == kept
