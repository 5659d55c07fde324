"""The reader: an answer's text in, a typed value and what had to be mended, or Problems, out.

An answer is accepted only if exactly one distinct value in it validates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from pydantic_core import ValidationError

from extractify.coercion import coerced
from extractify.errors import DocumentError, ExtractionError
from extractify.messages import Fix, JsonValue, Problem
from extractify.nodes import ENVELOPE
from extractify.parsing import Candidate, Candidates, candidates, without_thoughts
from extractify.schema import Schema, compile_schema
from extractify.validation import MAX_PROBLEMS, Verdict, has_dates, validate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from typing_extensions import TypeForm

T = TypeVar("T")

# Numbers that pydantic takes from JSON text and that no JSON value is.
_NOT_FINITE = re.compile(r"NaN|Infinity|[eE]\+?\d{3}|\d{200}")
# What pydantic takes for seconds since 1970 where a date was asked for.
_QUOTED_NUMERAL = re.compile(r'"\s*[+-]?\d+(?:\.\d*)?\s*"')


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What was read out of an answer.

    fixes: what reading had to mend. problems: empty exactly when there is a value. partial: the
    best value so far as plain data where there are problems.
    """

    _value: T | None = field(repr=False)
    fixes: tuple[Fix, ...] = ()
    problems: tuple[Problem, ...] = ()
    partial: JsonValue = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return not self.problems

    @property
    def value(self) -> T:
        """The value. Raises: ExtractionError where there is none."""
        if self.problems:
            count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
            message = f"The text holds no valid value ({count}; see `problems`)."
            raise ExtractionError(message, problems=self.problems, partial=self.partial)
        return self._value  # type: ignore[return-value]  # no problems: the value is there


@overload
def read(text: str, target: TypeForm[T]) -> Reading[T]: ...
@overload
def read(text: str, target: Mapping[str, JsonValue]) -> Reading[JsonValue]: ...
def read(text: str, target: object) -> Reading[Any]:
    """Read a model's answer into a target, without any endpoint.

    Thoughts, fences and prose around the JSON are passed over; safe coercions are made and
    recorded. Raises: SchemaError if the target can't be compiled; nothing for a bad text, which
    gives a Reading with problems. Raises: DocumentError if the text isn't a str.
    """
    given: object = text  # a caller without a type checker passes anything
    if not isinstance(given, str):
        kind = type(given).__name__
        raise DocumentError(f"A {kind} can't be read. Pass the answer's text as a str.")
    return read_answer(text, compile_schema(target))


def read_answer(
    text: str,
    schema: Schema[T],
    *,
    enveloped: bool = False,
    context: Mapping[str, object] | None = None,
) -> Reading[T]:
    """Read an answer. enveloped: whether it was asked for as `{"result": value}`."""
    reading = _read_strictly(text, schema, enveloped=enveloped, context=context)
    if reading is not None:
        return reading
    found = candidates(text)
    judged = [_judge(each, schema, enveloped=enveloped, context=context) for each in found.found]
    valid = [reading for reading in judged if reading.ok]
    if len(valid) > 1:
        return _unreadable("ambiguous", f"expected one answer; got {len(valid)} that differ")
    if not valid and not enveloped:
        valid = list(_read_otherwise(text, found, schema, context))
    if valid:
        return valid[0]
    if found.truncated:
        return _unreadable("truncated", "expected the whole answer; it ends before it is closed")
    if not judged:
        expected = "expected JSON; there is none in the answer"
        return _unreadable("no_json", expected if text.strip() else "expected JSON; got nothing")
    # An answer of the right shape, and the last of those: examples come first.
    shaped = [each for each in judged if not all(map(_is_misshapen, each.problems))]
    return (shaped or judged)[-1]


def _read_otherwise(
    text: str, found: Candidates, schema: Schema[T], context: Mapping[str, object] | None
) -> Iterator[Reading[T]]:
    for data, fixes in _other_forms(text, found, schema):
        verdict: Verdict[T] = validate(schema, data, context)
        if not verdict.problems:
            yield Reading(verdict.value, (*fixes, *verdict.fixes))


