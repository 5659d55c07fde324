"""A server that streams one answer at a pace, and knows how much of it it has sent.

It answers by text, or by the arguments of a tool's call where the request has tools.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import loopback

if TYPE_CHECKING:
    from collections.abc import Iterator


class Pacing:
    """Sends one piece after another. sent: how many it has sent of the answer at hand."""

    def __init__(self, pieces: list[str], pace: float) -> None:
        """pace: seconds between two pieces."""
        self.pieces, self.pace = pieces, pace
        self.sent = 0

    def events(self, *, as_tool: bool) -> Iterator[bytes]:
        head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        for number, piece in enumerate(self.pieces):
            call: dict[str, object] = {"index": 0, "function": {"arguments": piece}}
            if not number:
                function = {"name": "final_result", "arguments": piece}
                call |= {"id": "call-1", "type": "function", "function": function}
            delta = {"tool_calls": [call]} if as_tool else {"content": piece}
            choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": None}
            yield b"data: %s\n\n" % json.dumps({**head, "choices": [choice]}).encode()
        reason = "tool_calls" if as_tool else "stop"
        last = {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
        yield b"data: %s\n\ndata: [DONE]\n\n" % json.dumps(last).encode()

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve it for a while; gives the base URL."""
        pacing = self

        class Answering(loopback.Handler):
            def answer(self) -> None:
                body = self.body()
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.end_headers()
                pacing.sent = 0
                for event in pacing.events(as_tool="tools" in body):
                    self.wfile.write(event)
                    pacing.sent = min(pacing.sent + 1, len(pacing.pieces))
                    time.sleep(pacing.pace)

        with loopback.served(Answering) as base:
            yield base
