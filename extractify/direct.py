"""One connection to one server: HTTP/1.1 as h11 speaks it, over a socket.

httpcore, which httpx is made of, costs several times what the exchange itself does. Part of the
transport, and imported by it alone.
"""

from __future__ import annotations

import re
import select
import socket
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

import h11
import httpx

from extractify.posting import plain_headers, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from ssl import SSLContext

    from extractify.posting import Patience

IDLE_SECONDS = 30.0
AT_ONCE = 2**16
"""The most bytes that are read at a time."""
_LARGEST_HEAD = 100 * 1024
_PLAIN_HEAD = re.compile(
    rb"HTTP/1\.1 (?!204|304)([2-5][0-9][0-9]) [\t -~\x80-\xff]*"
    rb"((?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*)*)"
)
_SIZE = re.compile("[0-9]{1,15}")
_NOT_PLAIN = ("transfer-encoding", "upgrade")


class Route:
    """Where a connection goes, and how a request begins. tls: None where none is spoken."""

    def __init__(self, url: httpx.URL, headers: dict[str, str], tls: SSLContext | None) -> None:
        self.host, self.tls = url.raw_host.decode("ascii"), tls
        self.port = url.port or (443 if url.scheme == "https" else 80)
        self._target = url.raw_path
        self._headers = [(b"host", url.netloc), *httpx.Headers(headers).raw]

    def request(self, size: int) -> h11.Request:
        """The head of a request, as h11 knows it. Raises: ProtocolError on what can't be sent."""
        headers = [*self._headers, (b"content-length", b"%d" % size)]
        return h11.Request(method=b"POST", target=self._target, headers=headers)

    @cached_property
    def head(self) -> bytes:
        """The same as bytes, up to the number."""
        return h11.Connection(h11.CLIENT).send(self.request(0)).removesuffix(b"0\r\n\r\n")


class Head(NamedTuple):
    """How an answer begins. headers: by their names in lower case."""

    status: int
    headers: dict[str, str]


class Talk:
    """What is said over one connection, without the connection.

    A plain answer, of a known length and with its head in one piece, is read here; any other one is
    left to h11, which knows all of HTTP/1.1 and takes ten times as long.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._asked = self._received = b""
        self._left: int | None = None  # of a plain body
        self._h11: h11.Connection | None = None
        self._until = 0.0

    @property
    def may_go_on(self) -> bool:
        """Whether a further request may follow now."""
        return monotonic() < self._until

    def ask(self, body: bytes) -> bytes:
        """The bytes of a request."""
        self._asked, self._received, self._left, self._h11 = body, b"", None, None
        self._until = 0.0
        return b"%b%d\r\n\r\n%b" % (self._route.head, len(body), body)

    def hear(self, data: bytes) -> None:
        """Take what arrived; nothing means that the server hung up."""
        if self._h11 is not None and (data or self._h11.their_state is not h11.SEND_RESPONSE):
            self._h11.receive_data(data)
        elif data:
            self._received += data
        elif self._left is None:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        else:
            raise httpx.RemoteProtocolError(f"The body ended {self._left} bytes too early.")

    def head(self) -> Head | None:
        """How the answer begins; None if more is needed."""
        if self._h11 is None and not self._received:
            return None
        if self._h11 is None:
            plain = _plain(self._received)
            if plain is not None:
                head, self._left, self._received = plain
                return head
            self._h11 = self._handed_over()
        event = self._h11.next_event()
        while type(event) is h11.InformationalResponse:
            event = self._h11.next_event()
        if event is h11.NEED_DATA:
            return None
        if not isinstance(event, h11.Response):
            raise httpx.RemoteProtocolError("The server wants to speak another protocol.")
        return Head(event.status_code, plain_headers(event.headers))

    def piece(self) -> bytes | None:
        """What comes next of the body; nothing at its end, None if more is needed."""
        if self._h11 is not None:
            event = self._h11.next_event()
            if event is h11.NEED_DATA:
                return None
            return bytes(event.data) if isinstance(event, h11.Data) else b""
        size = self._left or 0
        if size and not self._received:
            return None
        piece, self._received = self._received[:size], self._received[size:]
        self._left = size - len(piece)
        return piece

    def is_over(self) -> bool:
        """Whether the answer was read to its end, and allows another request."""
        if self._h11 is None:
            over = self._left == 0 and not self._received
        else:
            over = {self._h11.our_state, self._h11.their_state} == {h11.DONE}
            over = over and not self._h11.trailing_data[0]
        self._until = monotonic() + IDLE_SECONDS if over else 0.0
        return over

    def _handed_over(self) -> h11.Connection:
        talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)
        talk.send(self._route.request(len(self._asked)))
        talk.send(h11.Data(data=self._asked))
        talk.send(h11.EndOfMessage())
        talk.receive_data(self._received)
        self._received = b""
        return talk


def _plain(data: bytes) -> tuple[Head, int, bytes] | None:
    """The head of an answer, the size of its body, and what is there of it; None if in doubt."""
    head, end, rest = data.partition(b"\r\n\r\n")
    found = _PLAIN_HEAD.fullmatch(head) if end else None
    if found is None:
        return None
    lines = found[2].decode("latin-1").split("\r\n")[1:]
    parts = [line.partition(":") for line in lines]
    fields = [(name.lower(), value.strip(" \t")) for name, _, value in parts]
    headers = dict(fields)
    size = headers.get("content-length", "")
    doubtful = len(headers) < len(fields) or not _SIZE.fullmatch(size)
    doubtful = doubtful or headers.get("connection", "keep-alive").lower() != "keep-alive"
    if doubtful or not headers.keys().isdisjoint(_NOT_PLAIN):
        return None
    return Head(int(found[1]), headers), int(size), rest


def connecting(error: OSError) -> httpx.TransportError:
    """A failure to connect, in httpx's words."""
    kind = httpx.ConnectTimeout if isinstance(error, TimeoutError) else httpx.ConnectError
    return kind(str(error))


