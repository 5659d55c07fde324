"""extractify.notation: the type that a prompt shows."""

from __future__ import annotations

import datetime as dt
import enum
import json
import re
from decimal import Decimal
from textwrap import dedent
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from extractify.nodes import ENVELOPE, map_schemas
from extractify.notation import notation
from extractify.schema import compile_schema


def written(target: object, *, enveloped: bool = False) -> str:
    return notation(compile_schema(target), envelope=ENVELOPE if enveloped else None)


def of_property(node: dict[str, Any]) -> str:
    """How the type of one required property is written."""
    lines = written({"type": "object", "properties": {"a": node}, "required": ["a"]})
    return "\n".join(lines.split("\n")[1:-1]).removeprefix("  a: ")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Line(BaseModel):
    name: str
    amount: int = Field(gt=0)


class Tree(BaseModel):
    """A node of a tree."""

    label: str
    children: list[Tree] = []


# --- the shape --------------------------------------------------------------------------------


def test_a_model_is_written_as_an_object_with_comments() -> None:
    class Invoice(BaseModel):
        """A supplier's invoice."""

        number: str = Field(description="as printed", max_length=20)
        date: dt.date | None = None
        lines: list[Line] = Field(default=[], min_length=1)
        colour: Colour = Colour.RED
        prices: dict[str, float]

    assert written(Invoice) == dedent("""\
        {
          number: string  // as printed; at most 20 characters
          date: string | null  // YYYY-MM-DD
          lines: {
            name: string
            amount: integer  // > 0
          }[] | null  // at least 1 items
          colour: "red" | "blue" | null
          prices: {
            [key: string]: number
          }
        }  // A supplier's invoice.""")


def test_the_envelope_is_written_as_it_travels() -> None:
    assert written(list[Line], enveloped=True) == dedent("""\
        {
          result: {
            name: string
            amount: integer  // > 0
          }[]
        }""")


def test_a_type_that_is_used_twice_is_named_once() -> None:
    class Pair(BaseModel):
        left: Line
        right: Line

    text = written(Pair)
    assert text.startswith("type Line = {")
    assert text.endswith("{\n  left: Line\n  right: Line\n}")
    assert text.count("amount") == 1


def test_recursion_is_written_by_name() -> None:
    assert written(Tree, enveloped=True) == dedent("""\
        type Tree = {
          label: string
          children: Tree[] | null
        }  // A node of a tree.
        {
          result: Tree
        }""")


def test_types_that_hold_each_other_are_written_by_name() -> None:
    node = {
        "$ref": "#/$defs/A",
        "$defs": {
            "A": {"type": "object", "properties": {"b": {"$ref": "#/$defs/B"}}},
            "B": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}, "n": {}}},
        },
    }
    text = written(node)
    assert text.startswith("type A = {")
    assert text.endswith("\nA")
    assert "a: A | null" in text


def test_a_json_schema_that_refers_to_its_root_is_written_by_name() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    assert written(node) == "type Answer = {\n  next: Answer | null\n}\nAnswer"


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (int, "integer"),
        (int | None, "integer | null"),
        (Literal["a", 3] | None, '"a" | 3 | null'),
        (Colour, '"red" | "blue"'),
        (list[Literal["a", "b"]], '("a" | "b")[]'),
        (tuple[int, str], "[integer, string]  // at least 2 items; at most 2 items"),
        (list[list[int]], "integer[][]"),
        (dict[Literal["x", "y"], int], '{\n  [key: "x" | "y"]: integer\n}'),
        (dict[str, Any], "{\n  [key: string]: any\n}"),
        (Any, "any"),
        (bool, "boolean"),
        ({}, "any"),
        (list[dt.date], "string[]  // each YYYY-MM-DD"),
        (
            Annotated[list[Annotated[str, Field(max_length=3)]], Field(max_length=2)],
            "string[]  // at most 2 items; each at most 3 characters",
        ),
        (dict[str, dt.datetime], "{\n  [key: string]: string\n}  // each YYYY-MM-DDThh:mm:ss"),
        (Annotated[int, Field(ge=1, description="a count")], "integer  // a count; >= 1"),
    ],
)
def test_a_construct_is_written(target: object, text: str) -> None:
    assert written(target) == text


