"""A JSON Schema as a tree: where schemas stand inside one another, and what things are named."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from extractify.messages import JsonValue

Node = dict[str, Any]

ENVELOPE = "result"
"""The one key of the object that a value travels in where it can't be the root itself."""
DECIMAL = "decimal"
"""The `format` that tells extractify of a number that it is a Decimal. It doesn't travel."""
DIGITS = "x-digits"
"""How many digits a Decimal has, and how many of them behind the point. It doesn't travel."""
JSON_TEXT = "application/json"
"""The `contentMediaType` of a string that holds a value as JSON text."""
NEVER: Node = {"not": {}}
"""The schema that nothing fits."""

MARKS = ("x-grounding", "x-quote", "x-aliases")
"""Keywords of our own, which say where a value comes from; no model is shown them."""
ANNOTATIONS = frozenset(
    {"description", "examples", "default", "deprecated", "readOnly", "writeOnly", "title", *MARKS}
)
"""Keywords that only tell, whatever the value."""

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
    "contentSchema",
)
KEYWORDS_OF: dict[str, frozenset[str]] = {
    "object": frozenset(
        {
            "properties", "required", "additionalProperties", "patternProperties", "propertyNames",
            "minProperties", "maxProperties", "unevaluatedProperties",
        }
    ),
    "array": frozenset(
        {
            "items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains",
            "minContains", "maxContains", "unevaluatedItems",
        }
    ),
}  # fmt: skip
"""Keywords that say something of objects alone, or of lists alone."""
_HOLDING = frozenset({*SCHEMA_MAPS, *SCHEMA_LISTS, *SCHEMAS})
IN_PLACE = frozenset({"anyOf", "oneOf", "allOf", "not", "if", "then", "else", "dependentSchemas"})
"""Keywords whose schemas judge the value itself, not a part of it."""


def map_schemas(node: Node, change: Callable[[Node, str], Node]) -> Node:
    """Return `node` with each schema directly inside it changed, and no data touched.

    change: gets such a schema and its place, such as `properties/total` or `anyOf/0`.
    """
    result = dict(node)
    if _HOLDING.isdisjoint(node):
        return result
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


def inner_schemas(node: Node) -> Iterator[tuple[Node, str]]:
    """Yield each schema directly inside one, and its place as `map_schemas` names it."""
    if _HOLDING.isdisjoint(node):
        return
    for key, held in node.items():
        if key in SCHEMA_MAPS and isinstance(held, dict):
            inside = [(sub, f"{key}/{escaped(name)}") for name, sub in held.items()]
        elif key in SCHEMA_LISTS and isinstance(held, list):
            inside = [(sub, f"{key}/{index}") for index, sub in enumerate(held)]
        elif key in SCHEMAS:
            inside = [(held, key)]
        else:
            continue
        yield from (each for each in inside if isinstance(each[0], dict))


def types_of(node: Node) -> list[str]:
    """The types that a schema names; none if it names none."""
    named = node.get("type", [])
    return named if isinstance(named, list) else [named]


