"""A scripted endpoint on a loopback socket: for curl, other clients and other processes."""

from __future__ import annotations

import os
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from selectors import EVENT_READ, DefaultSelector
from socketserver import ThreadingTCPServer
from typing import TYPE_CHECKING, Self, cast

from extractify.testing.answers import Answer, Reply, Seen, reply_to
from extractify.testing.script import CLOUDFLARE, Player, Script

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.endpoints import Endpoint
    from extractify.testing.contract import Contract

_NO_LINGER = struct.pack("ii", 1, 0)
_LAST_CHUNK = b"0\r\n\r\n"


class Server:
    """Serves a script on 127.0.0.1 while its `with` lasts; made by `serve`.

    connections: how many were opened so far. endpoint: where to ask. Leaving the `with` raises what
    was wrong with the first wrong request, which was answered with HTTP 400 and the reason.
    """

    def __init__(self, player: Player, like: Endpoint, latency: float, port: int = 0) -> None:
        self.connections = 0
        self.latency = latency
        self.player = player
        self.closing = threading.Event()
        self.open: set[socket.socket] = set()
        self._http = _Listener(("127.0.0.1", port), _Handler)
        self._http.owner = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self.host = f"127.0.0.1:{self._http.server_address[1]}"
        self.endpoint = replace(like, url=self.url)

    @property
    def url(self) -> str:
        """The base URL, as an `Endpoint` takes it."""
        return f"http://{self.host}/v1"

    @property
    def requests(self) -> list[Seen]:
        """The requests so far, oldest first."""
        return list(self.player.requests)

    def refuse(self) -> None:
        """Take no further connection, as a server that is down. Only within the `with`."""
        self._http.shutdown()
        self._http.socket.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.closing.set()
        self.refuse()
        self._thread.join()
        for connection in tuple(self.open):
            with suppress(OSError):  # the client may have been faster
                connection.shutdown(socket.SHUT_RDWR)
        self._http.server_close()
        if self.player.broken:
            raise self.player.broken[0]


def serve(
    script: Script = (),
    *,
    like: Endpoint | None = None,
    contract: Contract | None = None,
    latency: float = 0.0,
    port: int = 0,
) -> Server:
    """Serve a script over HTTP on 127.0.0.1 for the time of a `with`.

    As `ScriptedEndpoint`, for whatever speaks HTTP. latency: seconds before each answer. port: a
    free one unless it is given, such as that of a server which was down for a while. Of an
    exception in the script, the connection ends as it says.
    """
    return Server(Player.of(script, like, contract), like or CLOUDFLARE, latency, port)


class _Listener(ThreadingTCPServer):
    allow_reuse_address = True  # also while connections of before linger
    daemon_threads = False  # closing waits for them
    request_queue_size = 128
    owner: Server

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: what a script raised is raised again at the end."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def _owner(self) -> Server:
        return cast("_Listener", self.server).owner

    def handle(self) -> None:
        owner, connection = self._owner, self.connection
        owner.open.add(connection)
        owner.connections += 1
        try:
            with suppress(ConnectionError):  # the client may hang up at any time
                if not owner.closing.is_set():
                    super().handle()
        finally:
            owner.open.discard(connection)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing: tests have their own output."""

    def do_POST(self) -> None:
        """Answer from the script."""
        owner, body = self._owner, self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            reply = owner.player.reply(self.path, headers, body)
        except AssertionError as error:
            told = Answer({"error": {"message": str(error)}}, 400)
            reply = reply_to(Seen(self.path, headers, None), told)
        if owner.latency:
            self._wait(owner.latency)
        if reply.is_http:
            self._send(reply)
        else:
            self.wfile.write(reply.content)
            self.close_connection = True

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(chunks)

    def _send(self, reply: Reply) -> None:
        length = sum(len(part) for part in reply.parts if isinstance(part, bytes))
        headers = {"content-length": str(length), **reply.headers}
        is_open = reply.streams and "content-length" not in reply.headers
        is_chunked = is_open and self.request_version == self.protocol_version
        if is_open:
            del headers["content-length"]
        if is_chunked:
            headers["transfer-encoding"] = "chunked"
        elif is_open or headers["content-length"] != str(length):
            self.close_connection = True
        unsent = self._head(reply.status, headers)
        for part in reply.parts:
            if isinstance(part, Exception):
                self._end(part)
                return
            if not isinstance(part, bytes):
                self._wait(part)
            elif part:
                framed = b"%x\r\n%s\r\n" % (len(part), part) if is_chunked else part
                self.wfile.write(unsent + framed)
                unsent = b""
        self.wfile.write(unsent + (_LAST_CHUNK if is_chunked else b""))

    def _head(self, status: int, headers: Mapping[str, str]) -> bytes:
        phrase = self.responses.get(status, ("Unknown",))[0]
        lines = [f"HTTP/1.1 {status} {phrase}", *(f"{key}: {headers[key]}" for key in headers)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _wait(self, seconds: float | None) -> None:
        """Pause, unless the client hangs up meanwhile, or the server closes."""
        with DefaultSelector() as selector:
            selector.register(self.connection, EVENT_READ)
            if selector.select(seconds):
                raise ConnectionAbortedError

    def _end(self, how: Exception) -> None:
        """End the connection as the exception says."""
        self.close_connection = True
        if isinstance(how, TimeoutError):
            self._wait(None)
        elif isinstance(how, ConnectionError):
            if isinstance(how, ConnectionRefusedError):
                self._owner.refuse()
            # Nothing else sends a reset: shutting down in order would say goodbye first.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            os.close(self.connection.detach())
