"""How long an invalid answer is sent back: the policy, and the meter that says when it is spent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from tenacity import RetryCallState, Retrying
from tenacity.stop import stop_after_attempt, stop_base

from extractify.checks import COUNT, FLAG, FUNCTION, NUMBER, STOP, check
from extractify.errors import ConfigurationError
from extractify.messages import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractify.messages import Attempt, Usage

OnProblems: TypeAlias = Callable[[tuple[Problem, ...]], object]
"""Is told the problems of an answer, and says what to change for the next turn: an instruction (a
str), the Endpoint to ask instead, or None for nothing."""


@dataclass(frozen=True, slots=True)
class Repair:
    """How long an invalid answer is sent back, and what to do when that is over.

    stop: the most requests a call may cost, the first one included; or a tenacity stop, such as
    `stop_after_attempt(3) | stop_after_delay(60)` (seconds since the first request). tokens, cost:
    no further request once so many are spent, in the currency of the endpoint's prices; what the
    endpoint doesn't tell isn't counted. on_problems: called before each further turn; returns an
    instruction for it, an Endpoint that is asked from then on, or None. best_effort: when the
    budget is spent, return what is valid, with `Extraction.problems`, instead of raising.
    regenerate: whether an answer may be asked for again as a whole; otherwise only its failing
    members or items are, and what was valid stays as it is.
    """

    stop: int | stop_base = 3
    tokens: int | None = None
    cost: float | None = None
    on_problems: OnProblems | None = None
    best_effort: bool = False
    regenerate: bool = True

    def __post_init__(self) -> None:
        """Refuse a budget that no request fits in, and what is no budget."""
        check(self, stop=STOP, tokens=COUNT.optional, cost=NUMBER.optional)
        check(self, on_problems=FUNCTION.optional, best_effort=FLAG)
        if isinstance(self.stop, int) and self.stop < 1:
            raise ConfigurationError(f"Repair(stop={self.stop}) allows no request; 1 is the least.")

    def as_stop(self) -> stop_base:
        """The budget as a tenacity stop."""
        return stop_after_attempt(self.stop) if isinstance(self.stop, int) else self.stop


DEFAULT_REPAIR = Repair()
"""Three requests at most."""


class Meter:
    """A repair budget in use: its tenacity stop, tokens and money, asked after each attempt."""

    def __init__(self, repair: Repair) -> None:
        self._repair = repair
        self._started = monotonic()
        self._state: RetryCallState | None = None

    def ended_by(self, attempts: Sequence[Attempt]) -> str | None:
        """The part of the budget that is spent, "stop", "tokens" or "cost"; None while none is."""
        state = self._state
        if state is None:  # most calls never ask
            state = self._state = RetryCallState(Retrying(), None, (), {})
            state.start_time = self._started
        state.set_result(None)
        spent = self._repair.as_stop()(state)
        state.prepare_for_next_attempt()
        tokens = sum(_spent(attempt.usage) for attempt in attempts)
        cost = sum(attempt.usage.cost or 0.0 for attempt in attempts)
        limits = {
            "stop": spent,
            "tokens": self._repair.tokens is not None and tokens >= self._repair.tokens,
            "cost": self._repair.cost is not None and cost >= self._repair.cost,
        }
        return next((name for name, reached in limits.items() if reached), None)


def _spent(usage: Usage) -> int:
    """Tokens in all, also where only the parts are told."""
    parts = (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)
    return parts if usage.total_tokens is None else usage.total_tokens