def escaped(key: str) -> str:
    """Write a key as one step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def wire_name(name: object) -> str:
    """Keep the characters that every endpoint takes, 64 of them."""
    return re.sub(r"\W+", "_", str(name or ""), flags=re.ASCII).strip("_")[:64] or ENVELOPE


def resolve(root: Node, reference: str) -> Node:
    """Follow a reference; all are of the form `#/$defs/Line`."""
    return cast("Node", root["$defs"][reference.removeprefix("#/$defs/")])


def branches(root: Node, node: Node) -> Iterator[Node]:
    """Yield the plain schemas a node stands for: references followed, unions opened."""
    seen: set[str] = set()
    stack = [node]
    while stack:
        node = stack.pop()
        reference = node.get("$ref")
        if isinstance(reference, str):
            if reference not in seen:
                seen.add(reference)
                stack.append(resolve(root, reference))
            continue
        unions = [key for key in ("anyOf", "oneOf", "allOf") if key in node]
        beside = node.keys() - {"anyOf", "oneOf", "allOf", "$defs", *ANNOTATIONS}
        if not unions:
            yield node
        elif beside:
            yield {key: node[key] for key in node if key in beside}
        for key in unions:
            stack.extend(reversed(node[key]))


def unions(root: Node, node: Node) -> Iterator[Node]:
    """Yield a node and what it stands for: references followed, unions and their branches."""
    seen: set[int] = set()
    stack = [node]
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            if "$ref" in node:
                stack.append(resolve(root, node["$ref"]))
            for key in ("anyOf", "oneOf", "allOf"):
                stack.extend(reversed(node.get(key, ())))


def plain(root: Node, nodes: Iterable[Node]) -> list[Node]:
    """The plain schemas that these stand for, each once: recursive unions lead back to the same."""
    found = {id(branch): branch for node in nodes for branch in branches(root, node)}
    return list(found.values())


def under(nodes: Iterable[Node], step: str | int) -> list[Node]:
    """The schemas that plain nodes have for what stands under a key or at an index."""
    found: list[object] = []
    for node in nodes:
        if isinstance(step, int):
            first = node.get("prefixItems", ())
            found.append(first[step] if step < len(first) else node.get("items"))
        else:
            declared = node.get("properties", {})
            found.append(declared.get(step, node.get("additionalProperties")))
    return [each for each in found if isinstance(each, dict)]


def kinds(nodes: Iterable[Node]) -> set[object]:
    """The JSON types that plain nodes name; None for one that names none."""
    found: set[object] = set()
    for node in nodes:
        kind = node.get("type")
        found.update(kind if isinstance(kind, list) else [kind])
    return found


def below(root: Node, pointer: str) -> Node | None:
    """The schema of what stands at a pointer into a value; None if the root names none.

    Where several branches of a union have a place for it, it is a union too.
    """
    here: list[Node] = [root]
    for step in steps(pointer):
        plain = [branch for node in here for branch in branches(root, node)]
        found = [sub for node in plain for sub in inside(node, step)]
        here = list({json.dumps(sub): sub for sub in found}.values())
    if not here or not pointer:
        return None
    return here[0] if len(here) == 1 else {"anyOf": here}


def inside(node: Node, step: str) -> Iterator[Node]:
    """Yield the schema that a plain node has for one of its members or items."""
    members = node.get("properties", {})
    if step in members:
        found = members[step]
    elif step.isdecimal() and int(step) < len(node.get("prefixItems", ())):
        found = node["prefixItems"][int(step)]
    else:
        found = node.get("items") if step.isdecimal() else None
        found = found or node.get("additionalProperties")
    if isinstance(found, dict):
        yield found


def steps(pointer: str) -> list[str]:
    """The keys of a JSON pointer (RFC 6901), outermost first."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def leaves(data: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    """Yield what holds nothing further, empty containers among it, with its JSON pointer."""
    stack = [("", data)]
    while stack:
        pointer, here = stack.pop()
        if isinstance(here, dict) and here:
            inner = [(f"{pointer}/{escaped(str(key))}", held) for key, held in here.items()]
        elif isinstance(here, list) and here:
            inner = [(f"{pointer}/{index}", held) for index, held in enumerate(here)]
        else:
            yield pointer, here
            continue
        stack.extend(reversed(inner))


def at(data: JsonValue, pointer: str) -> JsonValue:
    """What stands at a pointer into plain data; None where nothing does."""
    for step in steps(pointer):
        if isinstance(data, list):
            index = _index(step)
            data = data[index] if index is not None and index < len(data) else None
        else:
            data = data.get(step) if isinstance(data, dict) else None
    return data


def has_place(data: JsonValue, pointer: str) -> bool:
    """Whether `put` can set a value there: its parent is there, and an index is in reach."""
    above, _, _ = pointer.rpartition("/")
    parent, last = at(data, above), steps(pointer)[-1]
    if isinstance(parent, list):
        index = _index(last)
        return index is not None and index <= len(parent)
    return isinstance(parent, dict)


def _index(step: str) -> int | None:
    """The position that a step of a pointer names in a list (RFC 6901: no leading zeros)."""
    plain = step.isascii() and step.isdecimal() and (step == "0" or step[0] != "0")
    return int(step) if plain else None


def put(data: JsonValue, values: Mapping[str, JsonValue]) -> JsonValue:
    """A copy of plain data with other values at some pointers whose parents are there."""
    whole = {"": deepcopy(data)}
    for pointer, value in values.items():
        above, _, _ = pointer.rpartition("/")
        parent = at(whole[""], above) if pointer else whole
        if isinstance(parent, list):
            index = _index(steps(pointer)[-1])
            if index is not None and index <= len(parent):
                parent[index : index + 1] = [value]  # right behind the last it is one more
        elif isinstance(parent, dict):
            parent[steps(pointer)[-1] if pointer else ""] = value
    return whole[""]
