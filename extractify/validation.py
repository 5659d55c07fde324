"""A JSON value and a Schema: the typed value, or Problems that say where and what.

Strict first; what only pydantic's lax mode takes is a coercion, and is recorded as a Fix where it
is safe (`"36"` for 36) and a Problem where it guesses (2024 for a date, true for a number).
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from pydantic_core import ValidationError

from extractify.coercion import Numbers, coerced, readings
from extractify.conformance import conform
from extractify.hazards import exact, hazards, is_strict, leaves
from extractify.markers import without_quotes
from extractify.memory import remembered
from extractify.messages import Fix, JsonValue, Problem
from extractify.nodes import at, below, branches, escaped, kinds, plain, put, under
from extractify.problems import first, pointer_of, problems, shown
from extractify.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydantic import TypeAdapter

    from extractify.nodes import Node

T = TypeVar("T")
MOST_ERRORS = 1000
"""The most errors of pydantic that are told or mended; a union may have thousands."""
_TORN = "expected one of several types; it can be read as more than one"
_UNSETTLED = "expected a number; this isn't one as the task writes them"
_TEMPORAL = frozenset({"date_type", "datetime_type", "time_type", "time_delta_type"})
# What lax reading can mend; other strict errors are of branches of a union that weren't taken.
_COERCIBLE = re.compile(r"_type$|_parsing$|_from_")
# Pydantic's lax mode says "…_parsing" of a string that is no number; so it was told to be strict.
_WANTED_STRICT = frozenset({"int_type", "float_type", "decimal_type", "bool_type"})
# A thousand, or one and three decimals.
_GROUPED = re.compile(r"\s*[+-]?\d{1,3}\.\d{3}\s*")
_NUMBERS = frozenset({"number", "integer", "null"})
_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMERAL = re.compile(r"\s*[+-]?\d+(?:\.\d*)?\s*")


@dataclass(frozen=True, slots=True)
class Verdict(Generic[T]):
    """What a JSON value is worth to a Schema: `value` holds exactly when there are no problems."""

    value: T | None
    fixes: tuple[Fix, ...] = ()
    problems: tuple[Problem, ...] = ()


def validate(
    schema: Schema[T],
    data: JsonValue,
    context: Mapping[str, object] | None = None,
    numbers: Numbers | None = None,
) -> Verdict[T]:
    """Judge a JSON value.

    context: handed to pydantic's validators as `info.context`. numbers: how numbers are written.
    """
    data = without_quotes(schema.marks, data)
    unsound = first(_unsound(data))
    if unsound:
        return Verdict(None, (), unsound)
    data = without_idle_nulls(schema, data)
    written: tuple[Fix, ...] = ()
    if numbers is not None and not is_strict(schema):
        data, written, unsettled = _numbered(schema, data, numbers)
        if unsettled:
            return Verdict(None, (), first(unsettled))
    judge = _Judge(schema, context, numbers)
    verdict = judge.judged(data)
    mended, fixes = judge.coerced(data, verdict.problems)
    if fixes and not next(_unsound(mended), None):
        again = judge.judged(mended)
        if not again.problems:
            return Verdict(again.value, (*written, *fixes, *again.fixes))
        if len(again.problems) < len(verdict.problems):
            verdict = again
    fixes = () if verdict.problems else (*written, *verdict.fixes)
    return Verdict(verdict.value, fixes, first(verdict.problems))


def _numbered(
    schema: Schema[Any], data: JsonValue, numbers: Numbers
) -> tuple[JsonValue, tuple[Fix, ...], list[Problem]]:
    """Read the texts that stand where only numbers are wanted, as the task says."""
    values: dict[str, JsonValue] = {}
    fixes: list[Fix] = []
    unsettled: list[Problem] = []
    for pointer, leaf, nodes in leaves(schema, data):
        if not isinstance(leaf, str) or not nodes or not kinds(nodes) <= _NUMBERS:
            continue
        number = numbers.read(leaf)
        if number is None:
            unsettled.append(Problem(pointer, "number_format", _UNSETTLED, shown(leaf)))
        else:
            values[pointer] = number
            fixes.append(Fix(pointer, "coerced", shown(leaf)))
    return (put(data, values) if values else data), tuple(fixes), unsettled


@dataclass(frozen=True, slots=True)
class _Judge(Generic[T]):
    """What data is judged by. Its verdicts tell all problems."""

    schema: Schema[T]
    context: Mapping[str, object] | None
    numbers: Numbers | None

    def judged(self, data: JsonValue) -> Verdict[T]:
        schema = self.schema
        found = hazards(schema, data)
        if found:
            return Verdict(None, (), found)
        if schema.adapter is None:
            found = conform(schema.validator, data)
            return Verdict(None if found else cast("T", data), (), found)
        verdict = self._by_pydantic(schema.adapter, data)
        if not verdict.problems and has_dates(schema):
            timestamps = tuple(_timestamps(schema, data))
            return Verdict(None, (), timestamps) if timestamps else verdict
        return verdict

    def coerced(
        self, data: JsonValue, problems: Iterable[Problem]
    ) -> tuple[JsonValue, tuple[Fix, ...]]:
        """Put what the failing leaves stand for in their place, where that is certain."""
        fixes: list[Fix] = []
        values: dict[str, JsonValue] = {}
        if is_strict(self.schema):
            return data, ()
        for pointer in dict.fromkeys(p.pointer for p in problems if p.kind not in _WANTED_STRICT):
            given = at(data, pointer)
            found = coerced(self._branches(pointer), given, self.numbers)
            if found is not None and (type(found[0]), found[0]) != (type(given), given):
                fixes.append(Fix(pointer, "coerced", shown(given)))
                values[pointer] = found[0]
        return (put(data, values) if fixes else data), tuple(fixes)

    def _branches(self, pointer: str) -> list[Node]:
        """The plain schemas that hold at a pointer; of the whole, only where it is a choice."""
        canonical = self.schema.canonical
        node = below(canonical, pointer) if pointer else canonical
        found = list(branches(canonical, node)) if node else []
        choices = all(branch.keys() & {"enum", "const"} for branch in found)
        return found if pointer or choices else []

    def _by_pydantic(self, adapter: TypeAdapter[T], data: JsonValue) -> Verdict[T]:
        root = self.schema.canonical
        text = json.dumps(exact(self.schema, data))
        options: dict[str, Any] = {"context": self.context}
        try:
            return Verdict(adapter.validate_json(text, strict=True, **options))
        except ValidationError as error:
            strict = _errors(error)
        try:
            value = adapter.validate_json(text, **options)  # lax, but where the target is strict
        except ValidationError as error:
            return Verdict(None, (), problems(_errors(error)[:MOST_ERRORS], data, root))
        guessed = [error for error in strict if _is_guess(error)]
        if guessed:
            return Verdict(None, (), problems(guessed, data, root))
        fixes = dict.fromkeys(
            Fix(pointer_of(error, data, root), "coerced", shown(error["input"]))
            for error in strict
            if _COERCIBLE.search(error["type"]) and not isinstance(error["input"], dict | list)
        )
        chosen: dict[str, JsonValue] = {}
        for fix in fixes:  # pydantic takes the first branch of a union that fits
            found = self._branches(fix.pointer)
            read = readings(found, at(data, fix.pointer), self.numbers)
            if _differ(read):
                return Verdict(None, (), (Problem(fix.pointer, "union", _TORN, fix.got),))
            if len(kinds(found) - {"null"}) > 1 and read:
                chosen[fix.pointer] = read[0]
        if chosen:
            value = adapter.validate_json(
                json.dumps(exact(self.schema, put(data, chosen))), **options
            )
        return Verdict(value, tuple(fixes))


def _differ(found: Sequence[JsonValue]) -> bool:
    """Whether readings of one leaf say different things: 1 and 1.0 don't, 1 and true do."""
    return any((type(each) is bool, each) != (type(found[0]) is bool, found[0]) for each in found)


