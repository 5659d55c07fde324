"""Requests sent at a run's pace, and again where they failed for a reason that passes.

Who failed decides: the endpoint as a whole (the run waits), this one exchange (it is tried again a
few times), the run's set-up (the run stops), or the document (its error is raised).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from copy import copy
from math import inf
from random import SystemRandom
from time import monotonic
from typing import TYPE_CHECKING, cast

from extractify.breaker import Breaker, Patience, blame_of
from extractify.errors import (
    ConfigurationError,
    EndpointError,
    ExtractifyError,
    InvalidRequest,
    Overloaded,
    QuotaExceeded,
    TransportError,
)
from extractify.events import RetryScheduled
from extractify.pace import PausedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from extractify.breaker import Blame
    from extractify.conversation import Asked
    from extractify.events import OnEvent
    from extractify.messages import Completion, Request
    from extractify.pace import FaredAs, Permit, Regulator
    from extractify.rates import Rate

_SLOWING = frozenset({429, 502, 503, 504, 529})
"""A gateway's word that nobody answered in time may be one document's doing, or the load's."""
_MOST_TRIES = 30
"""Of one request, whatever it failed of; others succeeded meanwhile."""
_FATAL_TRIES = 2
_ASIDE = 60.0
"""Seconds until an endpoint is asked again that has no quota left, while others are asked."""
_FIRST_REST = 0.5
_LONGEST_REST = 8.0
_DOUBLINGS = 4  # by then it is the longest
_CHANCE = SystemRandom()


