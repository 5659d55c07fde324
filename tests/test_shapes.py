"""extractify.shapes: values on the wire in a shape that the endpoint can say, and back."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel, Field

from extractify import Client, Endpoint, Parameters, Task
from extractify.conversation import Setting, first_request
from extractify.lowering import lower
from extractify.profiles import FULL, GEMINI, LLAMA_CPP, LLGUIDANCE, M2_7, OPENAI_STRICT, Profile
from extractify.reading import read_answer
from extractify.schema import Schema, compile_schema
from extractify.shapes import is_reshaped, lowered, raised, shaped
from extractify.testing import ScriptedEndpoint
from extractify.validation import without_idle_nulls

PROFILES = [FULL, M2_7, OPENAI_STRICT, LLAMA_CPP, LLGUIDANCE, GEMINI]


class Line(BaseModel):
    name: str
    price: Decimal = Field(ge=0)


class Order(BaseModel):
    lines: dict[str, Line] = {}
    notes: dict[str, Any] = {}
    extra: Any = None


STRICT: Schema[Order] = compile_schema(Order)


# --- what changes its shape --------------------------------------------------------------------


def test_a_mapping_travels_as_pairs_and_anything_as_json_text() -> None:
    order: Any = {
        "lines": {"a": {"name": "n", "price": 2}},
        "notes": {"k": [1, None]},
        "extra": {"x": 1},
    }
    sent = lowered(STRICT, OPENAI_STRICT, order)
    assert sent == {
        "lines": [{"key": "a", "value": {"name": "n", "price": 2}}],
        "notes": [{"key": "k", "value": "[1, null]"}],
        "extra": '{"x": 1}',
    }
    assert raised(STRICT, OPENAI_STRICT, sent) == order


def test_what_is_asked_in_the_prompt_alone_is_raised_as_well() -> None:
    class Stock(BaseModel):
        counts: dict[str, int]

    like = Endpoint(url="http://127.0.0.1:1/v1", model="m", profile=OPENAI_STRICT)
    endpoint = ScriptedEndpoint(['{"counts": [{"key": "bolts", "value": 7}]}'], like=like)
    with Client(endpoint) as client:
        result = client.extract(Task(Stock, parameters=Parameters(structure="prompt")), "7 bolts")
    assert result.value == Stock(counts={"bolts": 7})
    assert len(result.attempts) == 1


def test_profiles_that_can_say_it_change_nothing() -> None:
    for profile in (FULL, M2_7, LLGUIDANCE, GEMINI):
        assert not is_reshaped(STRICT, profile)
        assert raised(STRICT, profile, {"lines": []}) == {"lines": []}


def test_a_target_of_declared_keys_alone_has_the_shape_it_has() -> None:
    assert not is_reshaped(compile_schema(Line), OPENAI_STRICT)
    assert shaped(compile_schema(Line), FULL) is compile_schema(Line).asked


def test_keys_beside_the_declared_ones_travel_in_a_list_of_their_own() -> None:
    node = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "other_keys": {"type": "null"}},
        "additionalProperties": {"type": "integer"},
    }
    schema = compile_schema(node)
    sent = lowered(schema, OPENAI_STRICT, {"a": "x", "b": 1})
    assert sent == {"a": "x", "other_keys": None, "other_keys_": [{"key": "b", "value": 1}]}
    back = without_idle_nulls(schema, raised(schema, OPENAI_STRICT, sent))
    assert back == {"a": "x", "b": 1, "other_keys": None}


def test_keys_that_are_an_enum_stay_one() -> None:
    node = {"type": "object", "propertyNames": {"enum": ["a"]}, "additionalProperties": True}
    pair = shaped(compile_schema(node), OPENAI_STRICT)["items"]["properties"]
    assert pair["key"] == {"type": "string", "enum": ["a"]}


@pytest.mark.parametrize(
    "sent",
    [
        [{"key": "a", "value": 1}, {"key": "a", "value": 2}],  # twice
        [{"key": "a"}],
        [{"key": 1, "value": 2}],
        ["a"],
        "text",
    ],
)
def test_what_isnt_pairs_is_left_for_validation_to_judge(sent: Any) -> None:
    schema = compile_schema(dict[str, int])
    assert raised(schema, OPENAI_STRICT, sent) == sent


def test_items_of_any_kind_travel_as_json_text() -> None:
    for node in ({"type": "array"}, {"type": "array", "items": True}, {"contains": {"const": 1}}):
        schema = compile_schema(node)
        assert is_reshaped(schema, OPENAI_STRICT)
        assert lowered(schema, OPENAI_STRICT, [1, "a"]) == ["1", '"a"']
        assert raised(schema, OPENAI_STRICT, ["1", '"a"']) == [1, "a"]


def test_text_that_isnt_json_stays_a_text() -> None:
    assert raised(STRICT, OPENAI_STRICT, {"extra": "plain {"}) == {"extra": "plain {"}


def test_a_list_or_a_mapping_is_told_as_json_text() -> None:
    schema: Schema[Any] = compile_schema(list[int] | dict[str, int])
    values: list[Any] = [[], {}, [1], {"a": 1}]
    for value in values:
        sent = lowered(schema, OPENAI_STRICT, value)
        assert isinstance(sent, str)
        assert raised(schema, OPENAI_STRICT, sent) == value


def test_a_decimal_is_a_text_where_the_profile_wants_it_so() -> None:
    schema: Schema[Any] = compile_schema(Line)
    data: dict[str, Any] = {"name": "n", "price": 1e-7}
    assert lowered(schema, LLAMA_CPP, data) == {"name": "n", "price": "0.0000001"}
    assert lowered(schema, FULL, {"name": "n", "price": "2.50"}) == {"name": "n", "price": 2.5}
    assert shaped(schema, LLAMA_CPP)["properties"]["price"]["type"] == "string"
    assert shaped(compile_schema(Decimal | str), LLAMA_CPP)["anyOf"][0]["type"] == "number"


def test_the_fitting_branch_of_a_union_decides_which_keys_are_asked_for() -> None:
    branches = [
        {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}},
         "required": ["a"], "additionalProperties": False},
        {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"],
         "additionalProperties": False},
    ]  # fmt: skip
    schema = compile_schema({"anyOf": branches})
    assert lowered(schema, FULL, {"a": "x"}) == {"a": "x", "n": None}
    assert lowered(schema, FULL, {"b": "x"}) == {"b": "x"}
    assert lowered(schema, FULL, {"c": "x"}) == {"c": "x", "a": None, "n": None}


# --- the whole way -----------------------------------------------------------------------------


def test_an_answer_in_pairs_is_read_as_the_target() -> None:
    text = """{"lines": [{"key": "a", "value": {"name": "n", "price": 2}}],
               "notes": [], "extra": "null"}"""
    wire = lower(STRICT, OPENAI_STRICT)
    reading = read_answer(
        text,
        STRICT,
        enveloped=wire.enveloped,
        raising=lambda data: raised(STRICT, OPENAI_STRICT, data),
    )
    assert reading.value == Order(lines={"a": Line(name="n", price=Decimal(2))})


def test_the_prompt_and_its_examples_have_the_shape_of_the_wire() -> None:
    example = Order(lines={"a": Line(name="n", price=Decimal(2))})
    task = Task(Order, examples=[("A text.", example)])
    request = first_request(task, "Another.", Setting("m", OPENAI_STRICT, {}))
    assert "key: string" in request.messages[0].content
    assert "JSON text of any" in request.messages[0].content
    assert '"lines": [{"key": "a"' in request.messages[2].content


# --- generated values --------------------------------------------------------------------------


def generated(draw: random.Random, depth: int = 0) -> dict[str, Any]:
    """A JSON Schema of a kind that people write."""
    plain: list[dict[str, Any]] = [
        {"type": "string"},
        {"type": "string", "maxLength": 9, "pattern": "^[a-z]*$"},
        {"type": "integer", "minimum": 0},
        {"type": "number"},
        {"type": "boolean"},
        {"enum": ["a", "b", 3]},
        {"const": "c"},
        {"type": ["string", "null"]},
        {},
    ]
    if depth > 2 or draw.random() < 0.3:
        return draw.choice(plain)
    kind = draw.choice(["object", "object", "array", "map", "open", "union", "tuple", "ref"])
    if kind == "ref":
        return {"$ref": "#/$defs/Node"}
    inner = generated(draw, depth + 1)
    whole: dict[str, Any] = {
        "array": {"type": "array", "items": inner},
        "map": {"type": "object", "additionalProperties": inner},
        "union": {"anyOf": [inner, {"type": "null"}]},
    }
    return whole.get(kind) or a_closed_one(draw, kind, depth)


def a_closed_one(draw: random.Random, kind: str, depth: int) -> dict[str, Any]:
    if kind == "tuple":
        parts = [generated(draw, depth + 1) for _ in range(2)]
        return {"type": "array", "prefixItems": parts, "items": False, "minItems": 2}
    names = draw.sample(
        ["a", "b", "key", "value", "result", "other_keys", "x y"], draw.randint(1, 4)
    )
    others = True if kind == "open" else draw.choice([False, False, {"type": "string"}])
    return {
        "type": "object",
        "properties": {name: generated(draw, depth + 1) for name in names},
        "required": [name for name in names if draw.random() < 0.6],
        "additionalProperties": others,
    }


TREE = {
    "type": "object",
    "properties": {
        "label": {"type": "string"},
        "kids": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
    },
    "required": ["label"],
    "additionalProperties": False,
}


def a_value(draw: random.Random, root: dict[str, Any], node: dict[str, Any], depth: int = 0) -> Any:
    """A value that the schema takes. A key that may be null or absent is there."""
    if "$ref" in node:
        return a_value(draw, root, root["$defs"]["Node"], depth + 1)
    if "anyOf" in node:
        return a_value(draw, root, draw.choice(node["anyOf"]) if depth < 6 else {"type": "null"})
    if "enum" in node or "const" in node:
        return draw.choice(node.get("enum", [node.get("const")]))
    kind = node.get("type", "any")
    kind = draw.choice(kind) if isinstance(kind, list) else kind
    if kind == "object":
        return an_object(draw, root, node, depth)
    if kind == "array":
        parts = [a_value(draw, root, sub, depth + 1) for sub in node.get("prefixItems", [])]
        more = [] if depth > 5 or parts else [node["items"]] * draw.randint(0, 3)
        return parts + [a_value(draw, root, sub, depth + 1) for sub in more]
    leaves: dict[str, Any] = {
        "string": lambda: draw.choice(["", "a", "null", "abc", "key"]),
        "integer": lambda: draw.choice([0, 7, 10**12]),
        "number": lambda: draw.choice([0.5, -1, 1e300]),
        "boolean": lambda: draw.random() < 0.5,
        "null": lambda: None,
        "any": lambda: draw.choice(["a", 1, [1, {"a": []}], {"key": 1}, "12", "{", True]),
    }
    return leaves[kind]()


def an_object(
    draw: random.Random, root: dict[str, Any], node: dict[str, Any], depth: int
) -> dict[str, Any]:
    required = node.get("required", [])
    made = {
        name: a_value(draw, root, sub, depth + 1)
        for name, sub in node.get("properties", {}).items()
        if name in required or takes_null(sub) or (depth < 5 and draw.random() < 0.7)
    }
    others = node.get("additionalProperties", False)
    if others is not False and depth < 6:
        kind = {} if others is True else others
        names = [f"k{number}" for number in range(draw.randint(0, 2))]
        made |= {name: a_value(draw, root, kind, depth + 1) for name in names}
    return made


def takes_null(node: dict[str, Any]) -> bool:
    return not node or {"type": "null"} in node.get("anyOf", []) or "null" in str(node.get("type"))


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_5000_generated_values_survive_lowering_and_raising_unchanged(profile: Profile) -> None:
    draw = random.Random(20261122)
    count = 0
    while count < 5_000 // len(PROFILES) + 1:
        node = generated(draw)
        tree = {
            "type": "object",
            "properties": {
                "label": {"type": "string"},
                "kids": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
            },
            "required": ["label"],
            "additionalProperties": False,
        }
        root = {**node, "$defs": {"Node": tree}}
        schema = compile_schema(root)
        wire = lower(schema, profile)
        assert wire.format is not None
        payload = jsonschema.Draft202012Validator(dict(wire.format.schema))
        for _ in range(10):
            value = a_value(draw, root, root)
            assert schema.validator.is_valid(value)
            sent = lowered(schema, profile, value)
            assert payload.is_valid({"result": sent} if wire.enveloped else sent), (root, value)
            back = without_idle_nulls(schema, raised(schema, profile, sent))
            assert back == value, (root, value, sent)
            count += 1


def test_a_profile_that_is_closed_and_wants_decimals_as_text_does_both() -> None:
    both = replace(OPENAI_STRICT, decimals_as_text=True)
    data: Any = {"lines": {"a": {"name": "n", "price": "2.5"}}, "notes": {}, "extra": 1}
    sent = lowered(STRICT, both, data)
    assert raised(STRICT, both, sent) == data
