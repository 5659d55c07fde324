"""A token bucket: how much may be spent a minute, and when the next piece of it."""

from __future__ import annotations

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
