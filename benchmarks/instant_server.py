"""A server that answers at once: one fixed chat completion to every POST, in a process of its own.

The path tells its shape: `/enveloped…` has the value in an envelope, `/tool/NAME/…` as arguments of
that tool, any other as the message's text.

`python benchmarks/instant_server.py` prints its port, serves until its standard input closes, and
costs little enough that a benchmark measures the client. A number behind it is a latency: seconds
that each answer is held back.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = {
    "number": "INV-2041",
    "issued": "2024-03-05",
    "vendor": {"name": "Acme Ltd", "city": "Leeds", "vat": None},
    "lines": [
        {"text": "Paper, A4", "quantity": 10, "price": 4.5},
        {"text": "Toner", "quantity": 2, "price": 61.25},
        {"text": "Delivery", "quantity": 1, "price": 9.9},
    ],
    "total": 177.4,
    "currency": "EUR",
    "notes": None,
}


def answer_body(envelope: str | None = None, *, tool: str | None = None) -> bytes:
    value = json.dumps({envelope: ANSWER} if envelope else ANSWER)
    message: dict[str, object] = {"role": "assistant", "content": None if tool else value}
    if tool:
        called = {"name": tool, "arguments": value}
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": called}]
    completion = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": "tool_calls" if tool else "stop",
            }
        ],
        "usage": {"prompt_tokens": 300, "completion_tokens": 120, "total_tokens": 420},
    }
    return json.dumps(completion).encode()


class Answering(asyncio.Protocol):
    """Answer each complete request; which answer is told by the path."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.pending = b""

    def data_received(self, data: bytes) -> None:
        self.pending += data
        while (split := self.pending.find(b"\r\n\r\n")) >= 0:
            head = self.pending[:split]
            length = 0
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if len(self.pending) < split + 4 + length:
                return
            self.pending = self.pending[split + 4 + length :]
            assert isinstance(self.transport, asyncio.Transport)  # noqa: S101  (for mypy)
            body = shaped(head.split(b" ", 2)[1].decode())
            if LATENCY:
                asyncio.get_running_loop().call_later(LATENCY, self.transport.write, body)
            else:
                self.transport.write(body)


def _response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


@cache
def shaped(path: str) -> bytes:
    """The response to a request for this path."""
    if path.startswith("/enveloped"):
        return _response(answer_body("result"))
    return _response(answer_body(tool=path.split("/")[2] if path.startswith("/tool/") else None))


LATENCY = float(sys.argv[1]) if len(sys.argv) > 1 and __name__ == "__main__" else 0.0


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        await loop.run_in_executor(None, sys.stdin.read)
    server.close()


@contextlib.contextmanager
def running(latency: float = 0.0) -> Iterator[str]:
    """Run the server for a while; gives its base URL."""
    with serving(__file__, str(latency)) as base:
        yield base


@contextlib.contextmanager
def serving(script: str, *options: str) -> Iterator[str]:
    """Run a server of this kind for a while; gives its base URL."""
    command = [sys.executable, script, *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101  (for mypy)
        assert process.stdin is not None  # noqa: S101
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


if __name__ == "__main__":
    asyncio.run(_serve())
