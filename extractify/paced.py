"""Requests sent at a run's pace, and again where they failed for a reason that passes.

Who failed decides: the endpoint as a whole (the run waits), this one exchange (it is tried again a
few times), the run's set-up (the run stops), or the document (its error is raised).
"""

from __future__ import annotations

from random import SystemRandom
from time import monotonic
from typing import TYPE_CHECKING, Literal, TypeAlias

from extractify.breaker import FATAL, Breaker
from extractify.errors import (
    ConfigurationError,
    EndpointError,
    ExtractifyError,
    Overloaded,
    RateLimited,
    TransportError,
)
from extractify.events import RetryScheduled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from extractify.conversation import Asked
    from extractify.events import OnEvent
    from extractify.messages import Completion, Request
    from extractify.pace import FaredAs, Regulator
    from extractify.rates import Rate

Blame: TypeAlias = Literal["weather", "fault", "fatal", "document"]
"""Whose failure it was: the endpoint's as a whole, the exchange's, the set-up's, the document's."""

_WEATHER = frozenset({429, 503, 529})
_SLOWING = _WEATHER | {502, 504}
"""A gateway's word that nobody answered in time may be one document's doing, or the load's."""
_MOST_TRIES = 30
"""Of one request, whatever it failed of; others succeeded meanwhile."""
_FATAL_TRIES = 2
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
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._send, self._emit, self._clock = send, emit, clock
        self._regulator = regulator
        self._breaker = Breaker(regulator.pace.patience)

    async def send(self, asked: Asked) -> Completion:
        """Exchange one request, as often as it takes.

        Raises: TransportError, EndpointError where that is the document's fault or too many tries
        failed; Stopped.
        """
        tries = _Tries(self._regulator.pace.tries, self._breaker)
        size = _size(asked.request)
        while True:
            error = await self._exchanged(asked, size)
            if not isinstance(error, ExtractifyError):
                return error
            blame = blame_of(error)
            rest = tries.rest_after(error, blame)
            self._announce(error, rest)
            if rest:
                await self._regulator.rest(rest)

    async def _exchanged(self, asked: Asked, size: float) -> Completion | ExtractifyError:
        regulator, breaker = self._regulator, self._breaker
        permit = await regulator.admit(size)
        try:
            completion = await self._send(asked)
        except ExtractifyError as error:
            after = None
            if isinstance(error, EndpointError):
                after = error.retry_after
                self._heed(error.rate)
            reason = breaker.failed(error, regulator.admitted, self._clock())
            if reason is not None:
                regulator.stop(reason, error)
            fared: FaredAs = "overload" if _is_slowing(error) else "other"
            regulator.release(permit, fared, retry_after=after)
            return error
        except BaseException:
            regulator.release(permit, "unused")
            raise
        breaker.succeeded(permit.number)
        self._heed(completion.rate)
        regulator.release(permit, tokens=completion.usage.total_tokens)
        return completion

    def _heed(self, rate: Rate | None) -> None:
        if rate is not None:
            self._regulator.heed(rate)

    def _announce(self, error: ExtractifyError, rest: float) -> None:
        status = error.status if isinstance(error, EndpointError) else None
        twice = isinstance(error, TransportError) and error.sent
        self._emit(RetryScheduled(type(error).__name__, status, rest, twice, error.endpoint or ""))


class _Tries:
    """The failures of one request."""

    def __init__(self, most: int, breaker: Breaker) -> None:
        self._most, self._breaker = most, breaker
        self._exchanges = self._counted = 0
        self._since_success = 0
        self._successes = breaker.successes

    def rest_after(self, error: ExtractifyError, blame: Blame) -> float:
        """Seconds to wait before the next try. Raises: the error where there is none."""
        error.tries = self._exchanges = self._exchanges + 1
        if self._successes != self._breaker.successes:
            self._successes, self._since_success = self._breaker.successes, 0
        self._since_success += 1
        self._counted += not self._breaker.others_fail(self._since_success)
        if self._is_over(error, blame):
            raise error
        if blame == "weather":
            return 0.0  # the regulator makes all wait
        longest: float = _FIRST_REST * 2 ** min(self._exchanges - 1, _DOUBLINGS)
        return min(_LONGEST_REST, longest) * _CHANCE.uniform(0.5, 1.0)

    def _is_over(self, error: ExtractifyError, blame: Blame) -> bool:
        if blame == "document" or isinstance(error, ConfigurationError):
            return True
        if isinstance(error, EndpointError) and blame != "fatal" and error.retries is not None:
            return self._exchanges > error.retries
        if blame == "weather":
            return self._counted >= _MOST_TRIES
        most = self._most if blame == "fault" else _FATAL_TRIES
        return self._counted >= most or self._exchanges >= _MOST_TRIES


def blame_of(error: ExtractifyError) -> Blame:
    """Whose failure it was."""
    if isinstance(error, FATAL):
        return "fatal"
    if isinstance(error, TransportError):
        return "fault" if error.sent else "weather"
    if isinstance(error, RateLimited):
        return "weather"
    if isinstance(error, Overloaded):
        return "weather" if error.status in _WEATHER else "fault"
    return "document"


def _is_slowing(error: ExtractifyError) -> bool:
    return blame_of(error) == "weather" or (
        isinstance(error, Overloaded) and error.status in _SLOWING
    )


def _size(request: Request) -> float:
    return float(sum(len(message.content) for message in request.messages))
