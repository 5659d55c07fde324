"""An answer that streams over one connection, until it is whole or nobody wants it any more."""

from __future__ import annotations

from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, NamedTuple

from extractify.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
    from contextlib import AbstractAsyncContextManager
    from typing import NoReturn

    from extractify.dialects.chunks import Assembly, Delta
    from extractify.limits import Body
    from extractify.messages import Completion


class Reading(NamedTuple):
    """How an answer is read. size: counts its bytes. errors: those that `fail` makes ours."""

    assembly: Assembly
    size: Body
    errors: tuple[type[Exception], ...]
    fail: Callable[[Exception], NoReturn]


class Deltas:
    """What an answer adds, a network read at a time. completion: the whole, at the end.

    Closing it before hangs up: the endpoint sees that, and most stop writing. Raises while it is
    iterated: TransportError, EndpointError.
    """

    def __init__(self, reading: Reading, pieces: Iterator[bytes]) -> None:
        self._completion: Completion | None = None
        self._reading, self._pieces = reading, pieces
        self._deltas = self._run()
        self._first: Delta | None = None
        self._held = ExitStack()

    def begin(self, held: ExitStack) -> Deltas:
        """Read until the answer has begun: what fails before may be repeated.

        held: what is to be given back in the end; on an error it stays the caller's.
        """
        self._first = next(self._deltas, None)
        self._held = held.pop_all()
        return self

    def __iter__(self) -> Iterator[Delta]:
        if self._first is not None:
            yield self._first
        yield from self._deltas

    def _run(self) -> Generator[Delta, None, None]:
        assembly, size, errors, fail = self._reading
        while True:
            try:
                piece = next(self._pieces, None)
                if piece is None:
                    break
                size.count(piece)
            except errors as error:
                fail(error)
            delta = assembly.feed(piece)
            if not delta.is_empty:
                yield delta
        self._completion = assembly.end()
        if not assembly.tail.is_empty:
            yield assembly.tail

    @property
    def completion(self) -> Completion:
        """The whole. Raises: TransportError where it wasn't read to its end."""
        if self._completion is None:
            raise TransportError("The answer wasn't read to its end.", sent=True)
        return self._completion

    def close(self) -> None:
        """Give the connection back, or hang up."""
        self._deltas.close()
        self._held.close()


class AsyncDeltas:
    """The same, awaited. timeout: bounds the time until all is read."""

    def __init__(
        self,
        reading: Reading,
        pieces: AsyncIterator[bytes],
        timeout: Callable[[], AbstractAsyncContextManager[object]],
    ) -> None:
        self._completion: Completion | None = None
        self._reading, self._pieces = reading, pieces
        self._timeout = timeout
        self._deltas = self._run()
        self._first: Delta | None = None
        self._held = AsyncExitStack()

    async def begin(self, held: AsyncExitStack) -> AsyncDeltas:
        """Read until the answer has begun; as `Deltas.begin`."""
        self._first = await anext(self._deltas, None)
        self._held = held.pop_all()
        return self

    async def __aiter__(self) -> AsyncIterator[Delta]:
        if self._first is not None:
            yield self._first
        async for delta in self._deltas:
            yield delta

    async def _run(self) -> AsyncGenerator[Delta, None]:
        assembly, size, errors, fail = self._reading
        while True:
            try:
                async with self._timeout():
                    piece = await anext(self._pieces, None)
                if piece is None:
                    break
                size.count(piece)
            except errors as error:
                fail(error)
            delta = assembly.feed(piece)
            if not delta.is_empty:
                yield delta
        self._completion = assembly.end()
        if not assembly.tail.is_empty:
            yield assembly.tail

    @property
    def completion(self) -> Completion:
        """The whole. Raises: TransportError where it wasn't read to its end."""
        if self._completion is None:
            raise TransportError("The answer wasn't read to its end.", sent=True)
        return self._completion

    async def aclose(self) -> None:
        """Give the connection back, or hang up."""
        await self._deltas.aclose()
        await self._held.aclose()
