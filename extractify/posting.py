"""What a connection is to the transport: something that posts a body, and has the answer.

Three kinds of them know how: aiohttp's in `connections`, httpcore's in `direct`, and `detours` by
way of httpx's transports. All fail in httpx's words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator


class Patience(NamedTuple):
    """Seconds: until connected, until the answer begins, and for each read and write."""

    connect: float
    first: float
    read: float


class Answer(Protocol):
    """An answer that has begun. headers: by their names in lower case."""

    status: int
    headers: dict[str, str]

    def pieces(self) -> Iterable[bytes]:
        """The body as it arrives, decompressed."""

    def close(self) -> None:
        """Hang up, unless it was read to its end."""


class Connection(Protocol):
    """Exchanges one request at a time."""

    def post(self, body: bytes, patience: Patience) -> Answer:
        """Send a request, and read the head of its answer."""

    def close(self) -> None:
        """Hang up."""


class AsyncAnswer(Protocol):
    """An answer likewise, awaited."""

    status: int
    headers: dict[str, str]

    def pieces(self) -> AsyncIterable[bytes]:
        """The body as it arrives, decompressed."""

    async def close(self) -> None:
        """Hang up, unless it was read to its end."""


class AsyncConnection(Protocol):
    """A connection likewise, awaited."""

    async def post(self, body: bytes, patience: Patience) -> AsyncAnswer:
        """Send a request, and read the head of its answer."""

    async def close(self) -> None:
        """Hang up."""


class _Raw(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body as it travels."""

    def __init__(self, pieces: Iterable[bytes] | AsyncIterable[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(cast("Iterable[bytes]", self._pieces))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(cast("AsyncIterable[bytes]", self._pieces))


def plain_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers by their names in lower case."""
    return {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in raw}


def unpacked(headers: dict[str, str], raw: Iterable[bytes]) -> Iterable[bytes]:
    """Undo what `content-encoding` says, if there is any."""
    if "content-encoding" not in headers:
        return raw
    return httpx.Response(200, headers=headers, stream=_Raw(raw)).iter_bytes()


def unpacked_async(headers: dict[str, str], raw: AsyncIterable[bytes]) -> AsyncIterable[bytes]:
    """The same, awaited."""
    if "content-encoding" not in headers:
        return raw
    return httpx.Response(200, headers=headers, stream=_Raw(raw)).aiter_bytes()
