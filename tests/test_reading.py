"""extractify.reading: an answer's text in; a typed value, or problems, out."""

from __future__ import annotations

import json
import string
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from extractify.errors import DocumentError, ExtractionError, SchemaError
from extractify.messages import Fix, JsonValue
from extractify.reading import Reading, read, read_answer
from extractify.schema import compile_schema
from tests.pickling import pickled

CASES = Path(__file__).parents[2] / "shared" / "cases" / "parse_cases.json"

quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Color(Enum):
    RED = "RED"
    GREEN = "GREEN"


class Person(BaseModel):
    name: str
    age: int


class Line(BaseModel):
    text: str
    price: float
    color: Color | None = None


class Order(BaseModel):
    id: int
    lines: list[Line]
    by_key: dict[str, Line | None] = {}
    total: Decimal = Decimal(0)
    day: date | None = None
    kind: Literal["a", "b"] = "a"
    paid: bool = False


ADA = Person(name="Ada", age=36)
PERSON = '{"name": "Ada", "age": 36}'


def kinds(reading: Reading[Any]) -> list[str]:
    return [problem.kind for problem in reading.problems]


def read_any(text: str, target: object) -> Reading[Any]:
    """`read` for targets of which a type checker can't say what they give."""
    return read_answer(text, compile_schema(target))


# --- targets ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "text", "value"),
    [
        (Person, PERSON, ADA),
        (list[Person], f"[{PERSON}, {PERSON}]", [ADA, ADA]),
        (list[Person], "[]", []),
        (dict[str, Person], f'{{"a": {PERSON}}}', {"a": ADA}),
        (Person | None, "null", None),
        (Person | list[int], "[1, 2]", [1, 2]),
        (int, "42", 42),
        (float, "4.5", 4.5),
        (str, '"hello"', "hello"),
        (bool, "true", True),
        (None, "null", None),
        (date, '"2024-03-05"', date(2024, 3, 5)),
        (Color, '"RED"', Color.RED),
        (Literal["a", 1], "1", 1),
        ({"type": "object"}, PERSON, {"name": "Ada", "age": 36}),
        ({}, "[1, null]", [1, None]),
    ],
)
@pytest.mark.parametrize("around", ["{}", "```json\n{}\n```", "<think>[3] 7</think>\n{}\n"])
def test_every_kind_of_target_is_read(
    target: object,
    text: str,
    value: object,
    around: str,
) -> None:
    reading = read_any(around.replace("{}", text), target)
    assert reading.ok
    assert reading.value == value
    assert type(reading.value) is type(value)
    assert reading.problems == ()


def test_a_target_that_cannot_be_compiled_is_an_error() -> None:
    with pytest.raises(SchemaError):
        read("{}", {"type": 5})


# --- readings --------------------------------------------------------------------------------


def test_a_reading_with_problems_has_no_value_and_carries_what_there_was() -> None:
    reading = read('{"name": "Ada", "age": "old"}', Person)
    assert not reading.ok
    with pytest.raises(ExtractionError, match="1 problem;") as caught:
        _ = reading.value
    assert caught.value.problems == reading.problems
    assert caught.value.partial == reading.partial == {"name": "Ada", "age": "old"}
    assert "Ada" not in str(caught.value)


def test_none_is_a_value() -> None:
    reading = read("null", None)
    assert reading.ok
    assert reading.value is None


def test_a_reading_pickles() -> None:
    for text in (PERSON, '{"name": "Ada"}'):
        reading = read(text, Person)
        assert pickled(reading) == reading


def test_what_was_mended_is_recorded_in_the_order_it_was_met() -> None:
    text = '<think>hm</think>\nHere: {"result": {"name": "Ada", "age": "36"}}.'
    assert read(text, Person) == Reading(
        ADA,
        (
            Fix("", "thought"),
            Fix("", "prose"),
            Fix("", "envelope"),
            Fix("/age", "coerced", '"36"'),
        ),
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "no_json"),
        (" \n", "no_json"),
        ("I can't find a person.", "no_json"),
        ('{"name": "Ada", "age": 36', "truncated"),
        ('{"name": "Ada", "age": }', "no_json"),
        ("{'name': 'Ada', 'age': 36, 'age': 63}", "conflict"),
        ('{"name": "Ada", "age": 36, "age": 63}', "conflict"),
        ('{"name": "Ada", "age": 36, "age": 63} or so', "conflict"),
        (f'{PERSON} or {{"name": "Bob", "age": 7}}', "ambiguous"),
    ],
)
def test_an_answer_without_one_value_says_why(text: str, kind: str) -> None:
    assert kinds(read(text, Person)) == [kind]


