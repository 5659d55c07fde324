"""Targets with fields of every kind, and values for them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import math
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple

from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel, computed_field
from typing_extensions import TypedDict


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Point(NamedTuple):
    x: float
    name: str


class Address(BaseModel):
    street: str
    number: int | None = None


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    tricks: list[str]


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    known: int = 0


class Partly(TypedDict, total=False):
    here: int
    there: str


@dataclasses.dataclass
class Line:
    what: str
    price: Annotated[Decimal, Field(max_digits=9, decimal_places=2)]
    day: dt.date


class Everything(BaseModel):
    text: str
    whole: int
    real: float
    either: int | float
    yes: bool
    day: dt.date
    maybe_day: dt.date | None
    moment: dt.datetime
    aware: AwareDatetime
    time: dt.time
    span: dt.timedelta
    money: Annotated[Decimal, Field(max_digits=12, decimal_places=4)]
    loose: Decimal
    colour: Colour
    size: Size
    mixed: Literal["a", 1] | None
    address: Address
    second: Address | None
    lines: list[Line]
    by_name: dict[str, Address]
    by_number: dict[int, list[float]]
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    tuple_of_two: tuple[int, str]
    point: Point
    any: Any
    text_or_number: str | int
    unique: set[int]
    aliased: int = Field(alias="in", serialization_alias="out put")
    raw: bytes

    @computed_field
    def length(self) -> int:
        return len(self.text)


TARGETS: dict[str, Any] = {
    "everything": Everything,
    "a list": list[Line],
    "a map": dict[str, int],
    "a number": int,
    "an optional object": Address | None,
    "recursive": Tree,
    "a union": Cat | Dog,
    "a root model": RootModel[list[Address]],
    "open": Open,
}


FINITE = st.floats(allow_nan=False, allow_infinity=False)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ADDRESSES = st.builds(Address, street=st.text(), number=st.none() | st.integers())
PRICES = st.decimals(min_value=-999_999, max_value=999_999, places=2)
LINES = st.builds(Line, what=st.text(), price=PRICES, day=st.dates())
CATS = st.builds(Cat, lives=st.integers())
DOGS = st.builds(Dog, tricks=st.lists(st.text()))
NUMBERS = st.floats() | st.integers(-(10**20), 10**20)
ZONES = st.timezones() | st.just(dt.UTC)
EVERYTHING = st.fixed_dictionaries(
    {
        "text": st.text(),
        "whole": st.integers(),
        "real": st.floats(),
        "either": NUMBERS,
        "yes": st.booleans(),
        "day": st.dates(),
        "maybe_day": st.none() | st.dates(),
        "moment": st.datetimes() | st.datetimes(timezones=ZONES),
        "aware": st.datetimes(timezones=st.just(dt.UTC)),
        "time": st.times(),
        "span": st.timedeltas(),
        "money": st.decimals(min_value=-9_999_999, max_value=9_999_999, places=4),
        "loose": st.decimals(allow_nan=False, allow_infinity=False),
        "colour": st.sampled_from(Colour),
        "size": st.sampled_from(Size),
        "mixed": st.sampled_from(["a", 1, None]),
        "address": ADDRESSES,
        "second": st.none() | ADDRESSES,
        "lines": st.lists(LINES, max_size=3),
        "by_name": st.dictionaries(st.text(), ADDRESSES, max_size=3),
        "by_number": st.dictionaries(st.integers(), st.lists(st.floats(), max_size=3), max_size=3),
        "pet": CATS | DOGS,
        "tuple_of_two": st.tuples(st.integers(), st.text()),
        "point": st.builds(Point, x=FINITE, name=st.text()),
        "any": ANYTHING,
        "text_or_number": st.text() | st.integers(),
        "unique": st.sets(st.integers(), max_size=3),
        "in": st.integers(),
        "raw": st.text().map(str.encode),
    }
)
TREES: st.SearchStrategy[Tree] = st.deferred(
    lambda: st.builds(Tree, name=st.text(), children=st.lists(TREES, max_size=2))
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "everything": EVERYTHING.map(Everything.model_validate),
    "a list": st.lists(LINES, max_size=3),
    "a map": st.dictionaries(st.text(), st.integers(), max_size=3),
    "a number": st.integers(),
    "an optional object": st.none() | ADDRESSES,
    "recursive": TREES,
    "a union": CATS | DOGS,
    "a root model": st.lists(ADDRESSES, max_size=3).map(RootModel[list[Address]]),
    "open": st.dictionaries(st.text(), ANYTHING, max_size=3).map(
        lambda more: Open.model_validate({**more, "known": 1})
    ),
}
WRAPPED = {"a list", "a map", "a number", "a union", "a root model"}


def same(after: Any, before: Any) -> bool:
    """Equal, where a typed cell counts as what it was written from."""
    if isinstance(after, dict):
        return after.keys() == before.keys() and all(same(after[key], before[key]) for key in after)
    if isinstance(after, list):
        return len(after) == len(before) and all(map(same, after, before))
    if isinstance(after, Decimal):
        return bool(after == Decimal(before))
    if isinstance(after, dt.date):
        return bool(after.isoformat() == before)
    if isinstance(before, float) and isinstance(after, str):  # of JSON text: no number there
        after = float(after)
    nan = isinstance(after, float) and math.isnan(after) and math.isnan(before)
    return nan or bool(after == before)