def _is_guess(error: Mapping[str, Any]) -> bool:
    """Whether lax reading of this leaf would change what was said."""
    given = error["input"]
    kind = str(error["type"])
    if isinstance(given, bool):
        return kind != "bool_type"
    if isinstance(given, int | float):
        return kind in _TEMPORAL
    if isinstance(given, str) and kind == "int_type":
        return _GROUPED.fullmatch(given) is not None
    return isinstance(given, str) and kind == "float_type" and not math.isfinite(float(given))


def _errors(error: ValidationError) -> list[dict[str, Any]]:
    return cast(
        "list[dict[str, Any]]",
        error.errors(include_url=False, include_context=True, include_input=True),
    )


def without_idle_nulls(schema: Schema[Any], data: JsonValue) -> JsonValue:
    """Leave out each null that stands for "not said" where the target has a default, not a null.

    Every property is asked for, so a model says null for one that the target can do without. An
    item of a list or of a free mapping is never left out.
    """
    return _pruned(schema, [schema.canonical], data)


def _pruned(schema: Schema[Any], nodes: list[Node], data: JsonValue) -> JsonValue:
    branches = plain(schema.canonical, nodes)
    if isinstance(data, list):
        return [_pruned(schema, under(branches, i), item) for i, item in enumerate(data)]
    if not isinstance(data, dict):
        return data
    return {
        key: _pruned(schema, under(branches, key), value)
        for key, value in data.items()
        if value is not None or not _is_idle(schema, branches, key)
    }