# --- choosing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"{PERSON} (source [1])",
        f"Of [1] and {{}}: {PERSON}",
        f'{{"name": "Bob"}} is not whole, {PERSON} is.',
        f"{PERSON}\nAgain: {PERSON}",
    ],
)
def test_the_one_candidate_that_is_valid_is_the_answer(text: str) -> None:
    assert read(text, Person).value == ADA


def test_two_valid_candidates_that_differ_are_never_chosen_between() -> None:
    reading = read('{"name": "Ada", "age": 36} {"name": "Ada", "age": 37}', Person)
    assert kinds(reading) == ["ambiguous"]
    assert "2" in reading.problems[0].expected


@pytest.mark.parametrize("citation", [" (source [1])", ' and "x": [2]', ""])
def test_the_problems_told_are_of_the_candidate_that_has_the_right_shape(citation: str) -> None:
    reading = read(f'Here: {{"name": "Ada", "age": "old"}}{citation}', Person)
    assert [problem.pointer for problem in reading.problems] == ["/age"]
    assert reading.partial == {"name": "Ada", "age": "old"}


# --- the envelope ----------------------------------------------------------------------------


def test_an_envelope_that_was_asked_for_is_no_fix() -> None:
    for target in (Person, Order, compile_schema(Person).canonical):
        schema = compile_schema(target)
        body = PERSON if target is not Order else '{"id": 1, "lines": [], "kind": null}'
        reading = read_answer(f'{{"result": {body}}}', schema, enveloped=True)
        assert reading.ok
        assert reading.fixes == ()


def test_an_envelope_that_is_missing_or_unasked_is_a_fix() -> None:
    schema = compile_schema(Person)
    fixes = (Fix("", "envelope"),)
    assert read_answer(PERSON, schema, enveloped=True) == Reading(ADA, fixes)
    assert read_answer(f'{{"result": {PERSON}}}', schema) == Reading(ADA, fixes)


def test_a_targets_own_key_named_like_the_envelope_is_not_taken_for_it() -> None:
    class Result(BaseModel):
        result: int

    schema = compile_schema(Result)
    assert read_answer('{"result": 1}', schema) == Reading(Result(result=1))
    inside = read_answer('{"result": {"result": 1}}', schema, enveloped=True)
    assert inside == Reading(Result(result=1))
    bare = read_answer('{"result": 1}', schema, enveloped=True)
    assert bare == Reading(Result(result=1), (Fix("", "envelope"),))


@pytest.mark.parametrize("around", ["{}", "```\n{}\n```"])
@pytest.mark.parametrize("target", [Order | None, {"type": ["object", "null"]}])
def test_an_envelope_may_hold_a_null(target: object, around: str) -> None:
    text = around.replace("{}", '{"result": null}')
    reading = read_answer(text, compile_schema(target), enveloped=True)
    assert reading.ok
    assert reading.value is None


def test_pointers_are_into_the_value_and_not_into_the_envelope() -> None:
    text = '{"result": {"name": "Ada", "age": "old"}}'
    reading = read_answer(text, compile_schema(Person), enveloped=True)
    assert [problem.pointer for problem in reading.problems] == ["/age"]
    assert reading.partial == {"name": "Ada", "age": "old"}


@pytest.mark.parametrize(
    ("target", "text", "value"),
    [
        (Literal["a", "b"], "a", "a"),
        (Literal["Two", "b"], "Two words", None),
        (int, "12", 12),
        (str, "Acme Ltd", "Acme Ltd"),
        (str, "<think>Acme Ltd, or not</think>\nAcme", "Acme"),
        (str, "I'm sorry, but there is no name in it.", None),
        (str, "", None),
    ],
)
def test_a_bare_word_in_an_envelope_s_place_is_the_value(
    target: object, text: str, value: object
) -> None:
    context = {"document": "To: Acme Ltd, Dublin"}
    reading = read_answer(text, compile_schema(target), enveloped=True, context=context)
    assert reading.ok == (value is not None)
    if reading.ok:
        assert reading.value == value
        assert reading.fixes
    elif text:
        assert not read_answer("Acme Ltd", compile_schema(str), enveloped=True).ok


