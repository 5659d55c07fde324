"""extractify.drafts: JSON Schemas as targets, what is followed in them and what is refused."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from extractify.drafts import MAX_LEVELS
from extractify.errors import SchemaError
from extractify.schema import MAX_CHARACTERS, compile_schema
from extractify.validation import validate


def takes(node: dict[str, Any], value: Any) -> bool:
    return not validate(compile_schema(node), value).problems


def refused(node: dict[str, Any]) -> str:
    """What is said of a schema that is refused; it is said soon."""
    started = time.process_time()
    with pytest.raises(SchemaError) as caught:
        compile_schema(node)
    assert time.process_time() - started < 5
    assert len(str(caught.value)) < 600
    return str(caught.value)


# --- references -------------------------------------------------------------------------------


def test_an_anchor_is_followed() -> None:
    node = {
        "properties": {"a": {"$ref": "#word"}},
        "$defs": {"W": {"$anchor": "word", "type": "string"}},
    }
    assert compile_schema(node).canonical == {
        "properties": {"a": {"$ref": "#/$defs/word"}},
        "$defs": {"word": {"type": "string"}},
    }


def test_an_id_inside_the_document_is_followed_from_where_it_stands() -> None:
    node = {
        "$id": "https://a.example/root",
        "properties": {"a": {"$ref": "deep/word"}, "b": {"$ref": "/deep/other"}},
        "$defs": {
            "W": {"$id": "deep/word", "items": {"$ref": "other"}},
            "O": {"$id": "https://a.example/deep/other", "type": "integer"},
        },
    }
    assert takes(node, {"a": [1], "b": 2})
    assert not takes(node, {"a": ["x"]})
    assert not takes(node, {"b": []})


def test_a_dynamic_reference_that_can_mean_one_thing_is_followed() -> None:
    node = {
        "$dynamicAnchor": "node",
        "type": "object",
        "properties": {"kids": {"type": "array", "items": {"$dynamicRef": "#node"}}},
    }
    assert takes(node, {"kids": [{"kids": []}]})
    assert not takes(node, {"kids": [{"kids": 3}]})


def test_a_dynamic_reference_that_can_mean_two_things_is_refused() -> None:
    node = {
        "$id": "https://a.example/strict",
        "$dynamicAnchor": "node",
        "$ref": "tree",
        "$defs": {
            "tree": {
                "$id": "tree",
                "$dynamicAnchor": "node",
                "properties": {"kids": {"items": {"$dynamicRef": "#node"}}},
            }
        },
    }
    told = refused(node)
    assert "may lead to several schemas: #node" in told
    assert "$defs" in told


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("https://a.example/other.json", "another document, which isn't fetched"),
        ("other.json#/$defs/A", "another document, which isn't fetched"),
        ("file:///etc/passwd", "another document, which isn't fetched"),
        ("https://json-schema.org/draft/2020-12/schema", "another document"),
        ("#nowhere", "leads nowhere"),
        ("#/$defs/nowhere", "leads nowhere"),
        ("#/$defs/A/type", "is no schema"),
        ("#/properties/~", "leads nowhere"),
    ],
)
def test_what_a_reference_leads_to_must_be_in_the_document(reference: str, reason: str) -> None:
    node = {"properties": {"a": {"$ref": reference}}, "$defs": {"A": {"type": "string"}}}
    told = refused(node)
    assert "#/properties/a" in told
    assert reason in told
    assert "refer to it as #/$defs/Name" in told


def test_beside_a_reference_nothing_counts_in_draft_7_and_everything_in_2020() -> None:
    node = {
        "properties": {"a": {"$ref": "#/definitions/A", "maxLength": 1, "description": "d"}},
        "definitions": {"A": {"type": "string"}},
    }
    old = {"$schema": "http://json-schema.org/draft-07/schema#", **node}
    assert takes(old, {"a": "long"})
    assert not takes(node, {"a": "long"})
    assert compile_schema(old).canonical["properties"]["a"]["description"] == "d"


def test_an_anchor_within_data_is_no_anchor() -> None:
    node = {
        "$defs": {"E": {"enum": [{"$anchor": "x", "type": "null"}]}},
        "properties": {"a": {"$ref": "#x"}},
    }
    assert "leads nowhere" in refused(node)


@pytest.mark.parametrize(
    "node",
    [
        {"$ref": "#"},
        {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}},
        {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}},
        {"$ref": "#/$defs/A", "$defs": {"A": {"allOf": [{"$ref": "#/$defs/A"}]}}},
        {"anyOf": [{"type": "null"}, {"not": {"$ref": "#"}}]},
        {"properties": {"a": {"$ref": "#/$defs/A"}},
         "$defs": {"A": {"if": {}, "then": {"oneOf": [{"$ref": "#/$defs/A"}]}}}},
    ],
)  # fmt: skip
def test_a_reference_that_leads_back_without_going_down_is_refused(node: dict[str, Any]) -> None:
    assert "back to itself" in refused(node)


# --- hostile schemas --------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["items", "not", "properties", "anyOf"])
def test_ten_thousand_levels_are_refused(step: str) -> None:
    node: dict[str, Any] = {"type": "string"}
    for _ in range(10_000):
        inner: Any = {"properties": {"a": node}, "anyOf": [node]}.get(step, node)
        node = {step: inner}
    assert "nested too deep" in refused(node)


def test_the_deepest_schema_that_is_taken_can_be_used() -> None:
    def deep(levels: int) -> dict[str, Any]:
        node: dict[str, Any] = {"type": "string"}
        for _ in range(levels):
            node = {"items": node}
        return node

    value: Any = "x"
    for _ in range(MAX_LEVELS - 1):
        value = [value]
    assert takes(deep(MAX_LEVELS - 1), value)
    assert "levels deep" in refused(deep(MAX_LEVELS))


def test_a_long_chain_of_references_is_followed_to_its_end() -> None:
    count = 500
    definitions: dict[str, Any] = {
        f"D{number}": {"properties": {"next": {"$ref": f"#/$defs/D{number + 1}"}}}
        for number in range(count)
    }
    node = {"$ref": "#/$defs/D0", "$defs": {**definitions, f"D{count}": {"type": "string"}}}
    assert takes(node, {"next": {"next": {}}})


def test_schemas_without_number_are_refused() -> None:
    assert "objects and lists" in refused({"anyOf": [{} for _ in range(100_000)]})


def test_megabytes_of_enum_are_refused_with_what_to_do() -> None:
    told = refused({"enum": [f"value {number}" for number in range(500_000)]})
    assert str(MAX_CHARACTERS) in told
    assert "check them in your code" in told


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "^(a|a)*$", "(x+x+)+y", r"^(\w+\s?)*$", "^([a-z]+)*$"]
)
def test_a_pattern_that_backtracks_elsewhere_is_matched_in_linear_time(pattern: str) -> None:
    node = {"type": "string", "pattern": pattern}
    started = time.process_time()
    takes(node, "a" * 40_000 + "!")
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "node",
    [
        {"properties": {"p": {"pattern": r"^(?=x)(a+)+$"}}},
        {"properties": {"p": {"pattern": r"^(a|b)*\1$"}}},
        {"properties": {"p": {"patternProperties": {"^(a+)+$": {}}}}},
        {"properties": {"p": {"pattern": r"(?!x)(a{1,}){2,}"}}},
    ],
)
def test_a_pattern_that_can_only_backtrack_is_refused(node: dict[str, Any]) -> None:
    told = refused(node)
    assert "#/properties/p" in told
    assert "may take for ever" in told


@pytest.mark.parametrize(
    "pattern",
    ["^(?!x)[a-z]+$", "^(?:ab)+(?=c)", r"(\()+(?=x)", "([)+*]){2}(?!y)", "^(ab)*(?=$)"],
)
def test_a_harmless_pattern_with_lookaround_is_kept(pattern: str) -> None:
    assert compile_schema({"pattern": pattern}).canonical == {"pattern": pattern}


def test_a_pattern_means_what_it_meant() -> None:
    for pattern in (r"^\d{3}$", r"^(?!00)\d\d$", "b"):
        for text in ("123", "12", "00", "abc", "1234", ""):
            node = {"type": "string", "pattern": pattern}
            assert takes(node, text) is bool(re.search(pattern, text))
    assert takes({"pattern": "^a$"}, 3)


def test_patterns_that_python_cant_compile_are_refused() -> None:
    assert "/properties/a/pattern" in refused({"properties": {"a": {"pattern": "("}}})


def test_what_is_no_json_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["items"] = loop
    assert "JSON" in refused(loop)
    assert "JSON" in refused({"const": float("inf")})
