"""extractify.parsing: which JSON values stand in an answer, and which only seem to."""

from __future__ import annotations

import json
import time

import pytest

from extractify.messages import Fix, JsonValue
from extractify.parsing import MAX_DEPTH, MAX_RESTARTS, candidates

PERSON = '{"name": "Ada", "age": 36}'
ADA: JsonValue = {"name": "Ada", "age": 36}
DRAFT = '{"name": "draft", "age": 1}'


def values(text: str) -> list[JsonValue]:
    return [candidate.value for candidate in candidates(text).found]


def fixes(text: str) -> list[str]:
    (only,) = candidates(text).found
    return [fix.kind for fix in only.fixes]


@pytest.mark.parametrize("text", [PERSON, f"\n\t {PERSON}\r\n ", f"\ufeff{PERSON}"])
def test_an_answer_that_is_json_is_the_one_candidate_and_needs_no_fix(text: str) -> None:
    found = candidates(text)
    assert [(each.value, each.fixes) for each in found.found] == [(ADA, ())]
    assert not found.truncated


@pytest.mark.parametrize("text", ["42", "-1.5e3", '"a [b"', "true", "null", "[]", "{}"])
def test_every_kind_of_json_value_is_a_candidate(text: str) -> None:
    assert values(text) == [json.loads(text)]


@pytest.mark.parametrize("text", ["", "   ", "none", "I found 42 invoices.", '"unclosed', "{,}"])
def test_a_text_without_json_has_no_candidate(text: str) -> None:
    assert candidates(text).found == ()
    assert not candidates(text).truncated


# --- fences ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{PERSON}\n```",
        f"```\n{PERSON}\n```",
        f"```python\n{PERSON}\n```",
        f"```JSON5 title=answer\r\n{PERSON}\r\n```\r\n",
        f"~~~json\n{PERSON}\n~~~",
        f"````\n{PERSON}\n````",
        f"   ```json\n   {PERSON}\n   ```",
        f"Here it is:\n\n```json\n{PERSON}\n```\n\nAnything else?",
    ],
)
def test_a_fence_around_the_answer_is_passed_over_and_recorded(text: str) -> None:
    assert values(text) == [ADA]
    assert fixes(text) == ["fence"]


@pytest.mark.parametrize(
    "text", [f"```json\n{PERSON}", f"```json\n{PERSON}\n``", f"```{PERSON}```"]
)
def test_a_whole_object_needs_no_closing_fence(text: str) -> None:
    assert values(text) == [ADA]


@pytest.mark.parametrize("scalar", ["42", '"Ada"', "true", "null"])
def test_a_scalar_is_read_out_of_a_fence(scalar: str) -> None:
    text = f"The answer:\n```json\n{scalar}\n```\nDone."
    assert values(text) == [json.loads(scalar)]
    assert fixes(text) == ["fence"]


def test_a_scalar_in_a_fence_that_is_still_open_is_truncated() -> None:
    found = candidates("```json\n4")
    assert found.found == ()
    assert found.truncated


def test_a_fence_inside_a_string_belongs_to_the_string() -> None:
    answer = {"code": "```python\nprint('{')\n```", "note": "~~~"}
    text = f"```json\n{json.dumps(answer, indent=1)}\n```"
    assert values(text) == [answer]


def test_a_longer_fence_holds_a_shorter_one_as_text() -> None:
    assert values("````\n```json\n42\n```\n````\n```\n7\n```") == [7]


def test_two_fences_are_two_candidates() -> None:
    assert values(f"```json\n{PERSON}\n```\nor\n```json\n{DRAFT}\n```") == [ADA, json.loads(DRAFT)]


# --- thoughts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "thought",
    [
        f"<think>{DRAFT}</think>",
        f"<thinking>\nPerhaps {DRAFT}?\n</thinking>\n\n",
        f"Perhaps {DRAFT}?\n</think>\n\n",
        f"<think>{DRAFT}</think>\n<think>or {DRAFT}</think>\n",
        f"{DRAFT}</think>{DRAFT}</think>",
        '<think>a { and a [1, and a " quote</think>',
        'Begin with {"name": "dra\n</think>\n',
        "it says [1, 2 and {\n\n</think>\n\n",
        'She said "no [and {"name": </think>\n',
    ],
)
@pytest.mark.parametrize("answer", [PERSON, f"```json\n{PERSON}\n```", f"Here: {PERSON}."])
def test_a_draft_inside_a_thought_is_never_a_candidate(thought: str, answer: str) -> None:
    assert values(thought + answer) == [ADA]
    assert fixes(thought + answer)[0] == "thought"


