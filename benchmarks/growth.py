"""What reading costs by the size of what is read."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from math import log
from statistics import linear_regression, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROUNDS = 5
PATIENCE = 15.0  # CPU seconds: what would take longer is left out


@dataclass(frozen=True, slots=True)
class Growth:
    """CPU seconds by size, None where there are none. first: what reading the smallest gave."""

    sizes: tuple[int, ...]
    seconds: tuple[float | None, ...]
    rounds: tuple[float, ...]
    first: object

    @property
    def exponent(self) -> float | None:
        """The slope of CPU over size, both as logarithms: 1 is linear, 2 quadratic."""
        known = zip(self.sizes, self.seconds, strict=True)
        pairs = [(log(size), log(each)) for size, each in known if each]
        return linear_regression(*zip(*pairs, strict=True)).slope if len(pairs) > 1 else None


def growth(
    read: Callable[[str], object],
    text: Callable[[int], str],
    sizes: Sequence[int],
    *,
    patience: float = PATIENCE,
    rounds: int = ROUNDS,
) -> Growth:
    """What reading costs, size by size: none where it would take too long, or isn't read.

    Medians of the rounds, one where a round takes over a second. The smallest is read once before.
    read: raises ValueError for what it can't read.
    """
    first = read(text(sizes[0]))
    seconds: list[float | None] = []
    spent: list[float] = []
    last, factor = 0.0, sizes[1] / sizes[0]
    for size in sizes:
        if last * factor > patience:
            seconds.append(None)
            continue
        answer = text(size)
        found: list[float] = []
        with suppress(ValueError):
            while len(found) < rounds and (not found or found[-1] < 1):
                started = time.process_time()
                read(answer)
                found.append(time.process_time() - started)
        if not found:
            seconds.append(None)
            continue
        factor = median(found) / last if last else factor
        last = median(found)
        seconds.append(last)
        spent += found
    return Growth(tuple(sizes), tuple(seconds), tuple(spent), first)
