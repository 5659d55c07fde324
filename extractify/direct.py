"""One connection to one server: HTTP/1.1 as h11 speaks it, over a socket.

httpcore, which httpx is made of, costs several times what the exchange itself does. Part of the
transport, and imported by it alone.
"""

from __future__ import annotations

import select
import socket
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, cast

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


class Route:
    """Where a connection goes, and how a request begins. tls: None where none is spoken."""

    def __init__(self, url: httpx.URL, headers: dict[str, str], tls: SSLContext | None) -> None:
        self.host, self.tls = url.raw_host.decode("ascii"), tls
        self.port = url.port or (443 if url.scheme == "https" else 80)
        self._target = url.raw_path
        self._headers = [(b"host", url.netloc), *httpx.Headers(headers).raw]

    def head(self, size: int) -> h11.Request:
        """What stands before a body of that size."""
        headers = [*self._headers, (b"content-length", b"%d" % size)]
        return h11.Request(method=b"POST", target=self._target, headers=headers)


class Talk:
    """What is said over one connection, without the connection."""

    def __init__(self) -> None:
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)
        self._until = 0.0

    @property
    def may_go_on(self) -> bool:
        """Whether a further request may follow now."""
        return self._h11.our_state is h11.IDLE and monotonic() < self._until

    def asked(self, route: Route, body: bytes) -> bytes:
        """The bytes of a request."""
        head = self._h11.send(route.head(len(body))) or b""
        self._h11.send(h11.Data(data=body))
        self._h11.send(h11.EndOfMessage())
        return head + body

    def next(self) -> object:
        """What came next: the head, a piece of the body, the end; or that more is needed."""
        event = self._h11.next_event()
        while type(event) is h11.InformationalResponse:
            event = self._h11.next_event()
        return event

    def hear(self, data: bytes) -> None:
        """Take what arrived; nothing means that the server hung up."""
        if not data and self._h11.their_state is h11.SEND_RESPONSE:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        self._h11.receive_data(data)

    def is_over(self) -> bool:
        """Get ready for the next request, if the answer was read to its end and allows one."""
        if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
            return False
        self._h11.start_next_cycle()
        self._until = monotonic() + IDLE_SECONDS
        return True


@contextmanager
def connecting() -> Iterator[None]:
    """Failures to connect, in httpx's words."""
    try:
        yield
    except TimeoutError as error:
        raise httpx.ConnectTimeout(str(error)) from None
    except OSError as error:
        raise httpx.ConnectError(str(error)) from None


@contextmanager
def exchanging() -> Iterator[None]:
    """Failures behind that."""
    try:
        yield
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from None
    except OSError as error:
        raise httpx.ReadError(str(error)) from None
    except h11.ProtocolError as error:
        raise httpx.RemoteProtocolError(str(error)) from None


class _Answer:
    """An answer of a Direct."""

    def __init__(self, connection: Direct, head: h11.Response) -> None:
        self.status, self.headers = head.status_code, plain_headers(head.headers)
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
        self._talk = Talk()
        self._patience = 0.0

    def post(self, body: bytes, patience: Patience) -> _Answer:
        """Send a request, and read the head of its answer."""
        connected = self._connected(patience.connect)
        try:
            with exchanging():
                asked = self._talk.asked(self._route, body)
                connected.settimeout(patience.read)
                try:
                    connected.sendall(asked)
                except TimeoutError:
                    raise
                except OSError:  # a server that has enough may have said why before it hung up
                    pass
                self._patience = patience.first
                head = self._next()
                self._patience = patience.read
        except BaseException:
            self.close()
            raise
        return _Answer(self, cast("h11.Response", head))

    def body(self) -> Iterator[bytes]:
        """The body as it arrives."""
        with exchanging():
            while type(event := self._next()) is h11.Data:
                yield bytes(event.data)

    def end(self) -> None:
        """Be ready for the next exchange, or hang up if this one isn't over."""
        if not self._talk.is_over():
            self.close()

    def _next(self) -> object:
        talk, connected = self._talk, self._socket
        while (event := talk.next()) is h11.NEED_DATA:
            if connected is None:
                raise httpx.ReadError("The connection was closed meanwhile.")
            connected.settimeout(self._patience)
            talk.hear(connected.recv(AT_ONCE))
        return event

    def _connected(self, seconds: float) -> socket.socket:
        connected = self._socket
        if connected is not None and self._talk.may_go_on and not _is_readable(connected):
            return connected
        self.close()
        route = self._route
        with connecting():
            connected = socket.create_connection((route.host, route.port), seconds)
            try:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if route.tls is not None:
                    connected = route.tls.wrap_socket(connected, server_hostname=route.host)
            except BaseException:
                connected.close()
                raise
        self._socket, self._talk = connected, Talk()
        return connected

    def close(self) -> None:
        """Hang up."""
        connected, self._socket = self._socket, None
        if connected is not None:
            connected.close()


def _is_readable(connected: socket.socket) -> bool:
    """Whether an idle connection has something to say: most often, that the server hung up."""
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return bool(poll.poll(0))
