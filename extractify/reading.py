"""The reader: an answer's text in, a typed value and what had to be mended, or Problems, out.

An answer is accepted only if exactly one distinct value in it validates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from pydantic_core import SchemaValidator, ValidationError

from extractify import members
from extractify.coercion import Numbers, coerced
from extractify.errors import DocumentError, ExtractionError
from extractify.forms import (
    has_types,
    is_call,
    is_echo,
    is_foreign,
    of_objects,
    other_forms,
    spoken,
    without_types,
)
from extractify.hazards import has_decimals, is_entangled
from extractify.markers import without_quotes
from extractify.memory import remembered
from extractify.messages import Fix, JsonValue, Problem
from extractify.nodes import ENVELOPE, kinds
from extractify.parsing import Candidate, Candidates, candidates, without_thoughts
from extractify.problems import MAX_PROBLEMS
from extractify.schema import Schema, compile_schema
from extractify.spelling import respelled
from extractify.validation import Verdict, has_dates, validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import TypeForm

T = TypeVar("T")
MOST_JUDGED = 200
"""The most distinct values of one answer that are judged; among more, none is the answer."""

_TWICE = "expected one value; the key is given twice, with different ones"
_CALL = "expected a value; the call of a tool holds none"
_ECHO = "expected a value; got the schema that describes it"
# What pydantic takes for seconds since 1970 where a date was asked for.
_QUOTED_NUMERAL = re.compile(r'"(?=[\s+\-\d])\s*[+-]?\d+(?:\.\d*)?\s*"')
# More digits than pydantic keeps of a number without quotes.
_MANY_DIGITS = re.compile(r"[0-9][0-9.]{15}")


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
def read(text: str, target: TypeForm[T], *, numbers: Numbers | None = ...) -> Reading[T]: ...
@overload
def read(
    text: str, target: Mapping[str, JsonValue], *, numbers: Numbers | None = ...
) -> Reading[JsonValue]: ...
def read(text: str, target: object, *, numbers: Numbers | None = None) -> Reading[Any]:
    """Read a model's answer into a target, without any endpoint.

    Thoughts, fences and prose around the JSON are passed over; safe coercions are made and
    recorded. numbers: how the text writes numbers. Raises: SchemaError if the target can't be
    compiled; nothing for a bad text, which gives a Reading with problems. Raises: DocumentError if
    the text isn't a str.
    """
    given: object = text  # a caller without a type checker passes anything
    if not isinstance(given, str):
        kind = type(given).__name__
        raise DocumentError(f"A {kind} can't be read. Pass the answer's text as a str.")
    return read_answer(text, compile_schema(target), numbers=numbers)


def read_answer(
    text: str,
    schema: Schema[T],
    *,
    enveloped: bool = False,
    context: Mapping[str, object] | None = None,
    numbers: Numbers | None = None,
    raising: Callable[[JsonValue], JsonValue] | None = None,
) -> Reading[T]:
    """Read an answer. enveloped: whether it was asked for as `{"result": value}`.

    raising: gives a value the shape that the target wants, where it was asked for in another.
    """
    quick = None if raising else _quick(schema)
    if quick is not None and (numbers is None or not has_decimals(schema)):
        reading = quick.read(text, enveloped=enveloped, context=context)
        if reading is not None:
            return reading
    asked = _Asked(schema, enveloped, context, numbers)
    text = without_types(text, schema)
    found = candidates(text)
    if raising is not None:
        found = replace(found, found=tuple(_raised(each, raising) for each in found.found))
    reading = asked.read_sequence(found)
    if reading is not None and reading.ok:
        return reading
    judged = asked.judge_all(found)
    valid = [each for each in judged if each.ok]
    if not valid:
        valid = list(_read_otherwise(text, found, asked))
    if len(valid) == 1:
        return valid[0]
    if valid or len(found.found) > MOST_JUDGED:
        told = len(valid) or len(found.found)
        return _unreadable("ambiguous", f"expected one answer; got {told} that differ")
    return reading or _best(text, found, judged)


def _raised(candidate: Candidate, raising: Callable[[JsonValue], JsonValue]) -> Candidate:
    data = candidate.value
    if isinstance(data, dict) and data.keys() == {ENVELOPE}:
        return replace(candidate, value={ENVELOPE: raising(data[ENVELOPE])})
    return replace(candidate, value=raising(data))


def _best(text: str, found: Candidates, judged: list[Reading[T]]) -> Reading[T]:
    """The reading whose problems are told where no candidate is valid."""
    if found.truncated:
        return _unreadable("truncated", "expected the whole answer; it ends before it is closed")
    if not judged:
        expected = "expected JSON; there is none in the answer"
        return _unreadable("no_json", expected if text.strip() else "expected JSON; got nothing")
    # An answer of the right shape, and the last of those: examples come first.
    shaped = [each for each in judged if not all(map(_is_misshapen, each.problems))]
    return (shaped or judged)[-1]


def _read_otherwise(text: str, found: Candidates, asked: _Asked[T]) -> Iterator[Reading[T]]:
    """Read what an answer may be that isn't one JSON value of the target's kind.

    The items of a list, one after another; or, where a string is wanted, the bare text itself.
    """
    roots = list(asked.schema.branches(asked.schema.canonical))
    wants_list = any(root.get("type") == "array" for root in roots)
    items = asked.items(found) if wants_list else []
    if items:
        yield from asked.judge_valid(items, (Fix("", "items"),))
    bare = {"string", "number", "integer"}
    if not any(root.keys() & {"enum", "const"} or kinds([root]) & bare for root in roots):
        return
    words = without_thoughts(text).strip()
    cut_off = found.truncated or words.startswith(('"', "```", "~~~"))
    if not words or cut_off or (words.startswith("{") and found.found):
        return
    if roots and all(root.keys() & {"enum", "const"} for root in roots):
        member = coerced(roots, words)
        # A capital alone, as in "Two", may begin a sentence.
        if member is not None and words in {member[0], words.lower(), words.upper()}:
            yield from asked.judge_valid(member[0], (Fix("", "bare"),))
    elif roots and kinds(roots) <= {"number", "integer"}:
        number = coerced(roots, words, asked.numbers)
        if number is not None:
            yield from asked.judge_valid(number[0], (Fix("", "bare"),))
    elif any(root.get("type") == "string" for root in roots) and asked.may_be_said(words):
        yield from asked.judge_valid(words, (Fix("", "bare"),))


def _say_the_same(one: Reading[Any], other: Reading[Any]) -> bool:
    """Whether two values are one; in Python true is 1 as well, but isn't written so."""
    return bool(one.value == other.value) and repr(one.value) == repr(other.value)


