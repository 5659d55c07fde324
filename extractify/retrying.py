"""When an exchange is repeated: a tenacity policy, a deadline, a budget that a client shares."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, cast

from tenacity import RetryCallState, Retrying
from tenacity.retry import retry_base
from tenacity.stop import stop_after_attempt, stop_any, stop_base, stop_before_delay
from tenacity.wait import wait_base, wait_random_exponential

from extractify.checks import COUNT, FLAG, NUMBER, SECONDS, STOP, Kind, check, check_option
from extractify.errors import ConfigurationError, EndpointError, TransportError
from extractify.events import RetryScheduled

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import DoSleep

    from extractify.errors import ExtractifyError
    from extractify.events import OnEvent

MAX_RETRY_AFTER = 60.0
"""The longest pause an endpoint may ask for, in seconds; past that the call fails at once."""
_RESERVE = 10.0
_WAIT = Kind("a tenacity wait, such as wait_fixed(3)", callable)


@dataclass(frozen=True, slots=True)
class Retry:
    """How passing faults are repeated: 408, 409, 429, 5xx and broken connections.

    stop: the most exchanges, the first included, or a tenacity stop. wait: a tenacity wait, in
    seconds; a longer `Retry-After` of the endpoint wins. deadline: seconds for all of it together,
    the last exchange included; None for no end. budget: retries that each call earns for the
    client's later ones, beside a reserve of 10, so that an outage doesn't multiply the load; None
    for no such limit. may_run_twice: whether to repeat what may have reached the endpoint already.
    """

    stop: int | stop_base = 3
    wait: wait_base = field(default_factory=lambda: wait_random_exponential(0.5, max=30))
    deadline: float | None = 600.0
    budget: float | None = 0.2
    may_run_twice: bool = True

    def __post_init__(self) -> None:
        """Refuse a policy under which nothing is sent, and what is no policy."""
        check(self, stop=STOP, wait=_WAIT, budget=NUMBER.optional, may_run_twice=FLAG)
        check(self, deadline=SECONDS.optional)
        if isinstance(self.stop, int) and self.stop < 1:
            raise ConfigurationError(f"Retry(stop={self.stop}) allows no exchange; 1 is the least.")

    @classmethod
    def of(cls, retry: Retry | int) -> Retry:
        """Take the short forms: a number of exchanges, or False for one alone."""
        if isinstance(retry, Retry):
            return retry
        if isinstance(retry, bool):
            return cls() if retry else cls(stop=1)
        check_option("Client(retry=…)", retry, _RETRY)
        return cls(stop=retry)

    def policy(self, emit: OnEvent, endpoint: str = "") -> Policy:
        """The policy of one client towards one endpoint, with a budget of its own."""
        return Policy(self, emit, endpoint)

    def pause(self, state: RetryCallState) -> float:
        """Seconds until the next exchange."""
        asked = getattr(_failure(state), "retry_after", None) or 0.0
        return max(asked, self.wait(state))


_RETRY = Kind("a number of exchanges, a Retry, or False", COUNT.takes)


class Policy:
    """A Retry at work, for all calls of a client. Thread-safe."""

    def __init__(self, retry: Retry, emit: OnEvent, endpoint: str) -> None:
        stop, self.deadline = retry.stop, retry.deadline
        stops = [stop_after_attempt(stop) if isinstance(stop, int) else stop]
        if retry.deadline is not None:
            stops.append(stop_before_delay(retry.deadline))
        self.budget = None if retry.budget is None else _Budget(retry.budget)
        if self.budget is not None:
            stops.append(self.budget)  # asked last, since it spends
        self.retrying = Retrying(
            stop=stop_any(*stops),
            wait=retry.pause,
            retry=_Passing(may_run_twice=retry.may_run_twice),
            before_sleep=_announcing(emit, endpoint),
            reraise=True,
        )

    def call(self) -> Call:
        """A call that begins now."""
        if self.budget is not None:
            self.budget.earn()
        return Call(self)


class Call:
    """The exchanges of one call. until: when it has to be over, by `monotonic`; None is never."""

    def __init__(self, policy: Policy) -> None:
        self._retrying = policy.retrying
        self._state: RetryCallState | None = None
        self._started = monotonic()
        self.until = None if policy.deadline is None else self._started + policy.deadline

    def pause_after(self, error: ExtractifyError) -> float:
        """Seconds until the next exchange. Raises: the error itself where there is to be none.

        Tenacity is asked only now: its own loops cost more than the rest of a call that succeeds.
        """
        state = self._state
        if state is None:
            state = self._state = RetryCallState(self._retrying, None, (), {})
            state.start_time = self._started
            self._retrying.begin()
        error.tries = state.attempt_number
        state.set_exception((type(error), error, error.__traceback__))
        pause: float = cast("DoSleep", self._retrying.iter(state))
        state.prepare_for_next_attempt()
        return pause


class _Budget(stop_base):
    """Stops when the client's retries are spent. Each call earns a part of one."""

    def __init__(self, earned: float) -> None:
        self._earned = earned
        self._left = _RESERVE
        self._lock = threading.Lock()

    def earn(self) -> None:
        """Count a call."""
        if self._left < _RESERVE:
            with self._lock:
                self._left = min(_RESERVE, self._left + self._earned)

    def __call__(self, retry_state: RetryCallState) -> bool:
        with self._lock:
            if self._left >= 1:
                self._left -= 1
                return False
        error = cast("BaseException", _failure(retry_state))  # it's asked after failures alone
        error.add_note("It wasn't repeated: too many calls of this client failed lately.")
        return True


class _Passing(retry_base):
    """Whether the error in hand is worth another exchange."""

    def __init__(self, *, may_run_twice: bool) -> None:
        self._may_run_twice = may_run_twice

    def __call__(self, retry_state: RetryCallState) -> bool:
        error = _failure(retry_state)
        if isinstance(error, TransportError) and error.sent:
            return self._may_run_twice
        return error is not None and is_passing(error, retry_state.attempt_number)


def is_passing(error: BaseException, exchanges: int = 1) -> bool:
    """Whether the same request may succeed later, after so many that failed."""
    if isinstance(error, EndpointError):
        helps = error.retries is None or exchanges <= error.retries
        return helps and (error.retry_after or 0.0) <= MAX_RETRY_AFTER
    return isinstance(error, TransportError)


def _announcing(emit: OnEvent, endpoint: str) -> Callable[[RetryCallState], None]:
    def announce(state: RetryCallState) -> None:
        error = _failure(state)
        status = error.status if isinstance(error, EndpointError) else None
        twice = isinstance(error, TransportError) and error.sent
        name, seconds = type(error).__name__, state.upcoming_sleep
        emit(RetryScheduled(name, status, seconds, twice, endpoint, str(error)))

    return announce


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