@pytest.mark.parametrize(
    "text",
    [
        f"<think>{DRAFT}",
        f"<think>{DRAFT}</think>",
        f"{DRAFT}</think>",
        f"{DRAFT}\n</think>\n",
        f"<think>so far {DRAFT} and",
    ],
)
def test_a_thought_with_nothing_behind_it_has_no_candidate(text: str) -> None:
    assert candidates(text).found == ()


def test_a_thought_that_opens_behind_the_answer_is_left_out() -> None:
    assert values(f"{PERSON}\n<think>or {DRAFT}?") == [ADA]


@pytest.mark.parametrize("prefix", ["", "Here: ", f"<think>{DRAFT}</think>", "```json\n"])
@pytest.mark.parametrize("tag", ["</think>", "<think>", "</thinking>", "a</think>b <think>"])
def test_a_tag_inside_a_string_belongs_to_the_answer(prefix: str, tag: str) -> None:
    answer = {"text": f"the {tag} tag", "list": [1]}
    assert values(prefix + json.dumps(answer)) == [answer]


def test_a_scalar_behind_a_thought_is_the_answer() -> None:
    assert values("<think>41 or 42</think>\n42\n") == [42]


# --- prose -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"Sure! {PERSON}",
        f"{PERSON}\n\nLet me know if you need more.",
        f'The "person" is {PERSON}, isn\'t it?',
        f"A 5\" pipe, a 6' pole: {PERSON}",
        f"a ] b }} c {PERSON} d ] e }}",
        f"]\n{PERSON}",
        f"the field [sic is {PERSON}",
        f'[sic" {PERSON}',
        f"Use {{name}} and {{age}}: {PERSON}",
        f"Ages [5-9] and [a, b]: {PERSON}",
    ],
)
def test_prose_with_stray_brackets_and_quotes_is_passed_over(text: str) -> None:
    assert values(text) == [ADA]
    assert fixes(text) == ["prose"]


def test_a_quote_behind_many_stray_brackets_may_hide_the_answer_and_never_gives_another() -> None:
    assert values("[sic " * MAX_RESTARTS + f'5" {PERSON}') == []
    assert values("[sic " * (MAX_RESTARTS - 1) + f'5" {PERSON}') == [ADA]


def test_a_citation_is_a_candidate_beside_the_answer() -> None:
    assert values(f"{PERSON} (source [1])") == [ADA, [1]]


def test_a_container_inside_another_is_no_candidate() -> None:
    answer = {"items": [{"a": 1}, {"a": [2]}]}
    assert values(f"Here: {json.dumps(answer)}.") == [answer]


def test_a_number_in_prose_is_no_candidate() -> None:
    assert values("The total is 42, or perhaps 43.") == []


def test_objects_that_say_the_same_are_one_candidate() -> None:
    assert values(f'{PERSON} that is {{"age":36,"name":"Ada"}}') == [ADA]


def test_objects_that_differ_are_each_a_candidate() -> None:
    assert values(f"{PERSON} or {DRAFT}\n{PERSON}") == [ADA, json.loads(DRAFT)]


@pytest.mark.parametrize(
    "text",
    [
        f'{PERSON}, "city": "London"}}',
        f'For example {PERSON}. The answer: {{"name": "Bob", "age": }}',
        f"For example {PERSON}. The answer: {{'name' 'Bob'}}",
    ],
)
def test_another_container_is_never_taken_for_one_that_cannot_be_read(text: str) -> None:
    assert candidates(text).found == ()


@pytest.mark.parametrize(
    "answer", ['{"name": "Bob", "age": 7,}', "{'name': 'Bob', 'age': 7}", '{name: "Bob", age: 7}']
)
def test_a_container_with_mistakes_is_a_candidate_like_others(answer: str) -> None:
    bob = {"name": "Bob", "age": 7}
    assert values(f"For example {PERSON}. The answer: {answer}") == [ADA, bob]
    assert values(f"```json\n{answer}\n```") == [bob]
    assert values(f"<think>{PERSON}</think>{answer}") == [bob]
    assert set(fixes(answer)) <= {"comma", "quote", "key"}


