"""The wire itself: connections, timeouts, limits. The only importer of httpx.

It owns *time*: what fails for a passing reason is repeated here, by a tenacity policy, and never
counts as an attempt of the conversation.

Each connection is lent to one exchange at a time. httpx's own pool walks all waiting requests
whenever one of them moves, which at 64 in flight costs ten times what the exchange does. Where
httpx-aiohttp is installed, the async transport uses that.
"""

from __future__ import annotations

import sys
import threading
from base64 import b64encode
from contextlib import suppress
from importlib.util import find_spec
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, cast

import httpx

from extractify.errors import (
    ConfigurationError,
    ExtractifyError,
    InvalidRequest,
)
from extractify.events import Warned
from extractify.limits import Body, Limits, left, shorter

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable
    from ssl import SSLContext

    from extractify.events import OnEvent
    from extractify.messages import Completion, Request
    from extractify.retrying import Retry
    from extractify.wire import Fault, Wire

DEFAULT_TIMEOUT = 300.0
"""Seconds without a byte until a call fails; a thinking model is silent for long."""
_ALWAYS_SENT = {"accept-encoding": "gzip, deflate", "user-agent": "extractify"}
_PLAIN = Warned(
    "response_format", "The endpoint refused it, so from now on it is left out; the prompt asks."
)

_CLOSED = "The client was closed during the call. Open a new one."
_FAULTS = (httpx.HTTPError, TimeoutError)
Timeouts: TypeAlias = "dict[str, float]"


def usable(wire: Wire) -> httpx.URL:
    """The URL to post to. Raises: ConfigurationError on a host that no name server could take."""
    try:
        return httpx.URL(wire.url)
    except httpx.InvalidURL as error:
        message = f"The endpoint's URL for {wire.host} can't be used: {error}. Correct it."
        raise ConfigurationError(message) from None


class _Exchanges:
    """What both transports do alike: requests built, deadlines, sizes, faults."""

    def __init__(self, wire: Wire, timeout: float, limits: Limits | None) -> None:
        self.wire = wire
        self.limits = limits or Limits()
        self.is_closed = False
        self._timeout = timeout
        self._url = usable(wire)
        self._headers = httpx.Headers({**_ALWAYS_SENT, **wire.headers})
        self._proxy = None if wire.proxy is None else httpx.Proxy(wire.proxy)
        self._tls: SSLContext | None = None

    def request(self, body: bytes, seconds: float | None) -> tuple[httpx.Request, Timeouts]:
        """The POST, and its timeouts, which the connection looks at before each wait."""
        read = shorter(self._timeout, seconds)
        connect = shorter(min(self._timeout, self.limits.connect), seconds)
        timeouts: Timeouts = {"connect": connect, "read": read, "write": read}
        options: dict[str, Any] = {"content": body, "extensions": {"timeout": timeouts}}
        return httpx.Request("POST", self._url, headers=self._headers, **options), timeouts

    def connection(self) -> httpx.BaseTransport:
        """A new connection."""
        if self._proxy is None:
            from extractify.direct import Direct  # brings httpcore, as httpx does when it opens

            return self.wire.here or Direct(self._url, self.tls())
        return httpx.HTTPTransport(**self.settings())

    def async_connection(self) -> httpx.AsyncBaseTransport:
        """A new connection, to be awaited."""
        if self._proxy is None:
            from extractify.direct import AsyncDirect

            return self.wire.here or AsyncDirect(self._url, self.tls())
        return httpx.AsyncHTTPTransport(**self.settings())

    def settings(self) -> dict[str, Any]:
        """The options of a transport of httpx's own, which knows of proxies."""
        return {
            "verify": self.tls() or False,  # False: there is no TLS
            "limits": httpx.Limits(max_connections=1, keepalive_expiry=30.0),
            "proxy": self._proxy,
        }

    def tls(self) -> SSLContext | None:
        """One context for all connections, which verifies; None where nobody speaks TLS."""
        if self._tls is None and "https" in (self._url.scheme, self._proxy_scheme()):
            self._tls = httpx.create_ssl_context()
        return self._tls

    def _proxy_scheme(self) -> str:
        return "" if self._proxy is None else self._proxy.url.scheme

    def wants_aiohttp(self) -> bool:
        """Whether to use aiohttp. Raises: ConfigurationError where it is asked for and missing."""
        wanted = False if self.wire.here is not None else self.limits.aiohttp
        if wanted is None:
            return "socks" not in self._proxy_scheme() and find_spec("httpx_aiohttp") is not None
        if wanted and find_spec("httpx_aiohttp") is None:
            message = "Limits(aiohttp=True) needs the extra: pip install 'extractify[aiohttp]'"
            raise ConfigurationError(message)
        return wanted

    def fail(self, error: Exception, end: float | None) -> NoReturn:
        """Raise the fault that an error of httpx's stands for."""
        late = end is not None and monotonic() >= end
        kind: Fault = "timeout" if late else _kind(error)
        what = "its time for all was over" if late else str(error)
        raise self.wire.fault(kind, what or type(error).__name__) from None


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """The headers by their names in lower case; httpx's own mapping decodes at every look."""
    return {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in headers.raw}