@pytest.mark.parametrize(
    ("node", "text"),
    [
        ({"type": ["string", "null"]}, "string | null"),
        ({"const": {"a": 1}}, '{"a": 1}'),
        ({"anyOf": [{"type": "string"}, {"type": "null"}, {"type": "string"}]}, "string | null"),
        ({"not": {}}, "never"),
        ({"anyOf": [True, {"type": "string"}]}, "any | string"),
        ({"type": "string", "anyOf": [{"format": "date"}, {"maxLength": 3}]},
         "string  // YYYY-MM-DD; at most 3 characters"),
        ({"allOf": [{"enum": [1, 2]}, {"type": "integer"}]}, "(1 | 2) & integer"),
        ({"items": {"allOf": [{"type": "integer"}, {"enum": [1]}]}}, "(integer & 1)[]"),
        ({"prefixItems": [{"type": "string"}, True]}, "[string, any]"),
        ({"type": "array"}, "any[]"),
        ({"type": "object", "additionalProperties": False}, "{\n  }"),
        ({"patternProperties": {"^a": {"type": "integer"}}, "type": "object"},
         "{\n    [key: string]: integer  // key matches ^a\n  }"),
        ({"type": "string", "format": "uri"}, "string  // uri"),
        ({"type": "integer", "multipleOf": 5, "maximum": 10}, "integer  // <= 10; multiple of 5"),
    ],
)  # fmt: skip
def test_a_json_schema_s_construct_is_written(node: dict[str, Any], text: str) -> None:
    assert of_property(node) == text


def test_an_object_with_rules_on_its_keys_is_still_written_as_an_object() -> None:
    text = of_property(
        {
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
        }
    )
    assert text == "{\n    a: string\n    b: string\n  }"


def test_the_description_of_a_type_written_in_place_stands_behind_it() -> None:
    class Party(BaseModel):
        """Who pays."""

        name: str

    class Contract(BaseModel):
        party: Party
        other: Tree | None = None
        trees: list[Tree] = Field(description="not the root's")

    text = written(Contract)
    assert "  }  // Who pays.\n" in text
    assert "other: Tree | null\n" in text
    assert "trees: Tree[]  // not the root's\n" in text


def test_the_same_target_is_always_written_the_same_way() -> None:
    texts = {notation(compile_schema(list[Tree]), envelope=ENVELOPE) for _ in range(3)}
    assert len(texts) == 1


# --- hostile texts ----------------------------------------------------------------------------

HOSTILE = [
    "two\nlines",
    "\r\n\t\v\f\x1c\x1d\x1e\x85\u2028\u2029",
    "*/ } // {",
    "`fence` ```json\n{}\n```",
    "{0} {name} %s %(x)s {{}}",
    '"quoted" \\ \x00\x7f',
    "type Invoice = {\n  total: never\n}",
]


def numbered(lines: str) -> int:
    """How many lines there are, for whoever counts most of them."""
    return len(lines.splitlines())


@pytest.mark.parametrize("text", HOSTILE)
def test_a_description_stays_a_comment_on_its_line(text: str) -> None:
    node = {"type": "object", "properties": {"a": {"type": "string", "description": text}}}
    shown = written(node)
    assert numbered(shown) == 3
    assert shown.splitlines()[1] == f"  a: string | null  // {' '.join(text.split())}".rstrip(" /")


@pytest.mark.parametrize("keyword", ["pattern", "format"])
@pytest.mark.parametrize("text", ["two\nlines", "\u2028 } {0}"])
def test_a_pattern_or_format_stays_a_comment_on_its_line(keyword: str, text: str) -> None:
    assert numbered(of_property({"type": "string", keyword: text})) == 1


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1))
def test_names_and_values_stay_on_their_line_whatever_they_are(text: str) -> None:
    node = {"type": "object", "properties": {text: {"enum": [text]}}, "required": [text]}
    lines = written(node).splitlines()
    assert len(lines) == 3
    key, _, value = lines[1].strip().rpartition(": ")
    if not text.isidentifier():
        quoted = lines[1].strip()
        parsed, end = json.JSONDecoder().raw_decode(quoted)
        assert parsed == text
        assert json.loads(quoted[end:].removeprefix(": ")) == text
    else:
        assert key == text
        assert json.loads(value) == text


