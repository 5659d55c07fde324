"""A target compiled: one canonical JSON Schema (draft 2020-12), a validator, a fingerprint.

The canonical schema says what the validator accepts. The *asked* schema is what a model is shown:
every property required, in declaration order, and nullable where the target can do without it. A
model that may skip a key skips it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from extractify.errors import SchemaError

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import SchemaValidator

T = TypeVar("T")
Node = dict[str, Any]

# Where a JSON Schema holds further schemas: under any key, in a list, or directly.
_SCHEMA_MAPS = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
_SCHEMA_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SCHEMAS = (
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
_CACHE_SIZE = 512

ENVELOPE = "result"
"""The one key of the object that a value travels in where it can't be the root itself."""


class Schema(Generic[T]):
    """A compiled target. Compare and cache by identity; get one from `compile_schema`.

    name: 1 to 64 characters of `[A-Za-z0-9_]`, for the wire. canonical: the JSON Schema of what
    `adapter` accepts. asked: the same as a model is asked for
    it. adapter: pydantic's validator, None for a target that is a JSON Schema itself.
    """

    def __init__(
        self, target: object, name: str, canonical: Node, adapter: TypeAdapter[T] | None
    ) -> None:
        self.target = target
        self.name = name
        self.canonical = canonical
        self.adapter = adapter

    @cached_property
    def asked(self) -> Node:
        """The schema a model is shown."""
        return _asked(self.canonical)

    @cached_property
    def fingerprint(self) -> str:
        """A SHA-256 of the canonical schema, in hex."""
        return hashlib.sha256(_text(self.canonical).encode()).hexdigest()

    @cached_property
    def envelope(self) -> SchemaValidator | None:
        """Reads `{"result": value}` in one pass; None for a target that is a JSON Schema."""
        if self.adapter is None:
            return None
        from extractify.canonical import enveloped

        return enveloped(self.adapter, ENVELOPE)

    @property
    def is_object(self) -> bool:
        """Whether the value's root is a JSON object whatever branch it takes."""
        root = self.canonical
        if "$ref" in root:
            root = self.resolve(root["$ref"])
        return root.get("type") == "object"

    @cached_property
    def has_idle_nulls(self) -> bool:
        """Whether a model is asked for a null anywhere that the target doesn't take as a value."""
        return _nullables(self.asked) > _nullables(self.canonical)

    @cached_property
    def property_names(self) -> frozenset[str]:
        """Every key that the target declares, at any depth."""
        names: set[str] = set()

        def visit(node: Node, _place: str = "") -> Node:
            names.update(node.get("properties", {}))
            return map_schemas(node, visit)

        visit(self.canonical)
        return frozenset(names)

    def branches(self, node: Node) -> Iterator[Node]:
        """Yield the plain schemas a node stands for: references followed, unions opened."""
        seen: set[str] = set()
        stack = [node]
        while stack:
            node = stack.pop()
            reference = node.get("$ref")
            if isinstance(reference, str):
                if reference not in seen:
                    seen.add(reference)
                    stack.append(self.resolve(reference))
                continue
            unions = [key for key in ("anyOf", "oneOf", "allOf") if key in node]
            if not unions:
                yield node
            for key in unions:
                stack.extend(reversed(node[key]))

    def resolve(self, reference: str) -> Node:
        """Follow a local reference such as `#/$defs/Line`."""
        node: Any = self.canonical
        for part in reference.removeprefix("#").split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            node = node[int(key)] if isinstance(node, list) else node[key]
        return cast("Node", node)


def compile_schema(target: object) -> Schema[Any]:
    """Compile a target, or take it from the cache.

    target: a type that pydantic can validate, or a JSON Schema as a mapping (draft 2020-12 or 7).
    Raises: SchemaError, which names the field that can't be compiled.
    """
    if isinstance(target, Mapping):
        return _compile_json_schema(_text(target))
    try:
        return _compile_type(target)
    except TypeError:
        if getattr(target, "__hash__", None) is None:
            kind = type(target).__name__
            message = f"The target, a {kind}, isn't a type. Pass a class, not an instance."
            raise SchemaError(message) from None
        raise


