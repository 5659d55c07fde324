"""A JSON Schema that is a target itself: of draft 2020-12 or 7, read as one plain document.

Whatever is referred to, by pointer, `$id`, `$anchor` or a `$dynamicRef` that can mean one thing
only, ends up in the root's `$defs`. Nothing is fetched, and what would take long is refused.
"""

from __future__ import annotations

import json
import re
from itertools import chain, count
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

import jsonschema
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT7, DRAFT202012

from extractify.errors import SchemaError
from extractify.messages import clipped
from extractify.nodes import (
    IN_PLACE,
    NEVER,
    SCHEMA_LISTS,
    SCHEMA_MAPS,
    Node,
    inner_schemas,
    map_schemas,
    wire_name,
)
from extractify.patterns import is_catastrophic, linear, matches

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from jsonschema.protocols import Validator
    from referencing._core import Resolved, Resolver

    from extractify.messages import JsonValue

    _Resolver = Resolver[Any]
    _Resolved = Resolved[Any]

MAX_LEVELS = 64
"""The most levels of nesting, of objects and lists, that a JSON Schema may have."""
MAX_PARTS = 12_000
"""The most objects and lists that a JSON Schema may have: each takes up to a millisecond."""

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_IDENTIFIERS = frozenset({"$schema", "$id", "$anchor", "$dynamicAnchor", "$recursiveAnchor"})
# In these drafts nothing beside a reference counts.
_ALONE = re.compile(r"draft-0[4-7]")


def plain(given: Node) -> Node:
    """Write a schema in the words of 2020-12, every reference leading to `#/$defs/Name`.

    Raises: SchemaError if it is invalid, refers to what isn't in it, or is made to take long.
    """
    _check_size(given)
    try:
        jsonschema.Draft202012Validator.check_schema(_modern(given, deep=True))
    except jsonschema.SchemaError as error:
        path = "/".join(str(part) for part in error.absolute_path)
        told = clipped(error.message, 200)
        raise SchemaError(f"The JSON Schema is invalid at /{path}: {told}.") from None
    node = _Gathering(given).gathered()
    _check_loops(node)
    _check_patterns(node)
    return node


def validator(node: Node) -> Validator:
    """The validator of a schema as `plain` writes it, in bounded time.

    jsonschema compares items pairwise and leaves patterns to Python's backtracking.
    """
    return cast("Validator", _Bounded(node))


def _check_size(given: Node) -> None:
    level: list[Any] = [given]
    parts = 0
    for _ in range(MAX_LEVELS):
        parts += len(level)
        if parts > MAX_PARTS:
            raise SchemaError(
                f"The JSON Schema has more than {MAX_PARTS} objects and lists. Make several "
                "targets of it, and extract them one after another."
            )
        level = [
            inner
            for node in level
            for inner in (node.values() if isinstance(node, dict) else node)
            if isinstance(inner, dict | list)
        ]
    if level:
        raise SchemaError(
            f"The JSON Schema is nested more than {MAX_LEVELS} levels deep. Put its parts into "
            "$defs, and refer to them as #/$defs/Name."
        )


def _modern(node: Node, *, deep: bool = False) -> Node:
    """Write one schema in the words of 2020-12; what is just true or false becomes an object."""
    node = {key: value for key, value in node.items() if key not in _IDENTIFIERS}
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
    return map_schemas(node, lambda sub, _: _modern(sub, deep=True)) if deep else node


def _spelled_out(node: object) -> object:
    if isinstance(node, bool):
        return {} if node else dict(NEVER)
    return node


