"""A JSON value and a Schema: the typed value, or Problems that say where and what.

Strict first; what only pydantic's lax mode takes is a coercion, and is recorded as a Fix where it
is safe (`"36"` for 36) and a Problem where it guesses (2024 for a date, true for a number).
"""

from __future__ import annotations

import json
import math
import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from pydantic_core import ValidationError

from extractify.coercion import coerced
from extractify.errors import Invalid
from extractify.messages import Fix, JsonValue, Problem, clipped
from extractify.nodes import at, below, branches, escaped, plain, put, under

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import jsonschema
    from pydantic import TypeAdapter

    from extractify.nodes import Node
    from extractify.schema import Schema

T = TypeVar("T")
MAX_PROBLEMS = 20
"""The most problems told of one answer; the first ones usually explain the rest."""

_TEMPORAL = frozenset({"date_type", "datetime_type", "time_type", "time_delta_type"})
_OWN_WORDS = frozenset({"value_error", "assertion_error"})
# What lax reading can mend; other strict errors are of branches of a union that weren't taken.
_COERCIBLE = re.compile(r"_type$|_parsing$|_from_")
# Pydantic's lax mode says "…_parsing" of a string that is no number; so it was told to be strict.
_WANTED_STRICT = frozenset({"int_type", "float_type", "decimal_type", "bool_type"})
# A thousand, or one and three decimals.
_GROUPED = re.compile(r"\s*[+-]?\d{1,3}\.\d{3}\s*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMERAL = re.compile(r"\s*[+-]?\d+(?:\.\d*)?\s*")


@dataclass(frozen=True, slots=True)
class Verdict(Generic[T]):
    """What a JSON value is worth to a Schema: `value` holds exactly when there are no problems."""

    value: T | None
    fixes: tuple[Fix, ...] = ()
    problems: tuple[Problem, ...] = ()


def validate(
    schema: Schema[T], data: JsonValue, context: Mapping[str, object] | None = None
) -> Verdict[T]:
    """Judge a JSON value. context: handed to pydantic's validators as `info.context`."""
    unsound = tuple(islice(_unsound(data), MAX_PROBLEMS))
    if unsound:
        return Verdict(None, (), unsound)
    data = without_idle_nulls(schema, data)
    verdict = _judged(schema, data, context)
    strict = getattr(schema.target, "model_config", {}).get("strict", False)
    mended, fixes = (data, ()) if strict else _coerced(schema, data, verdict.problems)
    if not fixes or next(_unsound(mended), None):
        return verdict
    again = _judged(schema, mended, context)
    if again.problems:
        return again if len(again.problems) < len(verdict.problems) else verdict
    return Verdict(again.value, (*fixes, *again.fixes))


def _judged(schema: Schema[T], data: JsonValue, context: Mapping[str, object] | None) -> Verdict[T]:
    if schema.adapter is None:
        return _by_json_schema(schema, data)
    verdict = _by_pydantic(schema.adapter, data, context)
    if not verdict.problems and has_dates(schema):
        timestamps = tuple(islice(_timestamps(schema, data), MAX_PROBLEMS))
        return Verdict(None, (), timestamps) if timestamps else verdict
    return verdict


def _coerced(
    schema: Schema[Any], data: JsonValue, problems: Iterable[Problem]
) -> tuple[JsonValue, tuple[Fix, ...]]:
    """Put what the failing leaves stand for in their place, where that is certain."""
    fixes: list[Fix] = []
    values: dict[str, JsonValue] = {}
    for pointer in dict.fromkeys(p.pointer for p in problems if p.kind not in _WANTED_STRICT):
        node = below(schema.canonical, pointer)
        given = at(data, pointer)
        found = coerced(branches(schema.canonical, node), given) if node else None
        if found is not None and (type(found[0]), found[0]) != (type(given), given):
            fixes.append(Fix(pointer, "coerced", shown(given)))
            values[pointer] = found[0]
    return (put(data, values) if fixes else data), tuple(fixes)


def _by_pydantic(
    adapter: TypeAdapter[T], data: JsonValue, context: Mapping[str, object] | None
) -> Verdict[T]:
    text = json.dumps(data)
    options: dict[str, Any] = {"context": context}
    try:
        return Verdict(adapter.validate_json(text, strict=True, **options))
    except ValidationError as error:
        strict = _errors(error)
    try:
        value = adapter.validate_json(text, **options)  # lax, but where the target says strict
    except ValidationError as error:
        return Verdict(None, (), _problems(_errors(error), data))
    guessed = [error for error in strict if _is_guess(error)]
    if guessed:
        return Verdict(None, (), _problems(guessed, data))
    fixes = dict.fromkeys(
        Fix(pointer_of(error["loc"], data), "coerced", shown(error["input"]))
        for error in strict
        if _COERCIBLE.search(error["type"]) and not isinstance(error["input"], dict | list)
    )
    return Verdict(value, tuple(fixes))


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


def _problems(errors: Sequence[Mapping[str, Any]], data: JsonValue) -> tuple[Problem, ...]:
    return _first(_problem(error, data) for error in errors)


def _first(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The first few that differ; the rest isn't even made."""
    found: dict[Problem, None] = {}
    for problem in problems:
        found[problem] = None
        if len(found) == MAX_PROBLEMS:
            break
    return tuple(found)


def _problem(error: Mapping[str, Any], data: JsonValue) -> Problem:
    kind = str(error["type"])
    missing = kind == "missing"
    pointer = pointer_of(error["loc"], data, missing=missing)
    if missing:
        return _missing(pointer)
    message = str(error["msg"])
    if kind in _OWN_WORDS:
        message = message.partition(", ")[2] or message
        raised = error.get("ctx", {}).get("error")
        if isinstance(raised, Invalid):
            pointer += raised.pointer
            given = at(data, pointer)
            return Problem(pointer, kind, message, "" if given is None else shown(given))
        # A validator of the whole speaks of its fields; the whole is no news to the reader.
        leaf = not isinstance(error["input"], dict | list)
        return Problem(pointer, kind, message, shown(error["input"]) if leaf else "")
    expected = message.replace("Input should be", "expected", 1)
    return Problem(pointer, kind, expected, shown(error["input"]))


def _missing(pointer: str) -> Problem:
    return Problem(pointer, "missing", "expected a value; it is missing")


def _by_json_schema(schema: Schema[T], data: JsonValue) -> Verdict[T]:
    import jsonschema  # slow to import, and only this kind of target needs it

    kind = jsonschema.validators.validator_for(
        schema.canonical, default=jsonschema.Draft202012Validator
    )
    try:
        errors = [
            telling
            for error in kind(schema.canonical).iter_errors(data)
            for telling in _telling(error)
        ]
    except RecursionError:
        return Verdict(None, (), (Problem("", "too_deep", "expected fewer levels of nesting"),))
    errors.sort(key=lambda error: list(error.absolute_path))
    problems = _first(problem for error in errors for problem in _violations(error))
    return Verdict(None if problems else cast("T", data), (), problems)


def _telling(error: jsonschema.ValidationError) -> Iterator[jsonschema.ValidationError]:
    """What is wrong inside the branches of a union, if that is more than its own place."""
    depth = len(error.absolute_path)
    deeper = [inner for inner in error.context or () if len(inner.absolute_path) > depth]
    for inner in deeper:
        yield from _telling(inner)
    if not deeper:
        yield error


def _violations(error: jsonschema.ValidationError) -> Iterator[Problem]:
    pointer = "".join(f"/{escaped(str(step))}" for step in error.absolute_path)
    wanted: Any = error.validator_value
    given: Any = error.instance
    if error.validator == "required":
        absent = [key for key in wanted if key not in given]
        yield from (_missing(f"{pointer}/{escaped(key)}") for key in absent)
    else:
        expected = f"expected {error.validator} {shown(wanted)}"
        yield Problem(pointer, str(error.validator), expected, shown(given))


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


def pointer_of(location: Sequence[int | str], data: JsonValue, *, missing: bool = False) -> str:
    """Turn pydantic's location into a JSON pointer.

    A location also names branches of unions and validators: a step that isn't in the data is one
    of those. missing: the last step is a key that should be there.
    """
    pointer = ""
    for step in location[:-1] if missing else location:
        inner = _inside(data, step)
        if inner is not None:
            (data,) = inner
            pointer += f"/{escaped(str(step))}"
    return f"{pointer}/{escaped(str(location[-1]))}" if missing else pointer


def _inside(data: JsonValue, step: int | str) -> tuple[JsonValue] | None:
    """What a step leads to, None if it leads nowhere."""
    if isinstance(data, dict) and isinstance(step, str) and step in data:
        return (data[step],)
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return (data[step],)
    return None


def shown(value: object) -> str:
    """At most 60 characters of a value, as JSON."""
    return clipped(json.dumps(value, ensure_ascii=False, default=str))


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


@lru_cache(maxsize=512)
def has_dates(schema: Schema[Any]) -> bool:
    """Whether a date or a time of day with one is asked for anywhere."""
    return '"format": "date' in json.dumps(schema.canonical)


def _timestamps(schema: Schema[Any], data: JsonValue) -> Iterator[Problem]:
    """Numerals in quotes that pydantic takes for seconds since 1970 where a date was asked for."""
    for pointer, leaf, nodes in _leaves(schema, [schema.canonical], data):
        if isinstance(leaf, str) and _NUMERAL.fullmatch(leaf):
            formats = [b.get("format", "") for b in nodes if b.get("type", "string") == "string"]
            if formats and all(each.startswith("date") for each in formats):
                expected = "expected a date in ISO 8601 notation"
                yield Problem(pointer, "date_parsing", expected, shown(leaf))


def _leaves(
    schema: Schema[Any], nodes: Sequence[Node], data: JsonValue, pointer: str = ""
) -> Iterator[tuple[str, JsonValue, list[Node]]]:
    """Yield each leaf, where it stands, and the plain schemas that hold there."""
    branches = plain(schema.canonical, nodes)
    if isinstance(data, dict):
        for key, value in data.items():
            place = f"{pointer}/{escaped(key)}"
            yield from _leaves(schema, under(branches, key), value, place)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _leaves(schema, under(branches, index), value, f"{pointer}/{index}")
    else:
        yield pointer, data, branches
