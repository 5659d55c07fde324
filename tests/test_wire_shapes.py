"""Recorded shapes of answers, one a file in tests/wire/, each read by every dialect it may reach.

A file holds `source` (who says that answers look like this, and whether that is confirmed), the
dialects, status, headers, and the body as JSON (`body`) or as it is (`text`). `expect` is the
completion's fields or the error's.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extractify import EndpointError, errors
from extractify.dialects import DIALECTS, named
from extractify.errors import ContentBlocked
from extractify.messages import Completion
from extractify.plain import compact_json
from tests.pickling import pickled

FILES = sorted((Path(__file__).parent / "wire").glob("*.json"))
SHAPES: dict[str, Any] = {file.stem: json.loads(file.read_text("utf-8")) for file in FILES}
CASES = [(name, dialect) for name, shape in SHAPES.items() for dialect in shape["dialects"]]


def outcome(name: str, dialect: str) -> Completion | EndpointError:
    shape = SHAPES[name]
    text = shape["text"] if "text" in shape else json.dumps(shape["body"])
    try:
        return named(dialect).read(shape["status"], shape["headers"], text.encode())
    except EndpointError as error:
        return error


@pytest.mark.parametrize(("name", "dialect"), CASES)
def test_an_answer_of_this_shape_is_what_it_stands_for(name: str, dialect: str) -> None:
    expected, got = SHAPES[name]["expect"], outcome(name, dialect)
    if "error" in expected:
        assert isinstance(got, EndpointError)
        check_error(got, expected, SHAPES[name]["status"])
    else:
        assert isinstance(got, Completion)
        check_completion(got, expected)
    assert str(pickled(got)) == str(got)


@pytest.mark.parametrize(("name", "dialect"), CASES)
def test_an_answer_that_was_kept_is_read_the_same_again(name: str, dialect: str) -> None:
    first = outcome(name, dialect)
    if isinstance(first, Completion):
        again = named(dialect).read(200, {}, compact_json(dict(first.raw)).encode())
        assert replace(again, request_id=first.request_id, rate=first.rate) == first
    else:
        assert not first.attempts  # a run keeps nothing of it


def check_error(got: EndpointError, expected: dict[str, Any], status: int) -> None:
    assert type(got) is getattr(errors, expected["error"])
    assert (got.status, got.code, got.retries) == (status, expected["code"], expected["retries"])
    assert (got.retry_after is not None) == ("waits" in expected)
    assert f"HTTP {status}" in got.message
    if isinstance(got, ContentBlocked):
        assert (got.side, got.category) == (expected.get("side"), expected.get("category"))
        assert (got.sensitive_type is None) == (got.category is None)


def check_completion(got: Completion, expected: dict[str, Any]) -> None:
    assert (got.text, got.finish_reason) == (expected["text"], expected["finish_reason"])
    assert got.reasoning == expected.get("reasoning")
    calls = [[call.id, call.name, call.arguments] for call in got.tool_calls]
    assert calls == expected.get("tool_calls", [])
    replayed: Any = got.message.extra.get("tool_calls", [])
    assert len(replayed) == expected.get("replayed_calls", 0)
    assert all("index" not in call for call in replayed)
    assert (got.id, got.model, got.object) == ("0634f8d2a1", "MiniMax-M2.7", "chat.completion")
    assert got.created == 1774000000
    assert (got.input_sensitive, got.output_sensitive) == (False, False)
    assert got.base_resp == {"status_code": 0, "status_msg": ""}


def test_every_file_says_where_its_shape_comes_from() -> None:
    known = {"source", "dialects", "status", "headers", "body", "text", "expect"}
    for name, shape in SHAPES.items():
        assert shape["source"], name
        assert shape["dialects"], name
        assert set(shape["dialects"]) <= set(DIALECTS), name
        assert set(shape) <= known, name
    assert len(SHAPES) > 80
