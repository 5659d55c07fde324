"""extractify.dialects.pieces: a text in pieces, or whole again each time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from extractify.dialects.pieces import Pieces


def told(*pieces: str, whole: str = "") -> list[str]:
    text = Pieces()
    return [*(text.take(piece) for piece in pieces), text.settled(whole)]


def test_pieces_are_told_as_they_come() -> None:
    assert told('{"a"', ": ", "1}") == ['{"a"', ": ", "1}", ""]


def test_a_first_piece_that_the_next_ones_repeat_is_waited_for() -> None:
    assert told("[", "[", "1]]") == ["[", "", "[1]]", ""]
    assert told("a", "a", "a") == ["a", "", "", "aa"]
    assert "".join(told(*"a" * 30)) == "a" * 30


def test_a_text_that_comes_whole_each_time_is_told_by_what_is_new() -> None:
    text = '{"name": "Zyxomma plc", "total": 36}'
    pieces = [text[:at] for at in (5, 9, 18, 30, 30, 36)]
    assert "".join(told(*pieces)) == text
    assert told(text[:20], text[:25], text[:10], text)[1:] == [text[20:25], "", text[25:], ""]


def test_a_piece_in_between_that_is_not_the_whole_is_added() -> None:
    text = "x" * 20
    assert "".join(told(text, text + "y", "z")) == text + "yz"


def test_the_whole_at_the_end_decides_what_is_still_open() -> None:
    assert "".join(told("ab", "ab", whole="ab")) == "ab"
    assert "".join(told("ab", "ab", whole="abab")) == "abab"
    assert "".join(told("ab", "abc", whole="abc")) == "abc"
    assert "".join(told("ab", "abc")) == "ababc"
    text = Pieces()
    text.take("something else")
    text.settled("the truth")
    assert text.text == "the truth"


@settings(deadline=None)
@given(st.lists(st.text(alphabet="ab{[1", max_size=5)))
def test_short_pieces_are_never_lost(pieces: list[str]) -> None:
    if max((len("".join(pieces[:n])) for n in (1, 2)), default=0) < 16:
        assert "".join(told(*pieces)) == "".join(pieces)
