"""The tables of the documentation are true."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
from pydantic import BaseModel, create_model

from extractify.endpoints import PRESETS
from extractify.events import Event
from extractify.reading import read
from extractify.schema import compile_schema
from extractify.validation import validate

DOCS = Path(__file__).parents[1] / "docs"
TARGETS: dict[str, Any] = {
    "`int`": int,
    "`float`": float,
    "`bool`": bool,
    "`str`": str,
    "`date`": date,
    '`"RED"`, `"DARK BLUE"`': Literal["RED", "DARK BLUE"],
}
FORMS = re.findall(
    r"^\| `([{\[].+)` \| (`.+`|a problem) \| (\w+) \|$",
    (DOCS / "reading.md").read_text(),
    re.MULTILINE,
)
ROWS = re.findall(
    r"^\| (`[^|{\[]+`) \| `([^|]+)` \| ([^|]+) \|$", (DOCS / "reading.md").read_text(), re.MULTILINE
)


def test_the_table_of_coercions_is_found() -> None:
    assert len(ROWS) >= 20


@pytest.mark.parametrize(("target", "given", "outcome"), ROWS)
def test_a_row_of_the_coercion_table_is_true(target: str, given: str, outcome: str) -> None:
    fields: dict[str, Any] = {"a": (TARGETS[target], ...)}
    model = create_model("Model", **fields)
    verdict: Any = validate(compile_schema(model), {"a": json.loads(given)})
    if outcome.startswith("a problem"):
        assert [problem.pointer for problem in verdict.problems] == ["/a"]
    else:
        assert verdict.value.a == json.loads(outcome.strip("`"))
        assert [fix.kind for fix in verdict.fixes] == ["coerced"]


class Person(BaseModel):
    name: str
    age: int


def test_the_table_of_forms_is_found() -> None:
    assert len(FORMS) >= 12


@pytest.mark.parametrize(("text", "outcome", "kind"), FORMS)
def test_a_row_of_the_table_of_forms_is_true(text: str, outcome: str, kind: str) -> None:
    reading = read(text, Person)
    if outcome == "a problem":
        assert {problem.kind for problem in reading.problems} == {kind}
    else:
        assert reading.value == Person(**json.loads(outcome.strip("`")))
        assert {fix.kind for fix in reading.fixes} == ({kind} - {"none"})


def test_the_table_of_events_names_each_with_its_fields() -> None:
    rows = re.findall(
        r"^\| `([A-Z]\w+)` \| (`[a-z_`, ]+`) \| .+ \|$",
        (DOCS / "endpoints.md").read_text(),
        re.MULTILINE,
    )
    told = {name: re.findall(r"\w+", names) for name, names in rows}
    assert told == {kind.__name__: [each.name for each in fields(kind)] for kind in get_args(Event)}


def test_the_table_of_presets_is_true() -> None:
    table = (DOCS / "endpoints.md").read_text().partition("| preset |")[2].partition("\n\n")[0]
    told = {}
    for line in table.splitlines()[2:]:
        preset, _, needs, kind = (cell.strip() for cell in line.strip("|").split("|"))
        told[preset.strip("`").partition(":")[0]] = (needs, *re.findall("`(.+?)`", kind))
    assert sorted(told) == sorted(PRESETS)
    for name, (needs, dialect, profile) in told.items():
        row = PRESETS[name]
        assert dialect == row.dialect
        assert profile in {each.name for each in (row.profile, *dict(row.profiles).values())}
        if needs != "the same" and row.key_variable:
            assert f"`{row.key_variable}`" in needs
            assert row.needs_key == ("if it wants one" not in needs)
