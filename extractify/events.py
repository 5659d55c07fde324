"""What happens during a call, told to the `on_event` callback. Frozen values.

None but `Thought` holds any text of the document.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class RequestSent:
    """A request goes out. attempt: which turn of the conversation, from 1."""

    attempt: int


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """The exchange failed for a passing reason and is repeated in `seconds`. error: its class.

    endpoint: by URL and model. reason: the error's message.
    may_run_twice: the request had gone out whole, so the endpoint may have done the work, and
    charged for it, already.
    """

    error: str
    status: int | None
    seconds: float
    may_run_twice: bool = False
    endpoint: str = ""
    reason: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Warned:
    """A parameter isn't sent as it was asked for, or does harm. parameter: its name on the wire."""

    parameter: str
    message: str


@dataclass(frozen=True, slots=True)
class FellBack:
    """An endpoint gave up, and the next one is asked. Both by URL and model; error: its class."""

    endpoint: str
    next: str
    error: str


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
class Thought:
    """A piece of the model's reasoning, from an answer that streams. It may quote the document."""

    attempt: int
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PaceChanged:
    """A run goes faster or slower. limit: requests at once, from now on. reason: for people.

    endpoint: by URL and model.
    """

    limit: int
    reason: str
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The call is over. valid: whether there is a value."""

    attempts: int
    valid: bool


Event: TypeAlias = (
    RequestSent
    | RetryScheduled
    | Warned
    | FellBack
    | AttemptJudged
    | RepairAsked
    | Thought
    | PaceChanged
    | Done
)
OnEvent: TypeAlias = Callable[[Event], None]
