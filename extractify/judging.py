"""What an answer of the conversation is worth: its Reading, and what would complete it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from extractify.messages import Message, Problem
from extractify.patching import Patch, kept, read_patch
from extractify.plain import dumped
from extractify.reading import Reading, read_answer
from extractify.shapes import raised
from extractify.support import Origin, demands, unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.lowering import Wire
    from extractify.messages import Completion
    from extractify.profiles import Profile
    from extractify.task import Task


@dataclass(frozen=True, slots=True)
class Judgement:
    """The Reading of an answer.

    rest: asks for what is left, where the answer was cut off behind something complete. crash: what
    a validator of the target raised that is no verdict.
    """

    reading: Reading[Any]
    rest: Patch | None = None
    crash: Exception | None = None


def judged(
    task: Task[Any],
    profile: Profile,
    wire: Wire,
    patch: Patch | None,
    completion: Completion,
    context: Mapping[str, object],
) -> Judgement:
    """Read an answer.

    wire: how the target travelled. patch: what was asked for, None for the whole. context: for
    validators.
    """
    if completion.refusal is not None:
        return Judgement(_unread("refused", "expected an answer; the model refused"))
    schema, text = task.schema, completion.text
    if completion.finish_reason == "length":
        cut = _unread("truncated", "expected the whole answer; the output limit cut it off")
        reading = cut if patch is None else kept(patch, cut.problems[0])
        return Judgement(reading) if wire.reshaped else _cut_off(task, patch, text, reading)
    try:
        if patch is not None:
            mended = partial(raised, patch.schema, profile)
            reading = read_patch(text, patch, schema, context, task.numbers, raising=mended)
            return Judgement(_supported(task, reading, text, context))
        reading = read_answer(
            text,
            schema,
            enveloped=wire.enveloped,
            context=context,
            numbers=task.numbers,
            raising=partial(raised, schema, profile) if wire.reshaped else None,
        )
    except Exception as error:  # noqa: BLE001  (whatever it is, the paid answer must not be lost)
        crash = _unread("validator_crashed", f"a validator raised {type(error).__name__}")
        return Judgement(crash, crash=error)
    cut_off = any(problem.kind == "truncated" for problem in reading.problems)
    if cut_off and not wire.reshaped:  # what is complete of another shape is no part of the value
        return _cut_off(task, None, text, reading)
    return Judgement(_supported(task, reading, text, context))


def _supported(
    task: Task[Any], reading: Reading[Any], text: str, context: Mapping[str, object]
) -> Reading[Any]:
    """The reading, or its problem: values that have to stand in the document and don't."""
    if not reading.ok or not demands(task.policy, task.schema.marks):
        return reading
    origin = origin_of(task, context, (text,))
    adapter = task.schema.adapter
    data = dumped(adapter, reading.value)
    examples = [dumped(adapter, value) for _, value in task.examples]
    problems = unsupported(origin, data, examples)
    return Reading(None, reading.fixes, problems, data) if problems else reading


def origin_of(task: Task[Any], context: Mapping[str, object], answers: Sequence[str]) -> Origin:
    """Where the values of a task come from. context: has the document, as validators see it."""
    source = context["document"]
    said = (
        [source]
        if isinstance(source, str)
        else [
            turn.content
            for turn in (source if isinstance(source, Sequence) else ())
            if isinstance(turn, Message) and turn.role == "user"
        ]
    )
    return Origin("\n\n".join(said), task.target, task.policy, tuple(answers))


def _cut_off(task: Task[Any], patch: Patch | None, text: str, reading: Reading[Any]) -> Judgement:
    """Keep what is complete in an answer that was cut off."""
    from extractify.continuing import rest_of, rest_of_reply  # few answers need it

    schema = task.schema
    rest = rest_of(text, schema) if patch is None else rest_of_reply(text, patch, schema)
    if rest is None:
        return Judgement(reading)
    return Judgement(Reading(None, (), reading.problems, rest.base), rest)


def _unread(kind: str, expected: str) -> Reading[Any]:
    return Reading(None, (), (Problem("", kind, expected),))
