"""The repair conversation: a generator that yields Requests, is sent Completions, and returns.

It does no I/O, so the sync and the async client drive the same code. It owns *meaning*: whether an
answer is the value, and how often it is asked again. Network faults are the transport's; one that
is thrown in here leaves with the attempts made so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from tenacity import RetryCallState, Retrying

from extractify import prompts
from extractify.errors import ExtractifyError, ExtractionError, Refused, Truncated
from extractify.events import AttemptJudged, Done, RepairAsked, RequestSent
from extractify.extraction import Extraction
from extractify.lowering import lower
from extractify.messages import (
    Attempt,
    JsonValue,
    Message,
    Prices,
    Problem,
    Request,
    Strategy,
    Usage,
    clipped,
)
from extractify.patching import PATCH, REPLY_KINDS, Patch, kept, mended, patch_for, read_patch
from extractify.profiles import Profile
from extractify.prompts import Source
from extractify.reading import Reading, read_answer
from extractify.task import Task

if TYPE_CHECKING:
    from collections.abc import Generator

    from extractify.events import OnEvent
    from extractify.messages import Completion

T = TypeVar("T")
# What a message shows, so that it stays below 600 characters.
_SHOWN_PROBLEMS = 4
_SHOWN_PLACE = 48
_SHOWN_KIND = 24


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a conversation takes place: the model, its profile, and vendor parameters."""

    model: str
    profile: Profile
    extra: Mapping[str, JsonValue]
    prices: Prices | None = None


def first_request(task: Task[Any], source: Source, setting: Setting) -> Request:
    """Write the request that opens the conversation. Raises: DocumentError on an empty source."""
    profile = setting.profile
    wire = lower(task.schema, profile)
    temperature = profile.temperature if task.temperature is None else task.temperature
    if temperature is not None:
        lowest, highest = profile.temperature_range
        temperature = min(max(temperature, lowest), highest)
    return Request(
        model=setting.model,
        messages=prompts.question(task, source, enveloped=wire.enveloped),
        response_format=wire.format,
        temperature=temperature,
        max_tokens=task.max_tokens or profile.max_tokens,
        extra={**dict(profile.parameters), **setting.extra, **(task.extra or {})},
    )


def converse(
    task: Task[T], source: Source, setting: Setting, emit: OnEvent
) -> Generator[Request, Completion, Extraction[T]]:
    """Ask until an answer is valid or the budget is spent.

    Raises: ExtractionError (Refused, Truncated) with all attempts; and whatever error is thrown
    into it, with the attempts made before.
    """
    attempts: list[Attempt] = []
    valid = False
    try:
        value = yield from _turns(task, source, setting, emit, attempts)
        valid = True
        return Extraction(value, tuple(attempts))
    except ExtractifyError as error:
        error.attempts = tuple(attempts)
        raise
    finally:
        emit(Done(len(attempts), valid=valid))


@dataclass(frozen=True, slots=True)
class _Turn:
    """A request and how its answer is to be read."""

    request: Request
    strategy: Strategy = "ask"
    patch: Patch | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """What all turns of a conversation have in common. asked: the request that opened it."""

    task: Task[Any]
    source: Source
    profile: Profile
    asked: Request


def _turns(
    task: Task[T], source: Source, setting: Setting, emit: OnEvent, attempts: list[Attempt]
) -> Generator[Request, Completion, T]:
    """Ask, read, ask again; each finished exchange is added to `attempts`."""
    turn = _Turn(first_request(task, source, setting))
    case = _Case(task, source, setting.profile, turn.request)
    context = _context(source)
    budget = _Budget(task)
    best: Reading[T] = Reading(None)
    while True:
        number = len(attempts) + 1
        emit(RequestSent(number))
        started = monotonic()
        completion = _priced((yield turn.request), setting.prices)
        reading, crash = _read(task, setting, turn, completion, context)
        seconds = monotonic() - started
        attempts.append(
            Attempt(
                turn.request, completion, reading.problems, reading.fixes, seconds, turn.strategy
            )
        )
        emit(AttemptJudged(number, len(reading.problems), seconds))
        if reading.ok:
            return reading.value
        best = _better(best, reading)
        if crash is not None:
            raise _crashed(task, attempts[-1], crash, best) from crash
        following = _following(case, turn, completion, reading)
        ended = budget.ended_by(attempts)
        if following is None or ended:
            raise _gave_up(task, attempts, reading, best, ended if following else None)
        emit(RepairAsked(number + 1, _places(task, reading), following.strategy))
        turn = following


