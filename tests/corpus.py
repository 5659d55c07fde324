"""Targets of every kind, each with an answer of a model and the value that it stands for."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime as dt
import enum
import ipaddress
import uuid
from decimal import Decimal
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Required,
    TypeVar,
)

import pydantic
from pydantic import (
    AliasChoices,
    AliasPath,
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    Json,
    PrivateAttr,
    RootModel,
    SecretStr,
    computed_field,
)
from pydantic_core import CoreSchema, core_schema
from typing_extensions import ReadOnly, TypeAliasType, TypedDict

T = TypeVar("T")
K = TypeVar("K")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Grade(enum.StrEnum):
    A = "a"
    B = "b"


class Mixed(enum.Enum):
    ONE = 1
    TWO = "two"
    NONE = None


class Line(BaseModel):
    name: str
    price: Decimal = Field(ge=0)
    count: int = 1


class Nested(BaseModel):
    """An order."""

    lines: list[Line]
    by_name: dict[str, Line] = {}
    first: Line | None = None
    colour: Colour = Colour.RED


class Tree(BaseModel):
    label: str
    children: list[Tree] = []


class Man(BaseModel):
    wife: Woman | None = None


class Woman(BaseModel):
    husband: Man | None = None
    name: str


class Box(BaseModel, Generic[T]):
    content: T


class Pair(BaseModel, Generic[T, K]):
    left: T
    right: K


class Base(BaseModel):
    id: int


class Derived(Base):
    name: str = "n"


class Aliased(BaseModel):
    total: int = Field(alias="the total")


class Choices(BaseModel):
    total: int = Field(validation_alias=AliasChoices("total", "sum"))


class Deep(BaseModel):
    total: int = Field(validation_alias=AliasChoices("total", AliasPath("sums", 0)))


class ByName(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    total: int = Field(alias="theTotal")


class Computed(BaseModel):
    side: int

    @computed_field
    def area(self) -> int:
        return self.side**2


class Private(BaseModel):
    shown: int
    _hidden: int = PrivateAttr(default=3)


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    known: int


class OpenTyped(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]
    known: str


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    known: int


class Factories(BaseModel):
    tags: list[str] = Field(default_factory=list)
    when: dt.date = Field(default_factory=lambda: dt.date(2026, 1, 1))
    note: str | None = None
    size: int = 7


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str] = []


class Pets(BaseModel):
    pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]]


class Invoice(BaseModel):
    number: str
    total: Decimal


class Receipt(BaseModel):
    shop: str
    paid: Decimal


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)
    code: str = Field(pattern="^[A-Z]{2}[0-9]+$", examples=["AB1"])


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    n: int


class Upper(str):
    """A type that describes itself to pydantic."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            lambda text: cls(text.upper()), core_schema.str_schema()
        )


class Custom(BaseModel):
    code: Upper


class Celsius:
    def __init__(self, degrees: float) -> None:
        self.degrees = degrees

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Celsius) and other.degrees == self.degrees

    def __hash__(self) -> int:
        return hash(self.degrees)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls,
            core_schema.float_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda c: c.degrees),
        )


class Amounts(RootModel[list[Decimal]]):
    pass


class Names(RootModel[dict[str, str]]):
    pass


class One(RootModel[Line]):
    pass


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Shape:
    """A figure."""

    points: list[Point]
    name: str | None = None
    tags: set[str] = dataclasses.field(default_factory=set)


@pydantic.dataclasses.dataclass
class Checked:
    x: Annotated[int, Field(gt=0)]
    when: dt.date | None = None


class Entry(TypedDict):
    word: str
    page: NotRequired[int]


class Loose(TypedDict, total=False):
    word: Required[str]
    page: int


class Fixed(TypedDict):
    word: ReadOnly[str]
    line: Line


class Place(NamedTuple):
    name: str
    east: float
    north: float = 0.0


