"""The wire itself: connections, timeouts, limits.

It owns *time*: what fails for a passing reason is repeated here, by a tenacity policy, and never
counts as an attempt of the conversation.

Each connection is lent to one exchange at a time. httpx's own pool walks all waiting requests
whenever one of them moves, which at 64 in flight costs ten times what the exchange does; and its
requests, answers and connections cost several times what is done here. Where aiohttp is installed,
the async transport uses its connections.
"""

from __future__ import annotations

import sys
import threading
from contextlib import AsyncExitStack, ExitStack, suppress
from functools import partial
from time import sleep
from typing import TYPE_CHECKING, NoReturn, TypeVar

from extractify.connections import AiohttpConnections, OwnConnections
from extractify.deltas import AsyncDeltas, Deltas
from extractify.errors import (
    ConfigurationError,
    ExtractifyError,
    InvalidRequest,
)
from extractify.events import Warned
from extractify.exchanges import FAULTS, Exchanges
from extractify.limits import Body, Limits, left

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from extractify.events import OnEvent
    from extractify.limits import End
    from extractify.messages import Completion, Request
    from extractify.posting import Answer, AsyncAnswer, AsyncConnection, Connection
    from extractify.retrying import Retry
    from extractify.wire import Wire

DEFAULT_TIMEOUT = 300.0
"""Seconds without a byte until a call fails; a thinking model is silent for long."""
_PLAIN = Warned(
    "response_format", "The endpoint refused it, so from now on it is left out; the prompt asks."
)

_CLOSED = "The client was closed during the call. Open a new one."
R = TypeVar("R")


