"""extractify.canonical: what pydantic can't describe is named; what it needn't say isn't said."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from decimal import Decimal
from types import GenericAlias
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from extractify.errors import SchemaError
from extractify.schema import compile_schema


class Callback(BaseModel):
    name: str
    run: Callable[[int], int]


class Outer(BaseModel):
    inner: Callback


class Many(BaseModel):
    inner: dict[str, list[Callback]] | None = None


class Looped(BaseModel):
    kids: list[Looped]
    run: Callable[[], int]


Point = dataclasses.make_dataclass("Point", [("x", int), ("callback", Callback)])


class Entry(TypedDict):
    word: str
    more: Annotated[Callback, Field(description="d")]


class Weird:
    pass


class Unfinished(BaseModel):
    later: Nowhere  # type: ignore[name-defined]  # noqa: F821  (what the test is about)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (Callback, "Callback.run "),
        (Outer, "Outer.inner.run "),
        (Many, "Many.inner.run "),
        (Looped, "Looped.run "),
        (Point, "Point.callback.run "),
        (Entry, "Entry.more.run "),
        (Unfinished, "Unfinished.later "),
        (list[Outer], "Outer].inner.run "),
        (Weird, "Weird "),
        (Annotated[str, Field(pattern="(")], "pattern"),
    ],
)
def test_the_innermost_part_that_cant_be_described_is_named(target: object, path: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(path)):
        compile_schema(target)


@pytest.mark.parametrize("target", [Unfinished, GenericAlias(list, ("Nowhere",))])
def test_a_name_that_isnt_defined_is_told_with_what_to_do(target: Any) -> None:
    with pytest.raises(SchemaError, match="Nowhere isn't defined where the class is"):
        compile_schema(target)


def test_what_json_doesnt_know_in_defaults_and_unions_is_left_out_without_a_warning() -> None:
    class Model(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        value: Any = Weird()
        number: int | Callable[[], int]

    assert compile_schema(Model).asked["properties"] == {"value": {}, "number": {"type": "integer"}}


def test_a_decimal_s_bounds_are_written_as_short_as_they_are() -> None:
    target = Annotated[Decimal, Field(ge=0, lt=Decimal("99.5"))]
    assert str(compile_schema(target).canonical["minimum"]) == "0"
    assert compile_schema(target).canonical["exclusiveMaximum"] == 99.5
