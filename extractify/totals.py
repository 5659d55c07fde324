"""What a bulk run came to: documents and tokens, summed."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from extractify.messages import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNKNOWN = Usage()
_NUMBERS = attrgetter(*Usage.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Totals:
    """What a run came to. done: documents with a value. failed: dead letters.

    usage: of all of them, and of dead letters that were taken back. It sums what the endpoint told;
    None is what it never told.
    """

    done: int = 0
    failed: int = 0
    usage: Usage = _UNKNOWN

    def plus(self, done: int = 0, failed: int = 0, usages: Iterable[Usage] = ()) -> Totals:
        """Count some more."""
        columns = zip(*map(_NUMBERS, (self.usage, *usages)), strict=True)
        known = [[told for told in column if told is not None] for column in columns]
        sums = (sum(column) if column else None for column in known)
        return Totals(self.done + done, self.failed + failed, Usage(*sums))
