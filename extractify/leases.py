"""Permits that a run borrows where several share one limit, as the workers of a cluster do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_BATCH = 10
"""Requests that are asked for at once, so that asking costs little."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What a run may spend. requests: 1 or more. seconds: after which what is left of it is void.

    tokens: infinite where nobody limits them. overloads: how many the runs have met, together.
    """

    requests: int
    tokens: float = float("inf")
    seconds: float = 60.0
    overloads: int = 0


class Lessor(Protocol):
    """Who shares a limit out. What either method raises stops the run."""

    def lease(self, requests: int, tokens: float) -> Coroutine[Any, Any, Lease]:
        """Grant so much at most, as soon as there is some of it."""

    def report(self, seconds: float, known: int | None) -> Coroutine[Any, Any, int]:
        """Hear that the endpoint is overloaded, and that the run pauses for so long.

        known: the overloads that the run knew of. It is a new one if there are no more of them;
        with None it is none. Returns how many there are now.
        """


class Stock:
    """What a run has borrowed.

    changed: called when there is more. slowed: before that, when another run met an overload.
    failed: when there never is any more.
    """

    def __init__(
        self,
        lessor: Lessor,
        clock: Callable[[], float],
        *,
        changed: Callable[[], None],
        slowed: Callable[[], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._lessor, self._clock = lessor, clock
        self._changed, self._slowed, self._failed = changed, slowed, failed
        self._requests, self._tokens, self._until = 0, 0.0, 0.0
        self._overloads: int | None = None  # nobody told yet
        self._calls: set[asyncio.Task[None]] = set()
        self._asking: asyncio.Task[None] | None = None

    def has(self, now: float, tokens: float) -> bool:
        """Whether one more request may go out; otherwise more is asked for."""
        if self._requests > 0 and self._tokens > 0 and now < self._until:
            return True
        if self._asking is None:
            self._asking = self._call(self._lease(tokens * _BATCH))
        return False

    def take(self, requests: int, tokens: float) -> None:
        """Spend so much; negative tokens were taken before, and weren't spent."""
        self._requests -= requests
        self._tokens -= tokens

    def report(self, seconds: float, *, is_new: bool) -> None:
        """Tell the lessor of an overload, without waiting for it."""
        self._call(self._report(seconds, self._overloads if is_new else None))

    async def _report(self, seconds: float, known: int | None) -> None:
        self._overloads = await self._lessor.report(seconds, known)

    async def _lease(self, tokens: float) -> None:
        lease = await self._lessor.lease(_BATCH, tokens)
        self._asking = None
        self._requests = lease.requests
        self._tokens = lease.tokens + min(0.0, self._tokens)  # a debt stays one
        self._until = self._clock() + lease.seconds
        known, self._overloads = self._overloads, lease.overloads
        if known is not None and lease.overloads > known:  # fewer, of a lessor that began anew
            self._slowed()
        self._changed()

    def _call(self, call: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(call)
        self._calls.add(task)
        task.add_done_callback(self._called)
        return task

    def _called(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed(error)