def _is_misshapen(problem: Problem) -> bool:
    """Whether the whole is of another kind than was asked for, such as a list for an object."""
    return not problem.pointer and problem.kind.endswith(("type", "echo"))


@dataclass(frozen=True, slots=True)
class _Quick:
    """The standard case of a target: valid JSON, and nothing in it that isn't in the value.

    keys: how many keys a value's JSON held at least. suspects: what it may misread in a text.
    idle_nulls: whether a null may stand for an absent key.
    """

    bare: SchemaValidator
    enveloped: SchemaValidator
    keys: Callable[[object], int]
    suspects: tuple[re.Pattern[str], ...]
    idle_nulls: bool

    def read(
        self, text: str, *, enveloped: bool, context: Mapping[str, object] | None
    ) -> Reading[Any] | None:
        """Read a text in one pass; None where it isn't plainly what was asked for."""
        if self.idle_nulls and "null" in text:
            return None
        for suspect in self.suspects:
            if suspect.search(text):
                return None
        validator = self.enveloped if enveloped else self.bare
        try:
            value = validator.validate_json(text, strict=True, context=context)
        except ValidationError:
            return None
        if enveloped:
            value = value[ENVELOPE]
        # A key given twice, or one that the target doesn't have, isn't in the value.
        keys = self.keys(value) + enveloped
        return Reading(value) if text.count(":") == keys or _has_keys(text, keys) else None


@remembered
def _quick(schema: Schema[Any]) -> _Quick | None:
    # An error or another envelope would pass for an empty answer where nothing is needed.
    if schema.adapter is None or schema.needs_nothing or is_entangled(schema):
        return None
    if schema.marks.has_quotes:  # they are no part of the value
        return None
    core = schema.adapter.core_schema
    suspects = [_QUOTED_NUMERAL] * has_dates(schema)
    suspects += [_MANY_DIGITS] * has_decimals(schema)
    return _Quick(
        members.finite(core),
        members.finite(members.enveloped(core, ENVELOPE)),
        members.counter(core),
        tuple(suspects),
        schema.has_idle_nulls,
    )


def _has_keys(text: str, keys: int) -> bool:
    """Whether a JSON text has so many keys; False too where that isn't plain to see."""
    if text.count('":') != keys or " :" in text:
        return False
    return not any(space in text and f"{space}:" in text for space in "\n\t\r")


