"""One connection to one server, awaited: what `direct` does, over a socket of an event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import h11

from extractify.direct import AT_ONCE, Talk, connecting, exchanging
from extractify.posting import plain_headers, unpacked_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

    from extractify.direct import Route
    from extractify.posting import Patience


class _Line(asyncio.Protocol):
    """The bytes of a connection, both ways."""

    def __init__(self) -> None:
        self.is_over = False
        self._transport: asyncio.Transport | None = None
        self._error: Exception | None = None
        self._received = bytearray()
        self._is_full = False
        self._waiting: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > AT_ONCE and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self.is_over = True
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_over, self._error = True, error
        self._wake()

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._wake()

    async def write(self, data: bytes, seconds: float) -> None:
        """Send, and wait until most of it is gone; a server that hung up may have said why."""
        if self._transport is not None:
            self._transport.write(data)
        while self._is_full and not self.is_over:
            await self._woken(seconds)

    async def read(self, seconds: float) -> bytes:
        """What has arrived; nothing at the end."""
        while not self._received and not self.is_over:
            await self._woken(seconds)
        data = bytes(self._received)
        if data:
            self._received.clear()
            if self._transport is not None and not self.is_over:
                self._transport.resume_reading()
        elif self._error is not None:
            raise self._error
        return data

    async def _woken(self, seconds: float) -> None:
        self._waiting = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(seconds):
            await self._waiting

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def hang_up(self) -> None:
        """Close it without waiting for the other side to agree."""
        self.is_over = True
        if self._transport is not None:
            self._transport.abort()


class _Answer:
    """An answer of an AsyncDirect."""

    def __init__(self, connection: AsyncDirect, head: h11.Response) -> None:
        self.status, self.headers = head.status_code, plain_headers(head.headers)
        self._connection = connection

    def pieces(self) -> AsyncIterable[bytes]:
        return unpacked_async(self.headers, self._connection.body())

    async def close(self) -> None:
        self._connection.end()


class AsyncDirect:
    """Exchanges one request at a time with one server; connects again where that hung up."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._line: _Line | None = None
        self._talk = Talk()
        self._patience = 0.0

    async def post(self, body: bytes, patience: Patience) -> _Answer:
        """Send a request, and read the head of its answer."""
        line = await self._connected(patience.connect)
        self._patience = patience.read
        try:
            with exchanging():
                await line.write(self._talk.asked(self._route, body), patience.read)
                head = await self._next(line)
        except BaseException:
            self._hang_up()
            raise
        return _Answer(self, cast("h11.Response", head))

    async def body(self) -> AsyncIterator[bytes]:
        """The body as it arrives."""
        line = self._line
        with exchanging():
            while line is not None and type(event := await self._next(line)) is h11.Data:
                yield bytes(event.data)

    def end(self) -> None:
        """Be ready for the next exchange, or hang up if this one isn't over."""
        if not self._talk.is_over():
            self._hang_up()

    async def _next(self, line: _Line) -> object:
        talk = self._talk
        while (event := talk.next()) is h11.NEED_DATA:
            talk.hear(await line.read(self._patience))
        return event

    async def _connected(self, seconds: float) -> _Line:
        line = self._line
        if line is not None and not line.is_over and self._talk.may_go_on:
            return line
        self._hang_up()
        route, loop = self._route, asyncio.get_running_loop()
        with connecting():
            async with asyncio.timeout(seconds):
                _, line = await loop.create_connection(
                    _Line, route.host, route.port, ssl=route.tls, happy_eyeballs_delay=0.25
                )
        self._line, self._talk = line, Talk()
        return line

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.hang_up()

    async def close(self) -> None:
        """Hang up."""
        self._hang_up()
