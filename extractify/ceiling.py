"""How many requests of a run are out together, whatever endpoint they go to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    LetIn = Callable[[], None]
    Stop = Callable[[str, BaseException | None], None]


class Ceiling:
    """The most requests at once of several gates. A place that comes free is offered to each.

    The gate that joined last is asked first: what waits there was sent on by the others, and has
    waited for longest.
    """

    __slots__ = ("_gates", "_most", "_out", "_stopped")

    def __init__(self, most: int) -> None:
        self._most = most
        self._out = 0
        self._gates: list[tuple[LetIn, Stop]] = []
        self._stopped: tuple[str, BaseException | None] | None = None

    @property
    def is_reached(self) -> bool:
        """Whether no place is free."""
        return self._out >= self._most

    def join(self, let_in: LetIn, stop: Stop) -> None:
        """Add a gate. let_in: lets in what waits there, as far as that may be. stop: ends it."""
        self._gates.append((let_in, stop))
        if self._stopped is not None:
            stop(*self._stopped)

    def stop(self, reason: str, cause: BaseException | None) -> None:
        """Stop all gates, also those that will join."""
        if self._stopped is None:
            self._stopped = reason, cause
            for _, stop in self._gates:
                stop(reason, cause)

    def entered(self) -> None:
        """Take a place."""
        self._out += 1

    def left(self) -> None:
        """Give a place back."""
        self._out -= 1
        for let_in, _ in reversed(self._gates):
            let_in()
