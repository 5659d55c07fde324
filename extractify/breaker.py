"""Whose failure it was; and when failures in a row mean that the run had better stop.

Otherwise an expired key would turn a million documents into a million dead letters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from extractify.errors import (
    AuthenticationError,
    ConfigurationError,
    EndpointError,
    InvalidRequest,
    InvalidResponse,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    TransportError,
)

if TYPE_CHECKING:
    from extractify.errors import ExtractifyError

Blame: TypeAlias = Literal["weather", "fault", "fatal", "document"]
"""The endpoint's as a whole, the exchange's, the set-up's, the document's."""

_FATAL = (AuthenticationError, QuotaExceeded, ConfigurationError)
_WEATHER = frozenset({429, 503, 529})
_SUSPICIOUS = (InvalidRequest, InvalidResponse)
_FIRST_FATAL = 3  # where nothing has succeeded
_MOST = 10  # an endpoint that is well may refuse a tenth of the documents, and some in a row
_MIXED = 3  # times as many where they aren't alike: an endpoint may refuse in several words
_NOT_THERE = 404
_STORM = 3
_UNREACHED = 0.1
"""The part of the patience for an endpoint that was never reached: its URL may be wrong."""
_Likeness: TypeAlias = "tuple[type[ExtractifyError], int | None, str | None]"


def blame_of(error: ExtractifyError) -> Blame:
    """Whose failure it was."""
    if isinstance(error, _FATAL) or _is_not_there(error):
        return "fatal"
    if isinstance(error, TransportError):
        return "fault" if error.sent else "weather"
    if isinstance(error, RateLimited):
        return "weather"
    if isinstance(error, Overloaded):
        return "weather" if error.status in _WEATHER else "fault"
    return "document"


def _is_not_there(error: ExtractifyError) -> bool:
    """Whether the model or the URL is unknown."""
    return type(error) is InvalidRequest and error.status == _NOT_THERE


class Patience:
    """For how long a run goes without any success, at whatever endpoint. seconds: at most."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._failing_since: float | None = None
        self._ever_answered = False

    def succeeded(self) -> None:
        """Count a success."""
        self._failing_since = None
        self._ever_answered = True

    def failed(self, error: ExtractifyError, blame: Blame, now: float) -> str | None:
        """Count a failure; the reason to stop, if it is one."""
        self._ever_answered |= isinstance(error, EndpointError)
        if blame == "document":
            self._failing_since = None  # the endpoint itself is well
            return None
        if self._failing_since is None:
            self._failing_since = now
        unreached = isinstance(error, TransportError) and not self._ever_answered
        patience = self._seconds * (_UNREACHED if unreached else 1.0)
        seconds = now - self._failing_since
        pause = getattr(error, "retry_after", None) or 0.0
        if seconds + pause < patience:
            return None
        if pause > 0:
            return f"The endpoint wants to be left alone for {pause:.0f} seconds: {error}"
        return f"Nothing succeeded for {seconds:.0f} seconds: {error}"


class _Streak:
    """Failures in a row, by the order in which the requests went out. count: so far."""

    def __init__(self) -> None:
        self.count = 0
        self._first = 0

    def failed(self, number: int) -> None:
        """Count one. number: of the request."""
        if not self.count:
            self._first = number
        self.count += 1

    def succeeded(self, number: int) -> None:
        """End it, unless that request went out before: it says nothing of what came after."""
        if number > self._first:
            self.count = 0


class Breaker:
    """Counts the failures of an endpoint. patience: of the run.

    proven: whether requests of this kind succeeded in an earlier session.
    """

    def __init__(self, patience: Patience, *, proven: bool = False) -> None:
        self._patience, self._proven = patience, proven
        self._failures = 0
        self._likeness: _Likeness | None = None
        self._alike, self._in_a_row = _Streak(), _Streak()
        self.successes = 0

    def succeeded(self, number: int) -> None:
        """Count a success. number: of the request, by the order they went out."""
        self.successes += 1
        self._patience.succeeded()
        self._failures = 0
        self._proven = True
        self._alike.succeeded(number)
        self._in_a_row.succeeded(number)

    def failed(self, error: ExtractifyError, blame: Blame, number: int, now: float) -> str | None:
        """Count a failure; the reason to stop, if it is one. number: of the request."""
        self._failures = 0 if blame == "document" else self._failures + 1
        impatient = self._patience.failed(error, blame, now)
        return self._repeated(error, blame, number) or impatient

    def others_fail(self, mine: int) -> bool:
        """Whether others fail too, and nothing succeeds. mine: failures since the last success."""
        return self._failures - mine >= _STORM

    def doubts(self, error: ExtractifyError, blame: Blame) -> bool:
        """Whether it isn't known yet that an error is the document's, and not the endpoint's."""
        if blame == "fatal":
            return self._in_a_row.count > 0
        return not self._proven and type(error) in _SUSPICIOUS

    def _repeated(self, error: ExtractifyError, blame: Blame, number: int) -> str | None:
        fatal = blame == "fatal"
        if not fatal and not self.doubts(error, blame):
            return None
        likeness = type(error), getattr(error, "status", None), getattr(error, "code", None)
        if likeness != self._likeness:
            self._likeness, self._alike = likeness, _Streak()
        self._alike.failed(number)
        self._in_a_row.failed(number)
        alike, in_a_row = self._alike.count, self._in_a_row.count
        most = _FIRST_FATAL if fatal and not self._proven else _MOST
        if alike < most and in_a_row < _MIXED * most:
            return None
        how = f"{alike} requests in a row failed alike"
        if alike < most:
            how = f"{in_a_row} requests in a row failed"
        if fatal:
            return f"{how}: {error}"
        return (
            f"{how}, and none had succeeded: {error} "
            "If these documents are at fault, move others before them."
        )
