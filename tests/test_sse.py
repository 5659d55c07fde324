"""extractify.sse: server-sent events, however their bytes were cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractify.sse import Decoder, OverlongError, ServerEvent


def decoded(*chunks: bytes) -> list[ServerEvent]:
    decoder = Decoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)]


def test_an_event_ends_with_an_empty_line() -> None:
    assert decoded(b"data: one\n\n") == [ServerEvent("one")]
    assert decoded(b"data: one\n") == []


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_lines_end_in_any_of_three_ways(end: bytes) -> None:
    assert decoded(end.join([b"data: one", b"", b"data: two", b"", b""])) == [
        ServerEvent("one"),
        ServerEvent("two"),
    ]


def test_a_line_end_split_over_two_chunks_is_one() -> None:
    assert decoded(b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n") == [ServerEvent("a\nb")]
    assert decoded(b"data: a\r", b"", b"\n\r\n") == [ServerEvent("a")]


def test_a_character_split_over_two_chunks_is_one() -> None:
    snowman = "☃".encode()
    assert decoded(b"data: " + snowman[:1], snowman[1:] + b"\n\n") == [ServerEvent("☃")]


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    assert decoded(b"data: \xff\n\n") == [ServerEvent("\ufffd")]


def test_comments_and_unknown_fields_are_passed_over() -> None:
    assert decoded(b": ping\n\ndata: a\n: pong\nother: b\n\n") == [ServerEvent("a")]


def test_lines_of_data_are_joined_and_one_space_is_theirs() -> None:
    assert decoded(b"data: a\ndata:  b\ndata\ndata:c\n\n") == [ServerEvent("a\n b\n\nc")]


def test_an_event_has_a_name_an_id_that_stays_and_a_retry_time() -> None:
    assert decoded(b"event: tick\nid: 7\nretry: 1500\ndata: a\n\nretry: x\ndata: b\n\n") == [
        ServerEvent("a", "tick", "7", 1500),
        ServerEvent("b", "message", "7"),
    ]
    assert decoded(b"id: 1\nid: 2\0\ndata: a\n\n") == [ServerEvent("a", id="1")]


def test_an_event_without_data_is_none_and_its_name_is_forgotten() -> None:
    assert decoded(b"event: tick\n\ndata: a\n\n") == [ServerEvent("a")]


def test_a_byte_order_mark_opens_a_stream_and_means_nothing() -> None:
    assert decoded(b"\xef\xbb", b"\xbfdata: a\n\n") == [ServerEvent("a")]


def test_line_breaks_of_unicode_end_no_line() -> None:
    text = "a\u2028b\x85c\x0bd\x0ce\x1cf"
    assert decoded(f"data: {text}\n\n".encode()) == [ServerEvent(text)]


def test_the_end_of_the_stream_ends_the_last_event() -> None:
    decoder = Decoder()
    assert decoder.feed(b"data: a\n\ndata: [DO") == [ServerEvent("a")]
    assert decoder.feed(b"NE]") == []
    assert decoder.end() == [ServerEvent("[DONE]")]
    assert decoder.end() == []


@pytest.mark.parametrize("chunk", [b"data", b"data: a\n", b"data:" + b"a" * 200 + b"\n"])
def test_a_line_or_an_event_without_end_is_refused(chunk: bytes) -> None:
    decoder = Decoder(limit=100)
    with pytest.raises(OverlongError):
        _ = [decoder.feed(chunk) for _ in range(100)]


LINES = st.sampled_from(
    ["data: a", "data:", "data: é☃", "id: 1", "event: e", ": c", "", "", "retry: 5", "x", "\ufeff"]
)


@settings(deadline=None)
@given(
    lines=st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r", "\r\n"]))),
    cuts=st.lists(st.integers(0, 200)),
)
def test_no_cut_changes_the_events(lines: list[tuple[str, str]], cuts: list[int]) -> None:
    text = "".join(line + end for line, end in lines).encode()
    places = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    chunks = [text[a:b] for a, b in pairwise(places)]
    single = [text[i : i + 1] for i in range(len(text))]
    assert decoded(*chunks) == decoded(*single) == decoded(text)
