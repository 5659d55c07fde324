"""extractify.growing: the value that grows, as markers of the target let it be shown."""

from __future__ import annotations

from copy import deepcopy
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from extractify.growing import MarkedTree, Tree
from extractify.holds import Hold, with_state
from extractify.incremental import Parser
from extractify.nodes import leaves
from extractify.schema import compile_schema
from extractify.sites import site_of
from tests.cutting import cut, written


def grown(*chunks: str, envelope: bool = False) -> Tree:
    tree = Tree(None, lambda *_: None, envelope=envelope)
    parser = Parser(tree)
    for chunk in chunks:
        parser.feed(chunk)
    return tree


def test_changes_are_the_pointers_of_what_appeared_grew_or_was_completed() -> None:
    tree = grown('{"a": "x')
    assert list(tree.changed) == ["", "/a"]
    tree = grown('{"a/b": [1, {"c~": null}]}')
    assert list(tree.changed) == ["", "/a~1b", "/a~1b/0", "/a~1b/1", "/a~1b/1/c~0"]


def test_a_place_is_pending_then_incomplete_then_complete() -> None:
    tree = grown('{"a": {"b": "x')
    assert [tree.state(each) for each in ("", "/a", "/a/b", "/a/c", "/d")] == [
        "incomplete",
        "incomplete",
        "incomplete",
        "pending",
        "pending",
    ]
    tree = grown('{"a": {"b": "x"}, "l": [1, 2')
    assert [tree.state(each) for each in ("", "/a", "/a/b", "/l", "/l/0", "/l/1")] == [
        "incomplete",
        "complete",
        "complete",
        "incomplete",
        "complete",
        "pending",
    ]
    assert grown("[]").state("") == "complete"
    assert grown("").state("") == "pending"
    assert grown('{"a": "x"}').state("/a/b") == "pending"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"result": {"a": 1}}', {"a": 1}),
        ('{"result": [1, 2]}', [1, 2]),
        ('{"result": "x"}', "x"),
        ('{"result": 5}', 5),
        ('{"result": 5, "other": 6}', 5),
        ('{"a": 1}', {"a": 1}),
        ("[1]", [1]),
        ("{}", {}),
        ('{"result": {}}', {}),
        ('{"other": 1, "result": 2}', {"other": 1, "result": 2}),
    ],
)
def test_the_value_in_an_envelope_is_the_root(text: str, value: object) -> None:
    for chunks in ([text], list(text)):
        assert grown(*chunks, envelope=True).value == value


def test_each_complete_place_is_told_with_its_depth() -> None:
    told: list[tuple[str, Any, int]] = []
    tree = Tree(None, lambda at, value, _, depth: told.append((at, deepcopy(value), depth)))
    Parser(tree).feed('{"a": ["x", {"b": 1}]}')
    assert told == [
        ("/a/0", "x", 2),
        ("/a/1/b", 1, 3),
        ("/a/1", {"b": 1}, 2),
        ("/a", ["x", {"b": 1}], 1),
        ("", {"a": ["x", {"b": 1}]}, 0),
    ]


@settings(deadline=None)
@given(data=st.data())
def test_a_complete_place_never_changes_and_nothing_is_taken_back(
    data: st.DataObject,
) -> None:
    value, text = data.draw(written())
    tree = Tree(None, lambda *_: None)
    parser = Parser(tree)
    settled: dict[str, Any] = {}
    before: dict[str, Any] = {}
    for chunk in data.draw(cut(text)):
        parser.feed(chunk)
        now = dict(leaves(tree.value)) if tree.value is not None else {}
        for pointer, leaf in before.items():
            if isinstance(leaf, str):
                assert str(now[pointer]).startswith(leaf)
            elif not isinstance(leaf, dict | list):
                assert now[pointer] == leaf
        for pointer, leaf in settled.items():
            assert now[pointer] == leaf
        settled = {p: leaf for p, leaf in now.items() if tree.state(p) == "complete"}
        before = now
    assert tree.value == value


class Line(BaseModel):
    sku: Annotated[str, Hold.until_complete]
    note: Annotated[str, with_state] = ""
    count: Annotated[int | None, Hold.until_present] = None


class Order(BaseModel):
    buyer: str
    first: Annotated[Line, with_state]
    lines: list[Line]
    tags: Annotated[list[str], Hold.until_complete] = []
    total: Annotated[float, with_state] = 0