def _better(best: Reading[T], reading: Reading[T]) -> Reading[T]:
    """The one with data in it and the fewest problems, the later one of equals."""
    worse = best.partial is not None and len(best.problems) < len(reading.problems)
    return best if worse or reading.partial is None else reading


class _Budget:
    """The task's repair budget: a tenacity stop, tokens and money, asked after each attempt."""

    def __init__(self, task: Task[Any]) -> None:
        self._repair = task.budget
        self._stop = self._repair.as_stop()
        self._state = RetryCallState(Retrying(), None, (), {})

    def ended_by(self, attempts: list[Attempt]) -> str | None:
        """The part of the budget that is spent."""
        self._state.set_result(None)
        spent = self._stop(self._state)
        self._state.prepare_for_next_attempt()
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


def _priced(completion: Completion, prices: Prices | None) -> Completion:
    if prices is None or completion.usage.cost is not None:
        return completion
    usage = replace(completion.usage, cost=prices.cost(completion.usage))
    return replace(completion, usage=usage)


def _context(source: Source) -> dict[str, object]:
    """What the target's validators see as `info.context`."""
    if isinstance(source, str):
        return {"document": source}
    return {"document": getattr(source, "text", source)}


def _read(
    task: Task[T],
    setting: Setting,
    turn: _Turn,
    completion: Completion,
    context: Mapping[str, object],
) -> tuple[Reading[T], Exception | None]:
    """Read an answer; beside it, what a validator of the target raised that isn't a verdict."""
    if completion.refusal is not None:
        return _unread("refused", "expected an answer; the model refused"), None
    if completion.finish_reason == "length":
        cut = _unread("truncated", "expected the whole answer; the output limit cut it off")
        return (cut if turn.patch is None else kept(turn.patch, cut.problems[0])), None
    schema, text = task.schema, completion.text
    try:
        if turn.patch is not None:
            return read_patch(text, turn.patch, schema, context), None
        enveloped = lower(schema, setting.profile).enveloped
        return read_answer(text, schema, enveloped=enveloped, context=context), None
    except Exception as error:  # noqa: BLE001  (whatever it is, the paid answer must not be lost)
        return _unread("validator_crashed", f"a validator raised {type(error).__name__}"), error


def _unread(kind: str, expected: str) -> Reading[Any]:
    return Reading(None, (), (Problem("", kind, expected),))


def _crashed(
    task: Task[Any], attempt: Attempt, crash: Exception, best: Reading[Any]
) -> ExtractionError:
    message = (
        f"A validator of {task.schema.name} raised {type(crash).__name__}, which pydantic doesn't "
        "take for a verdict. Let it raise ValueError or AssertionError, and check the types it "
        "is given."
    )
    return ExtractionError(message, problems=attempt.problems, partial=best.partial)


def _following(
    case: _Case, turn: _Turn, completion: Completion, reading: Reading[Any]
) -> _Turn | None:
    """The turn that may mend the reading for the least, None if none can.

    Cut off: the same again with more room. Few leaves wrong: a patch, but never after a patch that
    failed. Anything else: the whole again.
    """
    if completion.refusal is not None:
        return None
    if completion.finish_reason == "length" and turn.patch is None:
        request = _with_more_room(turn.request, case.task, case.profile)
        return None if request is None else replace(turn, request=request)
    answer = completion.message if turn.patch is None else prompts.answered(reading.partial)
    failed = turn.patch is not None and not mended(turn.patch, reading)
    patch = None if failed else patch_for(case.task.schema, reading)
    if patch is not None:
        return _Turn(_patch_request(case, turn, answer, patch), "patch", patch)
    problems = [problem for problem in reading.problems if problem.kind not in REPLY_KINDS]
    messages = prompts.repair(case.asked.messages, answer, problems)
    whole = replace(turn.request, messages=messages, response_format=case.asked.response_format)
    return _Turn(whole, "regenerate")


