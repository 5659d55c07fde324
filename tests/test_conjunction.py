"""extractify.conjunction: schemas that hold together as one, or less than one, never as more."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from extractify.conjunction import MOST, flattened

Json = dict[str, Any]
PERSON: Json = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
}


def flat(node: Json) -> tuple[Json, list[tuple[str, str]]]:
    lost: list[tuple[str, str]] = []
    result = flattened(node, lambda pointer, keyword: lost.append((pointer, keyword)))
    return result, lost


@pytest.mark.parametrize(
    ("node", "result"),
    [
        ({"allOf": [{"type": "string"}, {"maxLength": 3}]}, {"type": "string", "maxLength": 3}),
        ({"allOf": [{"minimum": 1}, {"minimum": 2}, {"maximum": 9}, {"maximum": 5}]},
         {"minimum": 2, "maximum": 5}),
        ({"type": "number", "allOf": [{"type": "integer"}]}, {"type": "integer"}),
        ({"type": ["string", "null"], "allOf": [{"type": ["null", "integer"]}]}, {"type": "null"}),
        ({"type": "integer", "allOf": [{"type": ["number", "string"]}]}, {"type": "integer"}),
        ({"enum": [1, 2], "allOf": [{"enum": [2, 3]}]}, {"enum": [2]}),
        ({"items": {"type": "string"}, "allOf": [{"items": {"maxLength": 2}}]},
         {"items": {"type": "string", "maxLength": 2}}),
        ({"items": {"type": "string"}, "allOf": [{"items": False}]}, {"items": False}),
        ({"additionalProperties": True, "allOf": [{"additionalProperties": {"type": "null"}}]},
         {"additionalProperties": {"type": "null"}}),
        ({"description": "d", "allOf": [{"description": "e", "type": "null"}]},
         {"description": "d", "type": "null"}),
        ({"type": "string", "anyOf": [{"maxLength": 2}, {"enum": ["long"]}]},
         {"anyOf": [{"maxLength": 2, "type": "string"}, {"enum": ["long"], "type": "string"}]}),
        ({"type": "string", "anyOf": [{}, {}]}, {"type": "string"}),
        ({"type": ["object", "null"], "properties": {}, "minLength": 1},
         {"anyOf": [{"type": "object", "properties": {}, "minLength": 1},
                    {"type": "null", "minLength": 1}]}),
    ],
)  # fmt: skip
def test_schemas_that_hold_together_are_written_as_one(node: Json, result: Json) -> None:
    assert flat(node) == (result, [])


def test_properties_of_all_parts_are_there_and_those_of_both_hold_twice() -> None:
    other = {
        "type": "object",
        "properties": {"name": {"minLength": 2}, "age": {"type": "integer"}},
        "required": ["age"],
    }
    assert flat({"allOf": [PERSON, other]})[0] == {
        "type": "object",
        "properties": {"name": {"type": "string", "minLength": 2}, "age": {"type": "integer"}},
        "required": ["name", "age"],
    }


def test_what_stands_beside_a_reference_is_joined_with_what_it_names() -> None:
    node = {"$ref": "#/$defs/P", "required": ["age"], "$defs": {"P": PERSON}}
    assert flat(node)[0]["required"] == ["age", "name"]
    told = {"items": {"$ref": "#/$defs/P", "description": "d"}, "$defs": {"P": PERSON}}
    assert flat(told) == (told, [])


@pytest.mark.parametrize(
    ("node", "lost"),
    [
        ({"pattern": "^a", "allOf": [{"pattern": "b$"}]}, [("", "pattern")]),
        ({"allOf": [PERSON, {"additionalProperties": False, "properties": {"a": {}}}]},
         [("", "additionalProperties")]),
        ({"anyOf": [{"type": "string"}], "oneOf": [{"maxLength": 1}, {"minLength": 3}]},
         [("", "oneOf")]),
        ({"type": "string", "allOf": [{"type": "null"}]}, [("", "type")]),
        ({"enum": [1], "allOf": [{"enum": [2]}]}, [("", "enum")]),
    ],
)  # fmt: skip
def test_what_one_schema_cant_say_is_left_out_and_told(
    node: Json, lost: list[tuple[str, str]]
) -> None:
    result, told = flat(node)
    assert told == lost
    values: list[Any] = [None, "a", "ab", 1, 2, {"name": "n"}, {"name": "n", "a": 1}, []]
    for value in values:
        original = jsonschema.Draft202012Validator(node).is_valid(value)
        assert jsonschema.Draft202012Validator(result).is_valid(value) or not original


def test_a_recursive_schema_with_something_beside_each_reference_comes_to_an_end() -> None:
    node = {
        "$ref": "#/$defs/T",
        "$defs": {"T": {"properties": {"kid": {"$ref": "#/$defs/T", "minProperties": 1}}}},
    }
    result, lost = flat(node)
    assert result["$defs"]["T"]["properties"]["kid"]
    assert {keyword for _, keyword in lost} == {"minProperties"}


def test_references_that_double_at_every_step_are_written_out_so_often_and_no_more() -> None:
    definitions: Json = {
        f"D{level}": {
            "properties": {
                side: {"$ref": f"#/$defs/D{level + 1}", "minProperties": 1} for side in "ab"
            }
        }
        for level in range(30)
    }
    node = {"$ref": "#/$defs/D0", "$defs": {**definitions, "D30": {"type": "object"}}}
    _, lost = flat(node)
    assert 0 < len(lost) < 3 * MOST
