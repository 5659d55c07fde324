"""The tables of the documentation are true."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import create_model

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
ROWS = re.findall(
    r"^\| (`[^|]+`) \| `([^|]+)` \| ([^|]+) \|$", (DOCS / "reading.md").read_text(), re.MULTILINE
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
