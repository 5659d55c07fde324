"""A Schema lowered to what one endpoint takes. What it can't take is recorded, and enforced here.

The value travels bare, or in the envelope `{"result": value}` where the endpoint's root can't say
what the target needs. Definitions then move inside the enveloped schema and references follow them,
never through `anyOf/0`, which some grammar engines can't follow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from extractify.memory import remembered
from extractify.messages import ResponseFormat
from extractify.nodes import DECIMAL, ENVELOPE, Node, inner_schemas, map_schemas
from extractify.reduction import Reduction, check_size
from extractify.shapes import is_reshaped, shaped

if TYPE_CHECKING:
    from extractify.profiles import Profile
    from extractify.schema import Schema

T = TypeVar("T")
INLINE_GROWTH = 1.5
"""The most a payload may grow, as a factor, when its references are written out."""
_TELLING = frozenset({"description", "examples"})


@dataclass(frozen=True, slots=True)
class Dropped:
    """A keyword that the endpoint doesn't take. pointer: to the schema that held it."""

    pointer: str
    keyword: str


@dataclass(frozen=True, slots=True)
class Wire:
    """How a Schema travels to one endpoint.

    format: the payload, None where the endpoint takes none. enveloped: whether the value is
    expected as `{"result": value}`. dropped: what the payload doesn't say. shape: what the model is
    asked for, before anything was dropped. reshaped: whether a value has to be raised.
    """

    format: ResponseFormat | None
    enveloped: bool
    dropped: tuple[Dropped, ...]
    shape: Node = field(default_factory=dict, repr=False, compare=False, hash=False)
    reshaped: bool = False


@remembered
def lower(schema: Schema[Any], profile: Profile, envelope: str | None = None) -> Wire:
    """Write the schema as the profile's endpoint takes it. Pure, and cached.

    envelope: the key to wrap the value in; None leaves it to the profile. Raises: SchemaError where
    the schema is larger than the endpoint takes.
    """
    shape, reshaped = shaped(schema, profile), is_reshaped(schema, profile)
    bare = schema.is_object and _root_type(shape) == "object"
    enveloped = envelope is not None or profile.envelope == "always" or not bare
    if not profile.native:
        return Wire(None, enveloped, (), shape, reshaped)
    dropped: list[Dropped] = []
    payload = shape
    if profile.keywords is not None:
        dropped += [Dropped(pointer, keyword) for pointer, keyword in schema.flat.lost]
        payload = Reduction(profile, lambda *where: dropped.append(Dropped(*where))).reduced(shape)
    payload = _inlined(_unmarked(payload))
    payload = (
        _enveloped(payload, envelope or ENVELOPE)
        if enveloped
        else {"type": "object", **_unfolded(payload)}
    )
    check_size(schema.name, payload, profile)
    if profile.root_keywords is not None:
        for keyword in [key for key in payload if key not in profile.root_keywords]:
            dropped.append(Dropped("", keyword))
            del payload[keyword]
    encoded = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    wire_format = ResponseFormat(schema.name, payload, encoded, strict=profile.strict)
    return Wire(wire_format, enveloped, tuple(dict.fromkeys(dropped)), shape, reshaped)


def _unmarked(node: Node) -> Node:
    """Leave out what is said to extractify alone: that a number is a Decimal."""
    if node.get("format") == DECIMAL:
        node = {key: value for key, value in node.items() if key != "format"}
    return map_schemas(node, lambda sub, _: _unmarked(sub))


def _inlined(root: Node) -> Node:
    """Replace references by what they name, unless that is recursive or makes the payload grow."""
    definitions: dict[str, Node] = root.get("$defs", {})
    sizes: dict[str, int | None] = {}
    for name in definitions:
        _inlined_size(name, definitions, sizes, ())
    body = {key: value for key, value in root.items() if key != "$defs"}
    if not definitions or None in sizes.values():
        return root
    grown = _own_size(body) + sum(sizes[name] or 0 for name in _references(body))
    if grown > _own_size(root) * INLINE_GROWTH:
        return root
    return _with_definitions(body, definitions)


def _inlined_size(
    name: str, definitions: dict[str, Node], sizes: dict[str, int | None], above: tuple[str, ...]
) -> int | None:
    """Characters of a definition with all its references inlined; None if it is recursive."""
    if name in above or name not in definitions:
        return None
    if name not in sizes:
        below = [
            _inlined_size(used, definitions, sizes, (*above, name))
            for used in _references(definitions[name])
        ]
        known = [size for size in below if size is not None]
        whole = len(known) == len(below)
        sizes[name] = _own_size(definitions[name]) + sum(known) if whole else None
    return sizes[name]


def _own_size(node: Node) -> int:
    return len(json.dumps(node, separators=(",", ":")))


def _references(node: Node) -> list[str]:
    """Names of the definitions that a schema refers to, once for each reference."""
    own = [_definition(node["$ref"])] if "$ref" in node else []
    return own + [name for sub, _ in inner_schemas(node) for name in _references(sub)]


def _definition(reference: str) -> str:
    return reference.removeprefix("#/$defs/")


def _with_definitions(node: Node, definitions: dict[str, Node]) -> Node:
    if "$ref" in node:
        return _with_definitions(_joined(node, definitions[_definition(node["$ref"])]), definitions)
    return map_schemas(node, lambda sub, _: _with_definitions(sub, definitions))


def _joined(node: Node, named: Node) -> Node:
    """Write what a reference names in its place; what stands beside it holds as well."""
    beside = {key: value for key, value in node.items() if key != "$ref"}
    if beside.keys() <= _TELLING:
        return {**named, **beside}
    return {**beside, "allOf": [named, *beside.get("allOf", ())]}


def _unfolded(root: Node) -> Node:
    """Write a recursive root out once: endpoints look for the `type` of the root itself."""
    if "$ref" not in root:
        return {"type": "object", **root}
    definitions = root["$defs"]
    body = {key: value for key, value in root.items() if key != "$defs"}
    whole = _joined(body, definitions[_definition(root["$ref"])])
    return {"type": "object", **whole, "$defs": definitions}


def _root_type(root: Node) -> object:
    node = root
    while "$ref" in node:
        node = root["$defs"][_definition(node["$ref"])]
    return node.get("type")


def _enveloped(node: Node, key: str) -> Node:
    """Wrap a schema whole; what it refers to inside itself is now one level further down."""
    inner = _rebased(node, f"#/properties/{key}") if "$defs" in node else node
    return {
        "type": "object",
        "properties": {key: inner},
        "required": [key],
        "additionalProperties": False,
    }


def _rebased(node: Node, base: str) -> Node:
    node = map_schemas(node, lambda sub, _: _rebased(sub, base))
    if "$ref" in node:
        node["$ref"] = base + node["$ref"].removeprefix("#")
    return node
