"""extractify.engines.blocks: the added columns have one schema, whatever is in them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

from extractify import Task
from extractify.engines.blocks import cells, engine, fields
from extractify.errors import ConfigurationError
from extractify.many import COLUMNS, RESULT, Many
from extractify.testing import Answer, ScriptedEndpoint, Seen, anything

pa = pytest.importorskip("pyarrow", reason="pyarrow isn't installed: pip install 'extractify[etl]'")


class Line(BaseModel):
    text: str
    price: float | None = None


class Receipt(BaseModel):
    total: int
    lines: list[Line] = []


def table(*texts: object) -> Any:
    def answer(seen: Seen) -> object:
        if "Nothing" in str(seen.body):
            return Answer("", 400)
        return {"total": 3, "lines": [{"text": "Toner"}]}

    async def made() -> Any:
        async with Many(Receipt, ScriptedEndpoint(answer, contract=anything)) as many:
            rows = await many.extract_many([{"text": text} for text in texts])
            return pa.Table.from_pylist(cells(many.task, rows), fields(many.task))

    return asyncio.run(made())


def test_a_block_without_a_value_has_the_schema_of_one_with_values() -> None:
    good, bad = table("Total 3"), table("Nothing", None)
    assert good.schema == bad.schema == fields(Task(Receipt))
    assert good.column_names == [RESULT, *COLUMNS]
    assert good[RESULT][0].as_py()["lines"] == [{"text": "Toner", "price": None}]
    assert bad[RESULT].to_pylist() == [None, None]
    assert bad["_status"].to_pylist() == ["failed", "invalid"]


def test_blocks_of_both_kinds_are_one_table() -> None:
    both = pa.concat_tables([table("Nothing"), table("Total 3")])
    assert both["_attempts"].to_pylist() == [0, 1]


def test_an_engine_that_is_not_installed_is_named_with_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match=r"needs nowhere\.data.*'extractify\[nowhere\]'"):
        engine("nowhere.data")
