"""A scripted chat-completions server on 127.0.0.1: the wire is fake, the code under test is not."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING, Any, Self, TypeAlias, cast

from extractify import Endpoint
from extractify.profiles import M2_7

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify.messages import JsonValue
    from extractify.profiles import Profile

KEY = "sk-test-4f1d7a90"


@dataclass(frozen=True)
class Received:
    """A request as it came. headers: names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: Any

    @property
    def last_message(self) -> str:
        """The content of the last message."""
        return str(self.body["messages"][-1]["content"])


@dataclass(frozen=True)
class Close:
    """Close the connection; `sent` bytes of a body go out before, none means no answer at all."""

    sent: bytes | None = None


@dataclass(frozen=True)
class Delay:
    """Wait, then answer."""

    seconds: float
    answer: str = "{}"


Answer: TypeAlias = "str | tuple[int, Mapping[str, str], str | bytes | JsonValue] | Close | Delay"
Script: TypeAlias = Sequence[Answer] | Callable[[Received], Answer]


def completion(
    text: JsonValue,
    *,
    finish_reason: str | None = "stop",
    message: Mapping[str, JsonValue] | None = None,
    **fields: JsonValue,
) -> dict[str, JsonValue]:
    """A body as M2.7 sends it. message: further fields of the message. fields: of the body."""
    turn: dict[str, JsonValue] = {
        "role": "assistant",
        "content": text,
        "name": "MiniMax AI",
        "audio_content": "",
        **(message or {}),
    }
    body: dict[str, JsonValue] = {
        "id": "0634f8d2a1",
        "object": "chat.completion",
        "created": 1774000000,
        "model": "MiniMax-M2.7",
        "choices": [{"index": 0, "finish_reason": finish_reason, "message": turn}],
        "usage": {
            "prompt_tokens": 120,
            "completion_tokens": 40,
            "total_tokens": 160,
            "prompt_tokens_details": {"cached_tokens": 64},
            "completion_tokens_details": {"reasoning_tokens": 15},
        },
        "input_sensitive": False,
        "output_sensitive": False,
        "input_sensitive_type": 0,
        "output_sensitive_type": 0,
        "base_resp": {"status_code": 0, "status_msg": ""},
    }
    return {**body, **fields}


class Loopback:
    """Answers from a script, in order, or from a function of the request; keeps what it was sent.

    An empty script answers 400, which nothing retries.
    """

    def __init__(self, script: Script = ()) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self._answer = script if callable(script) else _in_order(script)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.loopback = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def host(self) -> str:
        """`127.0.0.1:port`."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """The base that a dialect's path follows."""
        return f"http://{self.host}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    def answer(self, received: Received) -> bytes | Close:
        """What goes back, as bytes."""
        with self._lock:
            self.requests.append(received)
            answer = self._answer(received)
        if isinstance(answer, Delay):
            self._closing.wait(answer.seconds)
            answer = answer.answer
        if isinstance(answer, Close):
            return answer
        if isinstance(answer, str):
            return _http(200, {}, completion(answer))
        return _http(*answer)


def endpoint(
    server: Loopback,
    *,
    api_key: str | None = KEY,
    dialect: str = "workers_ai",
    profile: Profile | str = M2_7,
    extra: Mapping[str, JsonValue] | None = None,
) -> Endpoint:
    """Where the server is, as Cloudflare's M2.7 would be."""
    return Endpoint(
        url=server.url,
        model="minimax/m2.7",
        api_key=api_key,
        dialect=dialect,
        profile=profile,
        extra=extra or {},
    )


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set variables for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _in_order(script: Sequence[Answer]) -> Callable[[Received], Answer]:
    left = iter(script)
    over: Answer = (400, {}, {"error": {"message": "The script is over."}})
    return lambda _received: next(left, over)


def _http(status: int, headers: Mapping[str, str], body: str | bytes | JsonValue) -> bytes:
    if isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes):
        body = json.dumps(body).encode()
    fields = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    lines = [f"{name}: {value}" for name, value in fields.items()]
    head = "\r\n".join([f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *lines, "", ""])
    return head.encode("latin-1") + body


class _Server(ThreadingTCPServer):
    daemon_threads = False  # closing waits for them
    request_queue_size = 128
    loopback: Loopback

    def __init__(self, address: tuple[str, int], handler: type[StreamRequestHandler]) -> None:
        super().__init__(address, handler)
        self.open: set[socket.socket] = set()

    def hang_up(self) -> None:
        """End the connections that clients keep alive."""
        for connection in tuple(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client was faster


class _Handler(StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        server = cast("_Server", self.server)
        server.open.add(self.connection)
        server.loopback.connections += 1
        try:
            while line := self.rfile.readline():
                self._exchange(server.loopback, line)
        except OSError:
            return  # the client hung up, as some tests make it do
        finally:
            server.open.discard(self.connection)

    def _exchange(self, loopback: Loopback, line: bytes) -> None:
        _, path, _ = line.decode().split()
        headers: dict[str, str] = {}
        while field := self.rfile.readline().strip():
            name, _, value = field.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        answer = loopback.answer(Received(path, headers, json.loads(body) if body else None))
        if isinstance(answer, bytes):
            self.wfile.write(answer)
            return
        if answer.sent is not None:
            head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(answer.sent) + 100}\r\n\r\n"
            self.wfile.write(head.encode() + answer.sent)
        raise ConnectionAbortedError
