"""What becomes of each of several documents: a value or an error, told as it happens."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from extractify.client import Client
from extractify.documents import Document, decoded
from extractify.errors import (
    AuthenticationError,
    ConfigurationError,
    DocumentError,
    ExtractifyError,
    QuotaExceeded,
)
from extractify.events import Event, RequestSent, RetryScheduled
from extractify.evidence import Evidence, as_dict
from extractify.extraction import Status
from extractify.grounding import ground
from extractify.messages import Attempt, JsonValue, Problem, Usage
from extractify.partials import Partial
from extractify.task import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractify.extraction import Extraction

_OF_AN_ENDPOINT = ("endpoint", "status", "code", "retry_after", "request_id")
_OF_ALL = (AuthenticationError, QuotaExceeded, ConfigurationError)
_BETWEEN_PARTIALS = 0.1  # seconds: more often, nobody sees it
Job = tuple[str, Path | None, Task[Any]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a document.

    data: its value as plain data; if it failed, the best part. problems: what is wrong in it, of an
    error or of the best effort; status: how each field of the best effort fared. seconds: wall
    time, of retries and failed exchanges too.
    """

    name: str
    text: str
    data: JsonValue
    attempts: tuple[Attempt, ...]
    seconds: float
    error: ExtractifyError | None = None
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    status: Mapping[str, Status] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether there is a valid value."""
        return self.error is None and not self.problems

    @property
    def usage(self) -> Usage:
        """What its attempts cost."""
        return Usage.total(attempt.usage for attempt in self.attempts)


Outcomes = Generator[Outcome, None, None]


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown on the way. partial: of the first so many documents, as they arrive."""

    say: Callable[[str], object]
    partial: Callable[[Partial[Any]], object] | None = None
    documents: int = 0


def outcomes(jobs: Sequence[Job], endpoint: str | None, shown: Shown) -> Outcomes:
    """Do the jobs in order; a failure is an outcome too, and the next document has its turn.

    Not after one that all would have: credentials, quota, configuration.
    """
    say = shown.say
    where = ""

    def on_event(event: Event) -> None:
        if isinstance(event, RequestSent):
            say(f"{where}, attempt {event.attempt}")
        elif isinstance(event, RetryScheduled):
            say(f"{where}: {event.error}, again in {event.seconds:.0f} s")

    with Client(endpoint, on_event=on_event) as client:
        for number, (name, path, task) in enumerate(jobs, start=1):
            where = f"{number} of {len(jobs)}: {name}"
            text, started = "", monotonic()
            try:
                text = read_text(name, path)
                show = shown.partial if number <= shown.documents else None
                result = _extracted(client, task, Document(text, name), show)
            except ExtractifyError as error:
                seconds = monotonic() - started
                found = ground(error.partial, text), getattr(error, "problems", ())
                yield Outcome(name, text, error.partial, error.attempts, seconds, error, *found)
                if isinstance(error, _OF_ALL):
                    return
            else:
                data, seconds = result.data, monotonic() - started
                told = result.evidence, result.problems, result.status
                yield Outcome(name, text, data, result.attempts, seconds, None, *told)


def _extracted(
    client: Client,
    task: Task[Any],
    document: Document,
    show: Callable[[Partial[Any]], object] | None,
) -> Extraction[Any]:
    if show is None:
        return client.extract(task, document)
    with client.stream(task, document, min_interval=_BETWEEN_PARTIALS) as stream:
        for partial in stream:
            show(partial)
        return stream.result()


def read_text(name: str, path: Path | None) -> str:
    """The text of a file, or of standard input. Raises: DocumentError, which says what to do."""
    try:
        if path is None and sys.stdin is None:
            raise DocumentError("There is no standard input to read: it is closed.")
        content = sys.stdin.buffer.read() if path is None else path.read_bytes()
        return decoded(content, name)
    except OSError as error:
        raise DocumentError(f"{name} can't be read: {error.strerror}.") from None


def record(outcome: Outcome) -> dict[str, object]:
    """The outcome as a JSON object, with the same keys whether it failed or not."""
    error = outcome.error
    problems = [asdict(problem) for problem in outcome.problems]
    return {
        "document": outcome.name,
        "value": None if error else outcome.data,
        "error": error
        and {
            "type": type(error).__name__,
            "message": str(error),
            "detail": getattr(error, "detail", ""),
            **{name: getattr(error, name, None) for name in _OF_AN_ENDPOINT},
            "tries": error.tries,
            "problems": problems,
            "partial": outcome.data,
        },
        "problems": problems,
        "status": dict(outcome.status),
        "attempts": len(outcome.attempts),
        "seconds": round(outcome.seconds, 3),
        "usage": asdict(outcome.usage),
        "evidence": as_dict(outcome.evidence),
        "fixes": [asdict(fix) for attempt in outcome.attempts[-1:] for fix in attempt.fixes],
    }
