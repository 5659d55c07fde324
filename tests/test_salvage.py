"""The best effort: what comes back when the budget is spent and something is still wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, Field, field_validator

from extractify import ExtractionError, Refused, Repair, Task
from extractify.salvage import salvaged
from extractify.schema import compile_schema
from tests.pickling import pickled
from tests.playing import answer, play


class Line(BaseModel):
    text: str
    price: float | None


class Bill(BaseModel):
    number: str
    currency: str = Field("EUR", pattern="^[A-Z]{3}$")
    lines: list[Line]

    @field_validator("number")
    @classmethod
    def _known(cls, number: str) -> str:
        assert number != "unknown", "must be known"
        return number


def bill(**changes: Any) -> dict[str, Any]:
    lines = [{"text": "bolt", "price": 1.5}, {"text": "nut", "price": 0.5}]
    return {"number": "A-1", "currency": "GBP", "lines": lines, **changes}


TASK = Task(Bill, repair=Repair(stop=1, best_effort=True))


def test_a_field_that_failed_has_its_default() -> None:
    played = play(TASK, json.dumps(bill(currency="pounds")))
    assert played.extraction is not None
    result = played.extraction
    assert result.value == Bill.model_validate(bill(currency="EUR"))
    assert not result.ok
    assert [problem.pointer for problem in result.problems] == ["/currency"]
    assert result.partial == bill(currency="pounds")
    assert result.status["/currency"] == "invalid"
    assert result.status["/lines/1/price"] == "valid"


def test_a_field_that_may_be_null_becomes_null() -> None:
    lines = [{"text": "bolt", "price": "a lot"}, {"text": "nut"}]
    played = play(TASK, json.dumps(bill(lines=lines)))
    assert played.extraction is not None
    result = played.extraction
    assert [line.price for line in result.value.lines] == [None, None]
    assert result.status["/lines/0/price"] == "invalid"
    assert result.status["/lines/1/price"] == "missing"
    assert result.status["/number"] == "valid"


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        (bill(number="unknown"), "/number"),
        (bill(lines=[{"text": "bolt", "price": 1}, 3]), "/lines/1"),
        (bill(lines="none"), "/lines"),
    ],
)
def test_where_the_target_needs_the_field_the_value_is_plain_data(
    wrong: dict[str, Any], pointer: str
) -> None:
    played = play(TASK, json.dumps(wrong))
    assert played.extraction is not None
    assert played.extraction.value == played.extraction.partial == wrong
    assert [problem.pointer for problem in played.extraction.problems] == [pointer]
    assert played.extraction.status[pointer] == "invalid"


class Receipt(BaseModel):
    shop: str
    city: str | None
    currency: str = "EUR"


@pytest.mark.parametrize("shop", ["Zyxomma plc", "Bogus"])
def test_a_value_that_isnt_in_the_document_is_left_out_too(shop: str) -> None:
    repair = Repair(stop=1, best_effort=True)
    task = Task(Receipt, repair=repair, grounding="required", on_missing="error")
    said = {"shop": shop, "city": "Nowhere", "currency": "XYZ"}
    played = play(task, json.dumps(said))
    assert played.extraction is not None
    result = played.extraction
    absent = {pointer for pointer, status in result.status.items() if status == "invalid"}
    assert absent == {"/city", "/currency", *(["/shop"] if shop == "Bogus" else [])}
    kept = Receipt(shop=shop, city=None, currency="EUR")
    assert result.value == (said if shop == "Bogus" else kept)
    assert result.data == (said if shop == "Bogus" else kept.model_dump())


def test_the_best_answer_is_the_one_with_the_fewest_problems() -> None:
    task = Task(Bill, repair=Repair(stop=2, best_effort=True))
    worse = json.dumps(bill(number="unknown", currency="pounds", lines=3))
    played = play(task, json.dumps(bill(currency="pounds")), worse)
    assert played.extraction is not None
    assert played.extraction.value.number == "A-1"
    assert len(played.extraction.attempts) == 2


def test_a_result_with_problems_pickles_and_is_no_valid_one() -> None:
    played = play(TASK, json.dumps(bill(currency="pounds")))
    assert pickled(played.extraction) == played.extraction
    assert getattr(played.events[-1], "valid", None) is False


def test_without_anything_read_it_is_an_error_all_the_same() -> None:
    assert isinstance(play(TASK, "Sorry").failure, ExtractionError)
    refused = play(TASK, answer("", refusal="I can't do that."))
    assert isinstance(refused.failure, Refused)


def test_a_valid_value_has_no_problems_to_tell_of() -> None:
    played = play(TASK, json.dumps(bill()))
    assert played.extraction is not None
    assert played.extraction.ok
    assert played.extraction.status == {}
    assert played.extraction.seconds == sum(each.seconds for each in played.extraction.attempts)


def test_more_problems_than_are_told_at_once_are_left_out_too() -> None:
    lines = [{"text": f"part {n}", "price": "?"} for n in range(300)]
    verdict = salvaged(compile_schema(Bill), bill(lines=lines), {})
    assert verdict is not None
    assert verdict.value is not None
    assert {line.price for line in verdict.value.lines} == {None}


def test_what_has_no_end_of_problems_is_plain_data() -> None:
    lines = [{"text": f"part {n}", "price": "?"} for n in range(500)]
    assert salvaged(compile_schema(Bill), bill(lines=lines), {}) is None


def test_what_is_complete_of_a_cut_off_answer_is_judged_by_its_fields() -> None:
    text = json.dumps(bill(currency="pounds", lines=[{"text": "bolt", "price": 1.5}] * 9))
    cut = answer(text[: text.rindex("bolt")], finish_reason="length")
    played = play(TASK, cut)
    assert played.extraction is not None
    result = played.extraction
    assert [problem.kind for problem in result.problems] == ["truncated", "string_pattern_mismatch"]
    assert len(result.value.lines) == 8
    assert result.status["/currency"] == "invalid"
    assert result.status["/lines/7/price"] == "valid"
