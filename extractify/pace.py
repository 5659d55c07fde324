"""How fast requests go out: as many at once and a minute as the endpoint bears.

A Regulator is the gate of a run. It lets requests in by the order they came, finds the concurrency
by trying (more with each success, half on overload), and holds all of them back where the endpoint
asks for a pause.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Literal, TypeAlias

from extractify.buckets import Ration
from extractify.checks import COUNT, NUMBER, SECONDS, check
from extractify.congestion import Congestion
from extractify.errors import ConfigurationError, Stopped
from extractify.events import PaceChanged
from extractify.leases import Stock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from extractify.ceiling import Ceiling
    from extractify.events import OnEvent
    from extractify.leases import Lessor
    from extractify.rates import Rate

FaredAs: TypeAlias = Literal["success", "overload", "other", "unused"]
"""How a request fared, as far as the pace goes; "unused" was given back before it went out."""

_FIRST_GUESS = 0.5  # tokens a character, prompt and answer together, until an answer tells
_FORGETTING = 0.9


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a run may go at most, and how long it puts up with failures.

    concurrency: requests at once. requests_per_minute, tokens_per_minute: None is as the endpoint
    says. tries: exchanges of one request that fail for a reason of their own. patience: seconds
    without any success, counted from the first failure, after which the run stops.
    """

    concurrency: int = 32
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    tries: int = 5
    patience: float = 600.0

    def __post_init__(self) -> None:
        """Refuse a pace at which nothing goes out, and what is no pace."""
        check(self, concurrency=COUNT, tries=COUNT, patience=SECONDS)
        check(self, requests_per_minute=NUMBER.optional, tokens_per_minute=NUMBER.optional)
        for name in ("concurrency", "tries", "requests_per_minute", "tokens_per_minute"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigurationError(f"Pace({name}={value}) lets nothing out.")


class PausedError(Exception):
    """The endpoint pauses for longer than it is waited for: somebody else can be asked."""


class Permit:
    """A place among the requests at once; give it back by `Regulator.release`.

    number: of the request, from 1.
    """

    __slots__ = ("charged", "cuts", "number", "size")

    def __init__(self, number: int, cuts: int, size: float, charged: float) -> None:
        self.number = number
        self.cuts = cuts
        self.size = size
        self.charged = charged


class Regulator:
    """The gate of one endpoint, within one event loop.

    preset: requests a minute that the endpoint is known to bear. emit: is told of each change of
    the pace. lessor: whom to ask for permits, where a limit is shared. longest_pause: seconds that
    a request waits out; in a longer one it raises PausedError.
    """

    def __init__(
        self,
        pace: Pace,
        *,
        preset: float | None = None,
        emit: OnEvent | None = None,
        lessor: Lessor | None = None,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.pace = pace
        self._ceiling: Ceiling | None = None
        self.longest_pause = inf
        self._emit, self._clock, self._sleep = emit, clock, sleep
        self._congestion = Congestion(pace.concurrency)
        self._in_flight = 0
        self._admitted = 0
        self._not_before = now = clock()
        self._requests = Ration(pace.requests_per_minute, preset, now)
        self._tokens = Ration(pace.tokens_per_minute, None, now)
        self._stock: Stock | None = None
        if lessor is not None:
            told = {"changed": self._let_in, "slowed": self._slow_down}
            self._stock = Stock(lessor, clock, **told, failed=self._unleased)
        self._tokens_seen, self._size_seen = _FIRST_GUESS, 1.0
        self._waiting: deque[tuple[asyncio.Future[Permit], float]] = deque()
        self._due: float | None = None
        self._timer: asyncio.Task[None] | None = None
        self._timer_due = 0.0
        self._resting: set[asyncio.Future[None]] = set()
        self._stopped: tuple[str, BaseException | None] | None = None

    def join(self, ceiling: Ceiling, *, longest_pause: float = inf) -> None:
        """Become one of several gates, before anything went out.

        ceiling: of all of them together. longest_pause: seconds that a request waits out at most;
        in a longer one it raises PausedError.
        """
        self._ceiling, self.longest_pause = ceiling, longest_pause
        ceiling.join(self._let_in, self.stop)

    @property
    def limit(self) -> int:
        """Requests at once, at present."""
        return self._congestion.limit

    @property
    def in_flight(self) -> int:
        """Requests that are out."""
        return self._in_flight

    @property
    def pause(self) -> float:
        """Seconds until anything may go out, 0 for now."""
        return max(0.0, self._not_before - self._clock())

    @property
    def is_paused(self) -> bool:
        """Whether the pause is longer than what is waited for."""
        return self.longest_pause < inf and self.pause > self.longest_pause

    @property
    def stopped(self) -> str | None:
        """Why the run was stopped, if it was."""
        return None if self._stopped is None else self._stopped[0]

    async def admit(self, size: float = 1.0) -> Permit:
        """Wait until a request may go out. size: in characters. Raises: Stopped, PausedError."""
        self.check()
        if self.is_paused:
            raise PausedError
        if not self._waiting:
            permit = self._permit(size)
            if permit is not None:
                return permit
        future: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
        self._waiting.append((future, size))
        self._set_timer()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.release(future.result(), "unused")
            raise

    def release(
        self,
        permit: Permit,
        fared: FaredAs = "success",
        *,
        tokens: float | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Give a permit back, once. tokens: that the exchange took; None of a success is unknown.

        retry_after: seconds for which the endpoint wants to hear nothing.
        """
        before, told = self.limit, "it goes well"
        self._in_flight -= 1
        if fared == "success":
            self._congestion.succeeded()
        elif fared == "overload":
            told = "the endpoint is overloaded"
            self._hold_back(permit, retry_after)
        if tokens is not None or fared != "success":
            self._settle(permit, tokens)
        if self._ceiling is None:
            self._let_in()
        else:
            self._ceiling.left()
        if self.limit != before:
            self._tell(told)

    def heed(self, rate: Rate) -> None:
        """Take the endpoint's word on the rate it bears; it overrules the preset."""
        now = self._clock()
        changed = rate.requests is not None and self._requests.heed(rate.requests, now)
        changed |= rate.tokens is not None and self._tokens.heed(rate.tokens, now)
        if changed:
            self._let_in()
            self._tell("the endpoint says what it bears")

    async def rest(self, seconds: float) -> None:
        """Wait without a place. Raises: Stopped, as soon as the run is."""
        self.check()
        await self.until(asyncio.ensure_future(self._sleep(seconds)))

    async def until(self, resting: asyncio.Future[None]) -> None:
        """Wait for it without a place. Raises: Stopped, as soon as the run is."""
        self._resting.add(resting)
        try:
            await asyncio.wait([resting])
        finally:
            self._resting.discard(resting)
            resting.cancel()
        self.check()

    def stop(self, reason: str, cause: BaseException | None = None) -> None:
        """Let nothing in any more: what waits or asks raises Stopped. What is out may finish.

        Nor do the gates under the same ceiling.
        """
        if self._stopped is not None:
            return
        self._stopped = reason, cause
        self._turn_away(self._stop)
        for resting in self._resting:
            resting.cancel()
        if self._ceiling is not None:
            self._ceiling.stop(reason, cause)

    def check(self) -> None:
        """Raises: Stopped, if the run is."""
        if self._stopped is not None:
            raise self._stop()

    def _tell(self, reason: str) -> None:
        if self._emit is not None:
            self._emit(PaceChanged(self.limit, reason))

    def _stop(self) -> Stopped:
        reason, cause = self._stopped or ("", None)
        stopped = Stopped(reason)
        stopped.__cause__ = cause
        return stopped

    def _turn_away(self, error: Callable[[], Exception]) -> None:
        for future, _ in self._waiting:
            if not future.done():
                future.set_exception(error())
        self._waiting.clear()
        self._set_timer()

    def _permit(self, size: float) -> Permit | None:
        """A permit, if there is one; otherwise `_due` is when there may be, None for a place."""
        self._due = None
        if self._in_flight >= self._congestion.limit:
            return None
        ceiling = self._ceiling
        if ceiling is not None and ceiling.is_reached:
            return None
        now = self._clock()
        charged = size * self._tokens_seen / self._size_seen
        due = max(self._not_before, self._requests.due(now, 1.0), self._tokens.due(now, charged))
        if due > now:
            self._due = due
            return None
        if self._stock is not None:
            if not self._stock.has(now, charged):
                return None
            self._stock.take(1, charged)
        self._requests.take(1.0)
        self._tokens.take(charged)
        if ceiling is not None:
            ceiling.entered()
        self._in_flight += 1
        self._admitted += 1
        return Permit(self._admitted, self._congestion.cuts, size, charged)

    def _let_in(self) -> None:
        waiting = self._waiting
        while waiting:
            future, size = waiting[0]
            if not future.done():  # a cancelled one
                permit = self._permit(size)
                if permit is None:
                    break
                future.set_result(permit)
            waiting.popleft()
        self._set_timer()

    def _set_timer(self) -> None:
        """See to it that the queue moves when the first of it is due, and not before."""
        due = self._due if self._waiting else None
        if self._timer is not None and (due is None or due < self._timer_due):
            self._timer.cancel()
            self._timer = None
        if (self._timer is None or self._timer.done()) and due is not None:
            self._timer_due = due
            self._timer = asyncio.ensure_future(self._wake(due))

    async def _wake(self, due: float) -> None:
        await self._sleep(due - self._clock())
        self._timer = None
        self._let_in()

    def _hold_back(self, permit: Permit, retry_after: float | None) -> None:
        """Slow down, and let nothing out for a while."""
        is_new = permit.cuts == self._congestion.cuts
        pause = self._congestion.overloaded(permit.cuts, retry_after)
        self._not_before = max(self._not_before, self._clock() + pause)
        if self._stock is not None and (is_new or pause > 0):
            self._stock.report(pause, is_new=is_new)
        if self.is_paused:
            self._turn_away(PausedError)

    def _slow_down(self) -> None:
        """Halve, as another run met what would have met this one."""
        before = self.limit
        self._congestion.halve()
        if self.limit != before:
            self._tell("another worker found the endpoint overloaded")

    def _settle(self, permit: Permit, tokens: float | None) -> None:
        """Charge what the request really took, and learn from it."""
        if tokens is not None:
            self._tokens_seen = self._tokens_seen * _FORGETTING + tokens
            self._size_seen = self._size_seen * _FORGETTING + permit.size
        difference = (tokens or 0.0) - permit.charged
        self._tokens.take(difference)
        if self._stock is not None:
            self._stock.take(0, difference)

    def _unleased(self, error: BaseException) -> None:
        self.stop(f"Whoever shares out the rate failed: {error}", error)
