"""extractify.forms: what an answer may be, other than the value that was asked for."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict

from extractify.messages import Fix
from extractify.reading import Reading, read, read_answer
from extractify.schema import compile_schema


class Person(BaseModel):
    name: str
    age: int = 0


class Team(BaseModel):
    members: list[Person]


class Word(BaseModel):
    word: str


class Count(BaseModel):
    count: int


class Pair(BaseModel):
    left: str | None = None
    right: str | None = None


class Column(BaseModel):
    title: str
    type: str
    description: str | None = None


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    born: int


ADA = Person(name="Ada", age=36)
PERSON = '{"name": "Ada", "age": 36}'
ASKED: Any = compile_schema(Person).asked


def read_any(text: str, target: object) -> Reading[Any]:
    return read_answer(text, compile_schema(target))


def kinds(reading: Reading[Any]) -> list[str]:
    return [problem.kind for problem in reading.problems]


def fixes(reading: Reading[Any]) -> list[tuple[str, str]]:
    return [(fix.kind, fix.got) for fix in reading.fixes]


# --- wrappers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'{{"properties": {PERSON}}}', [("envelope", "properties")]),
        (
            f'{{"type": "object", "properties": {PERSON}, "required": ["name"]}}',
            [("envelope", "properties")],
        ),
        (f'{{"properties": {{"result": {PERSON}}}}}', [("envelope", "properties")] * 1),
        (f'{{"Person": {PERSON}}}', [("envelope", "Person")]),
        (f'{{"person": {PERSON}}}', [("envelope", "person")]),
        (f'{{"data": {PERSON}}}', [("envelope", "data")]),
        (
            f'{{"response": {{"answer": {PERSON}}}}}',
            [("envelope", "response"), ("envelope", "answer")],
        ),
        (f"[{PERSON}]", [("list", "")]),
        (f'{{"data": [{PERSON}]}}', [("envelope", "data"), ("list", "")]),
        (f'{{"name": "extract", "arguments": {PERSON}}}', [("call", "")]),
        (json.dumps({"name": "extract", "arguments": PERSON}), [("call", "")]),
        (f'{{"name": "extract", "parameters": {PERSON}}}', [("call", "")]),
        (
            f'{{"type": "function", "function": {{"name": "x", "arguments": {PERSON}}}}}',
            [("call", ""), ("call", "")],
        ),
    ],
)
@pytest.mark.parametrize("around", ["{}", "Here it is:\n{}\n", "```json\n{}\n```"])
def test_a_value_is_found_inside_of_what_models_wrap_it_in(
    text: str, expected: list[tuple[str, str]], around: str
) -> None:
    reading = read(around.replace("{}", text), Person)
    assert reading.ok
    assert reading.value == ADA
    shown = [each for each in fixes(reading) if each not in {("prose", ""), ("fence", "")}]
    assert shown[: len(expected)] == expected


@pytest.mark.parametrize("target", [Person, Closed, Pair])
@pytest.mark.parametrize("key", ["error", "example", "previous", "not_the_answer", "schema"])
def test_an_unknown_wrapper_is_never_opened(target: type[BaseModel], key: str) -> None:
    inner = {"name": "Ada", "age": 36, "born": 1815, "left": "a"}
    assert not read(json.dumps({key: inner}), target).ok


def test_a_wrapper_that_the_target_declares_is_its_own() -> None:
    class Data(BaseModel):
        data: dict[str, int]

    assert read('{"data": {"data": 1}}', Data).value == Data(data={"data": 1})
    assert kinds(read('{"data": {"data": {"x": "y"}}}', Data)) != []


def test_a_call_whose_arguments_are_cut_off_is_no_value() -> None:
    text = json.dumps({"name": "extract", "arguments": PERSON[:-5]})
    assert not read(text, Person).ok


def test_a_list_of_two_is_never_one() -> None:
    assert not read(f'[{PERSON}, {{"name": "Bob"}}]', Person).ok


def test_wrappers_of_wrappers_are_opened_a_few_times_only() -> None:
    text = PERSON
    for _ in range(40):
        text = f'{{"data": {text}}}'
    assert not read(text, Person).ok


def test_a_list_is_found_under_the_key_of_its_items() -> None:
    text = f'{{"items": [{PERSON}]}}'
    assert read(text, list[Person]).value == [ADA]
    assert not read(f'{{"rejected": [{PERSON}]}}', list[Person]).ok


def test_one_object_is_a_list_of_one_where_a_list_is_wanted() -> None:
    reading = read(PERSON, list[Person])
    assert reading == Reading([ADA], (Fix("", "items"),))
    assert not read('{"error": "no person"}', list[Person]).ok
    assert not read('{"error": "no person"}', list[Pair]).ok


# --- a bare value for a model of one field ---------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1214", Count(count=1214)),
        ('"hello"', Word(word="hello")),
        (f"[{PERSON}]", Team(members=[ADA])),
        (f"So: [{PERSON}]", Team(members=[ADA])),
    ],
)
def test_a_bare_value_is_the_one_field_of_its_model(text: str, value: BaseModel) -> None:
    reading = read(text, type(value))
    assert reading.ok
    assert reading.value == value
    assert reading.fixes[-1].kind == "field"


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("My inner string", Word),
        ("There are none [1].", Count),
        ("There are none [1].", list[int] | Count),
        ('"none"', Count),
        ('{"error": "none"}', Word),
        ("1214", Person),
        ("null", Word),
    ],
)
def test_a_bare_value_that_may_be_something_else_is_no_value(text: str, target: Any) -> None:
    reading = read_any(text, target)
    assert not reading.ok or reading.value == [1]


# --- the schema itself -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "echo",
    [
        ASKED,
        {"properties": ASKED["properties"]},
        {"type": "object", "properties": {"result": ASKED}},
        {"result": ASKED},
        {**ASKED, "title": "Person", "description": "Somebody."},
        Person.model_json_schema(),
        {"properties": {"name": {"type": "string", "description": "Whose?"}}},
    ],
)
@pytest.mark.parametrize("target", [Person, Pair, Column])
def test_the_schema_is_never_a_value(echo: dict[str, Any], target: type[BaseModel]) -> None:
    for text in (json.dumps(echo), f"Sure:\n```json\n{json.dumps(echo, indent=1)}\n```"):
        assert kinds(read(text, target)) == ["schema_echo"]


def test_a_value_behind_its_schema_is_the_value() -> None:
    text = f"Schema:\n```json\n{json.dumps(ASKED)}\n```\nAnswer:\n```json\n{PERSON}\n```"
    assert read(text, Person).value == ADA


@pytest.mark.parametrize("target", [list[Person], int, Literal["a", "b"]])
def test_the_schema_of_a_target_that_is_no_object_is_never_a_value(target: Any) -> None:
    echo = compile_schema(target).asked
    for text in (json.dumps(echo), json.dumps({"type": "object", "properties": {"result": echo}})):
        assert kinds(read_any(text, target)) == ["schema_echo"]


def test_a_value_that_looks_like_a_part_of_a_schema_is_a_value() -> None:
    text = '{"title": "Price", "type": "number", "description": "In euros."}'
    assert read(text, Column).value == Column(title="Price", type="number", description="In euros.")
    assert read("{}", {}).value == {}
    assert read('{"type": "string"}', {}).value == {"type": "string"}


@pytest.mark.parametrize("kind", [[{}], {}, 5, None, [None], []])
def test_what_has_a_type_that_is_none_is_judged_like_any_answer(kind: Any) -> None:
    text = json.dumps({"properties": {"name": {"type": kind}}, "type": kind})
    for target in (Person, list[Person], Literal["a"], {"type": ["object", "null"]}):
        reading = read_any(text, target)
        assert reading.ok == (target == {"type": ["object", "null"]})


def test_a_target_that_declares_properties_is_never_taken_for_an_echo() -> None:
    class Feature(BaseModel):
        type: str
        properties: dict[str, dict[str, str]]

    text = '{"type": "Feature", "properties": {"name": {"type": "string"}}}'
    assert read(text, Feature).value.properties == {"name": {"type": "string"}}


# --- calls in markup -------------------------------------------------------------------------


class Order(BaseModel):
    id: str
    quantity: int
    note: str | None
    lines: list[Person] = []
    paid: bool = False


BODY = f'{{"id": "0042", "quantity": 3, "note": null, "lines": [{PERSON}], "paid": true}}'
ORDER = Order(id="0042", quantity=3, note=None, lines=[ADA], paid=True)


@pytest.mark.parametrize(
    "text",
    [
        f"""<minimax:tool_call>
