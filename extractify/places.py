"""The places of a patch in a value: a JSON pointer, or one of two operations on a list.

Two steps that no list has an item at speak of the list itself: `/lines/-` holds items to add behind
the last one, `/lines/remove` the positions of those to take out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extractify.nodes import at, below, has_place, put

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.messages import JsonValue
    from extractify.nodes import Node
    from extractify.schema import Schema

ADD, REMOVE = "/-", "/remove"


def part(schema: Schema[Any], base: JsonValue, pointer: str) -> Node | None:
    """The schema of what is asked for at a pointer; None if the target has nothing there."""
    kind, above, given = list_place(base, pointer)
    if kind == ADD:
        item = below(schema.asked, f"{above}/{len(given)}")
        return item and {
            "type": "array",
            "items": item,
            "description": f"the items that follow the {len(given)} already given",
        }
    if kind == REMOVE:
        return {
            "type": "array",
            "items": {"type": "integer", "minimum": 0, "maximum": len(given) - 1},
            "description": "positions, from 0, of the items to take out",
        }
    return below(schema.asked, pointer) if has_place(base, pointer) else None


def list_place(base: JsonValue, pointer: str) -> tuple[str, str, list[JsonValue]]:
    """Which of its two operations a pointer names, on which list; "" for an ordinary place."""
    for kind in (ADD, REMOVE):
        given = at(base, pointer.removesuffix(kind))
        if pointer.endswith(kind) and isinstance(given, list):
            return kind, pointer.removesuffix(kind), given
    return "", pointer, []


def applied(base: JsonValue, values: Mapping[str, JsonValue]) -> JsonValue:
    """A copy of the base with the values in their places; positions are those of the base."""
    kinds = {pointer: list_place(base, pointer)[:2] for pointer in values}
    whole = put(base, {key: value for key, value in values.items() if not kinds[key][0]})
    for pointer, (kind, above) in kinds.items():
        items, change = at(whole, above), values[pointer]
        if kind == REMOVE and isinstance(items, list) and isinstance(change, list):
            items[:] = [each for n, each in enumerate(items) if n not in set(change)]
    for pointer, (kind, above) in kinds.items():
        items, change = at(whole, above), values[pointer]
        if kind == ADD and isinstance(items, list) and isinstance(change, list):
            items.extend(change)
    return whole