def _kind(error: Exception) -> Fault:
    if isinstance(error, httpx.ProxyError):
        return "proxy"
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
        return "connect"
    return "timeout" if isinstance(error, httpx.TimeoutException | TimeoutError) else "broken"


class Transport:
    """Sends requests, each over a connection of its own for as long as that takes. Thread-safe."""

    def __init__(
        self, wire: Wire, *, timeout: float, retry: Retry, limits: Limits | None, emit: OnEvent
    ) -> None:
        self._side = _Exchanges(wire, timeout, limits)
        self._emit = emit
        self._policy = retry.policy(emit)
        self._idle: list[httpx.BaseTransport] = []
        self._gate = threading.Semaphore(self._side.limits.connections or sys.maxsize)

    def send(self, request: Request) -> Completion:
        """Exchange one request. Raises: TransportError, EndpointError."""
        wire = self._side.wire
        try:
            return self._repeated(wire.body(request))
        except InvalidRequest as error:
            plain = wire.plain_body(request, error)
            if plain is None:
                raise
        self._emit(_PLAIN)
        completion = self._repeated(plain)
        wire.takes_format = False
        return completion

    def _repeated(self, body: bytes) -> Completion:
        call = self._policy.call()
        while True:
            try:
                return self._exchange(body, call.until)
            except ExtractifyError as error:
                pause = call.pause_after(error)
            sleep(pause)

    def _exchange(self, body: bytes, until: float | None) -> Completion:
        side = self._side
        end = side.limits.end(until)
        if not self._gate.acquire(timeout=left(end)):
            raise side.wire.fault("timeout", "all of Limits(connections=…) were busy")
        try:
            return self._exchanged(body, end)
        finally:
            self._gate.release()

    def _exchanged(self, body: bytes, end: float | None) -> Completion:
        side = self._side
        connection = self._taken()
        request, timeouts = side.request(body, left(end))
        read = timeouts["read"]
        timeouts["read"] = shorter(read, side.limits.headers)
        try:
            response = connection.handle_request(request)
            timeouts["read"] = read
            try:
                content = self._content(response, end)
            finally:
                response.close()
        except _FAULTS as error:
            side.fail(error, end)
        finally:
            self._give_back(connection)
        return side.wire.completion(response.status_code, _plain(response.headers), content)

    def _content(self, response: httpx.Response, end: float | None) -> bytes:
        body = Body(response.status_code, self._side.limits.response_bytes, end)
        packed = "content-encoding" in response.headers
        pieces = response.iter_bytes() if packed else cast("Iterable[bytes]", response.stream)
        for piece in pieces:
            body.add(piece)
        return body.content

    def _taken(self) -> httpx.BaseTransport:
        if self._side.is_closed:
            raise ConfigurationError(_CLOSED)
        try:
            return self._idle.pop()
        except IndexError:
            return self._side.connection()

    def _give_back(self, connection: httpx.BaseTransport) -> None:
        self._idle.append(connection)
        if self._side.is_closed or len(self._idle) > self._side.limits.kept:
            with suppress(IndexError):  # another thread closes them
                self._idle.pop(0).close()

    def close(self) -> None:
        """Close the connections; one that is in use is closed when its exchange is over."""
        self._side.is_closed = True
        with suppress(IndexError):  # other threads may take some meanwhile
            while True:
                self._idle.pop().close()


