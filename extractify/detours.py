"""Exchanges by way of httpx's own transports: through a proxy, or within this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import httpx

from extractify.posting import plain_headers, unpacked, unpacked_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable

    from extractify.posting import Patience


class Route:
    """Where requests go, and the headers of all of them."""

    def __init__(self, url: httpx.URL, headers: dict[str, str]) -> None:
        self._url, self._headers = url, httpx.Headers(headers)

    def request(self, body: bytes, timeouts: dict[str, float]) -> httpx.Request:
        """The POST; its timeouts are looked at before each wait."""
        options: dict[str, Any] = {"content": body, "extensions": {"timeout": timeouts}}
        return httpx.Request("POST", self._url, headers=self._headers, **options)


class _Answer:
    def __init__(self, response: httpx.Response) -> None:
        self.status, self.headers = response.status_code, plain_headers(response.headers.raw)
        self._response = response

    def pieces(self) -> Iterable[bytes]:
        return unpacked(self.headers, cast("Iterable[bytes]", self._response.stream))

    def close(self) -> None:
        self._response.close()


class Detour:
    """A transport of httpx's as a connection."""

    def __init__(self, transport: httpx.BaseTransport, route: Route) -> None:
        self._transport, self._route = transport, route

    def post(self, body: bytes, patience: Patience) -> _Answer:
        """Send a request, and read the head of its answer."""
        timeouts = {"connect": patience.connect, "read": patience.first, "write": patience.read}
        response = self._transport.handle_request(self._route.request(body, timeouts))
        timeouts["read"] = patience.read
        return _Answer(response)

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


class _AsyncAnswer:
    def __init__(self, response: httpx.Response) -> None:
        self.status, self.headers = response.status_code, plain_headers(response.headers.raw)
        self._response = response

    def pieces(self) -> AsyncIterable[bytes]:
        return unpacked_async(self.headers, cast("AsyncIterable[bytes]", self._response.stream))

    async def close(self) -> None:
        await self._response.aclose()


class AsyncDetour:
    """The same, awaited."""

    def __init__(self, transport: httpx.AsyncBaseTransport, route: Route) -> None:
        self._transport, self._route = transport, route

    async def post(self, body: bytes, patience: Patience) -> _AsyncAnswer:
        """Send a request, and read the head of its answer."""
        timeouts = {"connect": patience.connect, "read": patience.read, "write": patience.read}
        request = self._route.request(body, timeouts)
        return _AsyncAnswer(await self._transport.handle_async_request(request))

    async def close(self) -> None:
        """Hang up."""
        await self._transport.aclose()
