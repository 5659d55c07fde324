"""Which turn follows an answer: the least that may mend it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from extractify import prompts
from extractify.documents import check_encodable
from extractify.lowering import Wire, lower
from extractify.messages import Message, Request, Strategy
from extractify.patching import PATCH, REPLY_KINDS, Patch, mended, patch_for, patch_of_parts
from extractify.profiles import Profile
from extractify.prompts import Source
from extractify.task import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractify.judging import Judgement
    from extractify.messages import Completion, Problem

# A leaf of these kinds says what is meant, in another notation than the target's.
_FORM = re.compile(r"type|(int|float|decimal|bool|list|date|datetime|time|time_delta|uuid|url)_.*")
# "3,14", "03/04/2024" and "12 %" have two readings; the document may tell which.
_TWO_READINGS = re.compile(r"\d[.,'/ -]+\d|%|\u2030")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Turn:
    """A request and how its answer is to be read. patch: what was asked for, None for the whole."""

    request: Request
    strategy: Strategy = "ask"
    patch: Patch | None = None

    def advised(self, instruction: str) -> Turn:
        """The same with an instruction more in its system message."""
        check_encodable(instruction, "The instruction of on_problems")
        system, *others = self.request.messages
        system = replace(system, content=f"{system.content}\n\n{instruction}")
        return replace(self, request=replace(self.request, messages=(system, *others)))


@dataclass(frozen=True, slots=True)
class Case:
    """What all turns of a conversation have in common.

    wire: how the target travels. asked: the request that opened it.
    """

    task: Task[Any]
    source: Source
    profile: Profile
    wire: Wire
    asked: Request


def chosen(  # one argument a column of the table
    *, rest: bool, cut_off: bool, room: bool, patchable: bool, last: Strategy
) -> Strategy | None:
    """What to do about an answer that isn't valid; None if nothing can mend it. The first row wins.

    rest: it was cut off behind something complete. cut_off: by the output limit. room: the limit
    can be raised. patchable: few places are wrong, each with a schema of its own, and the last
    patch mended what it was asked for. last: the strategy of the turn that was answered.
    """
    if rest:
        return "continue"
    if cut_off and last != "patch":
        return "ask" if room else None
    return "patch" if patchable else "regenerate"


def following(case: Case, turn: Turn, completion: Completion, judgement: Judgement) -> Turn | None:
    """The turn that may mend an answer for the least, None if none can."""
    if completion.refusal is not None:
        return None
    reading = judgement.reading
    rest = judgement.rest if case.profile.replays else None
    failed = turn.patch is not None and not mended(turn.patch, reading)
    patch = None if failed else patch_for(case.task.schema, reading)
    if patch is None and not case.task.budget.regenerate:
        patch = patch_of_parts(case.task.schema, reading)
    more = _more_room(turn.request, case.task, case.profile)
    strategy = chosen(
        rest=rest is not None,
        cut_off=completion.finish_reason == "length",
        room=more is not None,
        patchable=patch is not None,
        last=turn.strategy,
    )
    if strategy == "continue" and rest is not None:
        return _continued(case, turn.request, rest)
    if strategy == "ask":
        return replace(turn, request=replace(turn.request, max_tokens=more))
    answer = completion.message if turn.patch is None else prompts.answered(reading.partial)
    if strategy == "patch" and patch is not None:
        return Turn(_patch_request(case, turn.request, answer, patch), "patch", patch)
    if strategy is None or (reading.partial is not None and not case.task.budget.regenerate):
        return None
    return _regenerated(case, turn, answer, judgement)


def _continued(case: Case, request: Request, rest: Patch) -> Turn:
    answer = prompts.answered(rest.base)
    messages = prompts.further(case.asked.messages, answer, rest.schema, PATCH, case.profile)
    return Turn(_asking(case, request, messages, rest, PATCH), "continue", rest)


def _regenerated(case: Case, turn: Turn, answer: Message, judgement: Judgement) -> Turn:
    """The whole again, from the document; or from the answer, if only its JSON was malformed."""
    problems = [each for each in judgement.reading.problems if each.kind not in REPLY_KINDS]
    if turn.strategy == "ask" and _is_malformed(answer, problems):
        messages = prompts.rewritten(case.asked.messages, answer)
    else:
        messages = prompts.repair(case.asked.messages, answer, problems)
    form = case.asked.response_format
    return Turn(replace(turn.request, messages=messages, response_format=form), "regenerate")


def _patch_request(case: Case, request: Request, answer: Message, patch: Patch) -> Request:
    """Ask for a patch: after the last answer and its problems, or afresh."""
    task, source, profile, schema = case.task, case.source, case.profile, patch.schema
    # Without an envelope the keys stand right below the instructions: small models need that.
    envelope = PATCH if profile.replays or profile.envelope == "always" else None
    if not profile.replays:
        messages = prompts.patch_afresh(task, source, schema, envelope, profile)
    elif all(_is_form_only(problem) for problem in patch.problems):
        messages = prompts.patch_of_form(task, source, patch.problems, schema, PATCH, profile)
    else:
        asked, problems = case.asked.messages, patch.problems
        messages = prompts.patch(asked, answer, problems, schema, PATCH, profile)
    return _asking(case, request, messages, patch, envelope)


def _asking(
    case: Case, request: Request, messages: tuple[Message, ...], patch: Patch, envelope: str | None
) -> Request:
    wire = lower(patch.schema, case.profile, envelope)
    return replace(request, messages=messages, response_format=wire.format)


def _is_form_only(problem: Problem) -> bool:
    """Whether a leaf can be mended without the document: it says what is meant, in other words."""
    words = problem.got.startswith('"') and problem.got.endswith('"')
    certain = words and not _TWO_READINGS.search(problem.got)
    telling = problem.kind.startswith(("bool", "list")) or _DIGIT.search(problem.got)
    return bool(_FORM.fullmatch(problem.kind) and certain and telling)


def _is_malformed(answer: Message, problems: Sequence[Problem]) -> bool:
    """Whether the answer has all there is to say, as JSON that can't be read."""
    unread = [problem.kind for problem in problems] == ["no_json"]
    return unread and "{" in answer.content and "}" in answer.content


def _more_room(request: Request, task: Task[Any], profile: Profile) -> int | None:
    """Twice the output limit, up to the model's ceiling; one that the user set stays."""
    limit, ceiling = request.max_tokens, profile.output_ceiling
    if task.max_tokens is not None or limit is None or ceiling is None or limit >= ceiling:
        return None
    return min(2 * limit, ceiling)
