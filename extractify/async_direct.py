"""One connection to one server, awaited: what `direct` does, over a socket of an event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from extractify.direct import AT_ONCE, BROKEN, Talk, connecting, exchanging
from extractify.posting import unpacked_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

    from extractify.direct import Head, Route
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

    @property
    def is_quiet(self) -> bool:
        """Whether the server neither hung up nor said anything unasked."""
        return not self.is_over and not self._received

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
        loop = asyncio.get_running_loop()
        self._waiting = waiting = loop.create_future()
        timer = loop.call_later(seconds, _expire, waiting)
        try:
            await waiting
        finally:
            timer.cancel()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def hang_up(self) -> None:
        """Close it without waiting for the other side to agree."""
        self.is_over = True
        if self._transport is not None:
            self._transport.abort()


def _expire(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_exception(TimeoutError())


class _Answer:
    """An answer of an AsyncDirect."""

    def __init__(self, connection: AsyncDirect, head: Head) -> None:
        self.status, self.headers = head
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
        self._talk = Talk(route)
        self._patience = 0.0

    async def post(self, body: bytes, patience: Patience) -> _Answer:
        """Send a request, and read the head of its answer."""
        line = await self._connected(patience.connect)
        talk, self._patience = self._talk, patience.read
        try:
            await line.write(talk.ask(body), patience.read)
            while (head := talk.head()) is None:
                talk.hear(await line.read(patience.read))
        except BROKEN as error:
            self._hang_up()
            raise exchanging(error) from None
        except BaseException:
            self._hang_up()
            raise
        return _Answer(self, head)

    async def body(self) -> AsyncIterator[bytes]:
        """The body as it arrives."""
        line, talk = self._line, self._talk
        try:
            while (piece := talk.piece()) != b"":
                if piece:
                    yield piece
                elif line is not None:
                    talk.hear(await line.read(self._patience))
        except BROKEN as error:
            raise exchanging(error) from None

    def end(self) -> None:
        """Be ready for the next exchange, or hang up if this one isn't over."""
        if not self._talk.is_over():
            self._hang_up()

    async def _connected(self, seconds: float) -> _Line:
        line = self._line
        if line is not None and line.is_quiet and self._talk.may_go_on:
            return line
        self._hang_up()
        route, loop = self._route, asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                _, line = await loop.create_connection(
                    _Line, route.host, route.port, ssl=route.tls, happy_eyeballs_delay=0.25
                )
        except OSError as error:
            raise connecting(error) from None
        self._line, self._talk = line, Talk(route)
        return line

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.hang_up()

    async def close(self) -> None:
        """Hang up."""
        self._hang_up()
