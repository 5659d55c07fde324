"""Completing an answer that was cut off: what is left is asked for like a patch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from extractify.messages import JsonValue, Problem
from extractify.nodes import ENVELOPE, at, below, branches, escaped, steps
from extractify.patching import PATCH, TINY, Patch, fits, new_patch
from extractify.places import ADD, REMOVE, applied, list_place, part
from extractify.prefix import complete_prefix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractify.schema import Schema


def rest_of(text: str, schema: Schema[Any]) -> Patch | None:
    """What completes an answer that was cut off; None if nothing in it is, or nothing lacks."""
    prefix = complete_prefix(text)
    if prefix is None:
        return None
    value, opened = prefix.value, list(prefix.open)
    enveloped = isinstance(value, dict) and value.keys() == {ENVELOPE}
    if enveloped and isinstance(value, dict) and ENVELOPE not in schema.property_names:
        value, opened = value[ENVELOPE], [each.removeprefix(f"/{ENVELOPE}") for each in opened[1:]]
    return _completing(schema, value, opened, ()) if opened else None


def rest_of_reply(text: str, patch: Patch, schema: Schema[Any]) -> Patch | None:
    """What is left to ask for when a reply to a patch was cut off too; what it has is put in."""
    prefix = complete_prefix(text)
    if prefix is None:
        return None
    values, opened = prefix.value, list(prefix.open)
    for envelope in (ENVELOPE, PATCH):
        if isinstance(values, dict) and values.keys() == {envelope}:
            values, opened = values[envelope], [o.removeprefix(f"/{envelope}") for o in opened[1:]]
    if not isinstance(values, dict) or not opened or not fits(values, patch):
        return None
    if any(list_place(patch.base, steps(pointer)[0])[0] == REMOVE for pointer in opened[1:]):
        return None
    places = [_place_in(patch.base, pointer) for pointer in opened[1:]]
    pending = [pointer for pointer in patch.pointers if pointer not in values]
    return _completing(schema, applied(patch.base, values), places, pending)


def _completing(
    schema: Schema[Any], base: JsonValue, opened: Sequence[str], pending: Sequence[str]
) -> Patch | None:
    """Ask for further items and members of the containers that were open, and what is pending."""
    if not isinstance(base, dict | list) or len(json.dumps(base)) <= TINY:
        return None
    lacking = [_lacking(schema, base, container) for container in reversed(opened)]
    if None in lacking:
        return None
    pointers = dict.fromkeys([*(place for each in lacking for place in each or ()), *pending])
    known = {pointer: node for pointer in pointers if (node := part(schema, base, pointer))}
    cut = Problem("", "truncated", "expected the whole answer; it was cut off")
    return new_patch(schema, base, (cut,), known) if len(known) == len(pointers) > 0 else None


def _lacking(schema: Schema[Any], base: JsonValue, container: str) -> list[str] | None:
    """The places that an open container may still have had; None if there is no telling."""
    given = at(base, container)
    if isinstance(given, list):
        return [f"{container}{ADD}"]
    node = below(schema.asked, container) if container else schema.asked
    plain = list(branches(schema.asked, node or {}))
    if not isinstance(given, dict) or any(each.get("additionalProperties") for each in plain):
        return None  # the keys of a free mapping have no names to be asked for by
    keys = dict.fromkeys(key for each in plain for key in each.get("properties", ()))
    return [f"{container}/{escaped(key)}" for key in keys if key not in given]


def _place_in(base: JsonValue, pointer: str) -> str:
    """Where something in a reply stands in the whole: item 2 of `/lines/-` follows those there."""
    first, *inner = steps(pointer)
    kind, above, given = list_place(base, first)
    if kind == ADD and inner:
        inner = [above, str(len(given) + int(inner[0])), *map(escaped, inner[1:])]
        return "/".join(inner)
    return above if kind else "/".join([first, *map(escaped, inner)])
