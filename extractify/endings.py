"""How a conversation ends without a valid value: the error that says what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extractify.errors import ExtractionError, Refused, Truncated
from extractify.messages import clipped

if TYPE_CHECKING:
    from extractify.messages import Attempt
    from extractify.reading import Reading
    from extractify.task import Task

# What a message shows, so that it stays below 600 characters.
_SHOWN_PROBLEMS = 4
_SHOWN_PLACE = 48
_SHOWN_KIND = 24


def crashed(
    task: Task[Any], attempt: Attempt, crash: Exception, best: Reading[Any]
) -> ExtractionError:
    """A validator raised what is no verdict."""
    message = (
        f"A validator of {task.schema.name} raised {type(crash).__name__}, which pydantic doesn't "
        "take for a verdict. Let it raise ValueError or AssertionError, and check the types it "
        "is given."
    )
    return ExtractionError(message, problems=attempt.problems, partial=best.partial)


def gave_up(
    task: Task[Any],
    attempts: list[Attempt],
    reading: Reading[Any],
    best: Reading[Any],
    budget: str | None,
) -> ExtractionError:
    """No turn can help, or the budget is spent: `budget` names the part of it."""
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
        kept = "" if partial is None else " What is complete of it is in `partial`."
        turns = f" or Repair({budget}=…)" if budget and kept else ""
        message = (
            f"The answer for {name} was cut off by the output limit ({limit} tokens, {tries})."
            f"{kept} Set Task(max_tokens=…){turns} higher, or extract from smaller pieces of the "
            "document."
        )
        return Truncated(message, problems=last.problems, partial=partial, budget=budget)
    where = places(task, reading)[:_SHOWN_PROBLEMS]
    shown = [
        f"{clipped(place or '/', _SHOWN_PLACE)} {clipped(problem.kind, _SHOWN_KIND)}"
        for place, problem in zip(where, last.problems, strict=False)
    ]
    more = f" and {len(last.problems) - len(shown)} more" if len(last.problems) > len(shown) else ""
    message = (
        f"No valid {name} after {tries}. Wrong in the last answer: {', '.join(shown)}{more}. "
        "See `problems`, `partial` and `attempts` of this error; then widen the target, add "
        f"instructions or examples, or raise Repair({budget or 'stop'}=…)."
    )
    return ExtractionError(message, problems=last.problems, partial=partial, budget=budget)


def hook_failed(task: Task[Any], raised: Exception, best: Reading[Any]) -> ExtractionError:
    """The user's `on_problems` raised."""
    message = (
        f"on_problems raised {type(raised).__name__} over an answer for {task.schema.name}. It is "
        "given a tuple of Problems, and returns an instruction, an Endpoint or None."
    )
    return ExtractionError(message, partial=best.partial)


def places(task: Task[Any], reading: Reading[Any]) -> tuple[str, ...]:
    """The pointers of the problems, keys that the target doesn't declare masked.

    Those are words of the document.
    """
    declared = task.schema.property_names
    found: list[str] = []
    for problem in reading.problems:
        here, place = reading.partial, ""
        for step in problem.pointer.split("/")[1:]:
            is_index = isinstance(here, list) and step.isdecimal() and int(step) < len(here)
            place += f"/{step if is_index or step in declared else '*'}"
            if isinstance(here, list):
                here = here[int(step)] if is_index else None
            else:
                here = here.get(step) if isinstance(here, dict) else None
        found.append(place)
    return tuple(found)
