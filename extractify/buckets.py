"""What may be spent a minute: by the user's word, and the endpoint's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractify.rates import Allowance

_MINUTE = 60.0
_BURST = 1.0 / _MINUTE
"""The part of a minute's worth that may be spent at once: a loop that was held up catches up."""
_NOTHING = 1e-9
"""What rounding leaves over."""


class Bucket:
    """Fills by the clock, and lends what is asked for, also more than it holds.

    It fills a burst slower than `per_minute` says, so that no minute spends more than that.
    """

    __slots__ = ("_at", "_capacity", "_level", "_rate", "per_minute")

    def __init__(self, per_minute: float, now: float) -> None:
        self.per_minute = per_minute
        self._capacity = max(1.0, per_minute * _BURST)
        self._rate = per_minute * (1.0 - _BURST) / _MINUTE
        self._level, self._at = self._capacity, now

    def due(self, now: float, amount: float) -> float:
        """When so much may be spent: `now`, or later."""
        self._level = min(self._capacity, self._level + (now - self._at) * self._rate)
        self._at = now
        short = min(amount, self._capacity) - self._level
        return now if short <= _NOTHING else now + short / self._rate

    def take(self, amount: float) -> None:
        """Spend so much; a negative amount was taken before, and wasn't spent."""
        self._level = min(self._capacity, self._level - amount)

    def lower(self, left: float) -> None:
        """Take the endpoint's word that no more than this is left."""
        self._level = min(self._level, left)


class Ration:
    """A bucket where there is a limit: the user's own, or the endpoint's where that is lower.

    preset: what the endpoint is known to bear, until it says so itself.
    """

    __slots__ = ("_bucket", "_endpoints", "_own")

    def __init__(self, own: float | None, preset: float | None, now: float) -> None:
        self._own = own
        self._bucket: Bucket | None = None
        self._limit_to(preset, now)

    @property
    def per_minute(self) -> float | None:
        """The limit, None where there is none."""
        return None if self._bucket is None else self._bucket.per_minute

    def due(self, now: float, amount: float) -> float:
        """When so much may be spent: `now`, or later."""
        return now if self._bucket is None else self._bucket.due(now, amount)

    def take(self, amount: float) -> None:
        """Spend so much; a negative amount was taken before, and wasn't spent."""
        if self._bucket is not None:
            self._bucket.take(amount)

    def heed(self, allowance: Allowance, now: float) -> bool:
        """Take the endpoint's word. Whether that changed the limit."""
        before = self._bucket
        if allowance.per_minute is not None and allowance.per_minute != self._endpoints:
            self._limit_to(allowance.per_minute, now)
        if allowance.remaining is not None and self._bucket is not None:
            self._bucket.lower(allowance.remaining)
        return self._bucket is not before

    def _limit_to(self, endpoints: float | None, now: float) -> None:
        self._endpoints = endpoints
        limits = [each for each in (self._own, endpoints) if each is not None]
        if limits and self.per_minute != min(limits):
            self._bucket = Bucket(min(limits), now)
