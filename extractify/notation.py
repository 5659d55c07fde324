"""The compact notation: a target as a short TypeScript-like type, for the prompt.

A third of the tokens of its JSON Schema, and models follow it better. Every key is shown; one that
may be null says so; bounds and descriptions are comments.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from extractify.nodes import DECIMAL, JSON_TEXT, map_schemas

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from extractify.nodes import Node
    from extractify.schema import Schema

_FORMATS = {
    "date": "YYYY-MM-DD",
    "date-time": "YYYY-MM-DDThh:mm:ss",
    "time": "hh:mm:ss",
    DECIMAL: "decimal number",
    "duration": "ISO 8601 duration",
}
_BOUNDS = {
    "minimum": ">= {}",
    "exclusiveMinimum": "> {}",
    "maximum": "<= {}",
    "exclusiveMaximum": "< {}",
    "multipleOf": "multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "matches {}",
}
_UNIONS = ("anyOf", "oneOf")
_INDENT = "  "


def notation(schema: Schema[Any], *, envelope: str | None = None, shape: Node | None = None) -> str:
    """Write the target as a type: named types first, then the type of the answer itself.

    envelope: show the answer as `{"<envelope>": …}`, as it travels. shape: the schema as an
    endpoint is asked for it, where that differs from `schema.asked`.
    """
    root = shape or schema.asked
    writer = _Writer(root)
    asked = {"properties": {envelope: root}} if envelope else root
    body = writer.commented(asked, "")
    return "\n".join([*writer.declarations(), body])


class _Writer:
    """Writes types, and remembers which named ones they need."""

    def __init__(self, root: Node) -> None:
        self._definitions: dict[str, Node] = {
            f"#/$defs/{name}": node for name, node in root.get("$defs", {}).items()
        }
        self._uses = _count_references(root)
        self._named: dict[str, str] = {}

    def declarations(self) -> Iterator[str]:
        """Yield the named types that the types written so far refer to."""
        yield from self._named.values()

    def commented(self, node: Node, margin: str) -> str:
        """The type of one schema, and behind it what the type alone doesn't say."""
        notes = "; ".join(dict.fromkeys([*self._descriptions(node), *self._bounds(node)]))
        return self._type(node, margin) + (f"  // {notes}" if notes else "")

    def _type(self, node: Node, margin: str) -> str:
        """The type of one schema. margin: the white space its further lines start with."""
        if node == {"not": {}}:
            return "never"
        for keyword in ("enum", "const"):
            if keyword in node:
                values = node[keyword] if keyword == "enum" else [node[keyword]]
                return " | ".join(_json(value) for value in values)
        parts = [self._reference(node["$ref"], margin)] if "$ref" in node else []
        parts += [self._union(node[keyword], margin) for keyword in _UNIONS if keyword in node]
        parts += [self._type(sub, margin) for sub in node.get("allOf", ())]
        parts.append(self._plain(node, margin))
        parts = [part for part in dict.fromkeys(parts) if part != "any"] or ["any"]
        if len(parts) == 1:
            return parts[0]
        return " & ".join(f"({part})" if " | " in part else part for part in parts)

    def _union(self, branches: Iterable[Node], margin: str) -> str:
        types = dict.fromkeys(self._type(branch, margin) for branch in branches)
        said = [kind for kind in types if kind not in {"any", "null"}]
        # Branches that say nothing of the type, such as which keys belong together.
        return " | ".join(types) if said else "any"

    def _reference(self, reference: str, margin: str) -> str:
        """Write a type used once in place; name one that is used more often or holds itself."""
        target = self._definitions[reference]
        if self._is_in_place(reference):
            return self._type(target, margin)
        if reference not in self._named:
            self._named[reference] = ""  # it may hold itself
            name = reference.rpartition("/")[2]
            self._named[reference] = f"type {name} = {self.commented(target, '')}"
        return reference.rpartition("/")[2]

    def _is_in_place(self, reference: str) -> bool:
        return self._uses[reference] == 1

    def _plain(self, node: Node, margin: str) -> str:
        kinds = node.get("type")
        if isinstance(kinds, list):
            return " | ".join(self._plain({**node, "type": kind}, margin) for kind in kinds)
        if kinds == "object" or (kinds is None and "properties" in node):
            return self._object(node, margin)
        if kinds == "array" or (kinds is None and ("items" in node or "prefixItems" in node)):
            return self._array(node, margin)
        return "any" if kinds is None else str(kinds)

    def _object(self, node: Node, margin: str) -> str:
        inner = margin + _INDENT
        lines = [
            f"{name if name.isidentifier() else _json(name)}: {self.commented(sub, inner)}"
            for name, sub in node.get("properties", {}).items()
        ]
        lines += [
            f"[key: string]: {self._type(sub, inner)}  // key matches {_line(pattern)}"
            for pattern, sub in node.get("patternProperties", {}).items()
        ]
        others = node.get("additionalProperties", not lines)
        if others is True and not lines:
            others = {}
        if isinstance(others, dict):
            keys = self._type(node.get("propertyNames", {}), inner)
            keys = "string" if keys == "any" else keys
            lines.append(f"[key: {keys}]: {self._type(others, inner)}")
        return "\n".join(["{", *(inner + line for line in lines), margin + "}"])

    def _array(self, node: Node, margin: str) -> str:
        if "prefixItems" in node:
            return f"[{', '.join(self._type(sub, margin) for sub in node['prefixItems'])}]"
        items = node.get("items")
        item = self._type(items, margin) if isinstance(items, dict) else "any"
        return f"({item})[]" if " | " in item or " & " in item else f"{item}[]"

    def _descriptions(self, node: Node) -> list[str]:
        """The description of a schema, or those of the types that are written in its place."""
        if node.get("description"):
            return [_line(node["description"])]
        return [told for sub, _ in self._below(node) for told in self._descriptions(sub)]

    def _bounds(self, node: Node, each: str = "") -> Iterator[str]:
        """Yield formats and bounds of a schema and of what is written in its place."""
        if node.get("contentMediaType") == JSON_TEXT:
            meant = node.get("contentSchema", {})
            yield f"{each}JSON text of {_line(self._type(meant, ''))}"
        if "format" in node and (node["format"] != DECIMAL or node.get("type") == "string"):
            yield each + _FORMATS.get(node["format"], _line(str(node["format"])))
        for keyword, text in _BOUNDS.items():
            if keyword in node:
                yield each + text.format(_line(str(node[keyword])))
        for sub, mark in self._below(node):
            yield from self._bounds(sub, mark or each)

    def _below(self, node: Node) -> Iterator[tuple[Node, str]]:
        """Yield the schemas that share a line with this one, and "each " where they repeat."""
        if "$ref" in node and self._is_in_place(node["$ref"]):
            yield self._definitions[node["$ref"]], ""
        for keyword in (*_UNIONS, "allOf"):
            for sub in node.get(keyword, ()):
                yield sub, ""
        for keyword in ("items", "additionalProperties"):
            if isinstance(node.get(keyword), dict) and "properties" not in node:
                yield node[keyword], "each "


def _line(text: str) -> str:
    """Keep a text on its line, so that it can't pose as part of the type."""
    return " ".join(text.split())


def _json(value: object) -> str:
    """JSON on one line: what some readers take for a line break is escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)


def _count_references(root: Node) -> dict[str, int]:
    """How often each definition is referred to; twice at least if it is part of itself."""
    counts: dict[str, int] = {}

    def visit(node: Node, _place: str = "") -> Node:
        reference = node.get("$ref")
        if isinstance(reference, str):
            counts[reference] = counts.get(reference, 0) + 1
        return map_schemas(node, visit)

    visit(root)
    return counts
