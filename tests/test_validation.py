"""extractify.validation: a JSON value and a schema; the typed value, or what is wrong and where."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import GenericAlias
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_validator,
)
from typing_extensions import TypedDict

from extractify.messages import Fix, JsonValue, Problem
from extractify.problems import MAX_PROBLEMS, pointer_of
from extractify.schema import compile_schema
from extractify.validation import Verdict, validate


class Color(Enum):
    RED = "RED"
    GREEN = "GREEN"


class Line(BaseModel):
    name: str
    price: float
    count: int = 1
    note: str | None = None


class Invoice(BaseModel):
    number: str
    lines: list[Line]
    color: Color = Color.RED


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


def judged(target: object, data: JsonValue) -> Verdict[Any]:
    return validate(compile_schema(target), data)


def mapping_to(target: object) -> object:
    return GenericAlias(dict, (str, target))


def problems(target: object, data: JsonValue) -> list[str]:
    verdict = judged(target, data)
    assert verdict.value is None
    assert verdict.fixes == ()
    return [str(problem) for problem in verdict.problems]


def pointers(target: object, data: JsonValue) -> list[str]:
    return [problem.pointer for problem in judged(target, data).problems]


def accepted(target: object, data: JsonValue) -> Any:
    verdict = judged(target, data)
    assert verdict.problems == ()
    return verdict.value


# --- problems --------------------------------------------------------------------------------


def test_a_valid_value_comes_back_as_the_users_own_class_without_fixes() -> None:
    verdict = judged(Line, {"name": "bolt", "price": 1.5})
    assert verdict == Verdict(Line(name="bolt", price=1.5))
    assert type(verdict.value) is Line


def test_a_problem_says_where_what_was_expected_and_what_was_there() -> None:
    data: JsonValue = {"number": [7], "lines": [{"name": "a", "price": 1}, {"price": "twelve"}]}
    assert problems(Invoice, data) == [
        "/number: expected a valid string; got [7]",
        "/lines/1/name: expected a value; it is missing",
        '/lines/1/price: expected a valid number, unable to parse string as a number; got "twelve"',
    ]


def test_a_problem_of_the_whole_has_an_empty_pointer() -> None:
    (problem,) = judged(Line, []).problems
    assert problem.pointer == ""
    assert str(problem).startswith("/: ")


def test_an_enum_problem_names_the_choices() -> None:
    data: JsonValue = {"number": "1", "lines": [], "color": "PURPLE"}
    assert problems(Invoice, data) == ["/color: expected 'RED' or 'GREEN'; got \"PURPLE\""]


def test_slashes_and_tildes_in_keys_are_escaped() -> None:
    assert pointers(dict[str, int], {"a/b~c": "x"}) == ["/a~1b~0c"]
    assert pointers({"additionalProperties": {"type": "integer"}}, {"a/b~c": "x"}) == ["/a~1b~0c"]


def test_what_was_there_is_cut_to_sixty_characters() -> None:
    for target in (dict[str, int], {"additionalProperties": {"type": "integer"}}):
        (problem,) = judged(target, {"a": "é" * 500}).problems
        assert len(problem.got) == 60
        assert problem.got.endswith("…")
        assert problem.got.startswith('"ééé')


def test_a_long_list_of_problems_is_cut_to_the_first_ones() -> None:
    data: JsonValue = [f"x{number}" for number in range(100)]
    for target in (list[int], {"items": {"type": "integer"}}):
        assert pointers(target, data) == [f"/{number}" for number in range(MAX_PROBLEMS)]


def test_the_same_problem_is_told_once() -> None:
    union = Annotated[int, Field(gt=0)] | Annotated[int, Field(gt=0, lt=9)]
    found = problems(union, -5)
    assert len(found) == len(set(found)) == 1


def test_no_problem_holds_a_documentation_url() -> None:
    found = problems(Invoice, {"number": None, "lines": {}, "color": 4})
    assert found
    assert not any("http" in text or "errors.pydantic" in text for text in found)


# --- unions ----------------------------------------------------------------------------------


def test_problems_inside_a_union_are_pointed_into_the_data() -> None:
    class Owner(BaseModel):
        pets: list[Cat | Dog]

    data: JsonValue = {"pets": [{"kind": "cat", "lives": 9}, {"kind": "dog", "tricks": [{}]}]}
    found = pointers(Owner, data)
    assert "/pets/1/tricks/0" in found
    assert set(found) <= {"/pets/1/tricks/0", "/pets/1/kind", "/pets/1/lives"}


def test_a_discriminated_union_tells_of_the_one_branch() -> None:
    pet = Annotated[Cat | Dog, Field(discriminator="kind")]
    assert problems(dict[str, pet], {"rex": {"kind": "dog", "tricks": "sit"}}) == [
        '/rex/tricks: expected a valid array; got "sit"'
    ]


def test_problems_behind_a_validator_and_an_optional_are_pointed_into_the_data() -> None:
    class Checked(BaseModel):
        line: Line | None = None

        @field_validator("line")
        @classmethod
        def check(cls, value: Line | None) -> Line | None:
            return value

    assert pointers(Checked, {"line": {"name": "a", "price": "x"}}) == ["/line/price"]
    assert pointers(Checked, {"line": {"name": "a"}}) == ["/line/price"]


def test_steps_that_are_not_in_the_data_are_left_out_of_the_pointer() -> None:
    data: JsonValue = {"a": [{"b": 1}]}
    for location, kind, pointer in [
        (("a", "list[X]", 0, "X", "b", "int"), "int_type", "/a/0/b"),
        (("a", 5, "b"), "int_type", "/a"),
        (("a", 0, "X", "c/d"), "missing", "/a/0/c~1d"),
    ]:
        assert pointer_of({"loc": location, "type": kind}, data, {}) == pointer


# --- coercions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "given", "value"),
    [
        (int, "36", 36),
        (int, 36.0, 36),
        (int, "36.0", 36),
        (int, " 36 ", 36),
        (float, "1.5", 1.5),
        (bool, "yes", True),
        (bool, "false", False),
        (bool, 1, True),
        (datetime, "2024-03-05", datetime.fromisoformat("2024-03-05T00:00")),
    ],
)
def test_a_safe_coercion_is_made_and_recorded(
    target: type, given: JsonValue, value: object
) -> None:
    verdict = judged(mapping_to(target), {"a": given})
    assert verdict.value == {"a": value}
    assert type(verdict.value["a"]) is target
    shown = f'"{given}"' if isinstance(given, str) else str(given)
    assert verdict.fixes == (Fix("/a", "coerced", shown),)


@pytest.mark.parametrize(
    ("target", "data"),
    [
        (float, 3),
        (Decimal, "12.50"),
        (Decimal, 12.5),
        (date, "2024-03-05"),
        (timedelta, "PT30S"),
        (Color, "RED"),
        (tuple[int, str], [1, "a"]),
        (set[int], [1, 2]),
        (bytes, "abc"),
    ],
)
def test_what_json_cannot_say_otherwise_is_no_coercion(target: object, data: JsonValue) -> None:
    verdict = judged(target, data)
    assert verdict.problems == ()
    assert verdict.fixes == ()


@pytest.mark.parametrize(
    ("target", "given"),
    [
        (date, 2024),
        (date, 1654646400),
        (datetime, 1654646400),
        (timedelta, 30),
        (date, "1654646400"),
        (datetime, "20240305"),
        (datetime, " 1654646400.5 "),
        (date | None, "1654646400"),
        (int, True),
        (float, False),
        (Decimal, True),
        (int, 36.5),
        (int, "36.5"),
        (int, "36 apples"),
        (int, 1e300),
        (str, 1.5),
        (str, True),
        (float, "nan"),
        (float, "-Infinity"),
        (float, "1e999"),
        (float, "1" + "0" * 400),
        (float, float("nan")),
        (float, float("inf")),
        (float, 10**400),
        (bool, "maybe"),
        (bool, 2),
        (int, None),
        (Color, "not RED"),
        (Color, "red or green"),
    ],
)
def test_a_guess_is_refused(target: object, given: JsonValue) -> None:
    (problem,) = judged(mapping_to(target), {"a": given}).problems
    assert problem.pointer == "/a"


def test_a_numeral_stays_text_where_a_union_takes_text() -> None:
    assert accepted(date | str, "20240305") == "20240305"


def test_a_union_records_one_coercion_at_the_place_it_was_made() -> None:
    data: JsonValue = {"rex": {"kind": "dog", "tricks": []}, "tom": {"kind": "cat", "lives": "9"}}
    verdict = judged(dict[str, Cat | Dog], data)
    assert (verdict.value or {})["tom"] == Cat(kind="cat", lives=9)
    assert verdict.fixes == (Fix("/tom/lives", "coerced", '"9"'),)


def test_a_user_who_wants_strict_types_gets_them() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)
        a: int

    assert pointers(Strict, {"a": "36"}) == ["/a"]


@pytest.mark.parametrize("target", [float, {"type": "number"}])
def test_a_number_that_is_not_finite_is_refused_for_every_kind_of_target(target: object) -> None:
    for number in (float("nan"), float("inf"), -float("inf")):
        (problem,) = judged(target, number).problems
        assert problem.kind == "finite_number"


@pytest.mark.parametrize("target", [str, {"type": "string"}])
def test_text_that_no_encoding_can_carry_is_refused(target: object) -> None:
    (problem,) = judged(target, "a\ud800b").problems
    assert problem.kind == "string_unicode"
    str(problem).encode()


# --- idle nulls ------------------------------------------------------------------------------


def test_a_null_for_a_property_with_a_default_becomes_the_default() -> None:
    data: JsonValue = {"name": "a", "price": 1.0, "count": None, "note": None}
    assert accepted(Line, data) == Line(name="a", price=1.0, count=1, note=None)


def test_a_null_that_the_property_can_say_is_kept() -> None:
    class Noted(BaseModel):
        note: str | None = "none given"
        kind: Literal["a"] | None = "a"

    assert accepted(Noted, {"note": None, "kind": None}) == Noted(note=None, kind=None)


def test_a_null_for_a_required_property_is_a_problem() -> None:
    assert pointers(Line, {"name": None, "price": 1.0}) == ["/name"]


def test_idle_nulls_are_left_out_at_every_depth_and_through_references() -> None:
    class Node(BaseModel):
        size: int = 1
        children: list[Node] = []
        pair: tuple[Line, Line | None] | None = None
        by_name: dict[str, Node] = {}

    line: JsonValue = {"name": "a", "price": 1.0, "count": None}
    data: JsonValue = {
        "size": None,
        "children": [{"size": None, "children": None}],
        "pair": [line, line],
        "by_name": {"x": {"size": None}},
    }
    found = accepted(Node, data)
    assert found.size == found.children[0].size == found.by_name["x"].size == 1
    assert [each.count for each in found.pair] == [1, 1]


def test_idle_nulls_are_left_out_inside_unions() -> None:
    class Tagged(BaseModel):
        tag: Literal["t"]
        weight: float = 2.0

    assert accepted(list[Cat | Tagged], [{"tag": "t", "weight": None}])[0].weight == 2.0


def test_an_item_of_a_list_or_of_a_free_mapping_is_never_left_out() -> None:
    class Loose(BaseModel):
        model_config = ConfigDict(extra="allow")
        a: int = 1

    assert accepted(list[int | None], [1, None]) == [1, None]
    assert accepted(dict[str, int | None], {"a": None}) == {"a": None}
    assert accepted(dict[str, Any], {"a": None}) == {"a": None}
    assert accepted(Loose, {"b": None}).model_extra == {"b": None}
    assert pointers(list[int], [1, None]) == ["/1"]
    assert pointers(dict[str, int], {"a": None}) == ["/a"]
    assert accepted({"type": "object"}, {"a": None}) == {"a": None}


def test_a_null_is_kept_where_one_branch_of_a_union_is_a_free_mapping() -> None:
    class Sized(BaseModel):
        size: int = 1
        name: str

    data: JsonValue = {"size": None, "other": None}
    assert accepted(Sized | dict[str, int | None], data) == data


def test_idle_nulls_are_left_out_for_typed_dicts_and_json_schemas() -> None:
    class Movie(TypedDict, total=False):
        year: int

    schema: dict[str, JsonValue] = {"properties": {"year": {"type": "integer"}}}
    assert accepted(Movie, {"year": None}) == {}
    assert accepted(schema, {"year": None}) == {}
    needed: dict[str, JsonValue] = {**schema, "required": ["year"]}
    assert pointers(needed, {"year": None}) == ["/year"]


# --- the target's own validators -------------------------------------------------------------


class Period(BaseModel):
    start: int
    end: int

    @model_validator(mode="after")
    def ordered(self) -> Period:
        if self.end < self.start:
            raise ValueError("end must not come before start")
        return self

    @field_validator("start")
    @classmethod
    def positive(cls, value: int) -> int:
        if value < 1:
            raise AssertionError("start counts from 1, not from 0")
        return value


def test_a_validators_own_message_is_told_as_it_is() -> None:
    assert problems(list[Period], [{"start": 2, "end": 1}]) == [
        "/0: end must not come before start"
    ]
    assert problems(Period, {"start": 0, "end": 1}) == [
        "/start: start counts from 1, not from 0; got 0"
    ]


def test_a_validator_without_a_message_is_told_as_pydantic_does() -> None:
    class Refusing(BaseModel):
        a: int

        @field_validator("a")
        @classmethod
        def refuse(cls, _value: int) -> int:
            raise ValueError

    (problem,) = judged(Refusing, {"a": 1}).problems
    assert problem.kind == "value_error"
    assert problem.expected


def test_the_context_reaches_the_validators() -> None:
    class Quote(BaseModel):
        words: str

        @field_validator("words")
        @classmethod
        def stands_in_the_document(cls, value: str, info: ValidationInfo) -> str:
            if value not in (info.context or {})["document"]:
                raise ValueError("quote the document")
            return value

    schema = compile_schema(Quote)
    context = {"document": "All is well."}
    assert validate(schema, {"words": "is well"}, context).problems == ()
    assert validate(schema, {"words": "is ill"}, context).problems == (
        Problem("/words", "value_error", "quote the document", '"is ill"'),
    )


# --- targets that are JSON Schemas -----------------------------------------------------------

ORDER: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
        "extra": {"anyOf": [{"$ref": "#/$defs/Line"}, {"type": "null"}]},
    },
    "required": ["id", "lines"],
    "$defs": {
        "Line": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "price": {"type": "number", "minimum": 0}},
            "required": ["name", "price"],
        }
    },
}


def test_a_json_schema_gives_plain_data() -> None:
    data: JsonValue = {"id": 1, "lines": [{"name": "a", "price": 1}], "extra": None}
    assert accepted(ORDER, data) == data


def test_a_json_schemas_problems_are_pointers_in_the_order_of_the_data() -> None:
    lines: list[JsonValue] = [{"name": "a", "price": 1} for _ in range(12)]
    lines[2], lines[10] = {"name": "a", "price": -1}, {"name": [5], "price": 1}
    assert problems(ORDER, {"id": "x", "lines": lines}) == [
        '/id: expected type "integer"; got "x"',
        "/lines/2/price: expected minimum 0; got -1",
        '/lines/10/name: expected type "string"; got [5]',
    ]


def test_each_missing_key_is_named_once() -> None:
    assert problems(ORDER, {"lines": [{}]}) == [
        "/id: expected a value; it is missing",
        "/lines/0/name: expected a value; it is missing",
        "/lines/0/price: expected a value; it is missing",
    ]


def test_a_problem_inside_a_branch_is_pointed_into_the_data() -> None:
    data: JsonValue = {"id": 1, "lines": [], "extra": {"name": "a", "price": "x"}}
    assert problems(ORDER, data) == ['/extra/price: expected type "number"; got "x"']


def test_data_that_is_too_deep_for_a_json_schema_is_a_problem() -> None:
    schema: dict[str, JsonValue] = {
        "$ref": "#/$defs/Node",
        "$defs": {
            "Node": {"properties": {"n": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}}}
        },
    }
    data: JsonValue = None
    for _ in range(199):
        data = {"n": data}
    (problem,) = judged(schema, data).problems
    assert problem.kind == "too_deep"


def test_a_verdict_agrees_with_pydantic_itself() -> None:
    data: JsonValue = {"number": "1", "lines": [{"name": "a", "price": 2.5}], "color": "GREEN"}
    assert accepted(Invoice, data) == TypeAdapter(Invoice).validate_python(data)