def shown(*chunks: str, target: Any = Order) -> tuple[Any, Tree]:
    tree = MarkedTree(site_of(compile_schema(target)), lambda *_: None)
    parser = Parser(tree)
    for chunk in chunks:
        tree.changed.clear()
        parser.feed(chunk)
    return tree.value, tree


def test_a_held_string_is_shown_when_it_is_complete() -> None:
    assert shown('{"count": 1, "sku": "ab', target=Line)[0] == {"count": 1}
    assert shown('{"count": 1, "sku": "ab"}', target=Line)[0] == {"count": 1, "sku": "ab"}


def test_a_held_container_is_shown_when_it_is_complete() -> None:
    value, tree = shown('{"buyer": "x"', ', "tags": ["a", ')
    assert value == {"buyer": "x"}
    assert "/tags/0" not in tree.changed
    value, tree = shown('{"buyer": "x", "tags": ["a", ', '"b"]')
    assert value == {"buyer": "x", "tags": ["a", "b"]}
    assert "/tags" in tree.changed


def test_a_field_with_state_is_shown_with_it() -> None:
    assert shown('{"count": 1, "note": "ab', target=Line)[0] == {
        "count": 1,
        "note": {"value": "ab", "state": "incomplete"},
    }
    assert shown('{"count": 1, "note": "ab"}', target=Line)[0] == {
        "count": 1,
        "note": {"value": "ab", "state": "complete"},
    }
    assert shown('{"total": 3}')[0] == {"total": {"value": 3, "state": "complete"}}


def test_an_object_waits_for_the_field_that_has_to_be_there() -> None:
    begun = '{"buyer": "x", "lines": [{"sku": "a", "'
    value, tree = shown(begun)
    assert value == {"buyer": "x", "lines": []}
    assert list(tree.changed) == ["", "/buyer", "/lines"]
    assert tree.state("/lines/0") == "incomplete"
    assert tree.state("/lines/0/sku") == "complete"
    assert shown(begun, 'count": null, "')[0] == {"buyer": "x", "lines": []}
    value, tree = shown(begun, 'count": 3, "')
    assert value == {"buyer": "x", "lines": [{"sku": "a", "count": 3}]}
    assert "/lines/0" in tree.changed
    assert shown(begun, 'note": "y"}, ')[0] == {
        "buyer": "x",
        "lines": [{"sku": "a", "note": {"value": "y", "state": "complete"}}],
    }


def test_two_markers_go_together() -> None:
    begun = '{"first": {"sku": "a", "'
    assert shown(begun)[0] == {}
    assert shown(begun, 'count": 1, "')[0] == {
        "first": {"value": {"sku": "a", "count": 1}, "state": "incomplete"}
    }
    assert shown(begun, 'count": 1}, ')[0] == {
        "first": {"value": {"sku": "a", "count": 1}, "state": "complete"}
    }


def test_a_place_that_is_awaited_may_be_held_itself() -> None:
    class Held(BaseModel):
        name: Annotated[str, Hold.until_complete, Hold.until_present, with_state]
        other: int = 0

    class Whole(BaseModel):
        one: Annotated[Held, Hold.until_complete]

    assert shown('{"other": 1, "name": "ab', target=Held)[0] is None
    assert shown('{"other": 1, "name": "ab",', '"x": 1', target=Held)[0] == {
        "other": 1,
        "name": {"value": "ab", "state": "complete"},
    }
    assert shown('{"one": {"name": "ab", "other": 1', target=Whole)[0] == {}
    assert shown('{"one": {"name": "ab", "other": 1}', target=Whole)[0] == {
        "one": {"other": 1, "name": {"value": "ab", "state": "complete"}}
    }


@settings(deadline=None)
@given(data=st.data())
def test_markers_on_nothing_that_is_there_show_what_a_tree_shows(data: st.DataObject) -> None:
    value, text = data.draw(written())
    marked, plain = (
        MarkedTree(site_of(compile_schema(Order)), lambda *_: None),
        Tree(None, lambda *_: None),
    )
    one, two = Parser(marked), Parser(plain)
    for chunk in data.draw(cut(text)):
        one.feed(chunk)
        two.feed(chunk)
        assert marked.value == plain.value
        assert marked.changed == plain.changed
    assert marked.value == value