class Paced:
    """Sends the requests of a run. send: makes one exchange and repeats nothing itself."""

    def __init__(
        self,
        send: Callable[[Asked], Awaitable[Completion]],
        regulator: Regulator,
        emit: OnEvent,
        *,
        breaker: Breaker | None = None,
        on_hold: Callable[[int], None] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """breaker: None is one of its own. on_hold: None raises every error at once.

        Otherwise an error that may be the endpoint's waits until that is known, so that no document
        is given up where the run stops because of it; on_hold is told 1 then, and -1 in the end.
        """
        self._send, self._emit, self._clock = send, emit, clock
        self._regulator = regulator
        self._breaker = breaker or Breaker(Patience(regulator.pace.patience))
        self._on_hold = on_hold
        self._held: dict[asyncio.Future[None], ExtractifyError] = {}
        self._last: ExtractifyError | None = None

    async def send(self, asked: Asked) -> Completion:
        """Exchange one request, as often as it takes.

        Raises: TransportError, EndpointError where that is the document's fault, too many tries
        failed, or another endpoint stands ready and this one makes it wait; Stopped.
        """
        regulator = self._regulator
        size = _size(asked.request)
        tries: _Tries | None = None
        failure: ExtractifyError | None = None
        while True:
            try:
                permit = await regulator.admit(size)
            except PausedError:
                raise failure or self._unasked() from None
            answer = await self._exchanged(asked, permit)
            if not isinstance(answer, ExtractifyError):
                return answer
            failure = answer
            blame = blame_of(answer)
            if blame != "document":
                regulator.check()
            tries = tries or _Tries(regulator.pace.tries, self._breaker)
            try:
                rest = tries.rest_after(answer, blame)
            except ExtractifyError:
                await self._held_back(answer, blame)
                raise
            if max(rest, regulator.pause) > regulator.longest_pause:
                raise answer
            self._announce(asked, answer, rest or regulator.pause)
            if rest:
                await regulator.rest(rest)

    async def _exchanged(self, asked: Asked, permit: Permit) -> Completion | ExtractifyError:
        try:
            completion = await self._send(asked)
        except ExtractifyError as error:
            self._failed(permit, error)
            return error
        except BaseException:
            self._regulator.release(permit, "unused")
            raise
        self._breaker.succeeded(permit.number)
        self._regulator.release(permit, tokens=completion.usage.total_tokens)
        self._heed(completion.rate)
        if self._held:
            self._let_go()
        return completion

    def decide(self) -> None:
        """Where nothing is out that would tell, say whose fault the errors are that wait.

        The endpoint's, and the run stops, where it refused all there was; the documents' otherwise.
        """
        fatal = [each for each in self._held.values() if blame_of(each) == "fatal"]
        if fatal and not self._breaker.successes:
            reason = f"Nothing has succeeded, and the endpoint refuses: {fatal[0]}"
            self._regulator.stop(reason, fatal[0])
        for waiting in self._held:
            _resolve(waiting)

    async def _held_back(self, error: ExtractifyError, blame: Blame) -> None:
        """Wait until it is known that it is the document's error. Raises: Stopped if it isn't."""
        doubtful = self._breaker.doubts(error, blame) and not self._leads_on(error, blame)
        if self._on_hold is None or not doubtful:
            return
        self._regulator.check()
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held[waiting] = error
        self._on_hold(1)
        try:
            await self._regulator.until(waiting)
        finally:
            del self._held[waiting]
            self._on_hold(-1)

    def _let_go(self) -> None:
        for waiting, error in self._held.items():
            if not self._breaker.doubts(error, blame_of(error)):
                _resolve(waiting)

    def _failed(self, permit: Permit, error: ExtractifyError) -> None:
        regulator, blame = self._regulator, blame_of(error)
        self._last = copy(error)
        reason = self._breaker.failed(error, blame, permit.number, self._clock())
        after, rate = None, None
        if isinstance(error, EndpointError):
            after, rate = error.retry_after, error.rate
        fared = _fared(error, blame)
        if self._leads_on(error, blame):
            if reason is not None:
                fared, after = "overload", max(after or 0.0, _ASIDE)
            elif self._breaker.others_fail(0):
                fared = "overload"
        elif reason is not None:
            regulator.stop(reason, error)
        regulator.release(permit, fared, retry_after=after)
        self._heed(rate)

    def _leads_on(self, error: ExtractifyError, blame: Blame) -> bool:
        """Whether another endpoint is asked because of it."""
        passes = blame in {"weather", "fault"} or isinstance(error, QuotaExceeded)
        return passes and self._regulator.longest_pause < inf

    def _unasked(self) -> ExtractifyError:
        """The failure for which the endpoint pauses, as that of a request that didn't go out."""
        error = copy(cast("ExtractifyError", self._last))
        error.tries = 0
        return error

    def _heed(self, rate: Rate | None) -> None:
        if rate is not None:
            self._regulator.heed(rate)

    def _announce(self, asked: Asked, error: ExtractifyError, seconds: float) -> None:
        status = error.status if isinstance(error, EndpointError) else None
        twice = isinstance(error, TransportError) and error.sent
        name = getattr(asked.endpoint, "name", "")
        told = RetryScheduled(type(error).__name__, status, seconds, twice, name, str(error))
        self._emit(told)


class _Tries:
    """The failures of one request, counted apart by whose they were."""

    def __init__(self, most: int, breaker: Breaker) -> None:
        self._breaker = breaker
        self._most: dict[Blame, int] = {
            "weather": _MOST_TRIES,
            "fault": most,
            "fatal": _FATAL_TRIES,
            "document": 1,
        }
        self._counted: Counter[Blame] = Counter()
        self._of_few = 0
        self._exchanges = 0
        self._since_success = 0
        self._successes = breaker.successes

    def rest_after(self, error: ExtractifyError, blame: Blame) -> float:
        """Seconds to wait before the next try. Raises: the error where there is none."""
        error.tries = self._exchanges = self._exchanges + 1
        if self._successes != self._breaker.successes:
            self._successes, self._since_success = self._breaker.successes, 0
        self._since_success += 1
        # Of fatal errors the breaker knows how many are too many.
        if blame == "fatal" or not self._breaker.others_fail(self._since_success):
            self._counted[blame] += 1
        if self._is_over(error, blame):
            raise error
        if blame == "weather":
            return 0.0  # the regulator makes all wait
        longest: float = _FIRST_REST * 2 ** min(self._exchanges - 1, _DOUBLINGS)
        asked = getattr(error, "retry_after", None) or 0.0
        return max(asked, min(_LONGEST_REST, longest) * _CHANCE.uniform(0.5, 1.0))

    def _is_over(self, error: ExtractifyError, blame: Blame) -> bool:
        if blame == "document" or isinstance(error, ConfigurationError | InvalidRequest):
            return True
        if isinstance(error, EndpointError) and blame != "fatal" and error.retries is not None:
            self._of_few += 1
            return self._of_few > error.retries
        is_lasting = blame != "weather" and self._exchanges >= _MOST_TRIES
        return is_lasting or self._counted[blame] >= self._most[blame]


def _fared(error: ExtractifyError, blame: Blame) -> FaredAs:
    if blame == "document":
        return "success"  # for the endpoint bore it
    slows = isinstance(error, Overloaded) and error.status in _SLOWING
    return "overload" if slows or blame == "weather" else "other"


def _resolve(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _size(request: Request) -> float:
    return float(sum(len(message.content) for message in request.messages))
