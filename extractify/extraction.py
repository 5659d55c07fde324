"""The result of an extraction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from extractify.messages import Attempt, Usage

if TYPE_CHECKING:
    from extractify.messages import Fix

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Extraction(Generic[T]):
    """A valid value, and how it came about.

    value: an instance of the target itself. attempts: every exchange, the last one gave the value.
    """

    value: T
    attempts: tuple[Attempt, ...]

    @property
    def usage(self) -> Usage:
        """What all attempts cost together; None where an endpoint didn't say."""
        return Usage.total(attempt.usage for attempt in self.attempts)

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """What reading had to mend in the answer that gave the value."""
        return self.attempts[-1].fixes
