"""The places of a target: how each is shown while it arrives, and what judges it once complete.

A place is found by walking pydantic's own description of the target beside its JSON Schema. Where
a union leaves open what stands there, the place has nothing to judge it by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from extractify.holds import KEY, Hold, with_state
from extractify.markers import QUOTED
from extractify.nodes import Node, below, escaped
from extractify.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNIONS = frozenset({"union", "tagged-union"})
_AROUND = ("schema", "lax_schema", "json_schema")


class Site:
    """One place of a target; get the outermost from `site_of`. Every item of a list has the same.

    node: its JSON Schema, the definitions left out. core: what pydantic makes of it, or None.
    """

    def __init__(self, root: Schema[Any], node: Node, core: Node | None, known: Node) -> None:
        """known: the definitions that `core` refers to, by their names."""
        self._root, self._node, self._core, self._known = root, node, core, known
        self._inner: dict[str | None, Site | None] = {}

    @cached_property
    def _markers(self) -> frozenset[str]:
        found = (core.get("metadata", {}).get(KEY, ()) for core in self._reached())
        return frozenset(marker for markers in found for marker in markers)

    @property
    def held(self) -> bool:
        """Whether it is shown when it is complete only."""
        return Hold.until_complete.value in self._markers

    @property
    def with_state(self) -> bool:
        """Whether its state is shown beside its value."""
        return with_state.__name__ in self._markers

    @cached_property
    def awaited(self) -> frozenset[str]:
        """Keys that have to be there before the object is shown."""
        return frozenset(key for key, inner in self._members() if inner.is_awaited)

    @property
    def is_awaited(self) -> bool:
        """Whether the object around it is shown only when this is there and not null."""
        return Hold.until_present.value in self._markers

    @cached_property
    def is_marked(self) -> bool:
        """Whether anything from here down is shown otherwise than it arrives."""
        return _is_marked(self._core, self._known)

    @cached_property
    def schema(self) -> Schema[Any] | None:
        """What judges a complete value here; None where that can't be told from the target."""
        definitions = self._root.canonical.get("$defs")
        canonical = {**self._node, "$defs": definitions} if definitions else self._node
        if self._root.adapter is None:
            return Schema(None, self._root.name, canonical, None)
        if self._core is None:
            return None
        from pydantic_core import SchemaError, SchemaValidator, core_schema

        core: Any = self._core
        if self._known:
            core = core_schema.definitions_schema(core, list(self._known.values()))
        try:
            validator: Any = _Part(core, SchemaValidator(core).validate_json)
        except SchemaError:
            return None
        classes = [each["cls"] for each in self._reached() if "cls" in each]
        target = classes[0] if len(classes) == 1 else None
        return Schema(target, self._root.name, canonical, validator)

    @property
    def has_quotes(self) -> bool:
        """Whether quotes are asked for anywhere in the target."""
        return self._root.marks.has_quotes

    def is_quote(self, pointer: str, key: str) -> bool:
        """Whether what stands under a key is the quote for a field. pointer: to this place."""
        field = key.removesuffix(QUOTED)
        beside = field != key and self.member(key) is None
        return beside and self._root.marks.at(f"{pointer}/{escaped(field)}").quote

    def member(self, key: str) -> Site | None:
        """The place under a key."""
        return self._below(key)

    def item(self) -> Site | None:
        """The place of each item."""
        return self._below(None)

    def _below(self, key: str | None) -> Site | None:
        if key not in self._inner:
            self._inner[key] = self._found(key)
        return self._inner[key]

    def _found(self, key: str | None) -> Site | None:
        definitions = self._root.canonical.get("$defs", {})
        step = "0" if key is None else escaped(key)
        node = below({**self._node, "$defs": definitions}, f"/{step}")
        if node is None:
            return None
        cores = [inner for core in self._reached() for inner in _inside(core, key)]
        core = cores[0] if len(cores) == 1 else None
        return Site(self._root, node, core, self._known)

    def _reached(self) -> Iterator[Node]:
        """What stands around a container or a leaf here, and these; unions opened."""
        stack, seen = [self._core] if self._core else [], set[int]()
        while stack:
            core = stack.pop()
            if id(core) not in seen:
                seen.add(id(core))
                yield core
                stack.extend(_step(core, self._known))

    def _members(self) -> Iterator[tuple[str, Site]]:
        for core in self._reached():
            for key, _ in _fields(core):
                inner = self.member(key)
                if inner is not None:
                    yield key, inner


@dataclass(frozen=True, slots=True)
class _Part:
    """What a Schema uses of a pydantic validator."""

    core_schema: Any
    validate_json: Callable[..., Any]


@lru_cache(maxsize=512)
def site_of(schema: Schema[Any]) -> Site:
    """The outermost place of a target."""
    node = {key: value for key, value in schema.canonical.items() if key != "$defs"}
    if schema.adapter is None:
        return Site(schema, node, None, {})
    core: Any = schema.adapter.core_schema
    known: Node = {}
    while core["type"] == "definitions":
        known |= {each["ref"]: each for each in core["definitions"]}
        core = core["schema"]
    return Site(schema, node, core, known)


def _step(core: Node, known: Node) -> list[Node]:
    """What stands within a wrapper, nothing for a container or a leaf."""
    kind = core["type"]
    if kind == "definition-ref":
        return [known[core["schema_ref"]]]
    if kind in _UNIONS:
        choices = core["choices"]
        listed = list(choices.values()) if isinstance(choices, dict) else choices
        return [each[0] if isinstance(each, tuple) else each for each in listed]
    if kind == "chain":
        return list(core["steps"][:1])
    return [core[key] for key in _AROUND if isinstance(core.get(key), dict)][:1]


def _inside(core: Node, key: str | None) -> list[Node]:
    """Pydantic's schema of what stands under a key of a container, or of its items."""
    if key is None:
        items = core.get("items_schema")
        if isinstance(items, list) and core.get("variadic_item_index") == 0 and len(items) == 1:
            items = items[0]
        return [items] if isinstance(items, dict) else []
    named = [field["schema"] for name, field in _fields(core) if name == key]
    values = core.get("values_schema")
    return named or ([values] if isinstance(values, dict) else [])


def _fields(core: Node) -> Iterator[tuple[str, Node]]:
    """The fields of a container under each name that they have in JSON."""
    fields = core.get("fields", ())
    named = fields.items() if isinstance(fields, dict) else _named(fields)
    for name, field in named:
        alias = field.get("validation_alias", name)
        paths: Any = [[alias]] if isinstance(alias, str) else alias
        paths = [paths] if paths and not isinstance(paths[0], list) else paths
        yield from ((path[0], field) for path in paths if len(path) == 1)


def _named(fields: list[Node]) -> Iterator[tuple[str, Node]]:
    """Those of a dataclass, whose wrapper has a list of bare names under the same key."""
    return ((field["name"], field) for field in fields if isinstance(field, dict))


def _is_marked(core: Node | None, known: Node) -> bool:
    """Whether there is a marker anywhere in what pydantic makes of a place."""
    stack: list[object] = [core]
    seen: set[str] = set()
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            if KEY in part:
                return True
            name = part.get("schema_ref")
            if name in known and name not in seen:
                seen.add(name)
                stack.append(known[name])
            stack.extend(part.values())
        elif isinstance(part, list | tuple):
            stack.extend(part)
    return False