# --- the quick way and the thorough one agree -------------------------------------------------


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, "1" + "0" * 250 + "e99"]
)
@pytest.mark.parametrize("around", ["{}", "Here: {}.", "```\n{}\n```"])
def test_a_number_that_is_not_finite_is_never_read(number: str, around: str) -> None:
    text = around.replace("{}", f'{{"text": "a", "price": {number}}}')
    assert [problem.pointer for problem in read(text, Line).problems] == ["/price"]


@pytest.mark.parametrize("around", ["{}", "Here: {}.", "```\n{}\n```"])
def test_a_timestamp_in_quotes_is_never_read_as_a_date(around: str) -> None:
    text = around.replace("{}", '{"id": 1, "lines": [], "day": "1654646400"}')
    assert [problem.pointer for problem in read(text, Order).problems] == ["/day"]


# --- properties ------------------------------------------------------------------------------

texts = st.text(max_size=20) | st.sampled_from(
    ["</think>", "<think>", "```", "\n```\n", '"', "\\", "{", "[1]", '{"id": 1}', "~~~\n", "\u2028"]
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
lines = st.builds(Line, text=texts, price=numbers, color=st.none() | st.sampled_from(Color))
orders = st.builds(
    Order,
    id=st.integers(-(2**70), 2**70),
    lines=st.lists(lines, max_size=3),
    by_key=st.dictionaries(texts, st.none() | lines, max_size=2),
    total=st.decimals(
        allow_nan=False, allow_infinity=False, places=2, min_value=0, max_value=10**9
    ),
    day=st.none() | st.dates(),
    kind=st.sampled_from(["a", "b"]),
    paid=st.booleans(),
)
indents = st.sampled_from([None, 1, 2])
prose = st.text(
    alphabet=st.characters(exclude_characters="[]{}\"'`~<>", exclude_categories=["Cs"]), max_size=40
)
pieces = [
    "{",
    "}",
    "[",
    "]",
    '"',
    ":",
    ",",
    "1",
    "null",
    "\\",
    "```",
    "\n",
    "e9",
    "-",
    "NaN",
    "true",
]
pieces += ['"id": 1', '"lines": []', '{"id": 1, "lines": []}', "\x00", "\ufeff", "some words", " "]


def joined(*words: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from([*pieces, *words]), max_size=20).map("".join)


thoughts = st.text(string.printable, max_size=40) | joined()


def written(order: Order, indent: int | None) -> str:
    return json.dumps(order.model_dump(mode="json"), indent=indent, ensure_ascii=False)


@quick
@given(orders, indents)
def test_what_was_written_as_json_is_read_back(order: Order, indent: int | None) -> None:
    assert read(written(order, indent), Order) == Reading(order)


@quick
@given(orders, indents, st.sampled_from(["```", "```json", "````", "~~~", "```text x"]))
def test_a_fence_never_changes_the_value(order: Order, indent: int | None, opening: str) -> None:
    closing = opening.rstrip("jsontex ")
    reading = read(f"{opening}\n{written(order, indent)}\n{closing}", Order)
    assert reading.value == order


@quick
@given(orders, indents, prose, prose)
def test_prose_never_changes_the_value(
    order: Order, indent: int | None, before: str, after: str
) -> None:
    assert read(f"{before}{written(order, indent)} {after}", Order).value == order


@quick
@given(order=orders, indent=indents, thought=thoughts, opened=st.booleans())
def test_a_thought_never_changes_the_value(
    order: Order, indent: int | None, thought: str, *, opened: bool
) -> None:
    opening = "<think>" if opened else "So: "
    thought = thought.replace("<", "(")
    assert read(f"{opening}{thought}</think>\n{written(order, indent)}", Order).value == order


@quick
@given(orders, indents, st.data())
def test_an_answer_that_was_cut_off_is_never_a_value(
    order: Order, indent: int | None, data: st.DataObject
) -> None:
    text = written(order, indent)
    end = data.draw(st.integers(0, len(text) - 1))
    before = data.draw(st.sampled_from(["", "Here:\n", "```json\n", "<think>{</think>\n"]))
    for target in TARGETS:
        reading = read_any(before + text[:end], target)
        assert not reading.ok
        assert kinds(reading) == (["truncated"] if end else ["no_json"])


TARGETS: tuple[object, ...] = (Order, list[Line], dict[str, Any], Line, float, {})
anything = st.text(st.characters(), max_size=60) | joined("<think>", "</think>", "\ud800")


@quick
@given(anything)
@example("\ud800")
@example('"\\ud800"')
@example("[" * 5000)
@example("1" * 5000)
@example('{"id": ' + "1" * 5000 + ', "lines": []}')
def test_no_text_makes_the_reader_fail(text: str) -> None:
    for target in TARGETS:
        reading = read_any(text, target)
        assert reading.ok == (not reading.problems)
        for problem in reading.problems:
            assert len(problem.got) <= 60


@quick
@given(orders, st.data())
def test_no_damage_to_an_answer_makes_the_reader_fail(order: Order, data: st.DataObject) -> None:
    text = written(order, None)
    at = data.draw(st.integers(0, len(text)))
    until = data.draw(st.integers(at, min(len(text), at + 3)))
    mended = data.draw(
        st.sampled_from(["", '"', "}", "]", "{", ",", "null", "\\", "</think>", "9"])
    )
    for target in (Order, {"type": "object"}):
        reading = read_any(text[:at] + mended + text[until:], target)
        assert reading.ok == (not reading.problems)


# --- other people's cases --------------------------------------------------------------------

DECLINED = ("reject", "truncated", "truncated_as_final", "guess_from_prose", "lossy")

NOT_OURS = {
    "baml/test_literals/test_literal_string_uppercase_with_double_quotes": (
        'the answer is the JSON string "TWO" itself: nothing is guessed'
    ),
    "json_repair/test_schema_guided_parse/"
    "test_deep_allof_schema_raises_value_error_instead_of_recursion_error/1": (
        "the case is of a schema too deep to be written down; the one it holds is plain"
    ),
}
OTHERWISE = {
    "baml/mod/test_string_from_string_with_quotes": "a JSON string is read, not quoted",
    "baml/test_basics/test_string": "a JSON string is read, not quoted",
    "baml/test_class/test_multi_fielded_foo": "an absent key isn't made a null",
    "baml/mod/test_string_from_string22": "white space around a bare text isn't its own",
    "json_repair/test_schema_guided_parse/"
    "test_schema_applies_to_valid_json_without_skip_json_loads/3": "a bare text is kept",
    "baml/test_basics/test_localization2": "an absent key isn't made a null",
    "baml/test_unions/test_email_regex": "an absent key isn't made a null",
    "baml/test_class/test_trailing_comma_with_space_last_field_and_extra_text": (
        "a key that the schema allows isn't dropped"
    ),
    "json_repair/test_parse_object/test_parse_object_edge_cases/3": (
        "the last quote ends the string"
    ),
    "json_repair/test_parse_string/test_escaping/4": "a line break in a key is kept",
}
RECOVERED = 150
"""How many of the cases that should be read are; the others have more than one reading."""


def cases(*policies: str) -> list[dict[str, Any]]:
    if not CASES.exists():
        pytest.skip(f"the shared cases aren't here: {CASES}")
    found: list[dict[str, Any]] = json.loads(CASES.read_text())
    return [case for case in found if case["policy"] in policies]


def attempt(case: dict[str, Any]) -> Reading[JsonValue] | None:
    """What is read with the case's schema; None if that is no schema."""
    try:
        return read(case["input"], {} if case["schema"] is None else case["schema"])
    except SchemaError:
        return None


def test_no_case_that_must_be_declined_is_accepted() -> None:
    accepted = set()
    for case in cases(*DECLINED):
        reading = attempt(case)
        if reading is not None and reading.ok:
            accepted.add(case["id"])
    assert accepted == set(NOT_OURS)


def test_the_safe_cases_that_are_read_have_the_expected_value() -> None:
    right, wrong = 0, set()
    for case in cases("safe", "coercion"):
        reading = attempt(case)
        if reading is None or not reading.ok:
            continue
        if reading.value == case["expected"]:
            right += 1
        else:
            wrong.add(case["id"])
    assert wrong == set(OTHERWISE)
    assert right >= RECOVERED


@pytest.mark.parametrize("text", [None, b"{}", 5])
def test_what_is_no_text_is_refused(text: Any) -> None:
    with pytest.raises(DocumentError, match="Pass the answer's text as a str"):
        read(text, Person)
