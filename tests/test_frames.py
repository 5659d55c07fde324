"""extractify.frames: a column of texts becomes the columns of a target, row by row."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import polars as pl
import pytest
from pydantic import BaseModel, Field

from extractify.client import Client
from extractify.entries import Entry, dead_letter
from extractify.errors import ConfigurationError, RateLimited
from extractify.frames import extract_column
from extractify.task import Task
from extractify.testing import Answer, ScriptedEndpoint

if TYPE_CHECKING:
    from collections.abc import Sequence


class Line(BaseModel):
    name: str
    price: Annotated[Decimal, Field(max_digits=10, decimal_places=2)]


class Invoice(BaseModel):
    number: int | None
    lines: list[Line] = []
    tags: dict[str, int] = {}


def reads_numbers(task: Task[Any], texts: Sequence[str]) -> list[Entry]:
    """Stand in for a run: a text that is a number is an invoice's, and others are dead letters."""
    assert isinstance(task, Task)
    return [
        Entry("ok", json.dumps({"number": int(text), "lines": [{"name": text, "price": "1.50"}]}))
        if text.isdigit()
        else dead_letter(RateLimited("Too many requests.", status=429), 1.0)
        for text in texts
    ]


def never(_: Task[Any], texts: Sequence[str]) -> list[Entry]:
    assert texts == []
    return []


TEXTS = ["7", "soon", None, "9007199254740993", "", "a\0"]
STATUSES = ["ok", "failed", "invalid", "ok", "invalid", "invalid"]


def test_a_polars_frame_becomes_one_of_the_columns_of_the_target() -> None:
    frame = pl.DataFrame({"id": [[1]] * 6, "body": TEXTS})
    made = extract_column(frame, "body", Invoice, extract_all=reads_numbers)
    assert isinstance(made, pl.DataFrame)
    assert made.columns == ["number", "lines", "tags", "_rest", "_status", "_error"]
    assert made["number"].to_list() == [7, None, None, 9007199254740993, None, None]
    assert made["lines"].to_list()[0] == [{"name": "7", "price": Decimal("1.50")}]
    assert made["_status"].to_list() == STATUSES
    assert frame.hstack(made).height == 6


def test_a_pandas_frame_keeps_its_index_and_every_digit() -> None:
    frame = pd.DataFrame({"body": TEXTS}, index=list("fedcba"))
    made = extract_column(frame, "body", Task(Invoice), extract_all=reads_numbers)
    assert isinstance(made, pd.DataFrame)
    assert list(made.index) == list("fedcba")
    assert made.loc["c", "number"] == 9007199254740993
    assert made.loc["f", "lines"][0]["price"] == Decimal("1.50")
    assert list(made["number"].isna()) == [False, True, True, False, True, True]
    assert list(made["_status"]) == STATUSES
    assert list(frame.join(made)["number"].dropna()) == [7, 9007199254740993]


def test_the_error_says_what_became_of_a_row_and_is_empty_where_there_is_a_value() -> None:
    frame = pl.DataFrame({"body": TEXTS})
    errors = extract_column(frame, "body", Invoice, extract_all=reads_numbers)["_error"].to_list()
    assert errors[0] == errors[3] == ""
    assert json.loads(errors[1])["type"] == "RateLimited"
    unread = [json.loads(errors[at])["message"] for at in (2, 4, 5)]
    assert unread == [
        "The frame's row 3 can't be read: its field 'body' is missing.",
        "The frame's row 5 has nothing in it: its text is empty.",
        "The frame's row 6 isn't text: it has NUL characters, as binary files have.",
    ]


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("texts", [[], [None, ""]])
def test_the_columns_are_the_same_where_there_is_no_value(
    library: Any, texts: list[str | None]
) -> None:
    full = library.DataFrame({"body": ["7"]})
    bare = library.DataFrame({"body": texts})
    made = extract_column(bare, "body", Invoice, extract_all=never)
    expected = extract_column(full, "body", Invoice, extract_all=reads_numbers)
    assert list(made.columns) == list(expected.columns)
    assert list(made.dtypes) == list(expected.dtypes)
    assert len(made) == len(texts)