class _Gathering:
    """Moves each schema that is referred to into the root's `$defs`, under a plain name."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._alone = _ALONE.search(str(root.get("$schema", ""))) is not None
        self._draft = DRAFT7 if self._alone else DRAFT202012
        resource = self._draft.create_resource(root)
        uri = str(root.get("$id", "")).removesuffix("#")
        registry: Registry[Any] = Registry().with_resource(uri, resource).crawl()
        self._resolver: _Resolver = registry.resolver(uri)
        self._names: dict[int, str] = {}  # by the identity of what is referred to
        self._wanted: list[tuple[int, Any, _Resolver, str]] = []

    def gathered(self) -> Node:
        """The whole. Raises: SchemaError on a reference that leads nowhere."""
        body = self._body(self._root, self._resolver, "#")
        definitions: dict[str, Node] = {}
        while self._wanted:
            key, contents, resolver, place = self._wanted.pop(0)
            node = cast("Node", _spelled_out(contents))
            definitions[self._names[key]] = self._body(node, resolver, place)
        if id(self._root) in self._names:
            body = {"$ref": f"#/$defs/{self._names[id(self._root)]}"}
        return {**body, "$defs": definitions} if definitions else body

    def _visit(self, given: Node, resolver: _Resolver, place: str) -> Node:
        inside = resolver.in_subresource(self._draft.create_resource(given))
        return self._body(given, inside, place)

    def _body(self, given: Node, resolver: _Resolver, place: str) -> Node:
        """One schema. resolver: of the references in it."""
        reference = next((given[key] for key in _REFERENCES if key in given), None)
        if self._alone and reference is not None:
            given = {key: given[key] for key in ("description", "$ref") if key in given}
        node = {
            key: value
            for key, value in _modern(given).items()
            if key not in {"$defs", "definitions", *_REFERENCES}
        }
        node = map_schemas(node, lambda sub, step: self._visit(sub, resolver, f"{place}/{step}"))
        if not isinstance(reference, str):
            return node
        found = self._followed(given, reference, resolver, place)
        key = id(found.contents)
        if key not in self._names:
            self._names[key] = _plain_name(reference, self._names.values())
            self._wanted.append((key, found.contents, found.resolver, reference))
        return {**node, "$ref": f"#/$defs/{self._names[key]}"}

    def _followed(self, given: Node, reference: str, resolver: _Resolver, place: str) -> _Resolved:
        """What a reference names. Raises: SchemaError where there is nothing, or two things."""
        try:
            found = resolver.lookup(reference)
        except (Unresolvable, ValueError, LookupError, TypeError):
            base = reference.partition("#")[0]
            reason = "leads to another document, which isn't fetched" if base else "leads nowhere"
            raise _unfollowed(reference, place, reason) from None
        if not isinstance(found.contents, dict | bool):
            raise _unfollowed(reference, place, "leads to what is no schema")
        anchor = reference.partition("#")[2]
        name = isinstance(found.contents, dict) and found.contents.get("$dynamicAnchor")
        is_dynamic = "$dynamicRef" in given and name == anchor
        if is_dynamic and sum(each == anchor for each in _dynamic_anchors(self._root)) > 1:
            raise _unfollowed(reference, place, "may lead to several schemas")
        return found


def _unfollowed(reference: str, place: str, reason: str) -> SchemaError:
    return SchemaError(
        f"The JSON Schema has a reference at {clipped(place)} that {reason}: {clipped(reference)}. "
        "Put the schema that is meant into $defs, and refer to it as #/$defs/Name."
    )


def _dynamic_anchors(data: object) -> Iterator[object]:
    if isinstance(data, dict):
        yield data.get("$dynamicAnchor")
    if isinstance(data, dict | list):
        for inner in data.values() if isinstance(data, dict) else data:
            yield from _dynamic_anchors(inner)


def _plain_name(reference: str, taken: Collection[str]) -> str:
    """A name for what a reference leads to, of plain characters and not yet taken."""
    own = wire_name(unquote(reference).rpartition("/")[2].strip("#") or "Answer")
    others = (f"{own}_{number}" for number in count(2))
    return next(name for name in chain((own,), others) if name not in taken)


def _check_loops(root: Node) -> None:
    """Refuse a schema that refers to itself without going a level down: no value ends it."""
    definitions: dict[str, Node] = root.get("$defs", {})
    done: set[str] = set()

    def follow(node: Node, above: tuple[str, ...]) -> None:
        name = str(node.get("$ref", "")).removeprefix("#/$defs/")
        if name in above:
            raise SchemaError(
                f"The JSON Schema has a reference that leads back to itself: #/$defs/{name}. "
                "Let it refer to itself below properties or items alone."
            )
        if name in definitions and name not in done:
            follow(definitions[name], (*above, name))
            done.add(name)
        for sub, place in inner_schemas(node):
            if place.partition("/")[0] in IN_PLACE:
                follow(sub, above)

    follow({key: value for key, value in root.items() if key != "$defs"}, ())
    for name in definitions:
        follow({"$ref": f"#/$defs/{name}"}, ())


def _check_patterns(node: Node, place: str = "#") -> None:
    """Refuse a pattern that may take for ever."""
    own = node.get("pattern")
    slow = [own] if isinstance(own, str) and linear(own) is None else []
    for pattern in (*slow, *node.get("patternProperties", {})):
        if is_catastrophic(pattern):
            raise SchemaError(
                f"The JSON Schema has a pattern at {clipped(place)} that may take for ever: "
                f"{clipped(pattern)}. Repeat no group that holds a repetition or an alternative; "
                "without lookaround and back-references, `pattern` may."
            )
    for sub, step in inner_schemas(node):
        _check_patterns(sub, f"{place}/{step}")


def _unique_items(_: Validator, wanted: object, data: JsonValue, _node: Node) -> Iterator[Any]:
    if wanted and isinstance(data, list):
        seen = {json.dumps(_normal(item), sort_keys=True) for item in data}
        if len(seen) < len(data):
            yield jsonschema.ValidationError("has non-unique elements")


def _normal(data: JsonValue) -> JsonValue:
    """Data in which equal numbers are written alike."""
    if isinstance(data, dict):
        return {key: _normal(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_normal(item) for item in data]
    return int(data) if isinstance(data, float) and data.is_integer() else data


def _pattern(_: Validator, pattern: str, data: JsonValue, _node: Node) -> Iterator[Any]:
    if isinstance(data, str) and not matches(pattern, data):
        yield jsonschema.ValidationError(f"does not match {pattern!r}")


_Bounded = cast("Any", extend)(
    jsonschema.Draft202012Validator, {"pattern": _pattern, "uniqueItems": _unique_items}
)