class Transport:
    """Sends requests, each over a connection of its own for as long as that takes. Thread-safe."""

    def __init__(
        self, wire: Wire, *, timeout: float, retry: Retry, limits: Limits | None, emit: OnEvent
    ) -> None:
        self._side = Exchanges(wire, timeout, limits)
        self._emit = emit
        self._policy = retry.policy(emit, wire.name)
        self._idle: list[Connection] = []
        self._gate = threading.Semaphore(self._side.limits.connections or sys.maxsize)

    def send(self, request: Request) -> Completion:
        """Exchange one request. Raises: TransportError, EndpointError."""
        return self._asked(request, self._exchange)

    def stream(self, request: Request) -> Deltas:
        """Exchange one request whose answer streams. Close what it returns.

        Raises: as `send`. Nothing is repeated once the answer has begun.
        """
        return self._asked(request, self._opened)

    def _asked(self, request: Request, exchange: Callable[[bytes, float | None], R]) -> R:
        wire = self._side.wire
        try:
            return self._repeated(wire.body(request), exchange)
        except InvalidRequest as error:
            plain = wire.plain_body(request, error)
            if plain is None:
                raise
        self._emit(_PLAIN)
        answer = self._repeated(plain, exchange)
        wire.takes_format = False
        return answer

    def _repeated(self, body: bytes, exchange: Callable[[bytes, float | None], R]) -> R:
        call = self._policy.call()
        while True:
            try:
                return exchange(body, call.until)
            except ExtractifyError as error:
                pause = call.pause_after(error)
            sleep(pause)

    def _exchange(self, body: bytes, until: float | None) -> Completion:
        side = self._side
        end = side.limits.end(until)
        if not self._gate.acquire(timeout=left(end)):
            raise side.busy(end)
        try:
            return self._exchanged(body, end)
        finally:
            self._gate.release()

    def _exchanged(self, body: bytes, end: End | None) -> Completion:
        side = self._side
        connection = self._taken()
        try:
            answer = side.begun(connection, body, left(end))
            try:
                content = self._content(answer, end)
            finally:
                answer.close()
        except FAULTS as error:
            side.fail(error, end)
        finally:
            self._give_back(connection)
        return side.wire.completion(answer.status, answer.headers, content)

    def _content(self, answer: Answer, end: float | None) -> bytes:
        body = Body(answer.status, self._side.limits.response_bytes, end)
        for piece in answer.pieces():
            body.add(piece)
        return body.content

    def _opened(self, body: bytes, until: float | None) -> Deltas:
        side = self._side
        end = side.limits.end(until)
        with ExitStack() as held:
            if not self._gate.acquire(timeout=left(end)):
                raise side.busy(end)
            held.callback(self._gate.release)
            connection = self._taken()
            held.callback(self._give_back, connection)
            try:
                answer = side.begun(connection, body, left(end))
                held.callback(answer.close)
                if not _is_ok(answer.status):
                    content = self._content(answer, end)
                    side.wire.completion(answer.status, answer.headers, content)
            except FAULTS as error:
                side.fail(error, end)
            faults = FAULTS, partial(side.fail, end=end)
            reading = side.reading(answer.status, answer.headers, faults, end)
            return Deltas(reading, iter(answer.pieces())).begin(held)

    def _taken(self) -> Connection:
        if self._side.is_closed:
            raise ConfigurationError(_CLOSED)
        try:
            return self._idle.pop()
        except IndexError:
            return self._side.connection()

    def _give_back(self, connection: Connection) -> None:
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

        self._side = side = Exchanges(wire, timeout, limits)
        self._emit = emit
        self._policy = retry.policy(emit, wire.name)
        self._sleep = asyncio.sleep
        self._gate = asyncio.Semaphore(side.limits.connections or sys.maxsize)
        self._timeout = asyncio.timeout
        self._connections = (
            AiohttpConnections(side) if side.wants_aiohttp() else OwnConnections(side)
        )
        self._end: AsyncGenerator[None, None] | None = None

    async def end_with_the_loop(self) -> None:
        """Close the connections when the running loop ends, unless they are by then.

        A loop that ends shuts its generators down, and knows of nothing else that waits for it.
        """
        if self._end is None:
            self._end = self._ending()
            await anext(self._end)

    async def _ending(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self._end = None
            await self.close()

    async def send(self, request: Request) -> Completion:
        """Exchange one request. Raises: TransportError, EndpointError."""
        return await self._asked(request, self._exchange)

    async def stream(self, request: Request) -> AsyncDeltas:
        """Exchange one request whose answer streams; as `Transport.stream`."""
        return await self._asked(request, self._opened)

    async def _asked(
        self, request: Request, exchange: Callable[[bytes, float | None], Awaitable[R]]
    ) -> R:
        wire = self._side.wire
        try:
            return await self._repeated(wire.body(request), exchange)
        except InvalidRequest as error:
            plain = wire.plain_body(request, error)
            if plain is None:
                raise
        self._emit(_PLAIN)
        answer = await self._repeated(plain, exchange)
        wire.takes_format = False
        return answer

    async def _repeated(
        self, body: bytes, exchange: Callable[[bytes, float | None], Awaitable[R]]
    ) -> R:
        call = self._policy.call()
        while True:
            try:
                return await exchange(body, call.until)
            except ExtractifyError as error:
                pause = call.pause_after(error)
            await self._sleep(pause)

    async def _exchange(self, body: bytes, until: float | None) -> Completion:
        side = self._side
        end = side.limits.end(until)
        try:
            async with self._timeout(left(end)):
                answer, content = await self._in_turn(body, end)
        except self._connections.errors as error:
            self._fail(error, end)
        return side.wire.completion(answer.status, answer.headers, content)

    async def _in_turn(self, body: bytes, end: float | None) -> tuple[AsyncAnswer, bytes]:
        await self._gate.acquire()
        try:
            connection = self._taken()
            try:
                answer = await self._begun(connection, body, end)
                try:
                    return answer, await self._content(answer)
                finally:
                    await answer.close()
            finally:
                await self._connections.give_back(connection)
        finally:
            self._gate.release()

    def _taken(self) -> AsyncConnection:
        if self._side.is_closed:
            raise ConfigurationError(_CLOSED)
        return self._connections.taken()

    async def _begun(
        self, connection: AsyncConnection, body: bytes, end: float | None
    ) -> AsyncAnswer:
        patience, headers = self._side.patience(left(end)), self._side.limits.headers
        if headers is None:
            return await connection.post(body, patience)
        async with self._timeout(headers):
            return await connection.post(body, patience)

    async def _content(self, answer: AsyncAnswer) -> bytes:
        body = Body(answer.status, self._side.limits.response_bytes, None)
        async for piece in answer.pieces():
            body.add(piece)
        return body.content

    async def _opened(self, body: bytes, until: float | None) -> AsyncDeltas:
        side = self._side
        end = side.limits.end(until)
        try:
            async with AsyncExitStack() as held, self._timeout(left(end)):
                await held.enter_async_context(self._gate)
                connection = self._taken()
                held.push_async_callback(self._connections.give_back, connection)
                answer = await self._begun(connection, body, end)
                held.push_async_callback(answer.close)
                if not _is_ok(answer.status):
                    content = await self._content(answer)
                    side.wire.completion(answer.status, answer.headers, content)
                faults = self._connections.errors, partial(self._fail, end=end)
                reading = side.reading(answer.status, answer.headers, faults, end)
                pieces = aiter(answer.pieces())
                deltas = AsyncDeltas(reading, pieces, lambda: self._timeout(left(end)))
                return await deltas.begin(held)
        except self._connections.errors as error:
            self._fail(error, end)

    def _fail(self, error: Exception, end: End | None) -> NoReturn:
        self._side.fail(self._connections.translated(error), end)

    async def close(self) -> None:
        """Close the connections; one that is in use is closed when its exchange is over."""
        self._side.is_closed = True
        end, self._end = self._end, None
        if end is not None:
            await end.aclose()
        await self._connections.close()


def _is_ok(status: int) -> bool:
    return status in range(200, 300)