@lru_cache(maxsize=_CACHE_SIZE)
def _compile_type(target: object) -> Schema[Any]:
    from extractify.canonical import described  # slow to import; the first target pays for it

    adapter, node = described(target)
    return Schema(target, _wire_name(_type_name(target)), _untitled(node), adapter)


@lru_cache(maxsize=_CACHE_SIZE)
def _compile_json_schema(text: str) -> Schema[Any]:
    # Slow to import, and only this kind of target needs it.
    import jsonschema

    node = json.loads(text)
    try:
        jsonschema.validators.validator_for(
            node, default=jsonschema.Draft202012Validator
        ).check_schema(node)
    except jsonschema.SchemaError as error:
        path = "/".join(str(part) for part in error.absolute_path)
        message = f"The JSON Schema is invalid at /{path}: {error.message}"
        raise SchemaError(message) from None
    return Schema(node, _wire_name(node.get("title")), _untitled(node), None)


def map_schemas(node: Node, change: Callable[[Node, str], Node]) -> Node:
    """Return `node` with each schema directly inside it changed, and no data touched.

    change: gets such a schema and its place, such as `properties/total` or `anyOf/0`.
    """
    result = dict(node)
    for key in _SCHEMA_MAPS:
        if isinstance(node.get(key), dict):
            result[key] = {
                name: change(sub, f"{key}/{escaped(name)}") if isinstance(sub, dict) else sub
                for name, sub in node[key].items()
            }
    for key in _SCHEMA_LISTS:
        if isinstance(node.get(key), list):
            result[key] = [
                change(sub, f"{key}/{index}") if isinstance(sub, dict) else sub
                for index, sub in enumerate(node[key])
            ]
    for key in _SCHEMAS:
        if isinstance(node.get(key), dict):
            result[key] = change(node[key], key)
    return result


def escaped(key: str) -> str:
    """Write a key as one step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def _untitled(node: Node) -> Node:
    """Drop titles: they repeat the names, and cost tokens at every call."""
    bare = {key: value for key, value in node.items() if key != "title"}
    return map_schemas(bare, lambda sub, _: _untitled(sub))


def _asked(node: Node) -> Node:
    """Make every property required, those the target can do without nullable, no default told."""
    node = map_schemas(node, lambda sub, _: _asked(sub))
    node.pop("default", None)
    properties = node.get("properties")
    if not isinstance(properties, dict):
        return node
    required = set(node.get("required", ()))
    node["properties"] = {
        name: sub if name in required else _nullable(sub) for name, sub in properties.items()
    }
    node["required"] = list(properties)
    return node


def _nullable(node: Node) -> Node:
    if not isinstance(node, dict) or node == {} or node.get("type") == "null":
        return node
    branches = node.get("anyOf")
    if isinstance(branches, list):
        if {"type": "null"} in branches:
            return node
        return {**node, "anyOf": [*branches, {"type": "null"}]}
    # The description stays with the property, where the notation looks for it.
    told = {"description": node["description"]} if "description" in node else {}
    plain = {key: value for key, value in node.items() if key != "description"}
    return {**told, "anyOf": [plain, {"type": "null"}]}


def _nullables(node: Node) -> int:
    """Count the schemas that are null itself."""
    total = int(node.get("type") == "null")

    def visit(sub: Node, _place: str) -> Node:
        nonlocal total
        total += _nullables(sub)
        return sub

    map_schemas(node, visit)
    return total


def _type_name(target: object) -> str:
    """`Invoice` of a class, `list_Invoice` of a `list[Invoice]`."""
    arguments = [_type_name(part) for part in getattr(target, "__args__", ())]
    return "_".join([str(getattr(target, "__name__", target)), *arguments])


def _wire_name(name: object) -> str:
    """Keep the characters that every endpoint takes, 64 of them."""
    return re.sub(r"\W+", "_", str(name or ""), flags=re.ASCII).strip("_")[:64] or ENVELOPE


def _text(node: object) -> str:
    return json.dumps(node, separators=(",", ":"), ensure_ascii=False)
