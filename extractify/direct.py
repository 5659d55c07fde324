"""One connection of httpcore's, without the pool and the requests that httpx puts around it.

They cost more than the exchange itself. Part of the transport, and imported by it alone.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, cast

import httpcore
import httpx

from extractify.posting import plain_headers, unpacked, unpacked_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
    from ssl import SSLContext

    from extractify.posting import Patience

_IDLE_SECONDS = 30.0
# From the particular to the general: the first that fits.
_IN_HTTPX_WORDS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.TimeoutException, httpx.ReadTimeout),
    (httpcore.NetworkError, httpx.ReadError),
    (httpcore.ProtocolError, httpx.RemoteProtocolError),
)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        kind = next(ours for theirs, ours in _IN_HTTPX_WORDS if isinstance(error, theirs))
        raise kind(str(error)) from None


class Route:
    """Where requests go, over TLS or not, and the headers of all of them."""

    def __init__(self, url: httpx.URL, headers: dict[str, str], tls: SSLContext | None) -> None:
        self._url = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        self._headers = [(b"host", url.netloc), *httpx.Headers(headers).raw]
        self.origin, self.tls = self._url.origin, tls
        self.host = url.raw_host.decode("ascii")

    def request(self, body: bytes, timeouts: dict[str, float]) -> httpcore.Request:
        """The POST; its timeouts are looked at before each wait."""
        headers = [*self._headers, (b"content-length", b"%d" % len(body))]
        about = {"timeout": timeouts}
        return httpcore.Request(b"POST", self._url, headers=headers, content=body, extensions=about)


class _Gathering(httpcore.NetworkStream):
    """A socket on which the head and the body of a request leave together.

    Each write would wake a server of its own, and let another thread of this process run.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream, self._unsent = stream, b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout  # that of the read counts
        self._unsent += buffer

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        unsent, self._unsent = self._unsent, b""
        with suppress(httpcore.WriteError):  # it may have answered before it hung up
            self._stream.write(unsent, timeout)
        return self._stream.read(max_bytes, timeout)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class _Answer:
    def __init__(self, response: httpcore.Response) -> None:
        self.status, self.headers = response.status, plain_headers(response.headers)
        self._response = response

    def pieces(self) -> Iterable[bytes]:
        return unpacked(self.headers, self._raw())

    def _raw(self) -> Iterator[bytes]:
        with _translated():
            yield from cast("Iterable[bytes]", self._response.stream)

    def close(self) -> None:
        self._response.close()


class Direct:
    """Exchanges one request at a time with one server; connects again where that hung up."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._connection: httpcore.HTTP11Connection | None = None

    def post(self, body: bytes, patience: Patience) -> _Answer:
        """Send a request, and read the head of its answer."""
        timeouts = {"read": patience.first}
        with _translated():
            connection = self._connected(patience.connect)
            response = connection.handle_request(self._route.request(body, timeouts))
        timeouts["read"] = patience.read
        return _Answer(response)

    def _connected(self, seconds: float) -> httpcore.HTTP11Connection:
        connection, route = self._connection, self._route
        if connection is None or not connection.is_idle() or connection.has_expired():
            self.close()
            stream = httpcore.SyncBackend().connect_tcp(route.host, route.origin.port, seconds)
            if route.tls is not None:
                stream = stream.start_tls(route.tls, route.host, seconds)
            connection = httpcore.HTTP11Connection(route.origin, _Gathering(stream), _IDLE_SECONDS)
            self._connection = connection
        return connection

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()


class _AsyncAnswer:
    def __init__(self, response: httpcore.Response) -> None:
        self.status, self.headers = response.status, plain_headers(response.headers)
        self._response = response

    def pieces(self) -> AsyncIterable[bytes]:
        return unpacked_async(self.headers, self._raw())

    async def _raw(self) -> AsyncIterator[bytes]:
        with _translated():
            async for piece in cast("AsyncIterable[bytes]", self._response.stream):
                yield piece

    async def close(self) -> None:
        await self._response.aclose()


class AsyncDirect:
    """The same, awaited."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._connection: httpcore.AsyncHTTP11Connection | None = None

    async def post(self, body: bytes, patience: Patience) -> _AsyncAnswer:
        """Send a request, and read the head of its answer."""
        with _translated():
            connection = await self._connected(patience.connect)
            request = self._route.request(body, {"read": patience.read})
            return _AsyncAnswer(await connection.handle_async_request(request))

    async def _connected(self, seconds: float) -> httpcore.AsyncHTTP11Connection:
        from extractify.sockets import Socket  # brings asyncio, which the sync client doesn't need

        connection, route = self._connection, self._route
        if connection is None or not connection.is_idle() or connection.has_expired():
            await self.close()
            socket = await Socket.opened(route.host, route.origin.port, route.tls, seconds)
            connection = httpcore.AsyncHTTP11Connection(route.origin, socket, _IDLE_SECONDS)
            self._connection = connection
        return connection

    async def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            await self._connection.aclose()
