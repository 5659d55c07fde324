"""extractify.profiles: every payload keeps the rules of its endpoint, as others judge them."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from llguidance import LLMatcher
from pydantic import BaseModel, Field, create_model

from extractify.errors import SchemaError
from extractify.local import LocalModel, LocalServer
from extractify.lowering import lower
from extractify.profiles import GEMINI, OPENAI_STRICT, PROFILES, Limits
from extractify.schema import compile_schema
from tests.corpus import CASES, Tree
from tests.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.filterwarnings("ignore:.*using the `ReadOnly` qualifier")


def payloads(name: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield a target's repr, its payload, and the same as it travels."""
    for target, _, _ in CASES:
        wire_format = lower(compile_schema(target), PROFILES[name]).format
        assert wire_format is not None
        yield repr(target), json.loads(wire_format.encoded), wire_format.encoded


@pytest.mark.parametrize("name", PROFILES)
def test_every_payload_keeps_the_rules_of_its_profile(name: str) -> None:
    found = [
        (target, broken) for target, payload, _ in payloads(name) for broken in RULES[name](payload)
    ]
    assert found == []


@pytest.mark.parametrize("name", ["llguidance", "openai-strict", "llama.cpp", "xgrammar"])
def test_llguidance_compiles_every_payload(name: str) -> None:
    refused = []
    for target, _, encoded in payloads(name):
        error = LLMatcher.validate_grammar(LLMatcher.grammar_from_json_schema(encoded))
        refused += [(target, error)] if error else []
    assert refused == []


@pytest.mark.local_model
def test_llama_cpp_compiles_every_payload() -> None:
    refused = []
    with LocalServer(LocalModel.find("smollm2")) as server, httpx.Client(timeout=60) as client:
        for target, payload, _ in payloads("llama.cpp"):
            body = {
                "messages": [{"role": "user", "content": "JSON"}],
                "max_tokens": 1,
                "response_format": {"type": "json_schema", "json_schema": {"schema": payload}},
            }
            answer = client.post(f"{server.url}/chat/completions", json=body)
            refused += [(target, answer.text[:300])] if answer.status_code != 200 else []
    assert refused == []


def chain(levels: int) -> Any:
    model: Any = int
    for level in range(levels):
        model = create_model(f"Level{level}", inner=(model, ...))
    return model


def strict(target: object) -> Any:
    return lower(compile_schema(target), OPENAI_STRICT)


def test_ten_levels_are_taken_by_openai_and_eleven_are_refused_with_the_place() -> None:
    assert strict(chain(10)).format
    with pytest.raises(SchemaError, match="has 11 levels") as caught:
        strict(chain(11))
    assert "/properties/inner/properties/inner" in str(caught.value)
    assert "openai-strict takes 10" in str(caught.value)


def test_recursion_is_one_level_of_many() -> None:
    assert strict(Tree).format


def test_properties_are_counted_in_all_objects_together() -> None:
    assert OPENAI_STRICT.limits.properties == 5_000
    few = replace(OPENAI_STRICT, limits=Limits(properties=4))
    names = {name: {"type": "string"} for name in "abc"}
    node = {"type": "object", "properties": {**names, "d": {"type": "object", "properties": names}}}
    assert lower(compile_schema({"type": "object", "properties": names}), few).format
    with pytest.raises(SchemaError, match="7 properties; the profile openai-strict takes 4"):
        lower(compile_schema(node), few)


def test_names_and_values_of_120000_characters_are_the_most_for_openai() -> None:
    def wordy(length: int) -> dict[str, Any]:
        return {"type": "object", "properties": {"a": {"const": "x" * (length - 1)}}}

    assert strict(wordy(120_000)).format
    with pytest.raises(SchemaError, match="120001 characters"):
        strict(wordy(120_001))


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([f"v{number}" for number in range(1_000)], True),
        ([f"v{number}" for number in range(1_001)], False),
        (["x" * 59 + str(number) for number in range(1_00, 351)], False),
        (["x" * 40 + str(number) for number in range(1_00, 351)], True),
    ],
)
def test_an_enum_that_is_too_long_for_openai_is_dropped_and_recorded(
    values: list[str],
    *,
    kept: bool,
) -> None:
    node = {"type": "object", "properties": {"a": {"enum": values}}, "required": ["a"]}
    wire = strict(node)
    sent = wire.format.schema["properties"]["a"]
    assert ("enum" in sent) is kept
    assert sent["type"] == "string"
    assert bool(wire.dropped) is not kept


def test_the_flag_strict_belongs_to_the_payload() -> None:
    assert strict(Tree).format.strict
    loose: Any = lower(compile_schema(Tree), PROFILES["openai"])
    assert not loose.format.strict


def test_gemini_isnt_asked_for_what_leads_back_to_itself() -> None:
    wire = lower(compile_schema(Tree), GEMINI)
    assert wire.format is not None
    node: Any = wire.format.schema
    assert node["required"] == ["label"]
    assert "children" in node["properties"]
    dropped = [(each.pointer, each.keyword) for each in wire.dropped]
    assert dropped == [("/$defs/Tree/properties/children", "required")]


def test_examples_travel_where_the_profile_takes_them() -> None:
    class Model(BaseModel):
        code: str = Field(examples=["AB1"])

    def sent(name: str) -> str:
        wire_format = lower(compile_schema(Model), PROFILES[name]).format
        return "" if wire_format is None else wire_format.encoded

    assert "AB1" in sent("full")
    assert "AB1" in sent("m2.7")
    assert "AB1" not in sent("openai-strict")


@pytest.mark.parametrize("name", ["xgrammar", "vllm", "sglang", "llguidance"])
def test_a_grammar_that_wants_an_offset_isnt_told_of_times(name: str) -> None:
    wire = lower(compile_schema(dt.datetime), PROFILES[name])
    assert [(each.pointer, each.keyword) for each in wire.dropped] == [("", "format")]