def _is_idle(schema: Schema[Any], branches: Sequence[Node], key: str) -> bool:
    """Whether a null under this key says nothing: no branch needs the key or takes the null."""
    declaring = [branch for branch in branches if key in branch.get("properties", {})]
    return bool(declaring) and not any(
        key in branch.get("required", ())
        or any(_takes_null(node) for node in schema.branches(branch["properties"][key]))
        if key in branch.get("properties", {})
        else branch.get("additionalProperties", False) is not False
        for branch in branches
    )


def _takes_null(node: Node) -> bool:
    kinds = node.get("type")
    if "enum" in node or "const" in node:
        return None in node.get("enum", [node.get("const", 0)])
    return kinds is None or kinds == "null" or (isinstance(kinds, list) and "null" in kinds)


def _unsound(data: JsonValue, pointer: str = "") -> Iterator[Problem]:
    """What Python reads as JSON, and no target can hold."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _unsound(value, f"{pointer}/{escaped(key)}")
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _unsound(value, f"{pointer}/{index}")
    elif isinstance(data, int | float) and not abs(data) <= sys.float_info.max:
        yield Problem(pointer, "finite_number", "expected a finite number")
    elif isinstance(data, str) and _SURROGATE.search(data):
        yield Problem(pointer, "string_unicode", "expected text without lone surrogates")


@remembered
def has_dates(schema: Schema[Any]) -> bool:
    """Whether a date or a time of day with one is asked for anywhere."""
    return '"format": "date' in json.dumps(schema.canonical)


def _timestamps(schema: Schema[Any], data: JsonValue) -> Iterator[Problem]:
    """Numerals in quotes that pydantic takes for seconds since 1970 where a date was asked for."""
    for pointer, leaf, nodes in leaves(schema, data):
        if isinstance(leaf, str) and _NUMERAL.fullmatch(leaf):
            formats = [b.get("format", "") for b in nodes if b.get("type", "string") == "string"]
            if formats and all(each.startswith("date") for each in formats):
                expected = "expected a date in ISO 8601 notation"
                yield Problem(pointer, "date_parsing", expected, shown(leaf))
