"""A conversation driven by hand: requests out, answers in, no wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from extractify import (
    Completion,
    Endpoint,
    Extraction,
    ExtractionError,
    Message,
    Request,
    Task,
    Usage,
)
from extractify.conversation import Asked, Setting, converse
from extractify.events import Event
from extractify.profiles import FULL

if TYPE_CHECKING:
    from collections.abc import Generator

    from extractify.messages import JsonValue
    from extractify.profiles import Profile
    from extractify.prompts import Source

Flow: TypeAlias = "Generator[Asked, Completion, Extraction[Any]]"

DOCUMENT = "Zyxomma plc owes 36 florins."
USAGE = Usage(prompt_tokens=10, completion_tokens=5, total_tokens=15)


@dataclass
class Played:
    """What a conversation asked, told, and came to."""

    requests: list[Request]
    events: list[Event]
    extraction: Extraction[Any] | None = None
    error: ExtractionError | None = None

    @property
    def failure(self) -> ExtractionError:
        assert self.error is not None
        return self.error


def answer(
    text: str,
    *,
    finish_reason: str = "stop",
    refusal: str | None = None,
    message: Message | None = None,
) -> Completion:
    turn = message or Message("assistant", text)
    return Completion(text, finish_reason, USAGE, turn, refusal=refusal)


def begun(
    task: Task[Any],
    source: Source = DOCUMENT,
    *,
    profile: Profile = FULL,
    events: list[Event] | None = None,
    extra: dict[str, JsonValue] | None = None,
) -> Flow:
    said: list[Event] = [] if events is None else events
    setting = Setting("a-model", profile, extra or {})
    return converse(task, source, setting, said.append, moved_to)


def moved_to(endpoint: object) -> Setting:
    assert isinstance(endpoint, Endpoint)
    return Setting(endpoint.model, endpoint.capabilities, {}, None, endpoint, "another")


def play(task: Task[Any], *answers: str | Completion, profile: Profile = FULL) -> Played:
    """Answer until the conversation is over; all answers have to be asked for."""
    played = Played([], [])
    flow = begun(task, profile=profile, events=played.events)
    try:
        played.requests.append(next(flow).request)
        for given in answers:
            completion = answer(given) if isinstance(given, str) else given
            played.requests.append(flow.send(completion).request)
    except StopIteration as done:
        played.extraction = done.value
    except ExtractionError as error:
        played.error = error
    assert len(played.requests) == len(answers)
    return played
