"""What happens during a call, told to the `on_event` callback. Frozen values, no document text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class RequestSent:
    """A request goes out. attempt: which turn of the conversation, from 1."""

    attempt: int


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """The exchange failed for a passing reason and is repeated in `seconds`. error: its class."""

    error: str
    status: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class AttemptJudged:
    """An answer was read. problems: how many; 0 means that it is the value. seconds: wall time."""

    attempt: int
    problems: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RepairAsked:
    """The next request names the problems of the last answer.

    pointers: where they are, keys of free mappings masked. strategy: "patch" asks for those values
    alone, "continue" for what was cut off, "regenerate" for the whole, "ask" repeats the question
    with more room for the answer.
    """

    attempt: int
    pointers: tuple[str, ...]
    strategy: str = "regenerate"


@dataclass(frozen=True, slots=True)
class Done:
    """The call is over. valid: whether there is a value."""

    attempts: int
    valid: bool


Event: TypeAlias = RequestSent | RetryScheduled | AttemptJudged | RepairAsked | Done
OnEvent: TypeAlias = Callable[[Event], None]
