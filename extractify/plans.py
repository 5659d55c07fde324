"""How a bulk run goes about its work, what it may take, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TypeAlias, get_args

from extractify.checks import COUNT, FLAG, NUMBER, SECONDS, TEXT, check, instance, one_of
from extractify.errors import ConfigurationError
from extractify.journal import OnChange
from extractify.messages import Usage
from extractify.pace import Pace
from extractify.rows import LARGEST

_PLACE = instance(str, PathLike).optional
BROKEN_OFF = "The input broke off"
"""How the note begins that what the source raises has, where rows came before."""
_ENOUGH = 100  # rows until a share of them says something


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may take; reaching one ends it cleanly, and it can be resumed. None is no limit.

    cost: money, in the currency of the endpoint's prices; tokens: in and out; both of all sessions
    on one journal together. seconds: of this session. failures: dead letters, as a number of them
    (an int) or as a share of the rows between 0 and 1 (a float, from 100 rows on).
    """

    cost: float | None = None
    tokens: int | None = None
    seconds: float | None = None
    failures: int | float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no budget."""
        check(self, cost=NUMBER.optional, tokens=COUNT.optional, seconds=SECONDS.optional)
        check(self, failures=NUMBER.optional)
        if isinstance(self.failures, float) and not 0 <= self.failures <= 1:
            message = (
                f"Budget(failures={self.failures}) is no share of the rows. Write 0.01 for 1 %, or "
                "an int for a number of them."
            )
            raise ConfigurationError(message)
        for name in ("cost", "tokens", "failures"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ConfigurationError(
                    f"Budget({name}={value}) is below 0: nothing would be asked."
                )

    def ended_by(self, progress: Progress) -> str | None:
        """Which of the limits is reached, in words; None while there is something left."""
        usage, failed = progress.usage, progress.failed
        if self.cost is not None and (usage.cost or 0.0) >= self.cost:
            return f"the budget of {self.cost:g} is spent"
        used = (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)
        if self.tokens is not None and used >= self.tokens:
            return f"the budget of {self.tokens} tokens is used up"
        if self.is_over(progress.seconds):
            return f"the {self.seconds:g} seconds are over"
        if isinstance(self.failures, float):
            finished = progress.done + failed
            if finished >= _ENOUGH and failed > self.failures * finished:
                share = f"{self.failures * 100:.3g} %"
                return f"{failed} of {finished} documents failed, more than {share}"
        elif self.failures is not None and failed > self.failures:
            return f"{failed} documents failed, more than {self.failures}"
        return None

    def is_used_up(self, progress: Progress) -> bool:
        """Whether a limit of all sessions is reached, so that the next one would end at once."""
        return replace(self, seconds=None).ended_by(progress) is not None

    def is_over(self, seconds: float) -> bool:
        """Whether it is the time that is over. seconds: of this session."""
        return self.seconds is not None and seconds >= self.seconds


NO_LIMIT = Budget()


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run goes about its work.

    journal, dead: files of what is done, and of what failed; None is beside the output if that is a
    file, and otherwise nowhere.
    pace: how fast. budget: how far. ordered: put out in the order of the input; else as they are
    done. id_field, text_field: where a record has its id and its text; id_field None takes `id`
    where there is one, else the row's number from 1. largest: characters of a document; a longer
    one is a dead letter. flat: columns instead of structs in Parquet. retry_dead: ask again for
    what failed before. on_change: what to do where the journal is of another task or endpoint:
    refuse; go on in it ("force"), reading the answers it kept by the task as it is now; or begin a
    new one, setting the old one aside.
    """

    journal: str | PathLike[str] | None = None
    dead: str | PathLike[str] | None = None
    pace: Pace = field(default_factory=Pace)
    budget: Budget = field(default_factory=Budget)
    ordered: bool = True
    id_field: str | None = None
    text_field: str = "text"
    largest: int = LARGEST
    flat: bool = False
    retry_dead: bool = False
    on_change: OnChange = "refuse"

    def __post_init__(self) -> None:
        """Refuse what is no plan."""
        check(self, journal=_PLACE, dead=_PLACE)
        check(self, pace=instance(Pace), budget=instance(Budget), ordered=FLAG, flat=FLAG)
        check(self, id_field=TEXT.optional, text_field=TEXT, largest=COUNT, retry_dead=FLAG)
        check(self, on_change=one_of(*get_args(OnChange)))


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is. total: rows of the input; None where it can't be known beforehand.

    done, failed: values and dead letters so far, of earlier sessions too; reused: how many of them
    the journal had already, or an identical document. usage: of all sessions. limit: how many
    requests may be in flight now; in_flight: how many are. seconds: of this session. stopping: why
    it ends before its end, while what is in flight is waited for; "" where it doesn't.
    """

    total: int | None
    done: int
    failed: int
    reused: int
    usage: Usage
    seconds: float
    limit: int
    in_flight: int
    stopping: str = ""

    @property
    def rate(self) -> float:
        """Documents a second that were asked for in this session."""
        return (self.done + self.failed - self.reused) / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Until all are done at this rate; None where that isn't known."""
        if self.total is None or not self.rate:
            return None
        return max(0.0, self.total - self.done - self.failed) / self.rate


@dataclass(frozen=True, slots=True)
class Report:
    """How a run ended. complete: every row has an outcome, and the output is in its place.

    progress: the last. stopped: why it ended before that, "" where it didn't. output, dead,
    journal: where things are, "" where they aren't in a file; an output that isn't complete has
    `.part` at its end.
    """

    progress: Progress
    stopped: str = ""
    output: str = ""
    dead: str = ""
    journal: str = ""

    @property
    def complete(self) -> bool:
        """Whether every row has an outcome."""
        return not self.stopped

    @property
    def ok(self) -> bool:
        """Whether every row has a valid value."""
        return self.complete and not self.progress.failed


OnProgress: TypeAlias = Callable[[Progress], None]
