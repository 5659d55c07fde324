"""extractify.dialects.chunks: an answer in chunks is the answer in one piece."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractify import Completion, errors
from extractify.dialects import DIALECTS
from extractify.dialects.chunks import Assembly, Delta
from extractify.messages import Usage
from extractify.sse import MAX_EVENT
from tests.loopback import completion
from tests.streams import USAGE, chunk, event, streamed

if TYPE_CHECKING:
    from collections.abc import Iterable

TEXT = '{"result": {"name": "Zyxomma plc", "total": 36}}'
PIECES = [TEXT[at : at + 5] for at in range(0, len(TEXT), 5)]
COUNTED = Usage(120, 40, 160)


class Assembled:
    """What an answer came to, and what was told of it on the way."""

    def __init__(self, chunks: Iterable[bytes], dialect: str = "openai") -> None:
        assembly = Assembly(200, {}, DIALECTS[dialect].read)
        self.deltas: list[Delta] = [assembly.feed(each) for each in chunks]
        self.completion: Completion = assembly.end()
        self.deltas.append(assembly.tail)
        self.content = "".join(delta.content for delta in self.deltas)
        self.reasoning = "".join(delta.reasoning for delta in self.deltas)
        self.arguments: dict[int, str] = {}
        for delta in self.deltas:
            for index, piece in delta.arguments.items():
                self.arguments[index] = self.arguments.get(index, "") + piece


def whole(**fields: Any) -> bytes:
    """A final chunk that repeats the whole message."""
    message = {"role": "assistant", "content": TEXT, **fields}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return event({"object": "chat.completion", "choices": [choice], "usage": USAGE})


def bare(answer: Completion) -> Completion:
    return replace(answer, raw={}, model=None, id=None)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_an_answer_in_chunks_is_the_answer_in_one_piece(dialect: str) -> None:
    body = completion(TEXT, message={"reasoning_content": "so"}, usage=dict(USAGE))
    body["object"] = "chat.completion"
    for key in ("input_sensitive", "output_sensitive", "base_resp", "created"):
        body.pop(key, None)
    plain = DIALECTS[dialect].read(200, {}, json.dumps(body).encode())
    found = Assembled(streamed(PIECES, reasoning=["s", "o"]), dialect)
    assert bare(found.completion) == bare(plain)
    assert (found.completion.id, found.completion.model) == (plain.id, plain.model)
    assert (found.content, found.reasoning) == (TEXT, "so")


@settings(deadline=None)
@given(data=st.data())
def test_where_the_bytes_are_cut_makes_no_difference(data: st.DataObject) -> None:
    raw = b"".join(streamed(PIECES, reasoning=["é"]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=20)))
    places = [0, *cuts, len(raw)]
    found = Assembled([raw[a:b] for a, b in pairwise(places)])
    assert (found.content, found.reasoning) == (TEXT, "é")
    assert found.completion == Assembled([raw]).completion


HABITS: dict[str, list[bytes]] = {
    "no [DONE]": streamed(PIECES)[:-1],
    "no usage": [*streamed(PIECES)[:-2], event("[DONE]")],
    "no finish reason": streamed(PIECES, finish=None),
    "no blank line at the end": [*streamed(PIECES)[:-1], b"data: [DONE]"],
    "the whole message again": [*(chunk({"content": each}) for each in PIECES), whole()],
    "the whole message only": [chunk({"role": "assistant"}), whole()],
    "the whole message has the rest": [chunk({"content": TEXT[:20]}), whole()],
    "empty whole message": [*streamed(PIECES)[:-1], whole(content="")],
    "an empty role": [chunk({"role": "", "content": each}) for each in PIECES]
    + [chunk({}, "stop")],
    "null deltas": [chunk(None), *streamed(PIECES), chunk(None)],
    "placeholder usage": [
        *(chunk({"content": each}, usage={"total_tokens": 0}) for each in PIECES),
        *streamed([]),
        chunk({}, usage={"total_tokens": 0}),
    ],
    "cumulative": [
        *(chunk({"content": TEXT[: at + 5]}) for at in range(0, len(TEXT), 5)),
        chunk({"content": TEXT}, "stop"),
    ],
    "cumulative and coarse": [chunk({"content": TEXT[:20]}), chunk({"content": TEXT}, "stop")],
    "in parts": [
        *(chunk({"content": [{"type": "text", "text": each}]}) for each in PIECES),
        chunk({}, "stop"),
    ],
    "comments": [b": OPENROUTER PROCESSING\n\n", *streamed(PIECES)],
    "other events": [b"event: ping\ndata: {}\n\n", event({"type": "ping"}), *streamed(PIECES)],
    "enveloped": [event({"result": json.loads(each[6:])}) for each in streamed(PIECES)[:-1]],
    "workers ai": [*(event({"response": each}) for each in PIECES), event("[DONE]")],
    "other choices": [
        event({"choices": [{"index": 1, "delta": {"content": "no"}}]}),
        *streamed(PIECES),
    ],
    "plain JSON": [json.dumps(completion(TEXT)).encode()],
    "plain JSON in pieces": [
        b"\xef\xbb",
        b"\xbf\n",
        *(bytes([b]) for b in json.dumps(completion(TEXT)).encode()),
    ],
    "late": [*streamed(PIECES), chunk({"content": "no"})],
}


@pytest.mark.parametrize("habit", HABITS)
def test_whatever_a_server_is_used_to_the_text_is_the_same(habit: str) -> None:
    found = Assembled(HABITS[habit])
    assert found.completion.text == TEXT
    assert found.content == TEXT
    assert found.completion.usage.completion_tokens in {None, 40}


@pytest.mark.parametrize("habit", ["the whole message again", "placeholder usage", "no [DONE]"])
def test_the_true_usage_is_taken(habit: str) -> None:
    assert Assembled(HABITS[habit]).completion.usage == COUNTED


def test_no_usage_is_unknown_not_zero() -> None:
    assert Assembled(HABITS["no usage"]).completion.usage == Usage()
    chunks = [chunk({"content": TEXT}, "stop", usage={"total_tokens": 0})]
    assert Assembled(chunks).completion.usage == Usage()


def test_a_whole_message_that_says_otherwise_is_the_answer() -> None:
    assert Assembled([chunk({"content": "something"}), whole()]).completion.text == TEXT


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("is_cumulative", [True, False])
def test_reasoning_comes_apart_in_either_way(field: str, *, is_cumulative: bool) -> None:
    thought = "The total is 36 florins, as it says in the second line."
    pieces = [
        thought[: at + 9] if is_cumulative else thought[at : at + 9] for at in range(0, 55, 9)
    ]
    found = Assembled([*(chunk({field: each}) for each in pieces), *streamed(PIECES)])
    assert found.completion.reasoning == found.reasoning == thought
    assert found.content == TEXT


def test_details_of_reasoning_are_put_together_to_be_replayed() -> None:
    def details(text: str) -> bytes:
        return chunk({"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": text}]})

    found = Assembled([details("so "), details("be it"), *streamed(PIECES)])
    assert found.reasoning == "so be it"
    assert found.completion.message.extra["reasoning_details"] == [
        {"text": "so be it", "type": "reasoning.text", "index": 0}
    ]


def call(index: int | None, arguments: object, name: str = "", key: str = "") -> bytes:
    function = {"name": name, "arguments": arguments}
    fields = {"index": index, "id": key} if index is not None else {"id": key}
    return chunk({"tool_calls": [{**fields, "type": "function", "function": function}]})


def test_interleaved_tool_calls_stay_apart() -> None:
    found = Assembled(
        [
            call(0, "", "one", "a"),
            call(1, "", "two", "b"),
            call(0, '{"x"'),
            call(1, '{"y": '),
            call(0, ": 1}"),
            call(1, "2}"),
            chunk({}, "tool_calls"),
        ]
    )
    assert found.arguments == {0: '{"x": 1}', 1: '{"y": 2}'}


def test_calls_that_all_have_the_same_position_or_none_are_told_by_their_ids() -> None:
    for index in (0, None):
        found = Assembled(
            [
                call(index, '{"x": 1}', "one", "a"),
                call(index, {"y": 2}, "two", "b"),
                chunk({}, "stop"),
            ]
        )
        assert found.arguments == {0: '{"x": 1}', 1: '{"y": 2}'}


def test_a_refusal_is_put_together() -> None:
    chunks = [chunk({"refusal": "I can't "}), chunk({"refusal": "do that."}), chunk({}, "stop")]
    assert Assembled(chunks).completion.refusal == "I can't do that."


BEGUN = streamed(PIECES)[:5]


@pytest.mark.parametrize(
    ("dialect", "frame", "kind"),
    [
        ("openai", event({"error": {"code": 429, "message": "slow"}}), errors.RateLimited),
        ("openai", event({"error": {"code": "502", "message": "x"}}), errors.Overloaded),
        (
            "openai",
            event({"choices": [{"delta": {}, "error": {"code": 502}, "finish_reason": "error"}]}),
            errors.Overloaded,
        ),
        ("openai", b"event: error\ndata: out of memory\n\n", errors.InvalidResponse),
        ("openai", event("{broken"), errors.InvalidResponse),
        ("workers_ai", event({"base_resp": {"status_code": 1002}}), errors.RateLimited),
        (
            "workers_ai",
            event({"choices": [{"delta": {}}], "base_resp": {"status_code": 1008}}),
            errors.QuotaExceeded,
        ),
        ("workers_ai", event({"success": False, "errors": [{"code": 3040}]}), errors.Overloaded),
        ("workers_ai", event({"choices": [], "output_sensitive": True}), errors.ContentBlocked),
        ("openai", chunk({}, "content_filter"), errors.ContentBlocked),
    ],
)
def test_an_error_in_the_middle_is_the_error_that_it_is(
    dialect: str, frame: bytes, kind: type[errors.EndpointError]
) -> None:
    with pytest.raises(errors.EndpointError) as caught:
        Assembled([*BEGUN, frame], dialect)
    assert type(caught.value) is kind


def test_a_stream_that_just_ends_is_an_error_wherever_it_ends() -> None:
    raw = b"".join(streamed(PIECES, reasoning=["so"])[:-3])
    for end in range(7, len(raw), 7):
        with pytest.raises(errors.TransportError, match="broke off"):
            Assembled([raw[:end]])


def test_what_is_no_stream_at_all_is_told_as_the_dialect_tells_it() -> None:
    for body in (b"<html>Bad gateway</html>", b"{}", b'{"choices": ', b"[1]", b"nothing here", b""):
        with pytest.raises(errors.InvalidResponse):
            Assembled([body])
    with pytest.raises(errors.RateLimited):
        Assembled([b'{"error": {"code": 429}}'])


@pytest.mark.parametrize("begin", [b"data: ", b"{"])
def test_an_answer_without_end_is_refused(begin: bytes) -> None:
    assembly = Assembly(200, {}, DIALECTS["openai"].read)
    assembly.feed(begin)
    megabyte = b"x" * 2**20
    with pytest.raises(errors.InvalidResponse):
        _ = [assembly.feed(megabyte) for _ in range(MAX_EVENT // 2**20 + 1)]


def test_the_error_of_an_overlong_answer_quotes_a_part_of_it_at_most() -> None:
    body = b'{"a": "' + b"x" * MAX_EVENT
    with pytest.raises(errors.InvalidResponse) as caught:
        Assembled([body])
    assert len(caught.value.detail) <= 2000
