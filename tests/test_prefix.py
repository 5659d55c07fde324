"""extractify.prefix: what is complete in an answer that was cut off."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractify.nodes import at
from extractify.prefix import Prefix, complete_prefix


@pytest.mark.parametrize(
    ("text", "value", "opened"),
    [
        ('{"a": [{"x": 1}, {"x": 2}, {"x": 3', {"a": [{"x": 1}, {"x": 2}]}, ("", "/a")),
        ('{"a": [{"x": 1}, {"x": 2}', {"a": [{"x": 1}, {"x": 2}]}, ("", "/a")),
        ('{"a": "b", "c": {"d": 1, "e', {"a": "b", "c": {"d": 1}}, ("", "/c")),
        ('{"a": "x\\"}]", "b": "unc', {"a": 'x"}]'}, ("",)),
        ('{"a": "b", "c"', {"a": "b"}, ("",)),
        ("[1, 2, 3", [1, 2], ("",)),
        ('["a", "b"', ["a", "b"], ("",)),
        ('{"a": {"b": 1}', {"a": {"b": 1}}, ("",)),
        (
            '{"pages": [{"rows": [1, 2], "n": 1}, {"rows": [3, 4',
            {"pages": [{"rows": [1, 2], "n": 1}, {"rows": [3]}]},
            ("", "/pages", "/pages/1", "/pages/1/rows"),
        ),
        ('<think>{"a": [0,</think>```json\n{"a": [1, 2', {"a": [1]}, ("", "/a")),
        ('See [1]: {"a": [1, 2', {"a": [1]}, ("", "/a")),
        ("{'a': ['x', 'y', 'z", {"a": ["x", "y"]}, ("", "/a")),
    ],
)
def test_the_complete_items_and_members_are_kept(
    text: str, value: Any, opened: tuple[str, ...]
) -> None:
    assert complete_prefix(text) == Prefix(value, opened)


@pytest.mark.parametrize(
    "text",
    ["", "none", "{", '{"a"', '{"a": [', "[1", '{"a": 1}', "[1, 2]", '{"a": [1}, 2', '{"a: [1, 2'],
)
def test_nothing_is_kept_where_nothing_is_open_or_complete(text: str) -> None:
    assert complete_prefix(text) is None


def test_a_key_given_twice_is_no_prefix() -> None:
    assert complete_prefix('{"a": 1, "a": 2, "b": [1, 2') is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def is_part(part: object, whole: object) -> bool:
    """Whether a value is the beginning of another, item by item and member by member."""
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) <= len(whole) and all(map(is_part, part, whole))
    if isinstance(part, dict) and isinstance(whole, dict):
        return list(part) == list(whole)[: len(part)] and all(
            is_part(part[key], whole[key]) for key in part
        )
    return part == whole


@given(values.filter(lambda value: isinstance(value, dict | list)), st.data())
def test_a_prefix_is_a_part_of_the_whole_wherever_it_is_cut(
    value: object, data: st.DataObject
) -> None:
    text = json.dumps(value)
    prefix = complete_prefix(text[: data.draw(st.integers(0, len(text) - 1))])
    if prefix is not None:
        assert is_part(prefix.value, value)
        assert prefix.open[0] == ""
        assert all(isinstance(at(prefix.value, pointer), dict | list) for pointer in prefix.open)
