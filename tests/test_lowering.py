"""extractify.lowering: a Schema as one endpoint takes it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from extractify.lowering import INLINE_GROWTH, Dropped, Wire, lower
from extractify.nodes import map_schemas
from extractify.profiles import FULL, LLAMA_CPP, M2_7, OPENAI, PROFILES, Profile
from extractify.schema import compile_schema

Json = dict[str, Any]


class Money(BaseModel):
    amount: float = Field(multiple_of=0.01)
    currency: str = Field(pattern="^[A-Z]{3}$")


class Order(BaseModel):
    total: Money
    tags: set[str] = set()
    state: Literal["open", "done"] = "open"


class Tree(BaseModel):
    label: str
    children: list[Tree] = []


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Pets(BaseModel):
    pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]]


def payload(target: object, profile: Profile = M2_7) -> Json:
    wire_format = lower(compile_schema(target), profile).format
    assert wire_format is not None
    sent: Json = json.loads(wire_format.encoded)
    assert sent == wire_format.schema
    return sent


def references(node: Json) -> list[str]:
    found = [node["$ref"]] if "$ref" in node else []

    def visit(sub: Json, _place: str) -> Json:
        found.extend(references(sub))
        return sub

    map_schemas(node, visit)
    return found


def followed(root: Json, reference: str) -> object:
    node: Any = root
    for step in reference.removeprefix("#").split("/")[1:]:
        node = node[step]
    return node


def accepts(node: Json, value: object) -> bool:
    return bool(jsonschema.Draft202012Validator(node).is_valid(value))


# --- M2.7 -------------------------------------------------------------------------------------

TARGETS: list[object] = [
    Order,
    Tree,
    Pets,
    list[Tree],
    dict[str, Order],
    Cat | Dog,
    Order | None,
    int,
    Literal["a", "b"],
    {"type": "object", "properties": {"a": {"$ref": "#/definitions/A"}}, "definitions": {"A": {}}},
    {"type": "object", "properties": {"child": {"$ref": "#"}}},
    {},
]


@pytest.mark.parametrize("target", TARGETS)
def test_the_root_for_m27_holds_type_and_properties_only(target: object) -> None:
    sent = payload(target)
    assert sent.keys() == {"type", "properties"}
    assert sent["type"] == "object"
    assert sent["properties"].keys() == {"result"}
    assert lower(compile_schema(target), M2_7).enveloped


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
@pytest.mark.parametrize("target", TARGETS)
def test_every_reference_leads_to_a_definition_inside_the_payload(
    target: object, profile: Profile
) -> None:
    sent = payload(target, profile)
    base = (
        "#/properties/result/$defs/"
        if lower(compile_schema(target), profile).enveloped
        else "#/$defs/"
    )
    for reference in references(sent):
        assert reference.startswith(base)
        assert isinstance(followed(sent, reference), dict)


def test_what_the_root_for_m27_cant_say_is_recorded() -> None:
    dropped = lower(compile_schema(Order), M2_7).dropped
    assert dropped == (Dropped("", "required"), Dropped("", "additionalProperties"))


def test_the_enveloped_schema_keeps_what_it_requires() -> None:
    inner = payload(Order)["properties"]["result"]
    assert inner["required"] == ["total", "tags", "state"]
    assert inner["properties"]["total"]["required"] == ["amount", "currency"]


def test_a_recursive_target_keeps_its_definitions_below_the_envelope() -> None:
    sent = payload(Tree)
    result = sent["properties"]["result"]
    assert result["$ref"] == "#/properties/result/$defs/Tree"
    assert accepts(sent, {"result": {"label": "a", "children": [{"label": "b", "children": []}]}})
    assert not accepts(sent, {"result": {"label": "a", "children": [{"label": 5}]}})


def test_references_inside_data_are_left_alone() -> None:
    data = {"$ref": "#/$defs/A"}
    node = {
        "type": "object",
        "properties": {"a": {"const": data}, "b": {"enum": [data]}, "c": {"$ref": "#"}},
        "required": ["a", "b"],
    }
    tree = payload(node)["properties"]["result"]["$defs"]["Answer"]["properties"]
    assert tree["a"] == {"const": data}
    assert tree["b"] == {"enum": [data]}


def test_a_discriminator_s_mapping_doesnt_travel() -> None:
    assert "discriminator" not in json.dumps(payload(Pets))


# --- other profiles ---------------------------------------------------------------------------


@pytest.mark.parametrize("profile", [FULL, OPENAI, LLAMA_CPP], ids=lambda profile: profile.name)
def test_an_object_travels_bare_where_the_root_takes_it(profile: Profile) -> None:
    wire = lower(compile_schema(Order), profile)
    assert not wire.enveloped
    assert payload(Order, profile)["properties"].keys() == {"total", "tags", "state"}


@pytest.mark.parametrize("target", [list[Order], Cat | Dog, int, {}])
def test_what_isnt_an_object_travels_in_the_envelope_everywhere(target: object) -> None:
    sent = payload(target, FULL)
    assert lower(compile_schema(target), FULL).enveloped
    assert sent["required"] == ["result"]
    assert sent["additionalProperties"] is False


def test_a_recursive_root_is_written_out_once_because_endpoints_look_for_its_type() -> None:
    sent = payload(Tree, OPENAI)
    assert sent["type"] == "object"
    assert list(sent["properties"]) == ["label", "children"]
    assert references(sent) == ["#/$defs/Tree", "#/$defs/Tree"]


def test_llama_cpp_gets_no_keyword_that_a_grammar_cant_say_and_each_is_recorded() -> None:
    class Shelf(Order):
        code: str = Field(pattern=r"^\d+$")
        price: Decimal = Field(ge=0)

    wire = lower(compile_schema(Shelf), LLAMA_CPP)
    sent = payload(Shelf, LLAMA_CPP)
    text = json.dumps(sent)
    assert not any(keyword in text for keyword in ("uniqueItems", "multipleOf", r"\d"))
    assert set(wire.dropped) == {
        Dropped("/$defs/Money/properties/amount", "multipleOf"),
        Dropped("/properties/tags/anyOf/0", "uniqueItems"),
        Dropped("/properties/code", "pattern"),
        Dropped("/properties/price", "minimum"),
    }
    asked = compile_schema(Shelf).asked
    for each in wire.dropped:
        assert each.keyword in followed_in(asked, each.pointer)
    assert sent["properties"]["price"] == {
        "type": "string",
        "pattern": r"^-?[0-9]{1,15}(\.[0-9]{1,9})?$",
    }
    assert sent["properties"]["total"]["properties"]["currency"]["pattern"] == "^[A-Z]{3}$"


def followed_in(node: Json, pointer: str) -> Json:
    found: Any = node
    for step in pointer.split("/")[1:]:
        found = found[int(step)] if isinstance(found, list) else found[step]
    assert isinstance(found, dict)
    return found


def test_properties_named_like_dropped_keywords_are_kept() -> None:
    node = {"type": "object", "properties": {"pattern": {"type": "string"}, "not": {}}}
    assert list(payload(node, LLAMA_CPP)["properties"]) == ["pattern", "not"]
    assert lower(compile_schema(node), LLAMA_CPP).dropped == ()


def test_a_keyword_dropped_inside_a_negation_takes_the_negation_with_it() -> None:
    node = {"type": "object", "properties": {"a": {"not": {"pattern": "^x"}}}, "required": ["a"]}
    assert accepts(payload(node, LLAMA_CPP), {"a": "y"})


def test_an_endpoint_that_takes_no_schema_gets_no_format() -> None:
    mute = replace(FULL, native=False)
    assert lower(compile_schema(Order), mute) == Wire(None, enveloped=False, dropped=())
    assert lower(compile_schema(int), mute) == Wire(None, enveloped=True, dropped=())


def test_a_schema_is_lowered_once_for_a_profile() -> None:
    schema = compile_schema(Order)
    assert lower(schema, M2_7) is lower(schema, replace(M2_7))
    assert lower(schema, M2_7) is not lower(schema, FULL)


# --- inlining ---------------------------------------------------------------------------------


def test_definitions_that_cost_little_are_written_in_place() -> None:
    sent = payload(Order)
    assert references(sent) == []
    assert "$defs" not in json.dumps(sent)


def test_a_description_beside_a_reference_replaces_the_definition_s_own() -> None:
    class Shop(BaseModel):
        price: Money = Field(description="what it costs")

    money = payload(Shop)["properties"]["result"]["properties"]["price"]
    assert money["description"] == "what it costs"
    assert list(money["properties"]) == ["amount", "currency"]


def test_constraints_beside_a_reference_hold_as_well_as_the_definition_s() -> None:
    node = {
        "type": "object",
        "$defs": {"Short": {"type": "string", "maxLength": 3}},
        "properties": {"a": {"$ref": "#/$defs/Short", "maxLength": 5, "minLength": 2}},
        "required": ["a"],
    }
    verdicts = [accepts(payload(node, FULL), {"a": "x" * length}) for length in range(1, 6)]
    assert verdicts == [False, True, True, False, False]


@pytest.mark.parametrize("links", [20, 60])
def test_a_chain_of_doubling_references_doesnt_explode(links: int) -> None:
    definitions: Json = {
        f"D{i}": {
            "type": "object",
            "properties": {side: {"$ref": f"#/$defs/D{i + 1}"} for side in ("left", "right")},
        }
        for i in range(links)
    }
    definitions[f"D{links}"] = {"type": "string"}
    node = {"type": "object", "properties": {"a": {"$ref": "#/$defs/D0"}}, "$defs": definitions}
    started = time.perf_counter()
    sent = payload(node)
    assert time.perf_counter() - started < 5  # written out, it would be 2**links long
    asked = json.dumps(compile_schema(node).asked)
    assert len(json.dumps(sent)) < 2 * INLINE_GROWTH * len(asked)


def test_a_definition_that_is_used_often_stays_one() -> None:
    class Many(BaseModel):
        a: Order
        b: Order
        c: Order
        d: Order
        e: Order

    sent = payload(Many)
    assert set(references(sent)) == {
        "#/properties/result/$defs/Order",
        "#/properties/result/$defs/Money",
    }
    inner = json.dumps(compile_schema(Many).asked, separators=(",", ":"))
    assert len(json.dumps(sent, separators=(",", ":"))) < INLINE_GROWTH * len(inner)


# --- one verdict ------------------------------------------------------------------------------

KEYS = st.sampled_from(["a", "b", "title", "$ref", "properties", "a/b"])
LEAVES: st.SearchStrategy[Json] = st.sampled_from(
    [
        {"type": "string", "maxLength": 2},
        {"type": "integer", "minimum": 0},
        {"type": "number", "multipleOf": 0.5},
        {"type": "boolean", "default": True},
        {"type": ["string", "null"], "pattern": "^x"},
        {"enum": ["x", 1, None]},
        {"const": {"$ref": "#/$defs/A"}},
        {"$ref": "#/$defs/A"},
        {"$ref": "#/$defs/A", "minProperties": 1},
        {"$ref": "#/$defs/A/properties/x"},
        {"$ref": "#"},
        {},
    ]
)


def _objects(children: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.builds(
        lambda properties, few, closed: {
            "type": "object",
            "properties": properties,
            "required": list(properties)[:few],
            **({"additionalProperties": False} if closed else {}),
        },
        st.dictionaries(KEYS, children, max_size=3),
        st.integers(0, 3),
        st.booleans(),
    )


NODES = st.recursive(
    LEAVES,
    lambda children: st.one_of(
        _objects(children),
        children.map(lambda node: {"type": "array", "items": node, "uniqueItems": True}),
        children.map(lambda node: {"type": "object", "additionalProperties": node}),
        st.lists(children, min_size=1, max_size=3).map(lambda nodes: {"anyOf": nodes}),
    ),
    max_leaves=6,
)
ROOTS = st.builds(
    lambda root, named: {
        **root,
        "$defs": {"A": {**named, "properties": {**named["properties"], "x": {"type": "string"}}}},
    },
    _objects(NODES),
    _objects(NODES),
)
VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, 0.5, "x", "xyz", {"$ref": "#/$defs/A"}]),
    lambda children: st.one_of(
        st.lists(children, max_size=2), st.dictionaries(KEYS | st.just("x"), children, max_size=3)
    ),
    max_leaves=6,
)


def valid_values(node: Json, root: Json, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that are likely valid for a schema of the kinds above."""
    if depth > 4:
        return VALUES
    if "$ref" in node:
        target = root["$defs"][node["$ref"].rpartition("/")[2]]
        return valid_values(target, root, depth + 1)
    if "anyOf" in node:
        return st.one_of([valid_values(sub, root, depth + 1) for sub in node["anyOf"]])
    if "properties" in node:
        inner = {
            name: valid_values(sub, root, depth + 1) for name, sub in node["properties"].items()
        }
        return st.fixed_dictionaries(inner)
    if "items" in node:
        return st.lists(valid_values(node["items"], root, depth + 1), max_size=2)
    return VALUES


@settings(max_examples=20, deadline=None)
@given(st.data(), ROOTS)
def test_the_lowered_schema_and_the_asked_one_give_the_same_verdict(
    data: st.DataObject, root: Json
) -> None:
    schema = compile_schema(root)
    value = data.draw(st.one_of(VALUES, valid_values(schema.asked, schema.asked)))
    verdict = accepts(schema.asked, value)
    assert accepts(payload(root, M2_7), {"result": value}) is verdict
    assert accepts(payload(root, FULL), value) is verdict
    # What a grammar can't say lets more through, never less.
    assert accepts(payload(root, LLAMA_CPP), value) or not verdict
