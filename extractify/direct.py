"""One connection as an httpx transport, without the pool that httpx puts around even one.

The pool costs as much as the exchange itself. Part of the transport, and imported by it alone.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import httpcore
import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
    from ssl import SSLContext

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


class _Route:
    """Where a connection goes, and a request as httpcore wants it."""

    def __init__(self, url: httpx.URL, tls: SSLContext | None) -> None:
        self._url = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        self.origin, self.tls = self._url.origin, tls

    def request(self, request: httpx.Request) -> httpcore.Request:
        """The same request. Its timeouts stay the ones that the caller may still change."""
        return httpcore.Request(
            method=b"POST",
            url=self._url,
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )


class _Stream(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with _translated():
            yield from cast("Iterable[bytes]", self._response.stream)

    def close(self) -> None:
        self._response.close()


class Direct(httpx.BaseTransport):
    """Exchanges one request at a time with one server; connects again where that hung up."""

    def __init__(self, url: httpx.URL, tls: SSLContext | None) -> None:
        self._route = _Route(url, tls)
        self._connection: httpcore.HTTPConnection | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and read the head of the answer."""
        with _translated():
            response = self._connected().handle_request(self._route.request(request))
        headers, stream = response.headers, _Stream(response)
        return httpx.Response(response.status, headers=headers, stream=stream)

    def _connected(self) -> httpcore.HTTPConnection:
        connection = self._connection
        if connection is None or not connection.is_idle() or connection.has_expired():
            self.close()
            connection = self._connection = httpcore.HTTPConnection(
                self._route.origin, self._route.tls, keepalive_expiry=_IDLE_SECONDS
            )
        return connection

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()


class _AsyncStream(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translated():
            async for piece in cast("AsyncIterable[bytes]", self._response.stream):
                yield piece

    async def aclose(self) -> None:
        await self._response.aclose()


class AsyncDirect(httpx.AsyncBaseTransport):
    """The same, awaited."""

    def __init__(self, url: httpx.URL, tls: SSLContext | None) -> None:
        self._route = _Route(url, tls)
        self._connection: httpcore.AsyncHTTPConnection | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and read the head of the answer."""
        connection = await self._connected()
        with _translated():
            response = await connection.handle_async_request(self._route.request(request))
        headers, stream = response.headers, _AsyncStream(response)
        return httpx.Response(response.status, headers=headers, stream=stream)

    async def _connected(self) -> httpcore.AsyncHTTPConnection:
        connection = self._connection
        if connection is None or not connection.is_idle() or connection.has_expired():
            await self.aclose()
            connection = httpcore.AsyncHTTPConnection(
                self._route.origin, self._route.tls, keepalive_expiry=_IDLE_SECONDS
            )
            self._connection = connection
        return connection

    async def aclose(self) -> None:
        """Hang up."""
        if self._connection is not None:
            await self._connection.aclose()
