"""What happens to a good answer on its way: each a function from a Reply to a Reply."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from extractify.testing.answers import Part, Reply, event

Spoil: TypeAlias = Callable[[Reply], Reply]
HUGE = 17 * 2**20
"""Bytes of a body that is too large for an answer."""
FOREVER = 3600.0
"""Seconds of silence that no client waits through."""
_KIND, _CONTINUES = 0xC0, 0x80
_LATE = {"error": {"code": 502, "message": "Provider disconnected."}}


def _refused(_reply: Reply) -> Reply:
    return Reply((ConnectionRefusedError("Connection refused"),))


def _reset_before(_reply: Reply) -> Reply:
    return Reply((ConnectionResetError("Connection reset by peer"),))


def _closed_before(_reply: Reply) -> Reply:
    return Reply((EOFError("The server closed the connection without an answer."),))


def _reset_in_the_body(reply: Reply) -> Reply:
    return _sized(reply, (_half(reply), ConnectionResetError("Connection reset by peer")))


def _cut(reply: Reply) -> Reply:
    return _sized(reply, (_half(reply), EOFError("The body ended before its length.")))


def _reset_after(reply: Reply) -> Reply:
    if reply.streams:
        return reply
    return _sized(reply, (reply.content, ConnectionResetError("Connection reset by peer")))


def _silent(reply: Reply) -> Reply:
    return replace(reply, parts=(FOREVER, *reply.parts))


def _stalled(reply: Reply) -> Reply:
    return _sized(reply, (_half(reply), FOREVER))


def _dripping(reply: Reply) -> Reply:
    return replace(reply, parts=_with_pauses(reply.content, 16))


def _split_characters(reply: Reply) -> Reply:
    """Cut inside every character of more than a byte."""
    parts: list[Part] = []
    start, content = 0, reply.content
    for index, byte in enumerate(content):
        if byte & _KIND == _CONTINUES:
            parts += [content[start:index], 0.0]
            start = index
    return replace(reply, parts=(*parts, content[start:]))


def _said_longer(reply: Reply) -> Reply:
    return _sized(reply, reply.parts, more=100)


def _said_shorter(reply: Reply) -> Reply:
    return _sized(reply, reply.parts, more=-len(reply.content) // 2)


def _said_in_words(reply: Reply) -> Reply:
    return replace(reply, headers={**reply.headers, "content-length": "many"})


def _not_http(_reply: Reply) -> Reply:
    return Reply((b"SSH-2.0-OpenSSH_9.2\r\n",), is_http=False)


def _badly_packed(reply: Reply) -> Reply:
    return replace(reply, headers={**reply.headers, "content-encoding": "gzip"})


def _huge(reply: Reply) -> Reply:
    blank = b" " * 2**20
    return replace(reply, parts=(*[blank] * (HUGE // len(blank)), *reply.parts))


def _half(reply: Reply) -> bytes:
    return reply.content[: len(reply.content) // 2]


def _sized(reply: Reply, parts: tuple[Part, ...], *, more: int = 0) -> Reply:
    length = str(len(reply.content) + more)
    return replace(reply, parts=parts, headers={**reply.headers, "content-length": length})


def _with_pauses(content: bytes, pieces: int, pause: float = 0.001) -> tuple[Part, ...]:
    size = max(1, len(content) // pieces)
    starts = range(0, len(content), size)
    return tuple(part for each in starts for part in (pause, content[each : each + size]))


def _events(reply: Reply) -> list[bytes]:
    return [each + b"\n\n" for each in reply.content.split(b"\n\n") if each]


def _edited(edit: Callable[[list[bytes]], list[bytes]]) -> Spoil:
    """Change the events of a streamed answer; another answer stays."""
    return lambda reply: (
        replace(reply, parts=tuple(edit(_events(reply)))) if reply.streams else reply
    )


def _cumulative(events: list[bytes]) -> list[bytes]:
    """Each chunk with all of the text so far."""
    text, told = "", []
    for each in events:
        data = json.loads(each[6:]) if each.startswith(b"data: {") else {}
        delta = data["choices"][0].get("delta", {}) if data.get("choices") else {}
        if delta.get("content"):
            text = delta["content"] = text + delta["content"]
        told.append(event(data) if data else each)
    return told


LOST: Mapping[str, Spoil] = {
    "refused": _refused,
    "reset before the answer": _reset_before,
    "closed before the answer": _closed_before,
    "reset in the body": _reset_in_the_body,
    "truncated body": _cut,
    "silent": _silent,
    "stalled in the body": _stalled,
    "content-length too long": _said_longer,
    "content-length no number": _said_in_words,
    "not HTTP": _not_http,
    "not the encoding it says": _badly_packed,
}
"""After which there is no answer."""
SPOILT: Mapping[str, Spoil] = {
    "content-length too short": _said_shorter,
    "huge body": _huge,  # past the limit
}
"""After which there is an answer, and no sense in it."""
HARMLESS: Mapping[str, Spoil] = {
    "reset after the body": _reset_after,
    "slow drip": _dripping,
    "split UTF-8": _split_characters,
}
"""After which the answer is whole."""
LOST_STREAMS: Mapping[str, Spoil] = {
    "stream without an end": _edited(lambda events: events[: len(events) // 2]),
}
"""As LOST, of streams alone."""
SPOILT_STREAMS: Mapping[str, Spoil] = {
    "garbage SSE": _edited(lambda events: [*events[:2], b"data: {chunk\n\n", b"\0\xff\n\n"]),
}
"""As SPOILT, of streams alone."""
FAILED_STREAMS: Mapping[str, Spoil] = {
    "error in the stream": _edited(lambda events: [*events[:3], event(_LATE)]),
}
"""After which the answer says no, and why, in its middle."""
HARMLESS_STREAMS: Mapping[str, Spoil] = {
    "final frame twice": _edited(lambda events: [*events[:-1], *events[-2:]]),
    "no final frame": _edited(lambda events: [*events[:-2], events[-1]]),
    "no [DONE]": _edited(lambda events: events[:-1]),
    "comments between events": _edited(lambda events: [b": PROCESSING\n\n", *events]),
    "text that accumulates": _edited(_cumulative),
}
"""As HARMLESS, of streams alone."""
