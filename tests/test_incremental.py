"""extractify.incremental: a JSON value read while it arrives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractify.growing import Tree
from extractify.incremental import LONGEST_TOKEN, Parser
from extractify.lenient import MAX_DEPTH
from extractify.parsing import candidates
from tests.cutting import cut, written


def parsed(*chunks: str) -> tuple[Any, Parser]:
    tree = Tree(None, lambda *_: None)
    parser = Parser(tree)
    for chunk in chunks:
        parser.feed(chunk)
    return tree.value, parser


@settings(deadline=None)
@given(data=st.data())
def test_any_json_in_any_formatting_and_any_chunks_is_read_as_it_is(data: st.DataObject) -> None:
    value, text = data.draw(written())
    chunks = data.draw(cut(text))
    found, parser = parsed(*chunks)
    assert found == value
    assert parser.done
    assert not parser.waits


BEFORE = ["", "\n\n", "\ufeff", "```json\n", "~~~\n", '<think>{"a": 1}</think>\n', "so {x}</think>"]
BEFORE += ["<thinking>\n[1]\n</thinking>```\n"]
BEHIND = ["", "\n```", "\nThat is it.", " {", "</think>"]


@settings(deadline=None)
@given(data=st.data(), before=st.sampled_from(BEFORE), behind=st.sampled_from(BEHIND))
def test_what_stands_around_the_value_is_passed_over(
    data: st.DataObject, before: str, behind: str
) -> None:
    value, text = data.draw(written())
    found, parser = parsed(*data.draw(cut(before + text + behind)))
    assert found == value
    assert parser.done


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': 'x', \"b\": 1,}", {"a": "x", "b": 1}),
        ("{a: 1, b_2: 'x', c: True}", {"a": 1, "b_2": "x", "c": True}),
        ('{"a": None, "b": FALSE, "c": undefined}', {"a": None, "b": False, "c": None}),
        ('{"a": 1 // one\n, /* two * / */ "b": # three\n 2}', {"a": 1, "b": 2}),
        ('{# one\n"a": [1, // two\n 2, /**/]}', {"a": [1, 2]}),
        ('{"a": {"b": 1}\n"c": [{} {}]}', {"a": {"b": 1}, "c": [{}, {}]}),
        ("{\u201ca\u201d: \u2018x\u2019}", {"a": "x"}),
        ('{"a": "line one\nline two"}', {"a": "line one\nline two"}),
        (r'{"a": "it\'s \/ \u00e9 \ud83d\ude00"}', {"a": "it's / é 😀"}),
        ("[1, 2, 3,]", [1, 2, 3]),
        ("[-0.5, 1e3, 12345678901234567890]", [-0.5, 1000.0, 12345678901234567890]),
        ("{\n}", {}),
        ('{"a": 1, }', {"a": 1}),
    ],
)
def test_it_mends_what_the_reader_mends(text: str, value: object) -> None:
    assert [each.value for each in candidates(text).found] == [value]
    for chunks in ([text], list(text)):
        found, parser = parsed(*chunks)
        assert found == value
        assert parser.done


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1, "b": "say "no" twice"}', {"a": 1, "b": "say "}),
        ('{"a": 1, "b": 1,234}', {"a": 1}),
        ('{"a": 1, "b": 12 pieces}', {"a": 1}),
        ('{"a": 1, "a": 2}', {"a": 1}),
        ('{"a": 1, "b": "12", 14" pipes"}', {"a": 1, "b": "12"}),
        ('{"a": 1, "b": "x" "c": 2}', {"a": 1, "b": "x"}),
        ('{"a": 1, b c: 2}', {}),
        ('{"a": 1, "b": NaN}', {"a": 1}),
        ('{"a": 1, "b": 1e999}', {"a": 1}),
        ('{"a": 1, "b": 01}', {"a": 1}),
        ('{"a": 1, "b": (2)}', {"a": 1}),
        (r'{"a": 1, "b": "C:\q"}', {"a": 1, "b": "C:"}),
        ('{"a": 1, "b" 2}', {"a": 1}),
        ('{"a": 1, "b": ]}', {"a": 1}),
        ('{"a": 1, "b": {"c": 1]}', {"a": 1, "b": {}}),
        ('{"a": 1, -: 2}', {}),
        ('{"a": 1 /x}', {}),
        ('{"a": 1 "b": 2}', {}),
        ('{"a": [1,,2]}', {"a": [1]}),
        (f'{{"a": 1, "b": {"1" * (LONGEST_TOKEN + 1)}}}', {"a": 1}),
        (f'{{"a": 1, {"k" * (LONGEST_TOKEN + 1)}: 2}}', {}),
        ('Here it is: {"a": 1}', None),
        ('```json {"a": 1}', None),
        ('<div>{"a": 1}', None),
        ('`{"a": 1}', None),
        ("7", None),
    ],
)
def test_what_the_whole_text_has_to_tell_is_not_told_before(text: str, value: object) -> None:
    for chunks in ([text], list(text)):
        found, parser = parsed(*chunks)
        assert found == value
        assert not parser.done


def test_what_is_nested_too_deep_is_not_read() -> None:
    assert parsed("[" * MAX_DEPTH + "]" * MAX_DEPTH)[1].done
    assert parsed("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))[1].waits


def test_a_number_is_told_only_when_it_is_complete() -> None:
    assert parsed('{"a": 12')[0] == {}
    assert parsed('{"a": 12', ".5")[0] == {}
    assert parsed('{"a": 12', ".5}")[0] == {"a": 12.5}
    assert parsed("[tru", "e")[0] == []
    assert parsed("[1,")[0] == [1]


def test_a_string_grows_and_no_escape_is_shown_in_halves() -> None:
    seen = []
    tree = Tree(None, lambda *_: None)
    parser = Parser(tree)
    for chunk in ['{"a": "x', "\\", "n", "\\u00", "e9", "\\ud83d", "\\u", "de00", '"', "}"]:
        parser.feed(chunk)
        seen.append(dict(tree.value) if isinstance(tree.value, dict) else {})
    texts = ["x", "x", "x\n", "x\n", "x\né", "x\né", "x\né", "x\né😀", "x\né😀", "x\né😀"]
    assert [each["a"] for each in seen] == texts


def test_half_of_a_surrogate_pair_is_what_it_is() -> None:
    assert parsed('["\\ud83d', '\\u0041"]')[0] == ["\ud83dA"]
    assert parsed('["\\ude00"]')[0] == ["\ude00"]


def test_a_key_is_read_in_pieces_as_well() -> None:
    assert parsed('{"a', "b\\", 'n" ', ":", "1", "}")[0] == {"ab\n": 1}


def test_nothing_is_read_behind_the_value() -> None:
    assert parsed('{"a": 1}', '{"b": 2}')[0] == {"a": 1}


@settings(deadline=None)
@given(text=st.text(alphabet="{}[]\"',:/#*\\ \n1ae.-u`<think>", max_size=60), data=st.data())
def test_whatever_comes_the_chunks_make_no_difference(text: str, data: st.DataObject) -> None:
    whole, parser = parsed(text)
    single, same = parsed(*list(text))
    assert (single, same.done) == (whole, parser.done)
    assert parsed(*data.draw(cut(text)))[0] == whole


@settings(deadline=None)
@given(text=st.text(alphabet="{}[]\"',:/#*\\ \n1ae.-u", max_size=40))
def test_what_is_read_on_the_way_is_what_the_reader_reads(text: str) -> None:
    value, parser = parsed(text)
    found = candidates(text).found
    if parser.done and len(found) == 1 and not found[0].conflicts and found[0].text == text.strip():
        assert found[0].value == value
