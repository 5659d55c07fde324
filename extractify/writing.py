"""The thread that writes a journal, so that no event loop waits for a disk.

What comes within a few milliseconds is one transaction: the disk takes about as long for one
document as for a hundred.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from extractify.errors import JournalError
from extractify.records import AnswerRow, EntryRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractify.records import Records

_GATHERING = 0.005
"""Seconds. While a transaction is written, the next one gathers by itself."""


@dataclass(slots=True)
class _Batch:
    """What goes into one transaction, who waits for it, and what comes after it."""

    answers: list[AnswerRow] = field(default_factory=list)
    entries: list[EntryRow] = field(default_factory=list)
    waiters: list[asyncio.Future[None]] = field(default_factory=list)
    jobs: list[tuple[Callable[[], int], Future[int]]] = field(default_factory=list)

    def settle(self, failure: JournalError | None) -> None:
        """Tell all who wait. A waiter's loop may have ended, and then nobody waits."""
        told, self.waiters = self.waiters, []
        loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
        for waiter in told:
            loops.setdefault(waiter.get_loop(), []).append(waiter)
        for loop, waiters in loops.items():
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, waiters, failure)


class Writer:
    """Writes what it is given, in order, from any thread and for any event loop.

    Raises: JournalError, from every method but close, once writing has failed or it is closed.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._gate = threading.Lock()
        self._batch = _Batch()
        self._work = threading.Event()
        self._closing = threading.Event()
        self._failure: JournalError | None = None
        self._is_told = False
        self._thread = threading.Thread(target=self._write, name="extractify-journal", daemon=True)
        self._thread.start()

    def answer(self, row: AnswerRow) -> None:
        """Write it soon."""
        with self._gate:
            self._open_batch().answers.append(row)

    async def entry(self, row: EntryRow) -> None:
        """Write it, and return when it is on disk. Cancelled, it is written all the same."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._gate:
            batch = self._open_batch()
            batch.entries.append(row)
            batch.waiters.append(done)
        await done

    def job(self, call: Callable[[], int]) -> int:
        """Run it after all that was given before, and wait for it."""
        done: Future[int] = Future()
        with self._gate:
            self._open_batch().jobs.append((call, done))
        return done.result()

    def close(self) -> None:
        """Write what is left, and end.

        Raises: JournalError where answers are lost, and nobody was told so far.
        """
        with self._gate:
            self._closing.set()
            self._work.set()
        self._thread.join()
        if self._failure is not None and not self._is_told:
            self._is_told = True
            raise self._failure

    def _open_batch(self) -> _Batch:
        if self._closing.is_set():
            raise JournalError(f"The journal {self._records.path} is closed.")
        if self._failure is not None:
            self._is_told = True
            raise copy(self._failure)
        if not self._work.is_set():
            self._work.set()
        return self._batch

    def _write(self) -> None:
        ends = False
        while not ends:
            self._work.wait()
            self._closing.wait(_GATHERING)  # for more to come, so that one flush serves them all
            with self._gate:
                ends = self._closing.is_set()
                batch, self._batch = self._batch, _Batch()
                self._work.clear()
            self._commit(batch)

    def _commit(self, batch: _Batch) -> None:
        try:
            self._carry_out(batch)
        except JournalError as error:
            self._fail(batch, error)
        except BaseException:
            message = (
                f"The writer of the journal {self._records.path} ended unexpectedly; what it "
                "raised is on standard error. Start it again: it goes on with what is kept."
            )
            self._fail(batch, JournalError(message))
            raise

    def _carry_out(self, batch: _Batch) -> None:
        if batch.answers or batch.entries:
            self._records.commit(batch.answers, batch.entries)
        batch.settle(None)
        while batch.jobs:
            call, done = batch.jobs[0]
            done.set_result(call())
            del batch.jobs[0]

    def _fail(self, batch: _Batch, failure: JournalError) -> None:
        """From now on nothing is taken; what came in the meantime is lost, too."""
        with self._gate:
            self._failure = failure
            late, self._batch = self._batch, _Batch()
        for lost in (batch, late):
            self._is_told |= bool(lost.waiters or lost.jobs)
            lost.settle(failure)
            for _, done in lost.jobs:
                done.set_exception(copy(failure))


def _settle(waiters: Sequence[asyncio.Future[None]], failure: JournalError | None) -> None:
    for waiter in waiters:
        if waiter.done():  # cancelled
            continue
        if failure is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(copy(failure))
