"""extractify.sites: the places of a target, as they are shown and judged one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    Field,
    RootModel,
    TypeAdapter,
    field_validator,
)
from typing_extensions import TypedDict

from extractify.holds import Hold, with_state
from extractify.schema import compile_schema
from extractify.sites import Site, site_of
from extractify.validation import validate


class Line(BaseModel):
    sku: str
    count: int = Field(alias="n", ge=1)
    parts: list[Line] = []

    @field_validator("sku")
    @classmethod
    def capital(cls, sku: str) -> str:
        return sku.upper()


@dataclass
class Point:
    x: float
    lines: list[Line]


class Box(TypedDict):
    point: Point


class Lines(RootModel[list[Line]]):
    pass


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    lives: str


class Pets(BaseModel):
    tagged: Annotated[Cat | Dog, Field(discriminator="kind")]
    plain: Cat | Dog


def at(target: Any, pointer: str) -> Site | None:
    site: Site | None = site_of(compile_schema(target))
    for step in pointer.split("/")[1:]:
        assert site is not None
        site = site.item() if step.isdecimal() else site.member(step)
    return site


LINE = {"sku": "a", "n": "2"}


@pytest.mark.parametrize(
    ("target", "pointer", "data"),
    [
        (list[Line], "/0", LINE),
        (Lines, "/0", LINE),
        (dict[str, Line], "/any", LINE),
        (tuple[Line, ...], "/0", LINE),
        (set[int], "/0", 3),
        (Line, "/parts/0", LINE),
        (Line, "/parts/0/parts/0", LINE),
        (Point, "/lines/0", LINE),
        (Box, "/point/lines/0", LINE),
        (Line | None, "/parts/0", LINE),
        (Annotated[list[Line], BeforeValidator(lambda value: value)], "/0", LINE),
    ],
)
def test_a_part_is_judged_as_it_is_in_the_whole(target: Any, pointer: str, data: Any) -> None:
    site = at(target, pointer)
    assert site is not None
    assert site.schema is not None
    verdict = validate(site.schema, data)
    assert verdict.value == (Line(sku="A", n=2) if data is LINE else data)
    assert not validate(site.schema, {"sku": 1.5, "n": 0}).value


def test_a_name_in_json_finds_the_field() -> None:
    class Named(BaseModel):
        one: int = Field(validation_alias="uno")
        two: int = Field(validation_alias=AliasChoices("dos", "deux"))

    for name in ("uno", "dos"):
        site = at(Named, f"/{name}")
        assert site is not None
        assert site.schema is not None
        assert validate(site.schema, "7").value == 7


def test_where_a_union_leaves_it_open_there_is_nothing_to_judge_by() -> None:
    for name in ("tagged", "plain"):
        whole, lives = at(Pets, f"/{name}"), at(Pets, f"/{name}/lives")
        assert whole is not None
        assert whole.schema is not None
        assert validate(whole.schema, {"kind": "cat", "lives": 9}).value == Cat(kind="cat", lives=9)
        assert lives is not None
        assert lives.schema is None


def test_a_key_that_the_target_has_not_is_no_place() -> None:
    assert at(Line, "/other") is None
    assert at(Line, "/sku/0") is None


def test_a_json_schema_has_places_too() -> None:
    target = {
        "type": "object",
        "properties": {"lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}}},
        "$defs": {"Line": {"type": "object", "properties": {"n": {"type": "integer"}}}},
    }
    site = at(target, "/lines/0")
    assert site is not None
    assert site.schema is not None
    assert validate(site.schema, {"n": 3}).value == {"n": 3}
    assert validate(site.schema, {"n": "x"}).problems
    assert not site.is_marked
    assert not site.awaited


def test_markers_stand_at_their_places() -> None:
    class Marked(BaseModel):
        name: Annotated[str, Hold.until_complete] = "none"
        line: Annotated[Line, with_state, Hold.until_complete]
        again: Annotated[list[Line], with_state] = []
        total: Annotated[int | None, Hold.until_present]

    root = site_of(compile_schema(Marked))
    name, line, again, total = (root.member(key) for key in ("name", "line", "again", "total"))
    assert root.is_marked
    assert root.awaited == {"total"}
    assert name is not None
    assert name.held
    assert not name.with_state
    assert line is not None
    assert line.held
    assert line.with_state
    assert again is not None
    assert again.with_state
    assert not again.held
    assert total is not None
    assert total.is_awaited
    parts = line.member("parts")
    assert parts is not None
    assert not parts.is_marked
    assert not site_of(compile_schema(Line)).is_marked


def test_a_recursive_target_with_markers_has_them_at_every_depth() -> None:
    class Tree(BaseModel):
        name: Annotated[str, Hold.until_complete]
        below: list[Tree] = []

    site = at(Tree, "/below/0/below/0/name")
    assert site is not None
    assert site.held
    assert TypeAdapter(Tree).validate_python({"name": "a"}).below == []
