"""One call at several endpoints: where one is overloaded, exhausted or gives up, the next is asked.

A generator as the conversation is; each endpoint gets a conversation of its own, with a prompt, a
schema and a repair budget of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from extractify.conversation import converse
from extractify.errors import (
    ExtractifyError,
    ExtractionError,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    Refused,
    TransportError,
)
from extractify.events import FellBack

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from extractify.conversation import Asked, Elsewhere, Setting
    from extractify.events import OnEvent
    from extractify.extraction import Extraction
    from extractify.messages import Completion
    from extractify.prompts import Source
    from extractify.task import Task

T = TypeVar("T")
_PASSED_ON = (Overloaded, RateLimited, QuotaExceeded, TransportError, ExtractionError)


def converse_in_turn(
    task: Task[T],
    source: Source,
    settings: Sequence[Setting],
    emit: OnEvent,
    elsewhere: Elsewhere,
) -> Generator[Asked, Completion, Extraction[T]]:
    """Ask at the first endpoint, and at the next one when it fails for a reason of its own.

    A refusal, a blocked content, wrong credentials or a wrong request are raised at once: another
    endpoint isn't asked behind the caller's back. Raises: the last endpoint's error, with the
    attempts made at all of them, and the failure before it as its `__cause__`.
    """
    setting, *others = settings
    try:
        return (yield from converse(task, source, setting, emit, elsewhere))
    except ExtractifyError as error:
        if not others or not _is_passed_on(error):
            raise
        emit(FellBack(setting.name, others[0].name, type(error).__name__))
        failure = error
    try:
        extraction = yield from converse_in_turn(task, source, others, emit, elsewhere)
    except ExtractifyError as error:
        error.attempts = (*failure.attempts, *error.attempts)
        _blame(error, failure)
        raise
    return replace(extraction, attempts=(*failure.attempts, *extraction.attempts))


def _blame(error: ExtractifyError, earlier: ExtractifyError) -> None:
    """Make the earlier failure the first cause, unless a validator of the user's is it."""
    first = error
    while isinstance(first.__cause__, ExtractifyError):
        first = first.__cause__
    if first.__cause__ is None:
        first.__cause__ = earlier


def _is_passed_on(error: ExtractifyError) -> bool:
    return isinstance(error, _PASSED_ON) and not isinstance(error, Refused)