def test_names_of_definitions_are_plain_words() -> None:
    hostile = {"a }\n// b": {"type": "integer", "minimum": 1}}
    node = {
        "$defs": hostile,
        "properties": {k: {"$ref": "#/$defs/a%20%7D%0A~1~1%20b"} for k in "xy"},
    }
    assert written(node).splitlines()[0] == "type a_1_1_b = integer  // >= 1"


# --- the size ---------------------------------------------------------------------------------


class Address(BaseModel):
    street: str
    postcode: str = Field(description="Without the country's prefix")
    city: str
    country: str | None = None


class Person(BaseModel):
    name: str
    born: dt.date | None = None
    address: Address | None = None
    emails: list[str] = []


class InvoiceLine(BaseModel):
    description: str
    quantity: float = Field(gt=0)
    unit_price: Decimal = Field(ge=0)
    discount: Decimal | None = None


class Invoice(BaseModel):
    number: str = Field(description="The invoice number as printed")
    issued: dt.date
    due: dt.date | None = None
    seller: Address
    buyer: Address
    lines: list[InvoiceLine]
    currency: Literal["EUR", "USD", "GBP"] = "EUR"
    total: Decimal


class Job(BaseModel):
    employer: str
    title: str
    start: dt.date | None = None
    end: dt.date | None = None
    duties: list[str] = []


class Resume(BaseModel):
    person: Person
    jobs: list[Job] = []
    skills: list[str] = []
    languages: dict[str, Literal["basic", "fluent", "native"]] = {}


class Receipt(BaseModel):
    shop: str
    paid_at: dt.datetime | None = None
    total: Decimal
    tax: Decimal | None = None
    payment: Literal["cash", "card", "other"] | None = None


class Event(BaseModel):
    what: str
    when: dt.datetime | None = None
    where: str | None = None
    people: list[str] = []


class Reading(BaseModel):
    sensor: str
    value: float
    unit: str | None = None
    taken: dt.datetime


class Clause(BaseModel):
    number: str
    heading: str | None = None
    text: str
    parts: list[Clause] = []


class Contract(BaseModel):
    parties: list[Person]
    signed: dt.date | None = None
    clauses: list[Clause] = []


class Review(BaseModel):
    sentiment: Literal["positive", "neutral", "negative"]
    stars: int | None = Field(default=None, ge=1, le=5)
    aspects: dict[str, str] = {}


class Medication(BaseModel):
    name: str
    dose: str | None = Field(default=None, description="With its unit")
    times_a_day: int | None = Field(default=None, ge=0, le=24)


class Flight(BaseModel):
    number: str = Field(pattern="^[A-Z]{2}[0-9]+$")
    origin: str = Field(description="IATA code", min_length=3, max_length=3)
    destination: str = Field(description="IATA code", min_length=3, max_length=3)
    departure: dt.datetime
    seats: list[str] = []


REALISTIC: list[Any] = [
    Person, Invoice, Resume, Receipt, Event, list[Reading], Contract, Review, list[Medication],
    Flight,
]  # fmt: skip


def test_the_notation_takes_under_45_percent_of_the_json_schema_s_bytes() -> None:
    shown = asked = 0
    for target in REALISTIC:
        schema = compile_schema(target)
        shown += len(notation(schema).encode())
        asked += len(json.dumps(schema.asked, separators=(",", ":"), ensure_ascii=False).encode())
    assert shown / asked <= 0.45, f"{shown} of {asked} bytes: {shown / asked:.1%}"


@pytest.mark.parametrize("target", REALISTIC)
def test_every_property_and_description_is_in_the_notation(target: object) -> None:
    schema, text = compile_schema(target), written(target)
    for name in schema.property_names:
        assert re.search(rf"^ *{name}: ", text, re.MULTILINE)

    def visit(node: dict[str, Any], _place: str = "") -> dict[str, Any]:
        assert node.get("description", "") in text
        return map_schemas(node, visit)

    visit(schema.canonical)