def _other_forms(
    text: str, found: Candidates, schema: Schema[Any]
) -> Iterator[tuple[JsonValue, tuple[Fix, ...]]]:
    """Yield what an answer may be that isn't one JSON value of the target's kind.

    The items of a list, one after another; or, where a string is wanted, the bare text itself.
    """
    roots = list(schema.branches(schema.canonical))
    if found.sequence and any(root.get("type") == "array" for root in roots):
        yield list(found.sequence), (Fix("", "items"),)
    words = without_thoughts(text).strip()
    cut_off = found.truncated or words.startswith(('"', "```", "~~~"))
    if not words or cut_off or (words.startswith("{") and found.found):
        return
    if roots and all(root.keys() & {"enum", "const"} for root in roots):
        member = coerced(roots, words)
        # A capital alone, as in "Two", may begin a sentence.
        if member is not None and words in {member[0], words.lower(), words.upper()}:
            yield member[0], (Fix("", "bare"),)
    elif any(root.get("type") == "string" for root in roots):
        yield words, (Fix("", "bare"),)


def _is_misshapen(problem: Problem) -> bool:
    """Whether the whole is of another kind than was asked for, such as a list for an object."""
    return not problem.pointer and problem.kind.endswith("type")


def _read_strictly(
    text: str,
    schema: Schema[T],
    *,
    enveloped: bool,
    context: Mapping[str, object] | None,
) -> Reading[T] | None:
    """Take the standard case in one pass: nothing but the JSON that was asked for."""
    if schema.adapter is None or (schema.has_idle_nulls and "null" in text):
        return None
    if schema.needs_nothing:  # an error or another envelope would pass for an empty answer
        return None
    if _NOT_FINITE.search(text) or (has_dates(schema) and _QUOTED_NUMERAL.search(text)):
        return None
    try:
        if enveloped and schema.envelope is not None:
            value = schema.envelope.validate_json(text, strict=True, context=context)[ENVELOPE]
        else:
            value = schema.adapter.validate_json(text, strict=True, context=context)
    except ValidationError:
        return None
    return Reading(value)


def _judge(
    candidate: Candidate,
    schema: Schema[T],
    *,
    enveloped: bool,
    context: Mapping[str, object] | None,
) -> Reading[T]:
    """Judge a candidate with and without the envelope; the form that was asked for comes first."""
    if candidate.conflicts:
        expected = "expected one value; the key is given twice, with different ones"
        conflicts = tuple(Problem(pointer, "conflict", expected) for pointer in candidate.conflicts)
        return Reading(None, candidate.fixes, conflicts[:MAX_PROBLEMS], candidate.value)
    readings: list[Reading[T]] = []
    forms = list(_forms(candidate.value, enveloped=enveloped))
    if schema.needs_nothing and ENVELOPE not in schema.property_names:
        forms.sort(
            key=lambda form: form[0] is candidate.value
        )  # bare, the envelope would pass for an answer that says nothing
    for data, fixes in forms:
        if schema.needs_nothing and _is_foreign(data, schema):
            expected = "expected at least one of the target's keys; there is none"
            problem = Problem("", "no_known_key", expected)
            readings.append(Reading(None, candidate.fixes, (problem,), data))
            continue
        verdict: Verdict[T] = validate(schema, data, context)
        if not verdict.problems:
            return Reading(verdict.value, (*candidate.fixes, *fixes, *verdict.fixes))
        readings.append(Reading(None, candidate.fixes, verdict.problems, data))
    return readings[0]


def _is_foreign(data: JsonValue, schema: Schema[Any]) -> bool:
    """Whether an object has members, and none that the target declares."""
    roots = list(schema.branches(schema.canonical))
    declared = {key for root in roots for key in root.get("properties", ())}
    return isinstance(data, dict) and bool(data) and declared.isdisjoint(data)


def _forms(data: JsonValue, *, enveloped: bool) -> Iterator[tuple[JsonValue, tuple[Fix, ...]]]:
    """Yield the value as it was asked for, then as it may have been meant; one at least."""
    unasked = (Fix("", "envelope"),)
    bare = data, unasked if enveloped else ()
    if isinstance(data, dict) and data.keys() == {ENVELOPE}:
        inner = data[ENVELOPE], () if enveloped else unasked
        yield from (inner, bare) if enveloped else (bare, inner)
    else:
        yield bare


def _unreadable(kind: str, expected: str) -> Reading[Any]:
    return Reading(None, (), (Problem("", kind, expected),))
