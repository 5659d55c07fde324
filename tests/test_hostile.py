"""What an attack on reading and repair found, each as it has to be."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict

from extractify import Invalid, read
from extractify.nodes import has_place, put
from extractify.notation import notation
from extractify.patching import patch_for, read_patch
from extractify.reading import read_answer
from extractify.schema import compile_schema
from extractify.validation import without_idle_nulls

if TYPE_CHECKING:
    from extractify.messages import JsonValue


class Number(BaseModel):
    a: int


class Defaults(BaseModel):
    a: int = 1
    b: str = ""


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    a: str


class A(BaseModel):
    k: Literal["a"]
    c: A | B | None = None


class B(BaseModel):
    k: Literal["b"]
    c: A | B | None = None


def kinds(text: str, target: Any) -> list[str]:
    return [problem.kind for problem in read(text, target).problems]


@pytest.mark.parametrize(
    "text", ['```json\n{"a": 1, "a": 2}\n```', 'Here: {"a": 1, "a": 2}', "{'a': 1, 'a': 2}"]
)
def test_a_key_given_twice_is_no_choice(text: str) -> None:
    assert kinds(text, Number) == ["conflict"]


def test_a_key_given_twice_alike_is_one() -> None:
    assert read('Here: {"a": 1, "a": 1}', Number).value == Number(a=1)


def test_a_model_of_defaults_is_never_made_of_nothing_that_was_said() -> None:
    assert read('{"result": {"a": 5}}', Defaults).value == Defaults(a=5)
    assert kinds('{"error": "x"}', Defaults) == ["no_known_key"]
    assert read("{}", Defaults).value == Defaults()
    assert read('{"a": 5}', Defaults).fixes == ()


@pytest.mark.parametrize(
    "leaf", ["1.000", "EUR 1.000", "€ 1.249", "3 MRD", "12 PCT", "NOT 5", "0.123.456"]
)
def test_a_number_that_may_be_another_is_a_problem(leaf: str) -> None:
    assert not read(json.dumps({"a": leaf}), Number).ok


@pytest.mark.parametrize("leaf", ["[1e999]", "[NaN]"])
def test_a_list_that_was_encoded_twice_holds_finite_numbers(leaf: str) -> None:
    class Floats(BaseModel):
        a: list[float]

    assert not read(json.dumps({"a": leaf}), Floats).ok


def test_a_strict_model_takes_no_number_for_text() -> None:
    assert not read('{"a": 12}', Strict).ok


def test_a_thought_is_one_in_capitals_too() -> None:
    assert read('<THINK>{"a": 1}</THINK>{"a": 2}', Number).value == Number(a=2)


def test_nulls_in_a_recursive_union_are_looked_at_once() -> None:
    data: JsonValue = None
    for depth in range(60):
        data = {"k": "ab"[depth % 2], "c": data}
    started = time.process_time()
    assert without_idle_nulls(compile_schema(A | B), data) == data
    assert time.process_time() - started < 5


def test_a_missing_item_behind_the_last_is_patched() -> None:
    class Pair(BaseModel):
        name: str
        text: str
        pair: tuple[int, str]

    schema = compile_schema(Pair)
    data = {"name": "a" * 30, "text": "b" * 30, "pair": [1]}
    patch = patch_for(schema, read_answer(json.dumps(data), schema))
    assert patch is not None
    mended = read_patch('{"patch": {"/pair/1": "x"}}', patch, schema)
    assert mended.value.pair == (1, "x")


def test_no_patch_is_asked_for_a_place_that_is_out_of_reach() -> None:
    data: JsonValue = {"lines": [1, 2], "a": {}}
    reach = {"/lines/1": True, "/lines/2": True, "/lines/3": False, "/lines/01": False}
    reach |= {"/lines/\u0663": False, "/none/1": False, "/a/new": True}
    assert {pointer: has_place(data, pointer) for pointer in reach} == reach
    assert put(data, {"/lines/9": 9, "/lines/x": 9, "/none/1": 9}) == data


def test_a_reply_that_gives_a_place_twice_is_no_patch() -> None:
    class Wide(BaseModel):
        name: str
        text: str
        count: int

    schema = compile_schema(Wide)
    data = {"name": "a" * 30, "text": "b" * 30, "count": "many"}
    patch = patch_for(schema, read_answer(json.dumps(data), schema))
    assert patch is not None
    assert not read_patch('{"patch": {"/count": 5, "/count": 6}}', patch, schema).ok


def test_a_pointer_without_its_slash_gets_one() -> None:
    assert Invalid("lines/0", "bad").pointer == "/lines/0"
    assert Invalid("", "bad").pointer == ""


def test_the_reprs_of_readings_hold_no_word_of_the_answer() -> None:
    assert "Zyxomma" not in repr(read('x {"a": "Zyxomma"}', Number))
    assert "Zyxomma" not in repr(read('{"b": "Zyxomma"}', Defaults))


class Person(BaseModel):
    name: str
    age: int


class Team(BaseModel):
    lead: Person


class Prices(BaseModel):
    prices: list[Decimal]


CALL = '<invoke name="x"><parameter name="name">Ada</parameter><parameter name="age">36</parameter>'
CALL += "</invoke>"
CALL_OF_A_TEAM = '<invoke name="x"><parameter name="lead">{"name": "A", "age": 1, "age": 2}'
CALL_OF_A_TEAM += "</parameter></invoke>"
TWICE = ['{"a": "1"} {"a": 1}', '{"a": 1}\n{"a": 1.0}', '{"a": 1}{"A": 1}']


@pytest.mark.parametrize(
    ("text", "target"),
    [
        (r'{"lead": "{\"name\": \"Ada\", \"age\": 36, \"age\": 37}"}', Team),
        (r'{"lead": "{\"name\": \"Ada\", \"age\": 36, \"Age\": 37}"}', Team),
        (r'{"name": "f", "arguments": "{\"name\": \"Ada\", \"age\": 36, \"age\": 37}"}', Person),
        (r'"{\"name\": \"Ada\", \"age\": 36, \"age\": 37}"', Person),
        (CALL_OF_A_TEAM, Team),
    ],
)
def test_a_key_given_twice_in_json_that_was_encoded_twice_is_no_choice(
    text: str, target: Any
) -> None:
    assert not read(text, target).ok


def test_digits_of_json_that_was_encoded_twice_are_kept() -> None:
    text = '{"prices": "[1.234567890123456789012345]"}'
    assert read(text, Prices).value.prices == [Decimal("1.234567890123456789012345")]


def test_json_that_was_encoded_twice_in_a_patch_is_no_choice_either() -> None:
    schema = compile_schema(dict[str, dict[str, int]])
    text = json.dumps({"a" * 60: {"k": 1}, "b": {"k": 2}, "c": {"k": 3}, "d": 4})
    patch = patch_for(schema, read_answer(text, schema))
    assert patch is not None
    twice = read_patch(json.dumps({"/d": '{"k": 4, "k": 5}'}), patch, schema)
    assert not twice.ok
    once = read_patch(json.dumps({"/d": '{"k": 4}'}), patch, schema)
    assert once.value["d"] == {"k": 4}


def test_a_call_and_another_answer_beside_it_are_two() -> None:
    assert read(CALL, Person).value == Person(name="Ada", age=36)
    assert kinds(CALL + ' {"name": "Ada", "age": 37}', Person) == ["ambiguous"]
    assert kinds('{"name": "Ada", "age": 37}' + CALL, Person) == ["ambiguous"]


def test_a_call_and_the_same_answer_beside_it_are_one() -> None:
    text = CALL + ' {"name": "Ada", "age": 36}'
    assert read(text, Person).value == Person(name="Ada", age=36)


def test_an_answer_beside_a_call_that_is_none_says_so() -> None:
    call = '<invoke name="x"><parameter name="name">Ada</parameter></invoke>'
    reading = read(call + ' {"name": "Ada", "age": 36}', Person)
    assert reading.value == Person(name="Ada", age=36)
    assert [fix.kind for fix in reading.fixes] == ["prose"]


@pytest.mark.parametrize("text", TWICE)
def test_one_value_in_two_spellings_is_one_answer(text: str) -> None:
    assert read(text, Number).value == Number(a=1)


def test_true_is_no_other_spelling_of_1() -> None:
    target = {"type": "object", "required": ["a"]}
    assert kinds('{"a": true}{"a": 1}', target) == ["ambiguous"]


@pytest.mark.parametrize("tag", ["thought", "reasoning", "Reflection", "scratchpad"])
def test_a_draft_in_a_thought_of_another_name_is_no_answer(tag: str) -> None:
    draft = f'<{tag}>Perhaps {{"a": 1}}</{tag}>'
    assert not read(f"{draft}\nI can't tell.", Number).ok
    assert read(f'{draft}\n{{"a": 2}}', Number).value == Number(a=2)


ITEMS = [
    ('{"a": 1}\n{"a": "x"}', "/1/a"),
    ('Item 1: {"a": 1}\nItem 2: {"a": "two"}', "/1/a"),
    ('{"a": 1}\n{"error": "no"}', "/1/a"),
    ('{"a": 1, "a": 2}\n{"a": 3}', ""),
    ('{"result": {"a": 1}}\n{"a": 2}', "/0/a"),
]


@pytest.mark.parametrize(("text", "pointer"), ITEMS)
def test_of_several_items_none_is_dropped(text: str, pointer: str) -> None:
    reading = read(text, list[Number])
    assert [problem.pointer for problem in reading.problems] == [pointer]
    assert not read(text, list[Number] | None).ok


class Note(BaseModel):
    title: str
    text: str | None


class Letter(BaseModel):
    notes: list[Note]
    tone: Literal["kind", "stern"]


ANSWERS = [
    (Note, '{"title": "T", "text": "x"}'),
    (list[Note], '{"title": "T", "text": "x"}'),
    (Letter, '{"notes": [], "tone": "kind"}'),
    (dict[str, int], '{"a": 1}'),
]


@pytest.mark.parametrize(("target", "answer"), ANSWERS)
@pytest.mark.parametrize("envelope", [None, "result"])
def test_the_types_that_were_shown_are_no_answer_and_hide_none(
    target: Any, answer: str, envelope: str | None
) -> None:
    types = notation(compile_schema(target), envelope=envelope)
    assert not read(types, target).ok
    for text in (f"{types}\n{answer}", f"```typescript\n{types}\n```\n```json\n{answer}\n```"):
        reading = read(text, target)
        assert reading.value == read(answer, target).value
        assert reading.fixes


@pytest.mark.parametrize("text", ["{title: string, text: string | null}", '{"title": str}'])
def test_bare_names_of_types_are_no_values(text: str) -> None:
    assert kinds(text, Note) == ["schema_echo"]
    answer = text + '\n{"title": "T", "text": "string"}'
    assert read(answer, Note).value == Note(title="T", text="string")


def test_a_word_that_is_a_type_is_an_answer_where_a_text_is_wanted() -> None:
    assert read("string", str).value == "string"


def test_a_tag_that_a_container_encloses_is_a_word_of_the_answer() -> None:
    text = "[{'title': 'a </think> b', 'text': 'x'}, {'title': 'T', 'text': None}]"
    assert [note.title for note in read(text, list[Note]).value] == ["a </think> b", "T"]
    assert not read(f"Here: {text}", list[Note]).ok  # or a draft, and what was left of it
    assert not read("{'</think>': 1}\n{}", dict[str, int]).ok


def test_a_bracket_of_prose_before_a_tag_is_no_container() -> None:
    assert read('Is it [1</think>{"a": 2}', Number).value == Number(a=2)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("integer[]\n[1, 2,]", list[int]),
        ("Type list[1] of it", list[int]),
        (r'Here: "[\"a\"]", as in [1].', list[str]),
        (r'Example: ["a"]. Answer: "[\"b\"]"', list[str]),
    ],
)
def test_no_list_beside_the_answer_is_taken_for_it(text: str, target: Any) -> None:
    assert not read(text, target).ok


def test_a_string_between_two_kinds_of_quotes_doesnt_swallow_those_behind() -> None:
    assert not read('[\u201ca", "b", "c"]', list[str]).ok


@pytest.mark.parametrize("answer", ["[3, 4,]", "[3 4]", "[3,, 4]", "[,3, 4]"])
def test_an_example_isnt_taken_for_a_list_that_cannot_be_read(answer: str) -> None:
    reading = read(f"Example: [1, 2]. Answer: {answer}", list[int])
    assert not reading.ok or reading.value == [3, 4]
