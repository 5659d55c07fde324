"""Mending a value by its failing places alone: which to ask for, and how the reply is put in.

A patch is an object from JSON pointers to new values. Its schema holds exactly the failing
pointers, each with its own part of the target's schema, so that a 300-line answer with one wrong
field costs a few dozen tokens to mend.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from extractify.messages import Fix, JsonValue, Problem
from extractify.nodes import ENVELOPE, at, leaves, put, steps
from extractify.parsing import candidates
from extractify.places import ADD, REMOVE, applied, list_place, part
from extractify.problems import shown
from extractify.reading import Reading
from extractify.schema import Schema
from extractify.spelling import respelled
from extractify.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from extractify.coercion import Numbers
    from extractify.nodes import Node

T = TypeVar("T")
PATCH = "patch"
"""The key of the object that a patch travels in."""
TINY = 60
"""Characters of JSON up to which a value is asked for again as a whole."""
REPLY_KINDS = frozenset({"no_patch", "unasked", "truncated"})
"""Kinds of problems with a reply, not with the value that it should have mended."""
MOST_LEAVES = 1 / 3
"""The share of leaves that may fail for a patch to be worth asking."""

_TOO_FEW = frozenset({"too_short", "minItems"})
_TOO_MANY = frozenset({"too_long", "maxItems", "uniqueItems"})


@dataclass(frozen=True, slots=True)
class Patch:
    """What is asked for. base: the value to mend. schema: of the object of pointers."""

    base: JsonValue
    problems: tuple[Problem, ...]
    pointers: tuple[str, ...]
    schema: Schema[Any]


def patch_for(schema: Schema[Any], reading: Reading[Any]) -> Patch | None:
    """The patch that would mend a reading; None if the whole has to be asked for again.

    That is so where nothing was read, the whole is of the wrong shape or small, a problem has no
    place of its own, or too much is wrong.
    """
    base = reading.partial
    pointers = _outermost({_place_of(problem, base) for problem in reading.problems})
    if not isinstance(base, dict | list) or not pointers or "" in pointers:
        return None
    if len(json.dumps(base)) <= TINY:
        return None
    known = {pointer: node for pointer in pointers if (node := part(schema, base, pointer))}
    failing = sum(_count(at(base, pointer)) for pointer in pointers)
    if len(known) < len(pointers) or failing > max(1, _count(base) * MOST_LEAVES):
        return None
    return new_patch(schema, base, reading.problems, known)


def patch_of_parts(schema: Schema[Any], reading: Reading[Any]) -> Patch | None:
    """Ask for each failing item or member of the root as a whole, however much is wrong in it."""
    base = reading.partial
    wrong = [each.pointer for each in reading.problems if each.kind not in REPLY_KINDS]
    pointers = dict.fromkeys("/".join(pointer.split("/")[:2]) for pointer in wrong)
    if not isinstance(base, dict | list) or not base or not pointers or "" in pointers:
        return None
    known = {pointer: node for pointer in pointers if (node := part(schema, base, pointer))}
    return new_patch(schema, base, reading.problems, known) if len(known) == len(pointers) else None


def read_patch(
    text: str,
    patch: Patch,
    schema: Schema[T],
    context: Mapping[str, object] | None = None,
    numbers: Numbers | None = None,
    *,
    raising: Callable[[JsonValue], JsonValue] | None = None,
) -> Reading[T]:
    """Read a reply to a patch, put it into the base, and judge the whole again.

    A pointer that wasn't asked for is refused; the base is then what it was. raising: gives the
    object of pointers the shape that the target wants.
    """
    found = [
        value
        for each in candidates(text).found
        if not each.conflicts
        for value in _patches(each.value, patch)
    ]
    if len({json.dumps(value, sort_keys=True) for value in found}) != 1:
        expected = "expected one object of the pointers that were asked for"
        return kept(patch, Problem("", "no_patch", expected))
    values = cast("dict[str, JsonValue]", raising(found[0])) if raising else found[0]
    unasked = sorted(values.keys() - set(patch.pointers))
    if unasked:
        expected = f"expected no change of {len(unasked)} other places"
        return kept(patch, Problem("", "unasked", expected))
    if not fits(values, patch):
        expected = "expected a list of items to add, or of positions to take out"
        return kept(patch, Problem("", "no_patch", expected))
    missing = [pointer for pointer in patch.pointers if pointer not in values]
    spelled = respelled(schema, applied(patch.base, values))
    whole = spelled.data
    verdict = validate(schema, whole, context, numbers)
    wrong = spelled.conflicts or verdict.problems
    if wrong or missing:
        problems = wrong or tuple(
            Problem(pointer, "missing", "expected a new value; it is missing")
            for pointer in missing
        )
        return Reading(None, (), problems, whole)
    changed = tuple(_fix(patch.base, pointer, values[pointer]) for pointer in values)
    return Reading(verdict.value, (*changed, *spelled.fixes, *verdict.fixes))


def mended(patch: Patch, reading: Reading[Any]) -> bool:
    """Whether the reply mended what it was asked for; other places may still be wrong."""
    asked = set(patch.pointers)
    return not any(
        problem.kind in REPLY_KINDS or _place_of(problem, reading.partial) in asked
        for problem in reading.problems
    )


def kept(patch: Patch, reason: Problem) -> Reading[Any]:
    """The base and its problems, for a reply that mended nothing. reason: what is wrong with it."""
    return Reading(None, (), (*patch.problems, reason), patch.base)


def new_patch(
    schema: Schema[Any], base: JsonValue, problems: tuple[Problem, ...], known: dict[str, Node]
) -> Patch:
    """A patch of these places. known: the schema of each."""
    asked = {
        "type": "object",
        "properties": known,
        "required": list(known),
        "additionalProperties": False,
    }
    definitions = schema.asked.get("$defs")
    if definitions:
        asked["$defs"] = definitions
    name = f"{schema.name}_{PATCH}"[-64:]
    return Patch(base, problems, tuple(known), Schema(None, name, asked, None))


def _place_of(problem: Problem, base: JsonValue) -> str:
    """Where a patch mends a problem: a list that is too short lacks items, not a new list."""
    given = at(base, problem.pointer)
    if isinstance(given, list) and given and problem.pointer:
        if problem.kind in _TOO_FEW:
            return f"{problem.pointer}{ADD}"
        if problem.kind in _TOO_MANY:
            return f"{problem.pointer}{REMOVE}"
    return problem.pointer


def fits(values: dict[str, JsonValue], patch: Patch) -> bool:
    """Whether values are of places that were asked for, and those of a list are lists."""
    if values.keys() - set(patch.pointers):
        return False
    for pointer, value in values.items():
        kind, _, given = list_place(patch.base, pointer)
        if kind and not isinstance(value, list):
            return False
        positions = value if kind == REMOVE and isinstance(value, list) else []
        if not all(type(each) is int and 0 <= each < len(given) for each in positions):
            return False
    return True


def _fix(base: JsonValue, pointer: str, value: JsonValue) -> Fix:
    kind, above, given = list_place(base, pointer)
    if kind == REMOVE and isinstance(value, list):
        return Fix(above, "removed", shown([given[n] for n in value if isinstance(n, int)]))
    return Fix(above, "added") if kind else Fix(pointer, "patched", shown(at(base, pointer)))


def _patches(data: JsonValue, patch: Patch) -> Iterator[dict[str, JsonValue]]:
    """Yield the object of pointers: in its envelope, bare, or as the whole with no other change."""
    for inner in _opened(data):
        if isinstance(inner, dict) and inner.keys() & set(patch.pointers):
            yield inner
        elif type(inner) is type(patch.base):
            values = {pointer: at(inner, pointer) for pointer in patch.pointers}
            if put(patch.base, values) == inner:
                yield values


def _opened(data: JsonValue) -> Iterator[JsonValue]:
    yield data
    if isinstance(data, dict) and data.keys() in ({PATCH}, {ENVELOPE}):
        for inner in data.values():
            yield from _opened(inner)


def _outermost(pointers: set[str]) -> list[str]:
    """Leave out those that lie within another; keep the order of the document."""
    return [
        pointer
        for pointer in sorted(pointers, key=_order)
        if not any(pointer.startswith(f"{other}/") for other in pointers)
    ]


def _order(pointer: str) -> list[tuple[int, str]]:
    return [(int(step), "") if step.isdecimal() else (0, step) for step in steps(pointer)]


def _count(data: JsonValue) -> int:
    return sum(1 for _ in leaves(data))