def exchanging(error: Exception) -> httpx.TransportError:
    """A failure behind that."""
    if isinstance(error, h11.ProtocolError):
        return httpx.RemoteProtocolError(str(error))
    return httpx.ReadTimeout("") if isinstance(error, TimeoutError) else httpx.ReadError(str(error))


BROKEN = (OSError, h11.ProtocolError)


class _Answer:
    """An answer of a Direct."""

    def __init__(self, connection: Direct, head: Head) -> None:
        self.status, self.headers = head
        self._connection = connection

    def pieces(self) -> Iterable[bytes]:
        return unpacked(self.headers, self._connection.body())

    def close(self) -> None:
        self._connection.end()


class Direct:
    """Exchanges one request at a time with one server; connects again where that hung up."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._socket: socket.socket | None = None
        self._talk = Talk(route)

    def post(self, body: bytes, patience: Patience) -> _Answer:
        """Send a request, and read the head of its answer."""
        connected = self._connected(patience.connect)
        try:
            asked = self._talk.ask(body)
            connected.settimeout(patience.read)
            _send(connected, asked)
            connected.settimeout(patience.first)
            while (head := self._talk.head()) is None:
                self._talk.hear(connected.recv(AT_ONCE))
            connected.settimeout(patience.read)
        except BROKEN as error:
            self.close()
            raise exchanging(error) from None
        except BaseException:
            self.close()
            raise
        return _Answer(self, head)

    def body(self) -> Iterator[bytes]:
        """The body as it arrives."""
        connected, talk = self._socket, self._talk
        try:
            while (piece := talk.piece()) != b"":
                if piece:
                    yield piece
                elif connected is not None:
                    talk.hear(connected.recv(AT_ONCE))
        except BROKEN as error:
            raise exchanging(error) from None

    def end(self) -> None:
        """Be ready for the next exchange, or hang up if this one isn't over."""
        if not self._talk.is_over():
            self.close()

    def _connected(self, seconds: float) -> socket.socket:
        connected = self._socket
        if connected is not None and self._talk.may_go_on and not _is_readable(connected):
            return connected
        self.close()
        route = self._route
        try:
            connected = socket.create_connection((route.host, route.port), seconds)
            try:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if route.tls is not None:
                    connected = route.tls.wrap_socket(connected, server_hostname=route.host)
            except BaseException:
                connected.close()
                raise
        except OSError as error:
            raise connecting(error) from None
        self._socket, self._talk = connected, Talk(route)
        return connected

    def close(self) -> None:
        """Hang up."""
        connected, self._socket = self._socket, None
        if connected is not None:
            connected.close()


def _send(connected: socket.socket, data: bytes) -> None:
    """Send all, unless the server has enough: it may have said why before it hung up."""
    try:
        connected.sendall(data)
    except ConnectionError:
        return


def _is_readable(connected: socket.socket) -> bool:
    """Whether an idle connection has something to say: most often, that the server hung up."""
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return bool(poll.poll(0))
