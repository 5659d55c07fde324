"""The result of an extraction."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

from extractify.evidence import Evidence, as_dict
from extractify.messages import Attempt, JsonValue, Problem, Usage
from extractify.nodes import leaves
from extractify.plain import dumped, plain_data
from extractify.support import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.messages import Fix

T = TypeVar("T")
Status: TypeAlias = Literal["valid", "invalid", "missing"]


@dataclass(frozen=True, slots=True)
class Extraction(Generic[T]):
    """A value, and how it came about.

    value: an instance of the target itself. attempts: every exchange, oldest first. problems: what
    is wrong where the task asked for the best effort; the failing fields then have their defaults
    in `value`, or, if the target can't do without them, `value` is the plain data as it was read,
    as `partial` is in either case. origin: the document that spans are offsets in, and what the
    task says of grounding.
    """

    value: T
    attempts: tuple[Attempt, ...]
    problems: tuple[Problem, ...] = ()
    partial: JsonValue = field(default=None, repr=False)
    origin: Origin | None = field(default=None, repr=False)
    _known: list[dict[str, Evidence]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

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
    def evidence(self) -> Mapping[str, Evidence]:
        """Where each leaf of the value stands in the document, by JSON pointer.

        Looked up when first asked for; empty where the document isn't known. Of several messages,
        the document is those of the user, one after another with an empty line between.
        """
        if not self._known and self.origin is not None:
            data = self.data if self.ok else self.partial
            self._known.append(self.origin.evidence(data))
        return dict(self._known[0]) if self._known else {}

    @property
    def data(self) -> JsonValue:
        """The value as plain data, by alias."""
        if self.origin is None:
            return plain_data(self.value)
        try:
            return dumped(self.origin.schema.adapter, self.value)
        except ValueError:  # the best effort isn't an instance of the target
            return plain_data(self.value)

    def to_dict(self, *, evidence: bool = False) -> dict[str, JsonValue]:
        """As plain data for JSON: value, problems, fixes, attempts (how many), seconds, usage.

        evidence: with the place of each leaf too, status, best span, line and column.
        """
        told: dict[str, Any] = {
            "value": self.data,
            "problems": [asdict(problem) for problem in self.problems],
            "fixes": [asdict(fix) for fix in self.fixes],
            "attempts": len(self.attempts),
            "seconds": round(self.seconds, 3),
            "usage": asdict(self.usage),
        }
        return {**told, "evidence": as_dict(self.evidence)} if evidence else told

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