class Optionals(BaseModel):
    a: int | None
    b: int | None = None
    c: int | None = 3
    d: list[int] | None = None
    e: dict[str, int] | None = None


class Numbers(BaseModel):
    small: Annotated[int, Field(ge=0, le=9)]
    even: Annotated[int, Field(multiple_of=2)] = 2
    ratio: Annotated[float, Field(gt=0, lt=1)]
    money: Annotated[Decimal, Field(max_digits=8, decimal_places=2)]


class Texts(BaseModel):
    short: Annotated[str, Field(min_length=1, max_length=3)]
    code: Annotated[str, Field(pattern=r"^\d{3}$")]
    secret: SecretStr
    link: HttpUrl | None = None


class Times(BaseModel):
    day: dt.date
    at: dt.datetime
    hour: dt.time | None = None
    took: dt.timedelta | None = None


class Anything(BaseModel):
    data: Any
    more: dict[str, Any] = {}
    rest: list[Any] = []


class Keywords(BaseModel):
    title: str
    default: int = 1
    properties: dict[str, str] = {}
    ref: str = Field(alias="$ref")
    type: str = "t"
    result: int | None = None


class Described(BaseModel):
    """What is told.

    In two paragraphs.
    """

    a: int = Field(description="the first // of two\nlines", examples=[1, 2])
    b: Line = Field(description="a line of its own")


Number = NewType("Number", int)
Key = NewType("Key", str)
Ids = TypeAliasType("Ids", list[int])
Node = TypeAliasType("Node", "dict[str, Node] | int")
Listed = TypeAliasType("Listed", list[T], type_params=(T,))

LINE = {"name": "n", "price": 1.5, "count": 2}
A_LINE = Line(name="n", price=Decimal("1.5"), count=2)

