"""The repair conversation: a generator that yields what to ask, is sent Completions, and returns.

It does no I/O, so the sync and the async client drive the same code. It owns *meaning*: whether an
answer is the value, and how often it is asked again. Network faults are the transport's; one that
is thrown in here leaves with the attempts made so far.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from extractify import prompts
from extractify.calls import unpacked
from extractify.endings import crashed, gave_up, hook_failed, places
from extractify.errors import EndpointError, ExtractifyError, ExtractionError, TransportError
from extractify.events import AttemptJudged, Done, RepairAsked, RequestSent
from extractify.extraction import Extraction
from extractify.fitting import check_tool_choice, fitted_temperature, warnings
from extractify.judging import judged, origin_of
from extractify.lowering import lower
from extractify.messages import Attempt, JsonValue, Message, Prices, Problem, Request
from extractify.profiles import Profile
from extractify.reading import Reading
from extractify.repair import Meter
from extractify.salvage import salvaged
from extractify.shapes import is_reshaped
from extractify.support import nulled
from extractify.turns import Case, Turn, following
from extractify.validation import validate

if TYPE_CHECKING:
    from collections.abc import Generator

    from extractify.events import OnEvent
    from extractify.messages import Completion
    from extractify.patching import Patch
    from extractify.prompts import Source
    from extractify.task import Task

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a conversation takes place: the model, its profile, and vendor parameters.

    endpoint: whom the client asks; nothing here looks into it. name: of the endpoint, for people.
    """

    model: str
    profile: Profile
    extra: Mapping[str, JsonValue]
    prices: Prices | None = None
    endpoint: object = None
    name: str = ""


Elsewhere: TypeAlias = Callable[[object], Setting]
"""Makes a setting of the endpoint that the user's `on_problems` returned."""


class Asked(NamedTuple):
    """What a conversation yields: a request, and the endpoint of the setting it was written for.

    patch: what is asked for, None for the whole. enveloped: whether as `{"result": value}`.
    reshaped: whether in another shape than the target's. observer: of the exchange; nothing here
    looks into it.
    """

    request: Request
    endpoint: object
    patch: Patch | None = None
    enveloped: bool = False
    reshaped: bool = False
    observer: object = None


def first_request(task: Task[Any], source: Source, setting: Setting) -> Request:
    """Write the request that opens the conversation. Raises: DocumentError on an empty source."""
    return _opening(task, source, setting).asked


def _opening(task: Task[Any], source: Source, setting: Setting) -> Case:
    profile = setting.profile.asking(task.parameters.structure)
    check_tool_choice(task, profile)
    wire = lower(task.schema, profile)
    asked = Request(
        model=setting.model,
        messages=prompts.question(task, source, enveloped=wire.enveloped, profile=profile),
        response_format=wire.format,
        temperature=fitted_temperature(task, profile),
        max_tokens=task.max_tokens or profile.max_tokens,
        extra={**dict(profile.parameters), **setting.extra, **(task.extra or {})},
        parameters=task.parameters,
        structure=profile.structure,
    )
    return Case(task, source, profile, wire, asked)


def converse(
    task: Task[T],
    source: Source,
    setting: Setting,
    emit: OnEvent,
    elsewhere: Elsewhere,
) -> Generator[Asked, Completion, Extraction[T]]:
    """Ask until an answer is valid or the budget is spent.

    Raises: ExtractionError (Refused, Truncated) with all attempts; and whatever error is thrown
    into it, with the attempts made before, and the best value so far as `partial`.
    """
    flow = _Conversation(task, source, setting, emit, elsewhere)
    valid = False
    try:
        extraction = yield from flow.turns()
        valid = extraction.ok
    except ExtractifyError as error:
        error.attempts = tuple(flow.attempts)
        error.partial = flow.best.partial if error.partial is None else error.partial
        if isinstance(error, TransportError | EndpointError):
            error.endpoint = flow.where
        raise
    else:
        return extraction
    finally:
        emit(Done(len(flow.attempts), valid=valid))


