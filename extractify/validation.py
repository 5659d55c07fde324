"""A JSON value and a Schema: the typed value, or Problems that say where and what.

Strict first; what only pydantic's lax mode takes is a coercion, and is recorded as a Fix where it
is safe (`"36"` for 36) and a Problem where it guesses (2024 for a date, true for a number).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from pydantic_core import ValidationError

from extractify.messages import Fix, JsonValue, Problem, clipped
from extractify.schema import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import TypeAdapter

    from extractify.schema import Node, Schema

T = TypeVar("T")
MAX_PROBLEMS = 20
"""The most problems told of one answer; the first ones usually explain the rest."""

_TEMPORAL = frozenset({"date_type", "datetime_type", "time_type", "time_delta_type"})
_OWN_WORDS = frozenset({"value_error", "assertion_error"})


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
    unbounded = [Problem(at, "finite_number", "expected a finite number") for at in _infinite(data)]
    if unbounded:
        return Verdict(None, (), tuple(unbounded[:MAX_PROBLEMS]))
    data = without_idle_nulls(schema, data)
    if schema.adapter is None:
        return _by_json_schema(schema, data)
    return _by_pydantic(schema.adapter, data, context)


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
        value = adapter.validate_json(text, strict=False, **options)
    except ValidationError as error:
        return Verdict(None, (), _problems(_errors(error), data))
    guessed = [error for error in strict if _is_guess(error)]
    if guessed:
        return Verdict(None, (), _problems(guessed, data))
    fixes = dict.fromkeys(
        Fix(pointer_of(error["loc"], data), "coerced", shown(error["input"])) for error in strict
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
    if isinstance(given, str):
        return given.strip().lower().lstrip("+-") in {"nan", "inf", "infinity"}
    return False


def _errors(error: ValidationError) -> list[dict[str, Any]]:
    return cast(
        "list[dict[str, Any]]",
        error.errors(include_url=False, include_context=True, include_input=True),
    )


def _problems(errors: Sequence[Mapping[str, Any]], data: JsonValue) -> tuple[Problem, ...]:
    found = dict.fromkeys(_problem(error, data) for error in errors)
    return tuple(found)[:MAX_PROBLEMS]


def _problem(error: Mapping[str, Any], data: JsonValue) -> Problem:
    kind = str(error["type"])
    missing = kind == "missing"
    pointer = pointer_of(error["loc"], data, missing=missing)
    if missing:
        return Problem(pointer, kind, "expected a value; it is missing")
    message = str(error["msg"])
    if kind in _OWN_WORDS:
        message = message.partition(", ")[2] or message
        # A validator of the whole speaks of its fields; the whole is no news to the reader.
        leaf = not isinstance(error["input"], dict | list)
        return Problem(pointer, kind, message, shown(error["input"]) if leaf else "")
    expected = message.replace("Input should be", "expected", 1)
    return Problem(pointer, kind, expected, shown(error["input"]))


def _by_json_schema(schema: Schema[T], data: JsonValue) -> Verdict[T]:
    import jsonschema  # slow to import, and only this kind of target needs it

    kind = jsonschema.validators.validator_for(
        schema.canonical, default=jsonschema.Draft202012Validator
    )
    errors = sorted(
        kind(schema.canonical).iter_errors(data), key=lambda error: list(map(str, error.path))
    )
    problems = tuple(
        Problem(
            "".join(f"/{escaped(str(step))}" for step in error.absolute_path),
            str(error.validator),
            f"expected {error.validator} {clipped(json.dumps(error.validator_value))}",
            shown(error.instance),
        )
        for error in errors[:MAX_PROBLEMS]
    )
    return Verdict(None if problems else cast("T", data), (), problems)


def without_idle_nulls(schema: Schema[Any], data: JsonValue) -> JsonValue:
    """Leave out each null that stands for "not said" where the target has a default, not a null.

    Every property is asked for, so a model says null for one that the target can do without. An
    item of a list or of a free mapping is never left out.
    """
    return _pruned(schema, [schema.canonical], data)


def _pruned(schema: Schema[Any], nodes: list[Node], data: JsonValue) -> JsonValue:
    branches = [branch for node in nodes for branch in schema.branches(node)]
    if isinstance(data, list):
        items = [b["items"] for b in branches if isinstance(b.get("items"), dict)]
        return [_pruned(schema, items, item) for item in data]
    if not isinstance(data, dict):
        return data
    kept: dict[str, JsonValue] = {}
    for key, value in data.items():
        objects = [branch for branch in branches if key in branch.get("properties", {})]
        if value is None and objects and not any(_needs(schema, node, key) for node in objects):
            continue
        inner = [branch["properties"][key] for branch in objects] or [
            branch["additionalProperties"]
            for branch in branches
            if isinstance(branch.get("additionalProperties"), dict)
        ]
        kept[key] = _pruned(schema, inner, value)
    return kept


def _needs(schema: Schema[Any], node: Node, key: str) -> bool:
    """Whether a null under this key says something: the key is required, or null is a value."""
    if key in node.get("required", ()):
        return True
    return any(_takes_null(branch) for branch in schema.branches(node["properties"][key]))


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


def _infinite(data: JsonValue, pointer: str = "") -> Iterator[str]:
    if isinstance(data, float) and not math.isfinite(data):
        yield pointer
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _infinite(value, f"{pointer}/{escaped(key)}")
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _infinite(value, f"{pointer}/{index}")
