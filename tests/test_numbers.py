"""extractify.Numbers: what a task says of how its documents write numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from extractify import ConfigurationError, Numbers, Repair, Task, read
from extractify.messages import Fix
from tests.pickling import pickled
from tests.playing import play

POINT = Numbers()
COMMA = Numbers(",")
FRACTION = Numbers(percent="fraction")
PERCENT = Numbers(percent="number")
WORDS = Numbers(words=True)


class Value(BaseModel):
    value: float


class Exact(BaseModel):
    value: Decimal | None


class Whole(BaseModel):
    value: int


class Text(BaseModel):
    value: str | float


@pytest.mark.parametrize(
    ("numbers", "text", "value"),
    [
        (POINT, "1,234", 1234),
        (POINT, "1,234,567", 1234567),
        (POINT, "1,234.50", 1234.5),
        (POINT, "$1,234", 1234),
        (POINT, "1 234 567", 1234567),
        (POINT, "1'234.5", 1234.5),
        (POINT, "12.5", 12.5),
        (POINT, "-7", -7),
        (COMMA, "3,14", 3.14),
        (COMMA, "1,234", 1.234),
        (COMMA, "1.234,50", 1234.5),
        (COMMA, "1.234.567", 1234567),
        (COMMA, "1\u202f234,5 €", 1234.5),
        (COMMA, "EUR 12,5", 12.5),
        (COMMA, "12.5", 12.5),
        (COMMA, "1e3", 1000.0),
        (FRACTION, "12 %", 0.12),
        (FRACTION, "7%", 0.07),
        (FRACTION, "0.5%", 0.005),
        (PERCENT, "12 %", 12),
        (PERCENT, "12.5%", 12.5),
        (Numbers(",", "number"), "12,5 %", 12.5),
        (WORDS, "3 million", 3000000),
        (WORDS, "1.5k", 1500),
        (WORDS, "$2.5 bn", 2500000000),
        (WORDS, "1,200 thousand", 1200000),
        (WORDS, "0.1k", 100),
    ],
)
def test_a_stated_notation_settles_what_a_number_is(
    numbers: Numbers, text: str, value: float
) -> None:
    reading = read(f'{{"value": "{text}"}}', Value, numbers=numbers)
    assert reading.ok
    assert reading.value.value == value
    assert reading.fixes == (Fix("/value", "coerced", f'"{text}"'),)
    exact = read(f'{{"value": "{text}"}}', Exact, numbers=numbers)
    assert exact.value.value is not None
    assert float(exact.value.value) == value


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        (POINT, "3,14"),
        (POINT, "1,23,456"),
        (POINT, "1.234,50"),
        (POINT, "12 %"),
        (POINT, "3 million"),
        (COMMA, "1.234"),
        (COMMA, "EUR 1.234"),
        (COMMA, "1,234.50"),
        (COMMA, "1,234,567"),
        (COMMA, "1.23,4"),
        (FRACTION, "12 % of 30"),
        (FRACTION, "12 %%"),
        (WORDS, "three million"),
        (WORDS, "3 hundred or so"),
        (WORDS, "5 kg"),
        (WORDS, "1 234 567 890 123 456 789 012 345 678 901 234 567"),
        (WORDS, "about 3"),
        (WORDS, ""),
    ],
)
@pytest.mark.parametrize("target", [Value, Exact, Whole])
def test_what_it_does_not_settle_stays_a_problem(
    numbers: Numbers, text: str, target: type[BaseModel]
) -> None:
    reading = read(f'{{"value": "{text}"}}', target, numbers=numbers)
    assert [(each.pointer, each.kind) for each in reading.problems] == [("/value", "number_format")]


def test_a_number_that_json_knows_is_itself() -> None:
    assert read('{"value": 1.234}', Value, numbers=COMMA).value == Value(value=1.234)


def test_a_text_stays_one_where_text_is_wanted_too() -> None:
    assert read('{"value": "1,234"}', Text, numbers=POINT).value == Text(value="1,234")


def test_a_strict_target_gets_strict_types_whatever_the_task_says() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)

        value: float

    assert not read('{"value": "3,14"}', Strict, numbers=COMMA).ok


def test_a_fraction_is_no_whole_number() -> None:
    assert not read('{"value": "3,14"}', Whole, numbers=COMMA).ok
    assert read('{"value": "1,234"}', Whole, numbers=POINT).value == Whole(value=1234)


@pytest.mark.parametrize("options", [{"decimal": ";"}, {"percent": "both"}])
def test_what_has_no_meaning_is_refused(options: Any) -> None:
    with pytest.raises(ConfigurationError, match="Numbers"):
        Numbers(**options)


def test_it_pickles() -> None:
    assert pickled(Numbers(",", "fraction", words=True)) == Numbers(",", "fraction", words=True)


# --- in a task -------------------------------------------------------------------------------


class Bill(BaseModel):
    number: str
    total: float
    lines: list[str]


BILL = '{"number": "A-17, a long one for a patch", "total": "%s", "lines": ["a", "b", "c"]}'


def test_a_task_says_it_for_every_answer() -> None:
    played = play(Task(Bill, numbers=COMMA), BILL % "3,14")
    assert played.extraction is not None
    assert played.extraction.value.total == 3.14


def test_a_patch_is_read_as_the_task_says() -> None:
    played = play(Task(Bill, numbers=COMMA), BILL % "much", '{"patch": {"/total": "3,14"}}')
    assert played.extraction is not None
    assert played.extraction.value.total == 3.14


def test_the_best_effort_is_read_as_the_task_says() -> None:
    task = Task(Bill, numbers=COMMA, repair=Repair(stop=1, best_effort=True))
    played = play(task, (BILL % "3,14").replace('"a"', "5.5"))
    assert played.extraction is not None
    partial: Any = played.extraction.partial
    assert partial["total"] == "3,14"