class _Conversation:
    """The state of one call: where it is held, what was exchanged, and the best of it."""

    def __init__(
        self,
        task: Task[Any],
        source: Source,
        setting: Setting,
        emit: OnEvent,
        elsewhere: Elsewhere,
    ) -> None:
        self.attempts: list[Attempt] = []
        self.best: Reading[Any] = Reading(None)
        self._task, self._source, self._setting = task, source, setting
        self._emit, self._elsewhere = emit, elsewhere
        self._context = context_of(source)

    @property
    def where(self) -> str:
        """The endpoint that is asked now."""
        return self._setting.name

    def turns(self) -> Generator[Asked, Completion, Extraction[Any]]:
        """Ask, read, ask again; each finished exchange is added to the attempts."""
        task, emit = self._task, self._emit
        case = self._case()
        turn = Turn(case.asked)
        meter = Meter(task.budget)
        while True:
            number = len(self.attempts) + 1
            emit(RequestSent(number))
            started = monotonic()
            answer = yield self._asked(case, turn)
            completion = unpacked(_priced(answer, self._setting), turn.request)
            judgement = judged(task, case.profile, case.wire, turn.patch, completion, self._context)
            reading = judgement.reading
            self._took(turn, completion, reading, monotonic() - started)
            if reading.ok:
                return self._extraction(reading.value)
            if judgement.crash is not None:
                error = crashed(task, self.attempts[-1], judgement.crash, self.best)
                raise error from judgement.crash
            ended = meter.ended_by(self.attempts)
            instruction = ""
            if not ended and completion.refusal is None:
                advice = self._advice(reading.problems)
                if isinstance(advice, str):
                    instruction = advice
                elif advice is not None:
                    case, turn, completion = self._moved(advice, turn, completion)
            next_turn = None if ended else following(case, turn, completion, judgement)
            if next_turn is None:
                return self._ended(reading, ended)
            turn = next_turn.advised(instruction) if instruction else next_turn
            emit(RepairAsked(number + 1, places(task, reading), turn.strategy))

    def _asked(self, case: Case, turn: Turn) -> Asked:
        patch, profile = turn.patch, case.profile
        asked = self._task.schema if patch is None else patch.schema
        reshaped = profile.closed and is_reshaped(asked, profile)
        return Asked(turn.request, self._setting.endpoint, patch, case.wire.enveloped, reshaped)

    def _case(self) -> Case:
        case = _opening(self._task, self._source, self._setting)
        for warning in warnings(self._task, self._setting.profile):
            self._emit(warning)
        return case

    def _took(
        self, turn: Turn, completion: Completion, reading: Reading[Any], seconds: float
    ) -> None:
        """Keep an exchange, and the reading with data in it and the fewest problems."""
        judged_as = reading.problems, reading.fixes
        name = self._setting.name
        attempt = Attempt(turn.request, completion, *judged_as, seconds, turn.strategy, name)
        self.attempts.append(attempt)
        self._emit(AttemptJudged(len(self.attempts), len(reading.problems), seconds))
        best = self.best
        worse = best.partial is not None and len(best.problems) < len(reading.problems)
        if not reading.ok and reading.partial is not None and not worse:
            self.best = reading

    def _advice(self, problems: tuple[Problem, ...]) -> object:
        """What the user's hook says about the problems."""
        hook = self._task.budget.on_problems
        try:
            return None if hook is None else hook(problems)
        except Exception as raised:
            raise hook_failed(self._task, raised, self.best) from raised

    def _moved(
        self, endpoint: object, turn: Turn, completion: Completion
    ) -> tuple[Case, Turn, Completion]:
        """Go on at another endpoint: what the first one's dialect added to a turn stays behind."""
        self._setting = self._elsewhere(endpoint)
        case = self._case()
        answer = replace(completion, message=Message("assistant", completion.text))
        return case, replace(turn, request=case.asked), answer

    def _ended(self, reading: Reading[Any], ended: str | None) -> Extraction[Any]:
        """Give up, or make the best of it where the task says so."""
        error: ExtractionError = gave_up(self._task, self.attempts, reading, self.best, ended)
        best = self.best
        if self._task.on_missing == "null":
            verdict = nulled(self._task.schema, best.partial, best.problems, self._context)
            if verdict is not None:
                last = self.attempts[-1]
                self.attempts[-1] = replace(last, fixes=(*best.fixes, *verdict.fixes))
                return self._extraction(verdict.value)
        if not self._task.budget.best_effort or best.partial is None:
            raise error
        schema, problems, numbers = self._task.schema, best.problems, self._task.numbers
        if any(problem.kind == "truncated" for problem in problems):  # was not judged as it is
            problems += validate(schema, best.partial, self._context, numbers).problems
        verdict = salvaged(schema, best.partial, self._context, numbers, problems)
        value = best.partial if verdict is None else verdict.value
        return self._extraction(value, problems, best.partial)

    def _extraction(
        self, value: object, problems: tuple[Problem, ...] = (), partial: JsonValue = None
    ) -> Extraction[Any]:
        answers = [attempt.completion.text for attempt in self.attempts]
        origin = origin_of(self._task, self._context, answers)
        return Extraction(value, tuple(self.attempts), problems, partial, origin)


def _priced(completion: Completion, setting: Setting) -> Completion:
    if setting.prices is None or completion.usage.cost is not None:
        return completion
    usage = replace(completion.usage, cost=setting.prices.cost(completion.usage))
    return replace(completion, usage=usage)


def context_of(source: Source) -> dict[str, object]:
    """What the target's validators see as `info.context`."""
    if isinstance(source, str):
        return {"document": source}
    return {"document": getattr(source, "text", source)}
