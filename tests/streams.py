"""Answers as they stream, in the habits that servers have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

USAGE = {"prompt_tokens": 120, "completion_tokens": 40, "total_tokens": 160}


def event(data: object) -> bytes:
    """One chunk."""
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def chunk(delta: Mapping[str, Any] | None, finish: str | None = None, **fields: Any) -> bytes:
    """A chunk with one choice. fields: further ones of the chunk."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    head = {"id": "0634f8d2a1", "object": "chat.completion.chunk", "model": "MiniMax-M2.7"}
    return event({**head, "choices": [choice], **fields})


def streamed(
    pieces: Iterable[str], *, reasoning: Iterable[str] = (), finish: str | None = "stop"
) -> list[bytes]:
    """A plain stream: the text in pieces, the finish reason, the usage without choices, [DONE]."""
    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"reasoning_content": piece}) for piece in reasoning),
        *(chunk({"content": piece}) for piece in pieces),
        chunk({}, finish),
        event({"id": "0634f8d2a1", "choices": [], "usage": USAGE}),
        event("[DONE]"),
    ]
