"""A socket of asyncio's as httpcore reads and writes one.

Those that httpcore brings go by way of anyio, which puts a cancel scope and a turn of the loop
around each read and write: together they cost as much as all of HTTP.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import httpcore

if TYPE_CHECKING:
    from ssl import SSLContext

_MOST_UNREAD = 2**18
"""Bytes that nobody has read, beyond which the other side has to wait."""
_NEXT_ADDRESS = 0.25
"""Seconds until the next address of a host is tried beside the one that doesn't answer."""


class Socket(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection. What is written leaves when an answer is waited for: head and body at once.

    It fails in httpcore's words.
    """

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._unsent: list[bytes] = []
        self._unread = bytearray()
        self._is_over = False
        self._error: Exception | None = None
        self._arrival: asyncio.Future[None] | None = None

    @classmethod
    async def opened(cls, host: str, port: int, tls: SSLContext | None, seconds: float) -> Socket:
        """Connect. Raises: httpcore.ConnectTimeout, httpcore.ConnectError."""
        loop = asyncio.get_running_loop()
        options: dict[str, Any] = {}
        if isinstance(loop, asyncio.BaseEventLoop):  # other loops don't know of it
            options["happy_eyeballs_delay"] = _NEXT_ADDRESS
        try:
            async with asyncio.timeout(seconds):
                return (await loop.create_connection(cls, host, port, ssl=tls, **options))[1]
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from None
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Told by the loop."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Told by the loop."""
        self._unread += data
        if len(self._unread) > _MOST_UNREAD:
            self._transport.pause_reading()
        self._tell()

    def eof_received(self) -> None:
        """Told by the loop."""
        self._is_over = True
        self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        """Told by the loop."""
        self._is_over, self._error = True, exc
        self._tell()

    def _tell(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Keep it for the next read, whose timeout counts."""
        del timeout
        self._unsent.append(buffer)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Send what was written, and wait for bytes; none is the end.

        Raises: httpcore.ReadTimeout, httpcore.ReadError.
        """
        if self._unsent:
            self._transport.write(b"".join(self._unsent))
            self._unsent = []
        if not self._unread and not self._is_over:
            self._arrival = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(timeout):
                    await self._arrival
            except TimeoutError as error:
                raise httpcore.ReadTimeout(str(error)) from None
        if self._error is not None and not self._unread:
            raise httpcore.ReadError(str(self._error)) from None
        piece = bytes(self._unread[:max_bytes])
        del self._unread[:max_bytes]
        self._transport.resume_reading()
        return piece

    async def aclose(self) -> None:
        """Hang up."""
        self._transport.abort()
        await asyncio.sleep(0)  # the loop closes the socket meanwhile

    def get_extra_info(self, info: str) -> object:
        """Of an idle connection: bytes that nobody asked for, or its end, mean that it is over."""
        return (self._is_over or bool(self._unread)) if info == "is_readable" else None
