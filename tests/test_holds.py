"""extractify.holds: what a target says about how its parts are shown; ignored elsewhere."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

import extractify
from extractify.holds import Hold, with_state
from extractify.schema import compile_schema


class Line(BaseModel):
    sku: str
    parts: list[Line] = []


class Plain(BaseModel):
    name: Annotated[str, Field(max_length=5)] = "none"
    line: Line
    total: int | None


class Marked(BaseModel):
    name: Annotated[str, Hold.until_complete, with_state, Field(max_length=5)] = "none"
    line: Annotated[Line, with_state]
    total: Annotated[int | None, Hold.until_present]


def test_markers_change_no_schema() -> None:
    assert compile_schema(Marked).canonical == compile_schema(Plain).canonical
    assert Marked.model_json_schema() == {**Plain.model_json_schema(), "title": "Marked"}


@pytest.mark.parametrize(
    "data",
    [
        {"line": {"sku": "a", "parts": [{"sku": "b"}]}, "total": 3},
        {"name": "a", "line": {"sku": "a"}, "total": None},
        {"name": "too long", "line": {"sku": "a"}, "total": None},
        {"line": 3, "total": "x"},
    ],
)
def test_markers_change_no_verdict(data: dict[str, Any]) -> None:
    text = Plain.model_construct(**data).model_dump_json(warnings=False)
    plain, marked = extractify.read(text, Plain), extractify.read(text, Marked)
    assert plain.problems == marked.problems
    if plain.ok:
        assert marked.value.model_dump() == plain.value.model_dump()
