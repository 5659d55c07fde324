"""Waits for a coroutine from code that isn't one, and turns signals into a clean stop."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import islice
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from extractify.errors import ExtractifyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

T = TypeVar("T")
INTERRUPTION = "it was interrupted"
"""Why a run stopped that a signal ended."""
_NEW_OBJECTS = 10_000
"""How many there are more of when garbage is collected; Python's own number is 700."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def blocking(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run it in an event loop of its own; in a thread of its own where one runs already.

    Raises: what it raises; KeyboardInterrupt where a signal cancelled it.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run(main)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_run, main).result()


def _run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    with _collecting_less(), asyncio.Runner(loop_factory=_quick_loop()) as runner:
        try:
            return runner.run(main())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


def _quick_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Where uvloop is installed, its loop: asyncio's own takes more of a bulk run's time."""
    if find_spec("uvloop") is None:
        return None
    import uvloop

    return uvloop.new_event_loop


@contextmanager
def _collecting_less() -> Iterator[None]:
    """Let the garbage collector look less often at what is in use.

    What documents in flight hold makes it look again with every few rows, and it finds next to
    nothing. Outside of the main thread, where two could put back what the other set, nothing is
    done.
    """
    first, *others = gc.get_threshold()
    if not first or not _is_main_thread():  # 0 is off
        yield
        return
    gc.set_threshold(max(first, _NEW_OBJECTS), *others)
    try:
        yield
    finally:
        gc.set_threshold(first, *others)


@contextmanager
def stopped_by_signals(stop: Callable[[str], None]) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM calls `stop` with its reason, the second cancels this task.

    Does nothing outside of the main thread, where no signals arrive.
    """
    if not _is_main_thread():
        yield
        return
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    seen: list[signal.Signals] = []

    def handle(number: signal.Signals) -> None:
        if seen and task is not None:
            task.cancel()
        seen.append(number)
        stop(INTERRUPTION)

    for number in _SIGNALS:
        loop.add_signal_handler(number, handle, number)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


async def drawn(items: Iterator[T]) -> AsyncIterator[T]:
    """Draw from an iterator that may wait for long, in a thread that nothing waits for."""
    loop = asyncio.get_running_loop()
    wanted: SimpleQueue[asyncio.Future[list[T]] | None] = SimpleQueue()

    def draw() -> None:
        while (future := wanted.get()) is not None:
            got: list[T] | Exception = RuntimeError("The thread that reads the input has ended.")
            try:
                got = list(islice(items, 1))
            except (ExtractifyError, OSError) as error:
                got = error
            finally:
                with suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(_tell, future, got)

    threading.Thread(target=draw, name="extractify-input", daemon=True).start()
    try:
        while True:
            future: asyncio.Future[list[T]] = loop.create_future()
            wanted.put(future)
            got = await future
            if not got:
                return
            yield got[0]
    finally:
        wanted.put(None)


def _tell(future: asyncio.Future[list[T]], got: list[T] | Exception) -> None:
    if future.done():  # cancelled
        return
    if isinstance(got, Exception):
        future.set_exception(got)
    else:
        future.set_result(got)
