"""What became of one document of a bulk run, as the journal keeps it and the sinks get it."""

from __future__ import annotations

import json
import traceback
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from extractify.errors import DocumentError, ExtractifyError, ExtractionError
from extractify.messages import JsonValue, Usage
from extractify.plain import compact_json

if TYPE_CHECKING:
    from extractify.extraction import Extraction

EntryStatus: TypeAlias = Literal["ok", "invalid", "failed"]
_OF_AN_ENDPOINT = ("endpoint", "status", "code", "retry_after", "request_id")


@dataclass(frozen=True, slots=True)
class Entry:
    """A value or a dead letter. Its repr leaves both out.

    status: "ok" with a valid value; "invalid" where answers came and none was valid, or the
    document can't be read; "failed" where no answer came. value: as compact JSON text, "" where
    there is none. error: as compact JSON text, "" where there is none: an object with type,
    message, detail (the endpoint's own words), endpoint, status, code, retry_after, request_id,
    tries, problems and partial (the best value as plain data). attempts: how many answers were
    read. seconds: wall time.
    """

    status: EntryStatus
    value: str = field(default="", repr=False)
    error: str = field(default="", repr=False)
    attempts: int = 0
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether there is a valid value."""
        return self.status == "ok"

    @property
    def data(self) -> JsonValue:
        """The value as plain data; None where there is none."""
        return cast("JsonValue", json.loads(self.value)) if self.value else None

    @property
    def failure(self) -> dict[str, JsonValue]:
        """The error as plain data; empty where there is none."""
        return cast("dict[str, JsonValue]", json.loads(self.error or "{}"))


def entry_of(extraction: Extraction[Any], seconds: float) -> Entry:
    """What a call gave. The best effort of a task is no valid value: it is a dead letter's part."""
    attempts, usage = len(extraction.attempts), extraction.usage
    if extraction.ok:
        return Entry("ok", compact_json(extraction.data), "", attempts, usage, seconds)
    problems: list[JsonValue] = [asdict(problem) for problem in extraction.problems]
    message = "The value is invalid in part (see problems)."
    error = _error(
        "ExtractionError", message, tries=1, problems=problems, partial=extraction.partial
    )
    return Entry("invalid", "", error, attempts, usage, seconds)


def dead_letter(error: ExtractifyError, seconds: float) -> Entry:
    """What became of a call that raised."""
    told = {name: getattr(error, name, None) for name in _OF_AN_ENDPOINT}
    problems: list[JsonValue] = [asdict(each) for each in getattr(error, "problems", ())]
    return Entry(
        "invalid" if isinstance(error, ExtractionError | DocumentError) else "failed",
        error=_error(
            type(error).__name__,
            str(error),
            **told,
            detail=getattr(error, "detail", ""),
            tries=error.tries,
            problems=problems,
            partial=error.partial,
        ),
        attempts=len(error.attempts),
        usage=error.usage,
        seconds=seconds,
    )


def unexpected(error: BaseException) -> ExtractifyError:
    """Say where an error that is none of ours came from, such as one of the user's code.

    Its own words stay out, since they may be the document's.
    """
    where = traceback.extract_tb(error.__traceback__)[-1]
    file = where.filename.rpartition("/")[2]
    return ExtractifyError(f"An unexpected {type(error).__name__} in {file}, line {where.lineno}.")


def _error(kind: str, message: str, **told: JsonValue) -> str:
    of_an_endpoint = dict.fromkeys(_OF_AN_ENDPOINT)
    return compact_json({"type": kind, "message": message, "detail": "", **of_an_endpoint, **told})
