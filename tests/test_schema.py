"""extractify.schema: what a target is compiled to, and what is asked of a model."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from types import GenericAlias, MappingProxyType
from typing import Annotated, Any, ForwardRef, Generic, Literal, NewType, NotRequired, TypeVar

import jsonschema
import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel, field_validator
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypedDict

from extractify import Task, read
from extractify.errors import SchemaError
from extractify.nodes import escaped, map_schemas
from extractify.reading import read_answer
from extractify.schema import Schema, compile_schema

T = TypeVar("T")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Line(BaseModel):
    """One line."""

    name: str = Field(min_length=1, description="as printed")
    price: Decimal = Field(ge=0)
    colour: Colour = Colour.RED
    note: str | None = None


class Invoice(BaseModel):
    number: int
    lines: list[Line] = []
    first: Line
    paid: dt.date | None = None
    by_name: dict[str, Line]
    status: Literal["open", "paid"] = "open"
    any: Any = None

    @field_validator("number")
    @classmethod
    def _positive(cls, number: int) -> int:
        return abs(number)


class Tree(BaseModel):
    label: str
    children: list[Tree] = []


class Box(BaseModel, Generic[T]):
    content: T


class Amounts(RootModel[list[Decimal]]):
    pass


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Entry(TypedDict):
    word: str
    page: NotRequired[int]


class Aliased(BaseModel):
    total: int = Field(alias="the total")


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    tricks: list[str]


class Pets(BaseModel):
    pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]]


Number = NewType("Number", int)

TARGETS: list[tuple[object, Any]] = [
    (Tree, {"label": "a", "children": [{"label": "b", "children": []}]}),
    (Box[int], {"content": 3}),
    (Box[Line], {"content": {"name": "n", "price": 1, "colour": "red", "note": None}}),
    (Amounts, [1, 2.5]),
    (Point, {"x": 1, "y": 2}),
    (Entry, {"word": "w", "page": 3}),
    (Aliased, {"the total": 3}),
    (Pets, {"pets": [{"kind": "cat", "lives": 9}, {"kind": "dog", "tricks": []}]}),
    (list[Point], [{"x": 1, "y": 2}]),
    (dict[str, Point], {"p": {"x": 1, "y": 2}}),
    (Cat | Dog, {"kind": "dog", "tricks": ["sit"]}),
    (Line | None, None),
    (Colour, "red"),
    (Literal["a", 3], 3),
    (tuple[int, str], [1, "a"]),
    (set[int], [1, 2]),
    (Number, 4),
    (int, 5),
    (dt.datetime, "2026-11-22T10:00:00"),
    (Annotated[int, Field(gt=1)], 2),
    ({"type": "object", "properties": {"a": {"type": "string"}}}, {"a": "x"}),
    ({"type": "array", "items": {"enum": ["x"]}}, ["x"]),
]


class Words(str):
    __slots__ = ()


def asked_of(properties: dict[str, Any], **more: object) -> dict[str, Any]:
    """What is asked of an object with these properties."""
    return compile_schema({"type": "object", "properties": properties, **more}).asked


def every_schema(node: dict[str, Any]) -> list[dict[str, Any]]:
    """A schema and all schemas inside it."""
    found = [node]

    def visit(sub: dict[str, Any], _place: str) -> dict[str, Any]:
        found.extend(every_schema(sub))
        return sub

    map_schemas(node, visit)
    return found


# --- every kind of target ---------------------------------------------------------------------


@pytest.mark.parametrize(("target", "value"), TARGETS)
def test_a_full_value_is_valid_for_the_asked_the_canonical_schema_and_the_validator(
    target: object, value: object
) -> None:
    schema = compile_schema(target)
    for node in (schema.canonical, schema.asked):
        jsonschema.Draft202012Validator.check_schema(node)
        jsonschema.validate(value, node, cls=jsonschema.Draft202012Validator)
    if schema.adapter is not None:
        schema.adapter.validate_python(value)


@pytest.mark.parametrize("target", [target for target, _ in TARGETS])
def test_the_asked_schema_holds_no_title_no_default_and_only_required_properties(
    target: object,
) -> None:
    for node in every_schema(compile_schema(target).asked):
        assert not node.keys() & {"title", "default", "discriminator"}
        if "properties" in node:
            assert node["required"] == list(node["properties"])


@pytest.mark.parametrize("target", [target for target, _ in TARGETS])
def test_a_name_is_fit_for_the_wire(target: object) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", compile_schema(target).name)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (Invoice, "Invoice"),
        (list[Line], "list_Line"),
        (dict[str, Line], "dict_str_Line"),
        (Cat | Dog, "Cat_or_Dog"),
        (int | None, "int_or_None"),
        (Annotated[Line, "metadata"], "Line"),
        (Box[int], "Box_int"),
        (Literal["a b", "ü"], "Literal_a_b"),
        (Number, "Number"),
        (type("Größe" * 20, (BaseModel,), {}), ("Gr_e" * 20)[:64]),
        (type("数", (BaseModel,), {}), "result"),
        ({"title": "An order, no. 5"}, "An_order_no_5"),
        ({}, "result"),
    ],
)
def test_the_name_is_made_of_the_target_s(target: object, name: str) -> None:
    assert compile_schema(target).name == name


# --- canonical and asked ----------------------------------------------------------------------


def test_the_canonical_schema_says_what_the_validator_accepts() -> None:
    canonical = compile_schema(Invoice).canonical
    assert canonical["required"] == ["number", "first", "by_name"]
    assert canonical["properties"]["status"]["default"] == "open"
    assert canonical["$defs"]["Line"]["required"] == ["name", "price"]


def test_every_property_is_asked_for_in_declaration_order() -> None:
    asked = compile_schema(Invoice).asked
    names = ["number", "lines", "first", "paid", "by_name", "status", "any"]
    assert asked["required"] == list(asked["properties"]) == names
    assert asked["$defs"]["Line"]["required"] == ["name", "price", "colour", "note"]


def test_what_the_target_can_do_without_is_asked_for_as_nullable_once() -> None:
    asked = compile_schema(Invoice).asked["properties"]
    null = {"type": "null"}
    assert asked["number"] == {"type": "integer"}
    assert asked["lines"] == {"anyOf": [{"items": {"$ref": "#/$defs/Line"}, "type": "array"}, null]}
    assert asked["paid"] == {"anyOf": [{"format": "date", "type": "string"}, null]}
    assert asked["status"] == {"anyOf": [{"enum": ["open", "paid"], "type": "string"}, null]}
    assert asked["any"] == {}


def test_a_constant_that_is_its_own_default_is_asked_for_as_it_is() -> None:
    asked = compile_schema(Pets).asked
    assert asked["$defs"]["Cat"]["properties"]["kind"] == {"const": "cat", "type": "string"}


def test_a_decimal_is_asked_for_as_a_number_with_its_bounds() -> None:
    price = compile_schema(Line).canonical["properties"]["price"]
    assert price == {"type": "number", "format": "decimal", "minimum": 0}


def test_constraints_stand_inside_the_branches_of_an_optional_value() -> None:
    class Model(BaseModel):
        size: Annotated[int, Field(ge=1, le=9)] | None = None
        code: str = Field("x", pattern="^x", description="a code")

    asked = compile_schema(Model).asked["properties"]
    assert asked["size"]["anyOf"][0] == {"type": "integer", "minimum": 1, "maximum": 9}
    assert asked["code"] == {
        "description": "a code",
        "anyOf": [{"type": "string", "pattern": "^x"}, {"type": "null"}],
    }


@pytest.mark.parametrize(
    "nullable",
    [
        {"type": ["string", "null"]},
        {"enum": ["a", None]},
        {"const": None},
        {"oneOf": [{"type": "string"}, {"type": "null"}]},
        {"$ref": "#/$defs/Maybe"},
        {"description": "anything"},
        {},
    ],
)
def test_what_takes_null_already_gets_no_second_one(nullable: dict[str, Any]) -> None:
    maybe = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    asked = asked_of({"a": nullable, "b": {"$ref": "#/$defs/Maybe"}}, **{"$defs": {"Maybe": maybe}})
    assert asked["properties"]["a"] == nullable


def test_a_union_with_something_beside_it_is_wrapped_whole() -> None:
    union = {"anyOf": [{"minLength": 3}, {"const": ""}], "type": "string"}
    assert asked_of({"a": union})["properties"]["a"] == {"anyOf": [union, {"type": "null"}]}


def test_a_required_key_without_a_property_stays_required() -> None:
    assert asked_of({"b": {}}, required=["a"])["required"] == ["b", "a"]


def test_a_property_that_must_not_be_there_isnt_asked_for() -> None:
    asked = asked_of({"a": {"type": "string"}, "b": False})
    assert asked["required"] == ["a"]
    jsonschema.validate({"a": "x"}, asked)


@pytest.mark.parametrize(
    "rule",
    [
        {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"maxProperties": 1},
        {"not": {"required": ["a", "b"]}},
        {"dependentSchemas": {"a": {"properties": {"b": False}}}},
    ],
)
def test_where_keys_are_counted_all_of_them_are_not_asked_for(rule: dict[str, Any]) -> None:
    asked = asked_of({"a": {"type": "string"}, "b": {"type": "string"}}, **rule)
    assert jsonschema.Draft202012Validator(asked).is_valid({"a": "x"})


def test_conditions_keep_their_meaning() -> None:
    condition = {"properties": {"kind": {"const": "x"}}}
    asked = asked_of({"list": {"contains": condition}, "other": {"not": condition}})
    assert asked["properties"]["list"]["anyOf"][0]["contains"] == condition
    assert asked["properties"]["other"]["anyOf"][0]["not"] == condition


def test_idle_nulls_are_those_that_only_the_question_has() -> None:
    assert compile_schema(Line).has_idle_nulls
    assert not compile_schema(Cat).has_idle_nulls
    assert not compile_schema(Box[int | None]).has_idle_nulls


# --- names and data that look like keywords ---------------------------------------------------


def test_properties_that_are_named_like_keywords_survive() -> None:
    names = ["title", "default", "$ref", "properties", "required", "type", "enum", "$defs", "items"]
    schema = compile_schema(
        {"type": "object", "title": "T", "properties": {name: {"type": "string"} for name in names}}
    )
    assert list(schema.canonical["properties"]) == names
    assert schema.asked["required"] == names
    assert schema.property_names == set(names)
    assert "title" not in schema.canonical


def test_properties_of_a_model_that_are_named_like_keywords_survive() -> None:
    class Page(BaseModel):
        title: str
        default: int = 3
        properties: dict[str, str] = {}
        ref: str = Field(alias="$ref")

    asked = compile_schema(Page).asked
    assert list(asked["properties"]) == ["title", "default", "properties", "$ref"]
    assert asked["properties"]["title"] == {"type": "string"}


def test_the_contents_of_enum_const_default_and_examples_are_never_rewritten() -> None:
    data: dict[str, Any] = {
        "title": "t",
        "default": 1,
        "$ref": "#/nowhere",
        "$id": "x",
        "items": [True],
        "properties": {"a": {"title": "t", "default": 2}},
    }
    node = compile_schema(
        {
            "type": "object",
            "properties": {
                "a": {"enum": [data], "examples": [data]},
                "b": {"const": data, "default": data},
            },
            "required": ["a", "b"],
        }
    )
    for properties in (node.canonical["properties"], node.asked["properties"]):
        assert properties["a"]["enum"] == [data]
        assert properties["a"]["examples"] == [data]
        assert properties["b"]["const"] == data
    assert node.canonical["properties"]["b"]["default"] == data


def test_titles_are_dropped_at_any_depth() -> None:
    schema = compile_schema(
        {"title": "A", "anyOf": [{"title": "B", "items": {"title": "C", "type": "string"}}]}
    )
    assert schema.canonical == {"anyOf": [{"items": {"type": "string"}}]}


def test_a_pointer_step_is_escaped() -> None:
    assert escaped("a/b~c") == "a~1b~0c"


# --- JSON Schemas as targets ------------------------------------------------------------------


def test_draft_7_is_written_in_the_words_of_2020() -> None:
    schema = compile_schema(
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$id": "https://example.com/order.json",
            "definitions": {"Id": {"$id": "#id", "type": "string"}},
            "type": "object",
            "properties": {
                "id": {"$ref": "#/definitions/Id"},
                "pair": {"items": [{"type": "string"}, True], "additionalItems": False},
            },
            "dependencies": {"id": ["pair"], "pair": {"required": ["id"]}},
        }
    )
    assert schema.canonical == {
        "type": "object",
        "properties": {
            "id": {"$ref": "#/$defs/Id"},
            "pair": {"prefixItems": [{"type": "string"}, {}], "items": False},
        },
        "dependentRequired": {"id": ["pair"]},
        "dependentSchemas": {"pair": {"required": ["id"]}},
        "$defs": {"Id": {"type": "string"}},
    }


def test_whatever_is_referred_to_moves_into_definitions_with_plain_names() -> None:
    schema = compile_schema(
        {
            "type": "object",
            "$defs": {"a b/c%\n": {"type": "integer"}, "a_b_c": {"type": "null"}, "unused": {}},
            "properties": {
                "n": {"$ref": "#/$defs/a%20b~1c%25%0A"},
                "m": {"$ref": "#/$defs/a_b_c"},
                "deep": {"type": "object", "properties": {"x": {"type": "string"}}},
                "same": {"$ref": "#/properties/deep/properties/x"},
                "first": {"anyOf": [{"$ref": "#/properties/deep"}]},
                "branch": {"$ref": "#/properties/first/anyOf/0"},
            },
        }
    )
    definitions = schema.canonical["$defs"]
    references = {node["$ref"] for node in every_schema(schema.canonical) if "$ref" in node}
    assert {f"#/$defs/{name}" for name in definitions} == references
    assert all(re.fullmatch(r"\w+", name, re.ASCII) for name in definitions)
    assert "unused" not in definitions
    full = {"n": 1, "m": None, "same": "s", "deep": {"x": "x"}, "first": {"x": ""}}
    jsonschema.validate(full | {"branch": {"x": "y"}}, schema.asked)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(full | {"branch": {"x": 5}}, schema.asked)


def test_a_schema_that_holds_itself_is_compiled() -> None:
    node = {
        "type": "object",
        "properties": {"label": {"type": "string"}, "child": {"$ref": "#"}},
        "required": ["label"],
    }
    schema = compile_schema(node)
    assert schema.is_object
    jsonschema.validate({"label": "a", "child": {"label": "b"}}, schema.canonical)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"label": "a", "child": {"label": 5}}, schema.canonical)


def test_true_and_false_as_schemas_keep_their_meaning() -> None:
    schema = compile_schema(
        {"properties": {"a": True, "b": {"items": False}}, "anyOf": [True, False]}
    )
    jsonschema.validate({"a": 5, "b": []}, schema.asked)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"a": 5, "b": [1]}, schema.asked)


def test_any_mapping_is_a_json_schema() -> None:
    proxy = MappingProxyType({"type": "object", "properties": MappingProxyType({"a": {}})})
    assert compile_schema(proxy) is compile_schema({"type": "object", "properties": {"a": {}}})


def test_the_user_s_mapping_is_left_alone() -> None:
    node = {"title": "T", "type": "object", "properties": {"a": {"type": "string", "default": 1}}}
    before = repr(node)
    assert compile_schema(node).asked
    assert repr(node) == before


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"type": "objekt"}, "/type"),
        ({"properties": {"a": {"type": 1}}}, "/properties/a/type"),
        ({"type": "string", "pattern": "("}, "/pattern"),
        ({"exclusiveMinimum": True}, "/exclusiveMinimum"),
        ({"properties": {"a": {"$ref": "#/$defs/Gone"}}}, "#/properties/a"),
        ({"items": {"$ref": "https://example.com/schema.json"}}, "#/items"),
        ({"items": {"$ref": "other.json#/$defs/A"}}, "other.json"),
        ({"items": {"$ref": "#anchor"}}, "#anchor"),
        ({"items": {"$dynamicRef": "#node"}}, "#node"),
        ({"$ref": "#"}, "back to itself"),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}, "back to itself"),
        ({"$ref": "#/anyOf/7", "anyOf": [{}]}, "#/anyOf/7"),
        ({"$ref": "#/type", "type": "object"}, "#/type"),
        ({"enum": [{1, 2}]}, "set"),
        ({"minimum": float("nan")}, "JSON"),
        ({"properties": {(1, 2): {}}}, "JSON"),
    ],
)
def test_a_json_schema_that_cant_work_fails_at_once_and_says_where(
    node: dict[str, Any], said: str
) -> None:
    with pytest.raises(SchemaError, match=re.escape(said)) as caught:
        compile_schema(node)
    assert len(str(caught.value)) < 500


# --- errors of types --------------------------------------------------------------------------


class Callback(BaseModel):
    run: Callable[[int], int]


class Outer(BaseModel):
    inner: Callback


class Unfinished(BaseModel):
    later: Nowhere  # type: ignore[name-defined]  # noqa: F821  (what the test is about)


@pytest.mark.parametrize(
    ("target", "path"),
    [(Callback, "Callback.run"), (Outer, "Outer.inner.run"), (Unfinished, "Unfinished.later")],
)
def test_a_field_that_cant_be_described_is_named(target: object, path: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(path)):
        compile_schema(target)


@dataclasses.dataclass(frozen=True)
class FrozenPoint:
    x: int


class FrozenModel(BaseModel):
    model_config = ConfigDict(frozen=True)
    secret: str


@pytest.mark.parametrize(
    "instance",
    [
        Box[str](content="hunter2"),
        Point(1),
        FrozenPoint(1),
        FrozenModel(secret="hunter2"),
        ["hunter2"],
        {"hunter2"},
    ],
)
def test_an_instance_is_refused_in_words_that_dont_quote_it(instance: object) -> None:
    with pytest.raises(SchemaError, match="Pass a class, not an instance") as caught:
        compile_schema(instance)
    assert "hunter2" not in str(caught.value)


# --- the cache --------------------------------------------------------------------------------


CALLED: list[object] = []


def called(a: object) -> None:
    CALLED.append(a)


@pytest.mark.parametrize("code", ["CALLED.append(1)", "1/0", '{"a":1}', "__import__('nowhere')"])
@pytest.mark.parametrize("wrap", [str, ForwardRef, Words])
def test_a_text_is_no_target_and_is_never_evaluated(code: str, wrap: Callable[..., Any]) -> None:
    try:
        target = wrap(code)
    except SyntaxError:
        pytest.skip("no forward reference")
    for use in (compile_schema, Task, lambda bad: read("{}", bad)):
        with pytest.raises(SchemaError, match="The target comes before the document") as caught:
            use(target)
        assert code not in str(caught.value)
    assert CALLED == []


@pytest.mark.parametrize(
    "target", [CALLED.append, called, lambda: None, print, partial(print), b"x", 3, True]
)
def test_what_is_no_type_is_no_target(target: Any) -> None:
    with pytest.raises(SchemaError, match="Pass a class"):
        compile_schema(target)


def test_a_function_inside_of_a_target_is_no_type_either() -> None:
    with pytest.raises(SchemaError, match="It is a function, not a type"):
        compile_schema(GenericAlias(list, (called,)))
    assert CALLED == []


def test_a_target_is_compiled_once() -> None:
    built: list[object] = []

    class Counted(str):
        __slots__ = ()

        @classmethod
        def __get_pydantic_core_schema__(cls, source: object, _handler: object) -> CoreSchema:
            built.append(source)
            return core_schema.str_schema()

    schemas = {id(compile_schema(list[Counted])) for _ in range(5)}
    assert len(schemas) == 1
    assert len(built) == 1
    assert compile_schema(Invoice) is compile_schema(Invoice)
    assert compile_schema(Cat | Dog) is compile_schema(Cat | Dog)
    assert compile_schema({"type": "object"}) is compile_schema({"type": "object"})


def test_the_order_of_a_union_counts() -> None:
    class Other(BaseModel):
        content: int

    first: Schema[Any] = compile_schema(Box[int] | Other)
    second: Schema[Any] = compile_schema(Other | Box[int])
    nested: Schema[Any] = compile_schema(list[Other | Box[int]])
    assert first.adapter is not None
    assert second.adapter is not None
    assert compile_schema(list[Box[int] | Other]) is not nested
    assert isinstance(first.adapter.validate_python({"content": 3}), Box)
    assert isinstance(second.adapter.validate_python({"content": 3}), Other)


def test_values_that_are_equal_but_differ_in_type_are_compiled_apart() -> None:
    one, true = compile_schema(Literal[1]), compile_schema(Literal[True])
    assert one.canonical["const"] is not true.canonical["const"]
    node, other = compile_schema({"const": 1}), compile_schema({"const": True})
    assert node is not other


def test_annotations_that_cant_be_hashed_are_no_obstacle() -> None:
    assert compile_schema(Annotated[int, {"any": "thing"}]).canonical == {"type": "integer"}


def test_a_fingerprint_is_stable_and_tells_schemas_apart() -> None:
    def model(kind: type) -> type[BaseModel]:
        return type("Same", (BaseModel,), {"__annotations__": {"a": kind}})

    assert compile_schema(model(int)).fingerprint == compile_schema(model(int)).fingerprint
    different = [Invoice, Line, list[Line], model(int), model(str), {"type": "object"}, {}]
    assert len({compile_schema(target).fingerprint for target in different}) == len(different)
    # Written down: it must not change between processes or versions.
    assert compile_schema({"type": "object"}).fingerprint.startswith("a2c79926")


# --- what other modules ask of a schema -------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "is_object"),
    [
        (Invoice, True),
        (Tree, True),
        (dict[str, int], True),
        (list[Line], False),
        (Cat | Dog, False),
        (Line | None, False),
        (int, False),
        (
            {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"type": "object"}}},
            True,
        ),
        ({}, False),
    ],
)
def test_a_root_is_an_object_only_if_each_branch_is(target: object, *, is_object: bool) -> None:
    assert compile_schema(target).is_object is is_object


def test_branches_follow_references_and_open_unions() -> None:
    schema = compile_schema(Cat | Dog | None)
    kinds = [branch.get("type") for branch in schema.branches(schema.canonical)]
    assert kinds == ["object", "object", "null"]
    tree = compile_schema(Tree)
    assert [b["type"] for b in tree.branches(tree.canonical)] == ["object"]


def test_the_envelope_is_read_around_a_value_that_holds_itself() -> None:
    text = '{"result":{"label":"a","children":[{"label":"b"}]}}'
    reading = read_answer(text, compile_schema(Tree), enveloped=True)
    assert reading.value == Tree(label="a", children=[Tree(label="b")])
    assert reading.fixes == ()
