"""Where the async transport gets its connections from: httpx, or aiohttp where it is installed."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import httpx

from extractify.exchanges import FAULTS

if TYPE_CHECKING:
    from extractify.exchanges import Exchanges


class HttpxConnections:
    """Connections of httpx's own, one a transport."""

    errors: tuple[type[Exception], ...] = FAULTS

    def __init__(self, side: Exchanges) -> None:
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


class AiohttpConnections:
    """Connections of aiohttp's, which has a pool that doesn't slow down. One transport for all."""

    def __init__(self, side: Exchanges) -> None:
        import aiohttp
        import httpx_aiohttp

        self._aiohttp = aiohttp
        self.errors: tuple[type[Exception], ...] = (*FAULTS, aiohttp.ClientError)
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
        if isinstance(cause, TimeoutError) and type(error) is not TimeoutError:  # of ours
            return httpx.ReadTimeout(type(cause).__name__)
        if isinstance(cause, of.ClientError):
            return httpx.RemoteProtocolError(type(cause).__name__)
        return error

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.aclose()
