"""A server whose answers fail as real ones do: 429, 500, resets, answers that aren't valid.

`python benchmarks/flaky_server.py LATENCY FAULTS` prints its port and serves until its standard
input closes. FAULTS is 1 or 0. The answer depends on the document alone, and whether it is valid at
first; the faults before it come by chance. A GET tells how many answers went out, by document and
turn.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

from instant_server import serving

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_RESET, _BROKEN, _LIMITED = 0.01, 0.03, 0.08  # each up to here
_INVALID_OF_A_HUNDRED, _FIRST_TURN = 3, 2
_NEVER_VALID = 77
_LATER = {"error": {"message": "try later"}}
_ORDER = re.compile(r"Order (\d+):")
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def text_of(number: int) -> str:
    value = value_of(number)
    return f"Order {number}: {value['lines']} lines, {value['total']} in all."


def value_of(number: int) -> dict[str, Any]:
    return {"number": number, "total": f"{number * 7 % 1000}.50", "lines": number % 5}


def is_invalid_at_first(number: int) -> bool:
    return number % 100 < _INVALID_OF_A_HUNDRED


def is_never_valid(number: int) -> bool:
    return number % 500 == _NEVER_VALID


class Answering(asyncio.Protocol):
    asked: ClassVar[Counter[str]] = Counter()

    def __init__(self, latency: float, *, faults: bool) -> None:
        self.latency, self.faults = latency, faults
        self.chance = random.Random()  # noqa: S311  (of a fault, no secret)
        self.pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  (for mypy)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.pending += data
        while (split := self.pending.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(self.pending[:split])
            end = split + 4 + (int(found[1]) if found else 0)
            if len(self.pending) < end:
                return
            request, self.pending = self.pending[:end], self.pending[end:]
            if request.startswith(b"GET"):
                self.answer("200 OK", dict(self.asked))
            else:
                body = request[split + 4 :]
                asyncio.get_running_loop().call_later(self.latency, self.exchange, body)

    def exchange(self, body: bytes) -> None:
        if self.transport.is_closing():
            return
        fault = self.chance.random() if self.faults else 1.0
        if fault < _RESET:
            self.transport.abort()
        elif fault < _BROKEN:
            self.answer("500 Internal Server Error", {"error": {"message": "out of order"}})
        elif fault < _LIMITED:
            self.answer("429 Too Many Requests\r\nretry-after-ms: 1", _LATER)
        else:
            self.extract(json.loads(body)["messages"])

    def extract(self, messages: list[dict[str, str]]) -> None:
        found = _ORDER.search(messages[1]["content"])
        number = int(found[1]) if found else 0
        value, turn = value_of(number), len(messages)
        if is_never_valid(number) or (is_invalid_at_first(number) and turn == _FIRST_TURN):
            value["total"] = "a lot"
        self.asked[f"{number}/{turn}"] += 1
        message = {"role": "assistant", "content": json.dumps(value)}
        usage = {"prompt_tokens": 90, "completion_tokens": 20, "total_tokens": 110}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        self.answer("200 OK", {"id": "1", "choices": choices, "usage": usage})

    def answer(self, status: str, data: object) -> None:
        body = json.dumps(data).encode()
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n"
        self.transport.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)


async def _serve(latency: float, *, faults: bool) -> None:
    loop = asyncio.get_running_loop()

    def answering() -> Answering:
        return Answering(latency, faults=faults)

    server = await loop.create_server(answering, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def running(latency: float, *, faults: bool) -> AbstractContextManager[str]:
    """Run the server for a while; gives its base URL."""
    return serving(__file__, str(latency), str(int(faults)))


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]), faults=sys.argv[2] == "1"))
