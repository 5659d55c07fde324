"""extractify.graphemes: where a text may be cut for a reader."""

from __future__ import annotations

import pytest

from extractify.graphemes import is_edge, may_cut


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("e\u0301", 1),
        ("\r\n", 1),
        ("👍🏽", 1),
        ("👨\u200d👩", 1),
        ("👨\u200d👩", 2),
        ("🇩🇪", 1),
        ("🇩🇪🇫🇷", 3),
        ("กำ", 1),
        ("\u1100\u1161", 1),
        ("\uac00\u11a8", 1),
        ("\u0915\u094d\u0937", 2),
    ],
)
def test_what_is_seen_as_one_character_isnt_cut(text: str, at: int) -> None:
    assert not may_cut(text, at)
    assert not is_edge(text, at)


@pytest.mark.parametrize(
    ("text", "at"),
    [("ab", 0), ("ab", 2), ("ab", 1), ("🇩🇪🇫🇷", 2), ("日本", 1), ("e\u0301x", 2), ("a\u11a8", 1)],
)
def test_a_text_may_be_cut_between_characters(text: str, at: int) -> None:
    assert may_cut(text, at)


@pytest.mark.parametrize(
    ("text", "at", "edge"),
    [
        ("ab", 1, False),
        ("a1", 1, False),
        ("12", 1, False),
        ("a b", 1, True),
        ("a_b", 1, True),
        ("日本", 1, True),
        ("第1", 1, True),
        ("三十", 1, False),
        ("서울은", 2, True),
        ("e\u0301x", 2, False),
        ("in\u00adfo", 2, False),
        ("in\u00adfo", 3, False),
        ("Acme\u00b2", 4, True),
        ("10\u00b2", 2, False),
        ("ab", 0, True),
        ("e" + "\u0301" * 40, 41, True),
    ],
)
def test_a_word_has_no_edge_inside(text: str, at: int, *, edge: bool) -> None:
    assert is_edge(text, at) == edge
