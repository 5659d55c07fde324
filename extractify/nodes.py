"""A JSON Schema as a tree: where schemas stand inside one another, and what things are named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Node = dict[str, Any]

ENVELOPE = "result"
"""The one key of the object that a value travels in where it can't be the root itself."""
NEVER: Node = {"not": {}}
"""The schema that nothing fits."""

# Where a JSON Schema holds further schemas: under any key, in a list, or directly.
SCHEMA_MAPS = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
SCHEMA_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
SCHEMAS = (
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
)


def map_schemas(node: Node, change: Callable[[Node, str], Node]) -> Node:
    """Return `node` with each schema directly inside it changed, and no data touched.

    change: gets such a schema and its place, such as `properties/total` or `anyOf/0`.
    """
    result = dict(node)
    for key, held in node.items():
        if key in SCHEMA_MAPS and isinstance(held, dict):
            result[key] = {
                name: change(sub, f"{key}/{escaped(name)}") if isinstance(sub, dict) else sub
                for name, sub in held.items()
            }
        elif key in SCHEMA_LISTS and isinstance(held, list):
            result[key] = [
                change(sub, f"{key}/{index}") if isinstance(sub, dict) else sub
                for index, sub in enumerate(held)
            ]
        elif key in SCHEMAS and isinstance(held, dict):
            result[key] = change(held, key)
    return result


def escaped(key: str) -> str:
    """Write a key as one step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def wire_name(name: object) -> str:
    """Keep the characters that every endpoint takes, 64 of them."""
    return re.sub(r"\W+", "_", str(name or ""), flags=re.ASCII).strip("_")[:64] or ENVELOPE