def test_rows_of_several_batches_stay_in_their_order() -> None:
    frame = pl.DataFrame({"body": [str(number) if number % 7 else "" for number in range(2500)]})
    made = extract_column(frame, "body", Invoice, extract_all=reads_numbers)
    assert made["number"].to_list() == [number if number % 7 else None for number in range(2500)]


def test_a_value_that_is_no_object_is_a_column_of_its_own() -> None:
    def answers(_: Task[Any], texts: Sequence[str]) -> list[Entry]:
        return [Entry("ok", json.dumps(text.split())) for text in texts]

    made = extract_column(pl.DataFrame({"t": ["a b"]}), "t", list[str], extract_all=answers)
    assert made["value"].to_list() == [["a", "b"]]


def test_a_target_that_has_such_columns_keeps_them() -> None:
    target = {"type": "object", "properties": {"_status": {"type": "integer"}}}

    def answers(_: Task[Any], texts: Sequence[str]) -> list[Entry]:
        return [Entry("ok", '{"_status":3}') for _ in texts]

    made = extract_column(pl.DataFrame({"t": ["x"]}), "t", target, extract_all=answers)
    assert made.row(0, named=True) == {
        "_status": 3,
        "_rest": None,
        "__status": "ok",
        "_error": "",
    }


@pytest.mark.parametrize("frame", [pl.DataFrame({"a": [1]}), pd.DataFrame({"a": [1]})])
def test_a_column_that_is_not_there_is_refused(frame: Any) -> None:
    with pytest.raises(ConfigurationError, match="The frame has no column 'body'; it has 'a'"):
        extract_column(frame, "body", Invoice, extract_all=never)


@pytest.mark.parametrize("frame", [pl.LazyFrame({"a": ["x"]}), pl.Series(["x"]), [("a", "A")]])
def test_what_is_no_frame_is_refused(frame: object) -> None:
    with pytest.raises(ConfigurationError, match="has no columns to extract from"):
        extract_column(frame, "a", Invoice, extract_all=never)


def test_a_column_of_numbers_is_rows_that_say_so() -> None:
    made = extract_column(pd.DataFrame({"a": [1, 2]}), "a", Invoice, extract_all=never)
    assert "is a int, not a text" in made["_error"][1]


@pytest.mark.slow
def test_without_pyarrow_it_fails_before_anything_is_asked() -> None:
    code = (
        "import sys, pandas; sys.modules['pyarrow'] = None\n"
        "from extractify.frames import extract_column\n"
        "frame = pandas.DataFrame({'a': ['x']})\n"
        "extract_column(frame, 'a', int, extract_all=lambda *_: print('asked'))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert b"pip install 'extractify[etl]'" in ran.stderr
    assert ran.stdout == b""


def test_a_column_is_asked_for_by_a_run() -> None:
    endpoint = ScriptedEndpoint(lambda seen: {"number": int(seen.last_message.split()[1])})
    frame = pl.DataFrame({"body": ["3", None, "4", "3"]})
    with Client(endpoint) as client:
        made = extract_column(frame, "body", Invoice, client=client)
    assert made["number"].to_list() == [3, None, 4, 3]
    assert made["_status"].to_list() == ["ok", "invalid", "ok", "ok"]
    assert len(endpoint.requests) == 2


def test_where_a_run_stops_the_rest_says_so() -> None:
    refused = ScriptedEndpoint(lambda _: Answer({"error": {"message": "no"}}, status=401))
    with Client(refused) as client:
        made = extract_column(pl.DataFrame({"body": TEXTS[:2]}), "body", Invoice, client=client)
    assert made["_status"].to_list() == ["failed", "failed"]
    assert "wasn't asked" in made["_error"][1]
