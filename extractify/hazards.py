"""What a validator would pass over in silence, or never come back from.

Digits that a float can't hold, keys that become one when they are read as numbers, and recursive
unions so deep that trying all of their branches takes forever.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from extractify import members
from extractify.messages import JsonValue, Problem
from extractify.nodes import escaped, kinds, map_schemas, plain, resolve, under, unions
from extractify.numerals import Digits
from extractify.problems import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify.nodes import Node
    from extractify.schema import Schema

DEEPEST_UNION = 10
"""Levels of data that a union of recursive branches is tried on: each multiplies the work."""
_NUMBERS = frozenset({"number", "integer", "null"})


def hazards(schema: Schema[Any], data: JsonValue) -> tuple[Problem, ...]:
    """The problems that no validator tells."""
    if is_entangled(schema) and _depth(data) > DEEPEST_UNION:
        expected = f"expected at most {DEEPEST_UNION} levels in a union of recursive types"
        return (Problem("", "too_deep", expected),)
    found = [
        Problem(pointer, "int_from_float", "expected a whole number", shown(leaf))
        for pointer, leaf, nodes in leaves(schema, data)
        if isinstance(leaf, Digits) and {"integer"} <= kinds(nodes) <= {"integer", "null"}
    ]
    if _has_typed_keys(schema):
        found += _merged(schema.canonical, [schema.canonical], data, "")
    return tuple(found)


def exact(schema: Schema[Any], data: JsonValue) -> JsonValue:
    """Write numbers of many digits as text where pydantic may make decimals of them."""
    if not has_decimals(schema) or not _has_digits(data):
        return data
    return _exact(schema.canonical, [schema.canonical], data)


@lru_cache(maxsize=512)
def has_decimals(schema: Schema[Any]) -> bool:
    """Whether pydantic makes a Decimal of anything."""
    return _mentions(schema, "type", "decimal")


@lru_cache(maxsize=512)
def is_strict(schema: Schema[Any]) -> bool:
    """Whether the target, or a part of it, wants strict types."""
    return _mentions(schema, "strict", wanted=True)


@lru_cache(maxsize=512)
def is_entangled(schema: Schema[Any]) -> bool:
    """Whether a union without a discriminator holds recursive types in several branches."""
    found = False

    def visit(node: Node, _place: str = "") -> Node:
        nonlocal found
        for key in ("anyOf", "oneOf"):
            if key in node and "discriminator" not in node:
                deep = [branch for branch in node[key] if _recurs(schema.canonical, branch)]
                found = found or len(deep) > 1
        return map_schemas(node, visit)

    visit(schema.canonical)
    return found


def leaves(schema: Schema[Any], data: JsonValue) -> Iterator[tuple[str, JsonValue, list[Node]]]:
    """Yield each leaf, where it stands, and the plain schemas that hold there."""
    return _leaves(schema.canonical, [schema.canonical], data, "")


def _leaves(
    root: Node, nodes: list[Node], data: JsonValue, pointer: str
) -> Iterator[tuple[str, JsonValue, list[Node]]]:
    here = plain(root, nodes)
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _leaves(root, under(here, key), value, f"{pointer}/{escaped(key)}")
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _leaves(root, under(here, index), value, f"{pointer}/{index}")
    else:
        yield pointer, data, here


def _mentions(schema: Schema[Any], key: str, wanted: object) -> bool:
    return schema.adapter is not None and members.mentions(schema.adapter.core_schema, key, wanted)


@lru_cache(maxsize=512)
def _has_typed_keys(schema: Schema[Any]) -> bool:
    numbers = ("int", "float", "decimal")
    return any(_mentions(schema, "keys_schema", {"type": kind}) for kind in numbers)


def _merged(root: Node, nodes: list[Node], data: JsonValue, pointer: str) -> Iterator[Problem]:
    """Yield the keys of free mappings that are the same number."""
    here = plain(root, nodes)
    if isinstance(data, list):
        for index, value in enumerate(data):
            yield from _merged(root, under(here, index), value, f"{pointer}/{index}")
    if not isinstance(data, dict):
        return
    free = any(node.get("additionalProperties") for node in here)
    seen: set[Decimal] = set()
    for key, value in data.items():
        place = f"{pointer}/{escaped(key)}"
        number = _number(key) if free else None
        if number in seen:
            yield Problem(place, "conflict", "expected each number once among the keys")
        seen |= set() if number is None else {number}
        yield from _merged(root, under(here, key), value, place)


def _number(key: str) -> Decimal | None:
    try:
        return Decimal(key.strip())
    except InvalidOperation:
        return None


def _exact(root: Node, nodes: list[Node], data: JsonValue) -> JsonValue:
    here = plain(root, nodes)
    if isinstance(data, dict):
        return {key: _exact(root, under(here, key), value) for key, value in data.items()}
    if isinstance(data, list):
        return [_exact(root, under(here, index), value) for index, value in enumerate(data)]
    if isinstance(data, Digits) and here and kinds(here) <= _NUMBERS:
        return data.text
    return data


def _has_digits(data: JsonValue) -> bool:
    if isinstance(data, dict | list):
        return any(map(_has_digits, data.values() if isinstance(data, dict) else data))
    return isinstance(data, Digits)


def _recurs(root: Node, branch: Node) -> bool:
    """Whether a branch leads back to itself."""
    seen: set[str] = set()
    waiting = [each["$ref"] for each in unions(root, branch) if "$ref" in each]
    first = set(waiting)
    while waiting:
        for reference in _references(resolve(root, waiting.pop())):
            if reference in first:
                return True
            if reference not in seen:
                seen.add(reference)
                waiting.append(reference)
    return False


def _references(node: Node) -> list[str]:
    found: list[str] = []

    def visit(inner: Node, _place: str = "") -> Node:
        if "$ref" in inner:
            found.append(inner["$ref"])
        return map_schemas(inner, visit)

    visit(node)
    return found


def _depth(data: JsonValue) -> int:
    level, depth = [data], 0
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += any(isinstance(each, dict) for each in level)
        level = [
            inner for each in level for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return depth