def test_one_closer_too_many_behind_all_is_left_out() -> None:
    assert values(f"{PERSON}}}") == [ADA]
    assert fixes(f"{PERSON}}}") == ["bracket"]


def test_a_key_that_is_given_twice_is_a_conflict() -> None:
    (candidate,) = candidates('{"name": "Ada", "name": "Bob",}').found
    assert candidate.conflicts == ("/name",)


# --- truncation ------------------------------------------------------------------------------

ANSWERS: tuple[JsonValue, ...] = (
    {"name": 'Ada "the" [first]', "tags": ["x", "}"], "inner": {"a": {"b": [1, 2.5, None]}}},
    [{"a": 1}, {"a": 2}, [], {}, True, "]"],
    {"text": 'the </think> tag, <think>, [5] and {"total": 5}', "n": [5]},
    {"a": {"result": {"a": 1}}, "ünï": "\u00fc\U0001f600\\"},
)
PREFIXES = ("", "Here is the answer:\n", "```json\n", "<think>[5] {</think>\n", "\ufeff")


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_cut_anywhere_is_truncated_and_never_another_value(
    answer: JsonValue, indent: int | None, prefix: str
) -> None:
    body = json.dumps(answer, indent=indent, ensure_ascii=False)
    raw = (prefix + body).encode()
    begun = len(prefix.encode())
    for end in range(begun + 1, len(raw)):
        found = candidates(raw[:end].decode(errors="replace"))
        assert found.found == (), raw[:end]
        assert found.truncated, raw[:end]
    assert values(prefix + body) == [answer]


@pytest.mark.parametrize(
    "text",
    [
        "{'invoice': {\"total\": 5}",
        '{invoice: {"total": 5}',
        '{"lines": [{"total": 5}, {"total": 6}',
        '{ // the invoice\n "invoice": {"total": 5}',
        "['a', {\"total\": 5}",
        '[None, {"total": 5}',
        '{\u201cinvoice\u201d: {"total": 5}',
        'Here: {"total": 5}\nand {',
        'Here: {"total": 5}\nand [',
        '{"a": "it\'s", \'b\': {"total": 5}',
    ],
)
def test_what_stands_in_an_unclosed_container_is_no_candidate(text: str) -> None:
    found = candidates(text)
    assert found.found == ()
    assert found.truncated


# --- bounds ----------------------------------------------------------------------------------


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("around", ["{}", "Here: {}", "```json\n{}\n```"])
def test_nesting_is_read_up_to_a_bound(around: str) -> None:
    assert len(values(around.format(nested(MAX_DEPTH - 1)))) == 1
    assert values(around.format(nested(MAX_DEPTH + 1))) == []
    assert values(around.format(nested(10_000))) == []


MEGABYTE = 1_000_000


@pytest.mark.slow
@pytest.mark.no_cover
@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{" * 100_000,
        '{"a":' * 50_000,
        '{"value":1}' * 50_000,
        "".join(f'{{"value":{number}}} ' for number in range(5_000)),
        "```json\n42\n```\n" + "x" * MEGABYTE + "\n```json\n42\n```",
        "```json\n42\n```\n" * 10_000,
        "```json\n" * 50_000,
        "`" * MEGABYTE,
        "~" * MEGABYTE,
        '{"a: x' + ", k: v" * 140_000,
        '{"a": "' + "\\" * MEGABYTE,
        '"' * 100_000,
        '["' * 50_000,
        '["' * 50_000 + '"',
        '[x" ' * 20_000,
        '[x" ' * 20_001,
        "[x " * 50_000,
        "<think>" * 50_000,
        "</think>" * 50_000,
        "<think></think>" * 20_000,
        "{</think>\n" * 50_000,
        "[x</think>\n" * 50_000,
        "{" + " " * MEGABYTE,
        "[" + " " * MEGABYTE + "x",
        "[a" * 50_000 + "]" * 50_000,
        "{" + "a" * MEGABYTE,
        "[" + "a" * MEGABYTE,
        " " * MEGABYTE + "x",
    ],
    ids=lambda text: f"{text[:12]!r}",
)
def test_a_megabyte_of_anything_is_scanned_in_linear_time(text: str) -> None:
    started = time.process_time()
    candidates(text)
    assert time.process_time() - started < 5  # quadratic would be minutes


def test_the_source_of_a_candidate_is_kept() -> None:
    (only,) = candidates(f"So: {PERSON}!").found
    assert only.text == PERSON
    assert only.fixes == (Fix("", "prose"),)
