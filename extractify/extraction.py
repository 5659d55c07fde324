"""The result of an extraction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypeVar

from extractify.messages import Attempt, JsonValue, Problem, Usage
from extractify.nodes import leaves

if TYPE_CHECKING:
    from extractify.messages import Fix

T = TypeVar("T")
Status: TypeAlias = Literal["valid", "invalid", "missing"]


@dataclass(frozen=True, slots=True)
class Extraction(Generic[T]):
    """A value, and how it came about.

    value: an instance of the target itself. attempts: every exchange, oldest first. problems: what
    is wrong where the task asked for the best effort; the failing fields then have their defaults
    in `value`, or, if the target can't do without them, `value` is the plain data as it was read,
    as `partial` is in either case.
    """

    value: T
    attempts: tuple[Attempt, ...]
    problems: tuple[Problem, ...] = ()
    partial: JsonValue = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        """Whether the value is valid as it was answered; always so but for the best effort."""
        return not self.problems

    @property
    def usage(self) -> Usage:
        """What all attempts cost together; None where an endpoint didn't say."""
        return Usage.total(attempt.usage for attempt in self.attempts)

    @property
    def seconds(self) -> float:
        """The wall time of all attempts together."""
        return sum(attempt.seconds for attempt in self.attempts)

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """What reading had to mend in the answer that gave the value."""
        return self.attempts[-1].fixes

    @property
    def status(self) -> dict[str, Status]:
        """For each leaf that was read and each that is missing, by JSON pointer, how it fared.

        Empty where the value is valid: so are all its leaves then. What was cut off has no leaf.
        """
        if self.ok:
            return {}
        wrong = {each.pointer: each.kind for each in self.problems if each.kind != "truncated"}
        found: dict[str, Status] = {
            pointer: "invalid" if _covered(pointer, wrong) else "valid"
            for pointer, _ in leaves(self.partial)
        }
        absent: dict[str, Status] = {
            pointer: "missing" for pointer, kind in wrong.items() if kind == "missing"
        }
        return {**found, **absent}


def _covered(pointer: str, wrong: dict[str, str]) -> bool:
    """Whether a leaf is one of the failing places, or inside one."""
    while pointer not in wrong and pointer:
        pointer = pointer.rpartition("/")[0]
    return pointer in wrong