def _patch_request(case: _Case, turn: _Turn, answer: Message, patch: Patch) -> Request:
    """Ask for a patch: after the last answer and its problems, or afresh."""
    profile, schema = case.profile, patch.schema
    # Without an envelope the keys stand right below the instructions: small models need that.
    envelope = PATCH if profile.replays or profile.envelope == "always" else None
    if profile.replays:
        asked, problems = case.asked.messages, patch.problems
        messages = prompts.patch(asked, answer, problems, schema, PATCH)
    else:
        messages = prompts.patch_afresh(case.task, case.source, schema, envelope)
    wire = lower.__wrapped__(schema, profile, envelope)  # it won't be asked for again
    return replace(turn.request, messages=messages, response_format=wire.format)


def _with_more_room(request: Request, task: Task[Any], profile: Profile) -> Request | None:
    """Double the output limit, up to the model's ceiling; one that the user set stays."""
    limit, ceiling = request.max_tokens, profile.output_ceiling
    if task.max_tokens is not None or limit is None or ceiling is None or limit >= ceiling:
        return None
    return replace(request, max_tokens=min(2 * limit, ceiling))


def _gave_up(
    task: Task[Any],
    attempts: list[Attempt],
    reading: Reading[Any],
    best: Reading[Any],
    budget: str | None,
) -> ExtractionError:
    name, last, count = task.schema.name, attempts[-1], len(attempts)
    tries = "1 attempt" if count == 1 else f"{count} attempts"
    partial = best.partial
    if last.completion.refusal is not None:
        message = (
            f"The model refused to extract {name} ({tries}). Its words are in "
            "`attempts[-1].completion.refusal`; change the instructions or the model."
        )
        return Refused(message, problems=last.problems, partial=partial)
    if last.completion.finish_reason == "length" and last.strategy != "patch":
        limit = last.request.max_tokens or "unknown"
        message = (
            f"The answer for {name} was cut off by the output limit "
            f"({limit} tokens, {tries}). Set Task(max_tokens=…) higher, "
            "or extract from smaller pieces of the document."
        )
        return Truncated(message, problems=last.problems, partial=partial)
    places = _places(task, reading)[:_SHOWN_PROBLEMS]
    shown = [
        f"{clipped(place or '/', _SHOWN_PLACE)} {clipped(problem.kind, _SHOWN_KIND)}"
        for place, problem in zip(places, last.problems, strict=False)
    ]
    more = f" and {len(last.problems) - len(shown)} more" if len(last.problems) > len(shown) else ""
    message = (
        f"No valid {name} after {tries}. Wrong in the last answer: {', '.join(shown)}{more}. "
        "See `problems`, `partial` and `attempts` of this error; then widen the target, add "
        f"instructions or examples, or raise Repair({budget or 'stop'}=…)."
    )
    return ExtractionError(message, problems=last.problems, partial=partial, budget=budget)


def _places(task: Task[Any], reading: Reading[Any]) -> tuple[str, ...]:
    """The pointers of the problems, keys that the target doesn't declare masked.

    Those are words of the document.
    """
    declared = task.schema.property_names
    places: list[str] = []
    for problem in reading.problems:
        here, place = reading.partial, ""
        for step in problem.pointer.split("/")[1:]:
            is_index = isinstance(here, list) and step.isdecimal() and int(step) < len(here)
            place += f"/{step if is_index or step in declared else '*'}"
            if isinstance(here, list):
                here = here[int(step)] if is_index else None
            else:
                here = here.get(step) if isinstance(here, dict) else None
        places.append(place)
    return tuple(places)