@dataclass(frozen=True, slots=True)
class _Asked(Generic[T]):
    """What an answer is read as. enveloped: whether it was asked for as `{"result": value}`."""

    schema: Schema[T]
    enveloped: bool
    context: Mapping[str, object] | None
    numbers: Numbers | None

    def may_be_said(self, words: str) -> bool:
        """Whether bare words may be a string's value: in an envelope's place, any may be an excuse.

        Those that the document has are none.
        """
        document = (self.context or {}).get("document")
        return not self.enveloped or (isinstance(document, str) and words in document)

    def read_sequence(self, found: Candidates) -> Reading[T] | None:
        """Read objects one after another where nothing but a list is wanted, None elsewhere."""
        roots = self.schema.branches(self.schema.canonical)
        wants_list = all(root.get("type") == "array" for root in roots)
        items = self.items(found) if wants_list else []
        if not items or not all(isinstance(each, dict) for each in items):
            return None
        return self._judge_form(items, (Fix("", "items"),))

    def items(self, found: Candidates) -> list[JsonValue]:
        """The values one after another; none where one of them can't be an item."""
        unsound = any(each.conflicts or self._is_echo(each) for each in found.found)
        return [] if unsound else list(found.sequence)

    def _is_echo(self, candidate: Candidate) -> bool:
        return is_echo(candidate.value, self.schema) or has_types(candidate.fixes)

    def judge_all(self, found: Candidates) -> list[Reading[T]]:
        """Judge the candidates, until two of them are valid: then there is no answer anyway."""
        judged: list[Reading[T]] = []
        if len(found.found) > MOST_JUDGED:
            return judged
        objects = sum(of_objects(each.value) and not self._is_echo(each) for each in found.found)
        for candidate in found.found:
            judged.append(self.judge(candidate, alone=len(found.found) == 1, sole=objects == 1))
            if judged[-1].ok and sum(reading.ok for reading in judged) > 1:
                if not _say_the_same(*(reading for reading in judged if reading.ok)):
                    break
                judged.pop()
        return judged

    def judge(self, candidate: Candidate, *, alone: bool, sole: bool) -> Reading[T]:
        """Judge a candidate in the form that was asked for, then in others it may have.

        alone: there is no other. sole: there is no other of objects, which might be a further item.
        """
        schema = self.schema
        if candidate.conflicts:
            conflicts = tuple(
                Problem(pointer, "conflict", _TWICE) for pointer in candidate.conflicts
            )
            return Reading(None, candidate.fixes, conflicts[:MAX_PROBLEMS], candidate.value)
        if self._is_echo(candidate):
            return Reading(None, candidate.fixes, (Problem("", "schema_echo", _ECHO),))
        value = spoken(schema, candidate.value) if candidate.in_words else candidate.value
        forms = list(_forms(value, enveloped=self.enveloped))
        if schema.needs_nothing and ENVELOPE not in schema.property_names:
            # Bare, the envelope would pass for an answer that says nothing.
            forms.sort(key=lambda form: form[0] is value)
        readings: list[Reading[T]] = []
        for data, fixes in forms:
            if is_call(data, schema):
                readings.append(Reading(None, candidate.fixes, (Problem("", "call", _CALL),), data))
                continue
            readings.append(self._judge_form(data, (*candidate.fixes, *fixes)))
            if readings[-1].ok:
                return readings[-1]
        alone = alone and Fix("", "prose") not in candidate.fixes
        for data, fixes in forms:
            others = [
                self._judge_form(inner, (*candidate.fixes, *fixes, *more))
                for inner, more in other_forms(data, schema, alone=alone, sole=sole)
                if not is_echo(inner, schema)
            ]
            valid = [reading for reading in others if reading.ok]
            if valid and all(reading.value == valid[0].value for reading in valid):
                return valid[0]
        return readings[0]

    def judge_valid(self, data: JsonValue, fixes: tuple[Fix, ...]) -> Iterator[Reading[T]]:
        """Yield the reading of a form if it has a value."""
        reading = self._judge_form(data, fixes)
        if reading.ok:
            yield reading

    def _judge_form(self, data: JsonValue, fixes: tuple[Fix, ...]) -> Reading[T]:
        spelled = respelled(self.schema, without_quotes(self.schema.marks, data))
        data = spelled.data
        roots = list(self.schema.branches(self.schema.canonical))
        if self.schema.needs_nothing and is_foreign(data, roots):
            expected = "expected at least one of the target's keys; there is none"
            return Reading(None, fixes, (Problem("", "no_known_key", expected),), data)
        if spelled.conflicts:
            return Reading(None, fixes, spelled.conflicts[:MAX_PROBLEMS], data)
        verdict: Verdict[T] = validate(self.schema, data, self.context, self.numbers)
        if verdict.problems:
            return Reading(None, fixes, verdict.problems, data)
        return Reading(verdict.value, (*fixes, *spelled.fixes, *verdict.fixes))


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