<invoke name="extract">
<parameter name="id">0042</parameter>
<parameter name="quantity">3</parameter>
<parameter name="note">null</parameter>
<parameter name="lines">[{PERSON}]</parameter>
<parameter name="paid">true</parameter>
</invoke>
</minimax:tool_call>""",
        f"""<tool_call>
<function=extract>
<parameter=id>
0042
</parameter>
<parameter=quantity>
3
</parameter>
<parameter=note>
null
</parameter>
<parameter=lines>
[{PERSON}]
</parameter>
<parameter=paid>
True
</parameter>
</function>
</tool_call>""",
        f'<tool_call>{{"name": "extract", "arguments": {BODY}}}</tool_call>',
        f'<minimax:tool_call><invoke name="extract">{BODY}</invoke></minimax:tool_call>',
    ],
)
@pytest.mark.parametrize("before", ["", "<think>id 7?</think>\n", "I'll call the tool.\n"])
def test_a_tool_call_in_markup_is_read(text: str, before: str) -> None:
    assert read(before + text, Order).value == ORDER


WORD_A = '<parameter name="word">a</parameter>'
WORD_B = '<parameter name="word">b</parameter>'


def test_a_call_in_a_thought_is_no_answer() -> None:
    call = '<invoke name="x"><parameter name="word">draft</parameter></invoke>'
    text = f"<think>{call}</think>\n{call.replace('draft', 'answer')}"
    assert read(text, Word).value == Word(word="answer")
    assert not read(f"<think>{call}</think>", Word).ok


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('<invoke name="x"><parameter name="word">cut off', "truncated"),
        ('<invoke name="x"><parameter name="word">a</parameter>', "truncated"),
        (f'<invoke name="x">{WORD_A}{WORD_B}</invoke>', "conflict"),
        (f'<invoke name="x">{WORD_A}</invoke><invoke name="x">{WORD_B}</invoke>', "ambiguous"),
    ],
)
def test_a_call_that_says_no_one_thing_is_no_value(text: str, kind: str) -> None:
    assert kinds(read(text, Word)) == [kind]


def test_the_argument_of_a_call_keeps_its_quotes_and_lines() -> None:
    text = '<invoke name="x"><parameter name="word">a "b"\n{c}</parameter></invoke>'
    assert read(text, Word).value == Word(word='a "b"\n{c}')
