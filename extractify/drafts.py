"""A JSON Schema that is a target itself: of draft 2020-12 or 7, read as one plain document."""

from __future__ import annotations

from itertools import chain, count
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import jsonschema

from extractify.errors import SchemaError
from extractify.messages import clipped
from extractify.nodes import NEVER, SCHEMA_LISTS, SCHEMA_MAPS, Node, map_schemas, wire_name

if TYPE_CHECKING:
    from collections.abc import Collection


def plain(given: Node) -> Node:
    """Write a schema in the words of 2020-12, every reference leading to `#/$defs/Name`.

    Raises: SchemaError if it is invalid, or refers to what isn't in it.
    """
    node = _modern(given)
    try:
        jsonschema.Draft202012Validator.check_schema(node)
    except jsonschema.SchemaError as error:
        path = "/".join(str(part) for part in error.absolute_path)
        told = clipped(error.message, 200)
        raise SchemaError(f"The JSON Schema is invalid at /{path}: {told}.") from None
    return _gathered(node)


def _modern(node: Node) -> Node:
    """Write a schema of draft 7 in the words of 2020-12, as one document without a base URI.

    A schema that is just true or false becomes one that is an object, where both mean the same.
    """
    node = {key: value for key, value in node.items() if key not in {"$schema", "$id"}}
    if isinstance(node.get("items"), list):
        node["prefixItems"] = node.pop("items")
        if "additionalItems" in node:
            node["items"] = node.pop("additionalItems")
    needs = node.pop("dependencies", None)
    if isinstance(needs, dict):
        keys = {name: need for name, need in needs.items() if isinstance(need, list)}
        schemas = {name: need for name, need in needs.items() if name not in keys}
        node |= {"dependentRequired": keys} if keys else {}
        node |= {"dependentSchemas": schemas} if schemas else {}
    for keyword in (*SCHEMA_MAPS, *SCHEMA_LISTS):
        held = node.get(keyword)
        if isinstance(held, dict):
            node[keyword] = {name: _spelled_out(sub) for name, sub in held.items()}
        elif isinstance(held, list):
            node[keyword] = [_spelled_out(sub) for sub in held]
    return map_schemas(node, lambda sub, _: _modern(sub))


def _spelled_out(node: object) -> object:
    if isinstance(node, bool):
        return {} if node else dict(NEVER)
    return node


def _gathered(root: Node) -> Node:
    """Move each schema that is referred to into the root's `$defs`, under a plain name.

    Raises: SchemaError on a reference that leads nowhere.
    """
    names: dict[str, str] = {}  # of the references
    wanted: dict[str, Node] = {}

    def visit(node: Node, place: str) -> Node:
        bare = {key: sub for key, sub in node.items() if key not in {"$defs", "definitions"}}
        node = map_schemas(bare, lambda sub, step: visit(sub, f"{place}/{step}"))
        reference = node.get("$ref", node.get("$dynamicRef", node.get("$recursiveRef")))
        if not isinstance(reference, str):
            return node
        if reference not in names:
            wanted[reference] = _followed(root, reference, place)
            names[reference] = _plain_name(reference, names.values())
        return {**node, "$ref": f"#/$defs/{names[reference]}"}

    body = visit(root, "#")
    definitions: dict[str, Node] = {}
    while wanted:
        reference = next(iter(wanted))
        definitions[names[reference]] = visit(wanted.pop(reference), reference)
    if "#" in names:
        body = {"$ref": f"#/$defs/{names['#']}"}
    return {**body, "$defs": definitions} if definitions else body


def _plain_name(reference: str, taken: Collection[str]) -> str:
    """A name for what a reference leads to, of plain characters and not yet taken."""
    own = wire_name(unquote(reference).rpartition("/")[2].strip("#") or "Answer")
    others = (f"{own}_{number}" for number in count(2))
    return next(name for name in chain((own,), others) if name not in taken)


def _followed(root: Node, reference: str, place: str) -> Node:
    """The schema that a reference names. Raises: SchemaError where there is none."""
    named = node = _pointed(root, reference)
    seen = {reference}
    while node is not None and "$ref" in node and node["$ref"] not in seen:
        seen.add(node["$ref"])
        node = _pointed(root, node["$ref"])
    if named is not None and node is not None and "$ref" not in node:
        return named
    reason = "leads nowhere" if node is None else "leads back to itself"
    raise SchemaError(
        f"The JSON Schema has a reference at {clipped(place)} that {reason}: {clipped(reference)}. "
        "Put the schema that is meant into $defs, and refer to it as #/$defs/Name."
    )


def _pointed(root: Node, reference: str) -> Node | None:
    """The schema at a pointer such as `#/$defs/Line`, None where there is none."""
    node: Any = root if reference == "#" or reference.startswith("#/") else None
    try:
        for step in reference.split("/")[1:]:
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            node = node[int(key)] if isinstance(node, list) else node[key]
    except (LookupError, ValueError, TypeError):
        return None
    return node if isinstance(node, dict) else None