class AsyncTransport:
    """Sends requests likewise, within one event loop."""

    def __init__(
        self, wire: Wire, *, timeout: float, retry: Retry, limits: Limits | None, emit: OnEvent
    ) -> None:
        import asyncio  # as slow to import as all of ours, and the sync client doesn't need it

        self._side = side = _Exchanges(wire, timeout, limits)
        self._emit = emit
        self._policy = retry.policy(emit)
        self._sleep = asyncio.sleep
        self._gate = asyncio.Semaphore(side.limits.connections or sys.maxsize)
        self._timeout = asyncio.timeout
        self._connections = _Aiohttp(side) if side.wants_aiohttp() else _Httpx(side)

    async def send(self, request: Request) -> Completion:
        """Exchange one request. Raises: TransportError, EndpointError."""
        wire = self._side.wire
        try:
            return await self._repeated(wire.body(request))
        except InvalidRequest as error:
            plain = wire.plain_body(request, error)
            if plain is None:
                raise
        self._emit(_PLAIN)
        completion = await self._repeated(plain)
        wire.takes_format = False
        return completion

    async def _repeated(self, body: bytes) -> Completion:
        call = self._policy.call()
        while True:
            try:
                return await self._exchange(body, call.until)
            except ExtractifyError as error:
                pause = call.pause_after(error)
            await self._sleep(pause)

    async def _exchange(self, body: bytes, until: float | None) -> Completion:
        side = self._side
        end = side.limits.end(until)
        try:
            async with self._timeout(left(end)), self._gate:
                response, content = await self._exchanged(body, end)
        except self._connections.errors as error:
            side.fail(self._connections.translated(error), end)
        return side.wire.completion(response.status_code, _plain(response.headers), content)

    async def _exchanged(self, body: bytes, end: float | None) -> tuple[httpx.Response, bytes]:
        side = self._side
        if side.is_closed:
            raise ConfigurationError(_CLOSED)
        connection = self._connections.taken()
        request, _ = side.request(body, left(end))
        try:
            async with self._timeout(side.limits.headers):
                response = await connection.handle_async_request(request)
            try:
                return response, await self._content(response)
            finally:
                await response.aclose()
        finally:
            await self._connections.give_back(connection)

    async def _content(self, response: httpx.Response) -> bytes:
        body = Body(response.status_code, self._side.limits.response_bytes, None)
        packed = "content-encoding" in response.headers
        plain = cast("AsyncIterable[bytes]", response.stream)
        async for piece in response.aiter_bytes() if packed else plain:
            body.add(piece)
        return body.content

    async def close(self) -> None:
        """Close the connections; one that is in use is closed when its exchange is over."""
        self._side.is_closed = True
        await self._connections.close()


class _Httpx:
    """Connections of httpx's own, one a transport."""

    errors: tuple[type[Exception], ...] = _FAULTS

    def __init__(self, side: _Exchanges) -> None:
        self._side = side
        self._idle: list[httpx.AsyncBaseTransport] = []

    def taken(self) -> httpx.AsyncBaseTransport:
        """One that nobody uses."""
        return self._idle.pop() if self._idle else self._side.async_connection()

    async def give_back(self, connection: httpx.AsyncBaseTransport) -> None:
        """Keep it for the next exchange, or close it."""
        self._idle.append(connection)
        if self._side.is_closed or len(self._idle) > self._side.limits.kept:
            await self._idle.pop(0).aclose()

    def translated(self, error: Exception) -> Exception:
        """The error in httpx's words."""
        return error

    async def close(self) -> None:
        """Close what isn't in use."""
        while self._idle:
            await self._idle.pop().aclose()


class _Aiohttp:
    """Connections of aiohttp's, which has a pool that doesn't slow down. One transport for all."""

    def __init__(self, side: _Exchanges) -> None:
        import aiohttp
        import httpx_aiohttp

        self._aiohttp = aiohttp
        self.errors: tuple[type[Exception], ...] = (*_FAULTS, aiohttp.ClientError)
        tls = side.tls()

        def session() -> aiohttp.ClientSession:
            connector = aiohttp.TCPConnector(limit=0, ssl=tls or True, keepalive_timeout=30.0)
            return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

        settings = side.settings()
        proxy = settings["proxy"]
        if proxy is not None and proxy.auth is not None:
            # The adapter's own way to pass them on is one that aiohttp deprecates.
            word = b64encode(":".join(proxy.auth).encode()).decode()
            proxy = httpx.Proxy(proxy.url, headers={"proxy-authorization": f"Basic {word}"})
        self._transport = httpx_aiohttp.AiohttpTransport(
            client=session, verify=settings["verify"], proxy=proxy
        )

    def taken(self) -> httpx.AsyncBaseTransport:
        """The one there is."""
        return self._transport

    async def give_back(self, connection: httpx.AsyncBaseTransport) -> None:
        """Nothing to do: aiohttp keeps its connections."""

    def translated(self, error: Exception) -> Exception:
        """The error in httpx's words; the adapter's own say that most are failures to connect."""
        cause = error.__cause__ if isinstance(error, httpx.HTTPError) else error
        of = self._aiohttp
        if isinstance(cause, of.ClientHttpProxyError):
            return httpx.ProxyError(f"HTTP {cause.status}")  # its own words hold the proxy's URL
        if isinstance(cause, of.ClientProxyConnectionError):
            return httpx.ProxyError(cause.strerror or type(cause).__name__)
        if isinstance(cause, of.ClientConnectorError | of.ConnectionTimeoutError):
            return httpx.ConnectError(str(cause))
        if isinstance(cause, TimeoutError):
            return httpx.ReadTimeout(type(cause).__name__)
        if isinstance(cause, of.ClientError):
            return httpx.RemoteProtocolError(type(cause).__name__)
        return error

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.aclose()
