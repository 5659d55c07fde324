"""Where async connections come from: our own, or of aiohttp where it is installed."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import httpx

from extractify.exchanges import FAULTS
from extractify.posting import plain_headers, unpacked_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    import aiohttp

    from extractify.exchanges import Exchanges
    from extractify.posting import AsyncConnection, Patience

_AT_ONCE = 2**14
"""Bytes of a compressed body that are unpacked at a time."""


class OwnConnections:
    """One for each exchange that is under way."""

    errors: tuple[type[Exception], ...] = FAULTS

    def __init__(self, side: Exchanges) -> None:
        self._side = side
        self._idle: list[AsyncConnection] = []

    def taken(self) -> AsyncConnection:
        """One that nobody uses."""
        return self._idle.pop() if self._idle else self._side.async_connection()

    async def give_back(self, connection: AsyncConnection) -> None:
        """Keep it for the next exchange, or close it."""
        self._idle.append(connection)
        if self._side.is_closed or len(self._idle) > self._side.limits.kept:
            await self._idle.pop(0).close()

    def translated(self, error: Exception) -> Exception:
        """The error in httpx's words."""
        return error

    async def close(self) -> None:
        """Close what isn't in use."""
        while self._idle:
            await self._idle.pop().close()


class _Answer:
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.status, self.headers = response.status, plain_headers(response.raw_headers)
        self._response = response

    def pieces(self) -> AsyncIterable[bytes]:
        content = self._response.content
        if "content-encoding" not in self.headers:
            return content.iter_any()
        return unpacked_async(self.headers, content.iter_chunked(_AT_ONCE))

    async def close(self) -> None:
        if not self._response.closed:  # as it is when it was read to its end
            self._response.close()


class AiohttpConnections:
    """Connections of aiohttp's, which has a pool that doesn't slow down. One session for all."""

    def __init__(self, side: Exchanges) -> None:
        import aiohttp
        from yarl import URL

        self._aiohttp = aiohttp
        self.errors: tuple[type[Exception], ...] = (*FAULTS, aiohttp.ClientError)
        self._side, self._url = side, URL(str(side.url))
        self._session: aiohttp.ClientSession | None = None
        self._patience: Patience | None = None
        self._timeout: aiohttp.ClientTimeout | None = None
        self._options: dict[str, Any] = {"allow_redirects": False}
        proxy = side.settings()["proxy"]
        if proxy is not None:
            headers = dict(proxy.headers)
            if proxy.auth is not None:
                # The option for them is one that aiohttp deprecates.
                word = b64encode(":".join(proxy.auth).encode()).decode()
                headers["proxy-authorization"] = f"Basic {word}"
            self._options |= {"proxy": str(proxy.url), "proxy_headers": headers}

    def taken(self) -> AiohttpConnections:
        """All of them."""
        return self

    async def give_back(self, connection: AsyncConnection) -> None:
        """Nothing to do: aiohttp keeps its connections."""

    async def post(self, body: bytes, patience: Patience) -> _Answer:
        """Send a request over a connection that is free, and read the head of its answer."""
        session = self._session or self._opened()
        if patience != self._patience:
            self._timeout = self._aiohttp.ClientTimeout(None, None, patience.read, patience.connect)
            self._patience = patience
        posted = session.post(self._url, data=body, timeout=self._timeout, **self._options)
        return _Answer(await posted)

    def _opened(self) -> aiohttp.ClientSession:
        of, side = self._aiohttp, self._side
        connector = of.TCPConnector(limit=0, ssl=side.tls() or True, keepalive_timeout=30.0)
        self._session = of.ClientSession(
            connector=connector,
            cookie_jar=of.DummyCookieJar(),
            headers=side.headers,
            auto_decompress=False,
        )
        return self._session

    def translated(self, error: Exception) -> Exception:
        """The error in httpx's words."""
        of = self._aiohttp
        if isinstance(error, of.ClientHttpProxyError):
            return httpx.ProxyError(f"HTTP {error.status}")  # its own words hold the proxy's URL
        if isinstance(error, of.ClientProxyConnectionError):
            return httpx.ProxyError(error.strerror or type(error).__name__)
        if isinstance(error, of.ClientConnectorError | of.ConnectionTimeoutError):
            reason = getattr(error, "os_error", error)  # its own words speak of TLS, in any case
            return httpx.ConnectError(getattr(reason, "strerror", None) or str(reason))
        if isinstance(error, of.ServerTimeoutError):
            return httpx.ReadTimeout(type(error).__name__)
        if isinstance(error, of.ClientError):
            return httpx.RemoteProtocolError(type(error).__name__)
        return error

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
