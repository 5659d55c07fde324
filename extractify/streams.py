"""Streams of Partials: an extraction that is shown while it is made, sync and async."""

from __future__ import annotations

from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from extractify.errors import ExtractifyError, TransportError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator

    from extractify.extraction import Extraction
    from extractify.links import AsyncLink, Link
    from extractify.partials import Partial
    from extractify.picking import Picker
    from extractify.playback import Playback

T = TypeVar("T")


class Stream(Generic[T]):
    """Yields Partials as the answer arrives, and has the result at the end. Use it in a `with`.

    It reads on only when the next Partial is asked for. Leaving the `with` early cancels the
    request and frees the connection. Raises, while it is iterated: as `Client.extract`; the error
    has what was complete as `partial`.
    """

    def __init__(self, playback: Playback[T], link: Callable[[object], Link]) -> None:
        self._playback, self._link = playback, link
        self._partials = self._run()

    def __iter__(self) -> Iterator[Partial[T]]:
        return self._partials

    @property
    def is_replaced(self) -> bool:
        """At the end, whether its value isn't the one that the Partials before have shown."""
        return self._playback.is_replaced

    def result(self) -> Extraction[T]:
        """Read what is left of the stream, and return the result. Raises: as `Client.extract`."""
        for _ in self._partials:
            pass
        return self._playback.result()

    def close(self) -> None:
        """End it, wherever it is."""
        self._partials.close()
        self._playback.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _run(self) -> Generator[Partial[T], None, None]:
        playback = self._playback
        while (asked := playback.asked()) is not None:
            link = self._link(asked.endpoint)
            try:
                with closing(link.stream(asked.request, asked.observer)) as deltas:
                    for delta in deltas:
                        partial = playback.take(delta)
                        if partial is not None:
                            yield partial
                playback.answer(deltas.completion)
            except TransportError as error:
                playback.fail(link.explained(error))
            except ExtractifyError as error:
                playback.fail(error)
        yield playback.last()


class Items(Generic[T]):
    """Yields the items of a list, each when it is complete and valid, and never another time.

    Items that aren't valid are mended when the stream has ended, and yielded then. What can't be
    mended is told by `result().problems`, by its position. Use it in a `with` unless you read it to
    its end. Raises, while it is iterated: as `Stream`; Truncated where the answer had more items.
    """

    def __init__(self, stream: Stream[list[T]], picker: Picker[T]) -> None:
        self._stream = stream
        self._items = self._run(picker)

    def __iter__(self) -> Iterator[T]:
        return self._items

    def result(self) -> Extraction[list[T]]:
        """Read what is left, and return all of it as one list. Raises: as the iteration."""
        for _ in self._items:
            pass
        return self._stream.result()

    def close(self) -> None:
        """End it, wherever it is."""
        self._items.close()
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _run(self, picker: Picker[T]) -> Generator[T, None, None]:
        with closing(self._stream) as stream:
            for partial in stream:
                yield from picker.take(partial)
            yield from picker.rest(stream.result(), partial, is_replaced=stream.is_replaced)


class AsyncStream(Generic[T]):
    """The same within an event loop: `async with`, `async for`, `await stream.result()`."""

    def __init__(self, playback: Playback[T], link: Callable[[object], AsyncLink]) -> None:
        self._playback, self._link = playback, link
        self._partials = self._run()

    def __aiter__(self) -> AsyncIterator[Partial[T]]:
        return self._partials

    @property
    def is_replaced(self) -> bool:
        """At the end, whether its value isn't the one that the Partials before have shown."""
        return self._playback.is_replaced

    async def result(self) -> Extraction[T]:
        """Read what is left of the stream, and return the result. Raises: as `Client.extract`."""
        async for _ in self._partials:
            pass
        return self._playback.result()

    async def close(self) -> None:
        """End it, wherever it is."""
        await self._partials.aclose()
        self._playback.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()

    async def _run(self) -> AsyncGenerator[Partial[T], None]:
        playback = self._playback
        while (asked := playback.asked()) is not None:
            link = self._link(asked.endpoint)
            try:
                deltas = await link.stream(asked.request, asked.observer)
                async with aclosing(deltas):
                    async for delta in deltas:
                        partial = playback.take(delta)
                        if partial is not None:
                            yield partial
                playback.answer(deltas.completion)
            except TransportError as error:
                playback.fail(link.explained(error))
            except ExtractifyError as error:
                playback.fail(error)
        yield playback.last()


class AsyncItems(Generic[T]):
    """`Items` within an event loop: `async for`, `async with`, `await items.result()`."""

    def __init__(self, stream: AsyncStream[list[T]], picker: Picker[T]) -> None:
        self._stream = stream
        self._items = self._run(picker)

    def __aiter__(self) -> AsyncIterator[T]:
        return self._items

    async def result(self) -> Extraction[list[T]]:
        """Read what is left, and return all of it as one list. Raises: as the iteration."""
        async for _ in self._items:
            pass
        return await self._stream.result()

    async def close(self) -> None:
        """End it, wherever it is."""
        await self._items.aclose()
        await self._stream.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()

    async def _run(self, picker: Picker[T]) -> AsyncGenerator[T, None]:
        async with self._stream as stream:
            async for partial in stream:
                for item in picker.take(partial):
                    yield item
            result = await stream.result()
            for item in picker.rest(result, partial, is_replaced=stream.is_replaced):
                yield item
