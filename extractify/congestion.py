"""How many requests at once an endpoint bears, found by trying: as TCP finds its window."""

from __future__ import annotations

from random import SystemRandom

_FIRST = 8
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_DOUBLINGS = 6  # by then it is the longest
_CHANCE = SystemRandom()


class Congestion:
    """The limit of requests at once, never above `most`.

    It doubles with each round trip that goes well up to half of what was too much, and grows by one
    a round trip from there. cuts: how often it was halved; a request keeps the number of its time.
    """

    __slots__ = ("_exact", "_in_a_row", "_most", "_threshold", "cuts")

    def __init__(self, most: int) -> None:
        self._most = self._threshold = float(most)
        self._exact = min(float(_FIRST), self._most)
        self._in_a_row = 0
        self.cuts = 0

    @property
    def limit(self) -> int:
        """Requests at once, at present."""
        return int(self._exact)

    def succeeded(self) -> None:
        """Grow: a request was answered."""
        self._in_a_row = 0
        if self._exact < self._most:
            step = 1.0 if self._exact < self._threshold else 1.0 / self._exact
            self._exact = min(self._exact + step, self._most)

    def overloaded(self, cuts: int, retry_after: float | None = None) -> float:
        """Halve, unless one did that was out at the same time. Seconds to pause.

        cuts: when the request was let in. retry_after: what the endpoint asks for. Where it asks
        for nothing, or what it asked for didn't help, the pauses double.
        """
        if cuts != self.cuts:
            return retry_after or 0.0
        self.halve()
        is_first = self._in_a_row == 0
        longest: float = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self._in_a_row)
        pause = longest * _CHANCE.uniform(0.5, 1.0)
        self._in_a_row = min(self._in_a_row + 1, _DOUBLINGS)
        if retry_after is None:
            return pause
        return retry_after if is_first else max(retry_after, pause)

    def halve(self) -> None:
        """Halve without a pause, as another run met an overload of the same endpoint."""
        self.cuts += 1
        if self._in_a_row == 0:
            self._threshold = max(1.0, self._exact / 2)
        self._exact = max(1.0, self._exact / 2)