MODELS: list[tuple[Any, Any, Any]] = [
    (Line, LINE, A_LINE),
    (Line, {"name": "n", "price": 2, "count": None}, Line(name="n", price=Decimal(2))),
    (Line, {"name": "n", "price": "2.50"}, Line(name="n", price=Decimal("2.50"))),
    (Nested, {"lines": [LINE], "by_name": {"a": LINE}, "first": LINE, "colour": "blue"},
     Nested(lines=[A_LINE], by_name={"a": A_LINE}, first=A_LINE, colour=Colour.BLUE)),
    (Nested, {"lines": [], "by_name": {}, "first": None, "colour": None}, Nested(lines=[])),
    (Tree, {"label": "a", "children": [{"label": "b", "children": []}]},
     Tree(label="a", children=[Tree(label="b")])),
    (Man, {"wife": {"husband": {"wife": None}, "name": "w"}},
     Man(wife=Woman(husband=Man(), name="w"))),
    (Box[int], {"content": 3}, Box[int](content=3)),
    (Box[Line], {"content": LINE}, Box[Line](content=A_LINE)),
    (Box[list[Box[str]]], {"content": [{"content": "x"}]},
     Box[list[Box[str]]](content=[Box[str](content="x")])),
    (Pair[int, str], {"left": 1, "right": "r"}, Pair[int, str](left=1, right="r")),
    (Derived, {"id": 1, "name": None}, Derived(id=1)),
    (Aliased, {"the total": 3}, Aliased.model_validate({"the total": 3})),
    (Choices, {"total": 3}, Choices.model_validate({"total": 3})),
    (Deep, {"total": 3}, Deep.model_validate({"total": 3})),
    (ByName, {"theTotal": 3}, ByName(theTotal=3)),
    (Computed, {"side": 3}, Computed(side=3)),
    (Private, {"shown": 3}, Private(shown=3)),
    (Open, {"known": 1, "x": [1]}, Open.model_validate({"known": 1, "x": [1]})),
    (OpenTyped, {"known": "k", "x": 2}, OpenTyped.model_validate({"known": "k", "x": 2})),
    (Closed, {"known": 1}, Closed(known=1)),
    (Factories, {"tags": None, "when": None, "note": None, "size": None}, Factories()),
    (Factories, {"tags": ["t"], "when": "2026-11-22", "note": "n", "size": 1},
     Factories(tags=["t"], when=dt.date(2026, 11, 22), note="n", size=1)),
    (Pets, {"pets": [{"kind": "cat", "lives": 9}, {"kind": "dog", "tricks": ["sit"]}]},
     Pets(pets=[Cat(kind="cat", lives=9), Dog(kind="dog", tricks=["sit"])])),
    (Frozen, {"code": "AB1"}, Frozen(code="AB1")),
    (Strict, {"n": 1}, Strict(n=1)),
    (Custom, {"code": "ab"}, Custom(code=Upper("AB"))),
    (Amounts, [1, 2.5], Amounts([Decimal(1), Decimal("2.5")])),
    (Names, {"a": "b"}, Names({"a": "b"})),
    (One, LINE, One(A_LINE)),
    (Optionals, {"a": None, "b": None, "c": None, "d": None, "e": None}, Optionals(a=None, c=None)),
    (Optionals, {"a": 1, "b": 2, "c": 4, "d": [1], "e": {"x": 1}},
     Optionals(a=1, b=2, c=4, d=[1], e={"x": 1})),
    (Numbers, {"small": 9, "even": 4, "ratio": 0.5, "money": 12.25},
     Numbers(small=9, even=4, ratio=0.5, money=Decimal("12.25"))),
    (Texts, {"short": "abc", "code": "123", "secret": "s", "link": "https://a.example/"},
     Texts(short="abc", code="123", secret=SecretStr("s"), link=HttpUrl("https://a.example/"))),
    (Times, {"day": "2026-11-22", "at": "2026-11-22T10:00:00Z", "hour": "10:00:00", "took": "PT1H"},
     Times(day=dt.date(2026, 11, 22), at=dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC),
           hour=dt.time(10), took=dt.timedelta(hours=1))),
    (Anything, {"data": {"a": [1, "x", None]}, "more": {"k": 1}, "rest": [1, {"a": []}]},
     Anything(data={"a": [1, "x", None]}, more={"k": 1}, rest=[1, {"a": []}])),
    (Keywords, {"title": "t", "default": 2, "properties": {"p": "q"}, "$ref": "r", "type": "u",
                "result": 5},
     Keywords.model_validate({"title": "t", "default": 2, "properties": {"p": "q"}, "$ref": "r",
                              "type": "u", "result": 5})),
    (Described, {"a": 1, "b": LINE}, Described(a=1, b=A_LINE)),
]  # fmt: skip

OTHER_CLASSES: list[tuple[Any, Any, Any]] = [
    (Point, {"x": 1, "y": 2}, Point(1, 2)),
    (Point, {"x": 1, "y": None}, Point(1)),
    (Shape, {"points": [{"x": 1, "y": 2}], "name": "s", "tags": ["a", "b"]},
     Shape([Point(1, 2)], "s", {"a", "b"})),
    (Checked, {"x": 1, "when": "2026-11-22"}, Checked(1, dt.date(2026, 11, 22))),
    (Entry, {"word": "w", "page": 3}, {"word": "w", "page": 3}),
    (Entry, {"word": "w", "page": None}, {"word": "w"}),
    (Loose, {"word": "w", "page": 1}, {"word": "w", "page": 1}),
    (Fixed, {"word": "w", "line": LINE}, {"word": "w", "line": A_LINE}),
    (Place, ["a", 1.5, 2.0], Place("a", 1.5, 2.0)),
    (Colour, "red", Colour.RED),
    (Level, 2, Level.HIGH),
    (Grade, "b", Grade.B),
    (Mixed, "two", Mixed.TWO),
    (Mixed, 1, Mixed.ONE),
    (Celsius, 21.5, Celsius(21.5)),
    (Upper, "ab", Upper("AB")),
]  # fmt: skip

