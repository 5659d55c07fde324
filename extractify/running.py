"""One session of a bulk run: rows in, entries out, within a window and a budget.

Memory holds the documents of the window, twice as many as requests may be in flight; and those that
were refused where it isn't known yet whose fault that is, of which the breaker allows 30.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from time import monotonic
from typing import TYPE_CHECKING

from extractify.entries import dead_letter, unexpected
from extractify.errors import JournalError, OutputError
from extractify.plans import BROKEN_OFF, NO_LIMIT, Progress, Report

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from extractify.entries import Entry
    from extractify.journal import Journal
    from extractify.outlets import Outlet
    from extractify.paces import Paces
    from extractify.plans import OnProgress, Plan
    from extractify.rows import Row
    from extractify.settling import Settling

_TICK = 0.25  # seconds between two reports of progress
_NEXT_ROW = 1.0  # seconds for which a row is waited for that may be known, when nothing is asked
_GOES_ON = " What is done of them is in the journal: the same run goes on from there."


class Run:
    """One session of a bulk run, in one event loop."""

    def __init__(
        self,
        plan: Plan,
        settling: Settling,
        outlet: Outlet,
        journal: Journal,
        paces: Paces,
        total: int | None = None,
    ) -> None:
        """Describe the run. total: rows of the input, where that is known."""
        self._plan, self._settling, self._outlet = plan, settling, outlet
        self._journal, self._paces, self._total = journal, paces, total
        self._most = 2 * plan.pace.concurrency
        self._window = asyncio.Semaphore(self._most)
        self._surplus = 0  # places that were lent, to be withheld as they come free
        self._was_undecided = False
        paces.on_hold = self._lend
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = ""
        self._reads_on = False  # though nothing is asked any more
        self._known = journal.spent.done + journal.spent.failed
        self._unknown_in_a_row = 0
        self._has_left = False  # a row without an outcome
        self._broken: BaseException | None = None
        self._read = 0
        self._coming: asyncio.Future[Row] | None = None
        self._done = self._failed = 0
        self._started = monotonic()

    def stop(self, reason: str) -> None:
        """End the run once the requests in flight are answered. reason: in words."""
        self._reads_on = False
        if not self._stopped:
            self._ask_no_more(reason)
        if self._coming is not None:
            self._coming.cancel()

    def _ask_no_more(self, reason: str) -> None:
        self._stopped = reason
        self._paces.stop(reason)

    @property
    def progress(self) -> Progress:
        """Where it is now."""
        return Progress(
            total=self._total,
            done=self._done,
            failed=self._failed,
            reused=self._settling.reused,
            usage=self._journal.spent.usage,
            seconds=monotonic() - self._started,
            limit=self._paces.limit,
            in_flight=self._paces.in_flight,
            stopping=self._stopped,
        )

    async def work(
        self, rows: Iterable[Row] | AsyncIterable[Row], on_progress: OnProgress | None = None
    ) -> Report:
        """Settle all rows.

        Raises: JournalError, OutputError, and what the rows, the output and on_progress raise.
        What the rows raise comes when all that was read is settled.
        """
        self._started = monotonic()
        ticking = asyncio.create_task(self._tick(on_progress))
        ticking.add_done_callback(self._ticked)
        complete = False
        try:
            await self._settle_all(rows)
            complete = not self._has_left
        finally:
            ticking.cancel()
            self._outlet.close(complete=complete)
            if on_progress is not None and self._broken is None:
                on_progress(self.progress)
        return Report(self.progress, self._stopped if self._has_left else "")

    async def _settle_all(self, rows: Iterable[Row] | AsyncIterable[Row]) -> None:
        try:
            await self._begin_each(rows)
            await self._drained()
        except Exception as error:
            self._has_left = True
            await self._drained()
            if self._broken is not None:
                raise self._broken from error
            if self._read:
                error.add_note(self._where_it_broke_off())
            raise
        finally:
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._broken is not None:
            raise self._broken

    async def _begin_each(self, rows: Iterable[Row] | AsyncIterable[Row]) -> None:
        async for row in self._each(rows):
            await self._window.acquire()
            if self._stopped and not self._may_know_more():
                self._has_left = True
                break
            self._begin(self._read, row)
            self._read += 1

    def _may_know_more(self) -> bool:
        """Whether rows that the journal knows may come yet; an input may have no end."""
        is_at_its_end = self._total is None and self._unknown_in_a_row > self._most
        return self._reads_on and not is_at_its_end

    async def _drained(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _each(self, rows: Iterable[Row] | AsyncIterable[Row]) -> AsyncIterator[Row]:
        """The rows. One that is waited for when the run stops isn't waited for any longer."""
        if not isinstance(rows, AsyncIterable):
            for row in rows:
                yield row
            return
        iterator, task = aiter(rows), asyncio.current_task()
        while True:
            self._coming = asyncio.ensure_future(anext(iterator))
            if self._stopped:
                asyncio.get_running_loop().call_later(_NEXT_ROW, self._coming.cancel)
            try:
                yield await self._coming
            except StopAsyncIteration:
                return
            except asyncio.CancelledError:
                if not self._stopped or (task is not None and task.cancelling()):
                    raise
                self._has_left = True
                return

    def _begin(self, position: int, row: Row) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if task.cancelled():
                self._leave("a document was cancelled")
            elif (error := task.exception()) is not None:
                self._fail(position, row, error)

        task = asyncio.create_task(self._settle(position, row))
        self._tasks.add(task)
        task.add_done_callback(ended)

    async def _settle(self, position: int, row: Row) -> None:
        entry = await self._settling.entry(row)
        if entry is None:
            self._skip(position)
        else:
            self._put(position, row, entry)

    def _put(self, position: int, row: Row, entry: Entry) -> None:
        self._unknown_in_a_row = 0
        out = self._outlet.put(position, row, entry)
        if entry.ok:
            self._done += 1
        else:
            self._failed += 1
        self._free(out)
        self._look_at_the_budget()

    def _where_it_broke_off(self) -> str:
        kept = "" if self._plan.journal is None else _GOES_ON
        return f"{BROKEN_OFF} after {self._read:,} rows.{kept}"

    def _look_at_the_budget(self) -> None:
        if self._plan.budget == NO_LIMIT:
            return
        progress = self.progress
        reason = self._plan.budget.ended_by(progress)
        if reason is None:
            return
        if self._known and not self._plan.budget.is_over(progress.seconds):
            self._only_reuse(reason)
        else:
            self.stop(reason)

    def _only_reuse(self, reason: str) -> None:
        """Ask for nothing more, but go on through the rows: what the journal knows is free."""
        if self._stopped:
            return
        self._reads_on = True
        self._ask_no_more(reason)
        if self._coming is not None:
            asyncio.get_running_loop().call_later(_NEXT_ROW, self._coming.cancel)

    def _fail(self, position: int, row: Row, error: BaseException) -> None:
        """Make an error of ours, or of the user's code, a dead letter; but not a full disk."""
        if isinstance(error, JournalError) or self._outlet.is_broken:
            self._break(error)
            return
        try:
            self._put(position, row, dead_letter(unexpected(error), 0.0))
        except (OutputError, OSError) as broken:
            self._break(broken)

    def _skip(self, position: int) -> None:
        """Leave a row that wasn't asked for to a later run."""
        self._has_left = True
        self._unknown_in_a_row += 1
        if not self._stopped:
            self.stop(self._paces.stopped or "a document was left")
        self._free(self._outlet.skip(position))

    def _leave(self, reason: str) -> None:
        """Leave a row to a later run."""
        self._has_left = True
        self.stop(reason)
        self._free(1)

    def _lend(self, change: int) -> None:
        """Let another row in for one whose error is held back, until that is decided."""
        if change > 0:
            self._window.release()
        else:
            self._surplus += 1

    def _free(self, places: int) -> None:
        withheld = min(places, self._surplus)
        self._surplus -= withheld
        for _ in range(places - withheld):
            self._window.release()

    def _look_at_what_is_held_back(self) -> None:
        """Decide it where nothing else has gone on for a while."""
        undecided = self._paces.is_undecided
        if undecided and self._was_undecided:
            self._paces.decide()
        self._was_undecided = undecided

    def _break(self, error: BaseException) -> None:
        """End the run because of an error that is no document's."""
        self._broken = self._broken or error
        self._leave(str(error) or type(error).__name__)

    async def _tick(self, on_progress: OnProgress | None) -> None:
        while True:
            self._look_at_the_budget()
            self._look_at_what_is_held_back()
            if on_progress is not None:
                on_progress(self.progress)
            await asyncio.sleep(_TICK)

    def _ticked(self, ticking: asyncio.Task[None]) -> None:
        error = None if ticking.cancelled() else ticking.exception()
        if error is not None:
            self._break(error)
