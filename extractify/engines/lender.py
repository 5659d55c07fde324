"""A limit that a cluster keeps together: one place that lends, and workers that borrow.

It counts what all of them send, and lends permits in batches, so that a request costs a tenth of a
call. A lease has a term: what a lost worker held is void by itself, and the word that the endpoint
is overloaded, which holds all leases back, reaches every worker with its next one.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from extractify.buckets import Ration
from extractify.leases import Lease

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from extractify.pace import Pace

TERM = 5.0
"""Seconds for which a lease lasts."""


class Lender:
    """A `Lessor` for all workers, within one event loop, such as an actor's."""

    def __init__(
        self,
        pace: Pace,
        preset: float | None = None,
        *,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Lend at the pace's requests and tokens per minute; its concurrency is each worker's.

        preset: requests a minute that the endpoint is known to bear.
        """
        self._clock, self._sleep = clock, sleep
        self._not_before = now = clock()
        self._requests = Ration(pace.requests_per_minute, preset, now)
        self._tokens = Ration(pace.tokens_per_minute, None, now)
        self._turn = asyncio.Lock()
        self._overloads = 0

    async def lease(self, requests: int, tokens: float) -> Lease:
        """Grant so many requests at most, of so many tokens together; 1 at least.

        They are granted by the order of asking. A worker that was lost while it waited costs one
        lease.
        """
        each = tokens / requests
        async with self._turn:
            while (pause := self._due(each) - self._clock()) > 0:
                await self._sleep(pause)
            granted = 0
            while granted < requests and self._due(each) <= self._clock():
                self._requests.take(1.0)
                self._tokens.take(each)
                granted += 1
        if self._tokens.per_minute is None:
            return Lease(granted, seconds=TERM, overloads=self._overloads)
        return Lease(granted, granted * each, TERM, self._overloads)

    async def report(self, seconds: float, known: int | None) -> int:
        """Lend nothing for so long: one worker found the endpoint overloaded.

        The others slow down with their next leases. known: those who met the same overload knew of
        the same number of them, so that it counts once.
        """
        self._not_before = max(self._not_before, self._clock() + seconds)
        self._overloads += known == self._overloads
        return self._overloads

    def _due(self, tokens: float) -> float:
        now = self._clock()
        return max(self._not_before, self._requests.due(now, 1.0), self._tokens.due(now, tokens))