PLAIN: list[tuple[Any, Any, Any]] = [
    (int, 5, 5),
    (float, 5.5, 5.5),
    (str, "s", "s"),
    (bool, True, True),
    (None, None, None),
    (bytes, "abc", b"abc"),
    (Decimal, 1.25, Decimal("1.25")),
    (dt.date, "2026-11-22", dt.date(2026, 11, 22)),
    (dt.datetime, "2026-11-22T10:00:00Z", dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)),
    (dt.time, "10:00:00", dt.time(10)),
    (dt.timedelta, "P1DT2H", dt.timedelta(days=1, hours=2)),
    (uuid.UUID, str(uuid.UUID(int=5)), uuid.UUID(int=5)),
    (Path, "/a/b", Path("/a/b")),
    (AnyUrl, "ftp://a.example/x", AnyUrl("ftp://a.example/x")),
    (HttpUrl, "https://a.example/", HttpUrl("https://a.example/")),
    (ipaddress.IPv4Address, "127.0.0.1", ipaddress.IPv4Address("127.0.0.1")),
    (ipaddress.IPv6Address, "::1", ipaddress.IPv6Address("::1")),
    (ipaddress.IPv4Network, "10.0.0.0/8", ipaddress.IPv4Network("10.0.0.0/8")),
    (pydantic.IPvAnyAddress, "::1", ipaddress.ip_address("::1")),
    (SecretStr, "s", SecretStr("s")),
    (Json[list[int]], "[1, 2]", [1, 2]),
    (Json[Line], '{"name": "n", "price": 1.5, "count": 2}', A_LINE),
    (Any, {"a": [1]}, {"a": [1]}),
    (object, [1], [1]),
    (Number, 4, 4),
    (Key, "k", "k"),
    (Ids, [1, 2], [1, 2]),
    (Listed[str], ["a"], ["a"]),
    (Node, {"a": {"b": 1}}, {"a": {"b": 1}}),
    (Literal["a", "b"], "a", "a"),
    (Literal["a", 3] | None, 3, 3),
    (Literal[True], True, True),
    (Annotated[int, Field(gt=1)], 2, 2),
    (Annotated[str, "metadata"], "s", "s"),
    (Annotated[str, Field(min_length=2, description="d")], "ab", "ab"),
    (pydantic.PositiveInt, 3, 3),
    (pydantic.StrictBool, False, False),
    (pydantic.conlist(int, min_length=1), [1], [1]),
    (pydantic.constr(max_length=3), "abc", "abc"),
]  # fmt: skip

CONTAINERS: list[tuple[Any, Any, Any]] = [
    (list[int], [1, 2], [1, 2]),
    (list, [1, "a", None], [1, "a", None]),
    (list[Line], [LINE], [A_LINE]),
    (list[list[int]], [[1], []], [[1], []]),
    (list[int | None], [1, None], [1, None]),
    (list[Point], [{"x": 1, "y": 2}], [Point(1, 2)]),
    (list[Cat | Dog], [{"kind": "cat", "lives": 1}], [Cat(kind="cat", lives=1)]),
    (list[dict[str, int]], [{"a": 1}, {}], [{"a": 1}, {}]),
    (tuple[int, str], [1, "a"], (1, "a")),
    (tuple[int, ...], [1, 2], (1, 2)),
    (tuple[Line, Decimal], [LINE, 2.5], (A_LINE, Decimal("2.5"))),
    (tuple[()], [], ()),
    (set[int], [1, 2], {1, 2}),
    (frozenset[str], ["a"], frozenset("a")),
    (collections.abc.Sequence[int], [1], [1]),
    (collections.abc.Set[int], [1], frozenset([1])),
    (collections.deque[int], [1], collections.deque([1])),
    (dict[str, int], {"a": 1}, {"a": 1}),
    (dict[str, int], {}, {}),
    (dict[str, Line], {"a": LINE}, {"a": A_LINE}),
    (dict[str, list[int]], {"a": [1], "b": []}, {"a": [1], "b": []}),
    (dict[str, dict[str, int]], {"a": {"b": 1}}, {"a": {"b": 1}}),
    (dict[int, str], {"1": "a"}, {1: "a"}),
    (dict[Literal["x", "y"], int], {"x": 1}, {"x": 1}),
    (dict[Colour, int], {"red": 1}, {Colour.RED: 1}),
    (dict[str, Any], {"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
    (dict[str, int | None], {"a": None}, {"a": None}),
    (dict, {"a": 1}, {"a": 1}),
    (collections.abc.Mapping[str, int], {"a": 1}, {"a": 1}),
    (dict[Key, Number], {"k": 1}, {"k": 1}),
]  # fmt: skip

UNIONS: list[tuple[Any, Any, Any]] = [
    (Invoice | Receipt, {"number": "1", "total": 2}, Invoice(number="1", total=Decimal(2))),
    (Invoice | Receipt, {"shop": "s", "paid": 2}, Receipt(shop="s", paid=Decimal(2))),
    (Cat | Dog, {"kind": "dog", "tricks": ["sit"]}, Dog(kind="dog", tricks=["sit"])),
    (Annotated[Cat | Dog, Field(discriminator="kind")], {"kind": "cat", "lives": 1},
     Cat(kind="cat", lives=1)),
    (Line | None, None, None),
    (Line | None, LINE, A_LINE),
    (int | None, 3, 3),
    (int | str, "3", "3"),
    (int | str | None, None, None),
    (Decimal | None, 2.5, Decimal("2.5")),
    (list[int] | int, [1], [1]),
    (list[Line] | Line, LINE, A_LINE),
    (dict[str, int] | int, {"a": 1}, {"a": 1}),
    (dict[str, int] | list[int], [1], [1]),
    (dict[str, int] | list[int], {"a": 1}, {"a": 1}),
    (dict[str, int] | list[int], {}, {}),
    (Line | dict[str, str], {"a": "b"}, {"a": "b"}),
    (Colour | int, "red", Colour.RED),
    (Line | str, "free text", "free text"),
    (Literal["none"] | Line, "none", "none"),
    (Point | Place, {"x": 1, "y": 2}, Point(1, 2)),
    (bool | str, True, True),
    (dt.date | Literal["never"], "never", "never"),
    (Tree | int, {"label": "a", "children": [{"label": "b", "children": []}]},
     Tree(label="a", children=[Tree(label="b")])),
]  # fmt: skip

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name"],
}
DRAFT_7 = {"$schema": "http://json-schema.org/draft-07/schema#"}
_JSON_SCHEMAS: list[tuple[Any, Any]] = [
    (PERSON, {"name": "n", "age": 3}),
    (PERSON, {"name": "n"}),
    ({**PERSON, "additionalProperties": False}, {"name": "n"}),
    ({**PERSON, "additionalProperties": {"type": "integer"}}, {"name": "n", "x": 1}),
    ({**PERSON, "additionalProperties": True}, {"name": "n", "x": [1]}),
    ({"type": "array", "items": PERSON}, [{"name": "n"}]),
    ({"type": "array", "items": {"enum": ["x", 1]}}, ["x", 1]),
    ({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False,
      "minItems": 2}, ["a", 1]),
    ({"type": ["object", "null"], "properties": {"a": {"type": "string"}}}, None),
    ({"type": ["object", "null"], "properties": {"a": {"type": "string"}}}, {"a": "x"}),
    ({"type": ["string", "integer"]}, 3),
    ({"enum": ["a", 1, None]}, None),
    ({"const": {"a": [1]}}, {"a": [1]}),
    ({"enum": [[1], {"a": 1}]}, [1]),
    ({}, {"any": ["thing"]}),
    ({"title": "T", "type": "object"}, {"a": 1}),
    ({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1}),
    ({"type": "object", "patternProperties": {"^x-": {"type": "integer"}},
      "additionalProperties": False}, {"x-a": 1}),
    ({"type": "object", "properties": {"a": {"type": "string"}},
      "patternProperties": {"^x-": {"type": "integer"}}}, {"a": "b", "x-a": 1}),
    ({"type": "object", "propertyNames": {"enum": ["a", "b"]},
      "additionalProperties": {"type": "string"}}, {"a": "x"}),
    ({"allOf": [PERSON, {"properties": {"at": {"type": "string", "format": "date"}},
                         "required": ["at"]}]}, {"name": "n", "age": 1, "at": "2026-11-22"}),
    ({"allOf": [{"$ref": "#/$defs/P"}], "$defs": {"P": PERSON}}, {"name": "n"}),
    ({"$ref": "#/$defs/P", "properties": {"b": {"type": "string"}}, "$defs": {"P": PERSON}},
     {"name": "n", "b": "x"}),
    ({"oneOf": [PERSON, {"type": "string"}]}, "x"),
    ({"anyOf": [{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
                {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]}]},
     {"b": "x"}),
    ({**PERSON, "anyOf": [{"required": ["name"]}, {"required": ["age"]}]}, {"name": "n"}),
    ({"type": "string", "anyOf": [{"format": "date"}, {"maxLength": 3}]}, "abc"),
    ({"type": "object", "properties": {"child": {"$ref": "#"}}}, {"child": {"child": {}}}),
    ({"type": "object", "properties": {"l": {"$ref": "#/$defs/L"}},
      "$defs": {"L": {"type": "array", "items": {"$ref": "#/$defs/L"}}}}, {"l": [[], [[]]]}),
    ({"$anchor": "top", "type": "object", "properties": {"next": {"$ref": "#top"}}}, {"next": {}}),
    ({"$id": "https://a.example/o", "type": "object", "properties": {"p": {"$ref": "p"}},
      "$defs": {"P": {"$id": "p", **PERSON}}}, {"p": {"name": "n"}}),
    ({"$dynamicAnchor": "n", "type": "object",
      "properties": {"kids": {"type": "array", "items": {"$dynamicRef": "#n"}}}},
     {"kids": [{"kids": []}]}),
    ({**DRAFT_7, "definitions": {"P": PERSON}, "type": "array",
      "items": [{"$ref": "#/definitions/P"}, True], "additionalItems": False}, [{"name": "n"}, 1]),
    ({**DRAFT_7, "type": "object", "properties": {"a": {"$ref": "#/definitions/S", "maxLength": 1}},
      "definitions": {"S": {"type": "string"}}}, {"a": "long"}),
    ({**DRAFT_7, "type": "object", "properties": {"a": {}, "b": {}}, "dependencies": {"a": ["b"]}},
     {"a": 1, "b": 2}),
    ({"type": "number", "multipleOf": 0.5, "exclusiveMinimum": 0}, 1.5),
    ({"type": "string", "pattern": "^(?!x)", "minLength": 2}, "ab"),
    ({"type": "array", "contains": {"const": 1}, "items": {"type": "integer"}}, [2, 1]),
    ({"type": "array", "uniqueItems": True, "items": {"type": "string"}}, ["a"]),
    ({"type": "object", "properties": {"a": {"type": "integer"}}, "if": {"required": ["a"]},
      "then": {"minProperties": 1}}, {"a": 1}),
    ({"type": "object", "properties": {"a": False, "b": {"type": "string"}}}, {"b": "x"}),
    ({"type": "object", "properties": {"a": {"type": "string", "default": "d"}}}, {"a": "x"}),
    ({"type": "integer", "not": {"const": 3}}, 4),
    ({"type": "boolean"}, True),
]  # fmt: skip
JSON_SCHEMAS = [(target, value, value) for target, value in _JSON_SCHEMAS]

CASES = [*MODELS, *OTHER_CLASSES, *PLAIN, *CONTAINERS, *UNIONS, *JSON_SCHEMAS]
"""Target, answer, value."""
