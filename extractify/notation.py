"""The compact notation: a target as a short TypeScript-like type, for the prompt.

A third of the tokens of its JSON Schema, and models follow it better. Every key is shown; one that
may be null says so; bounds and descriptions are comments.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from extractify.schema import ENVELOPE, map_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify.schema import Node, Schema

_FORMATS = {
    "date": "YYYY-MM-DD",
    "date-time": "YYYY-MM-DDThh:mm:ss",
    "time": "hh:mm:ss",
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
_INDENT = "  "


def notation(schema: Schema[Any], *, enveloped: bool = False) -> str:
    """Write the target as a type: named types first, then the type of the answer itself.

    enveloped: show the answer as `{"result": …}`, as it travels.
    """
    writer = _Writer(schema.asked)
    body = writer.type_of(schema.asked, "")
    if enveloped:
        body = f"{{\n{_INDENT}{ENVELOPE}: {body.replace(chr(10), chr(10) + _INDENT)}\n}}"
    return "\n".join([*writer.declarations(), body])


class _Writer:
    """Writes types, and remembers which named ones they need."""

    def __init__(self, root: Node) -> None:
        self._definitions: dict[str, Node] = {
            f"#/{keyword}/{name}": node
            for keyword in ("$defs", "definitions")
            for name, node in root.get(keyword, {}).items()
        }
        self._root = root
        self._uses = _count_references(root)
        self._named: dict[str, str] = {}

    def declarations(self) -> Iterator[str]:
        return (text for text in self._named.values() if text)

    def type_of(self, node: object, margin: str) -> str:
        """The type of one schema. margin: the white space its further lines start with."""
        if not isinstance(node, dict):
            return "any" if node else "never"
        if "$ref" in node:
            return self._reference(node["$ref"], margin)
        for keyword in ("enum", "const"):
            if keyword in node:
                values = node[keyword] if keyword == "enum" else [node[keyword]]
                return " | ".join(_json(value) for value in values)
        for keyword in ("anyOf", "oneOf"):
            if keyword in node:
                branches = dict.fromkeys(self.type_of(sub, margin) for sub in node[keyword])
                return " | ".join(branches)
        if "allOf" in node:
            return " & ".join(self.type_of(sub, margin) for sub in node["allOf"])
        return self._plain(node, margin)

    def _reference(self, reference: str, margin: str) -> str:
        """Write a type used once in place; name one that is used more often or holds itself."""
        if reference == "#":
            reference, target = "#/Answer", self._root
        else:
            target = self._definitions.get(reference, {})
        name = reference.rpartition("/")[2]
        if reference in self._named:
            return name
        if self._uses.get(reference, 0) == 1:
            return self.type_of(target, margin)
        self._named[reference] = ""
        told = target.get("description")
        comment = f"  // {_comment(told)}" if told else ""
        self._named[reference] = f"type {name} = {self.type_of(target, '')}{comment}"
        return name

    def _plain(self, node: Node, margin: str) -> str:
        kinds = node.get("type")
        if isinstance(kinds, list):
            return " | ".join(self._plain({**node, "type": kind}, margin) for kind in kinds)
        if kinds == "object" or "properties" in node:
            return self._object(node, margin)
        if kinds == "array" or "items" in node or "prefixItems" in node:
            return self._array(node, margin)
        return "any" if kinds is None else str(kinds)

    def _object(self, node: Node, margin: str) -> str:
        inner = margin + _INDENT
        lines = []
        for name, sub in node.get("properties", {}).items():
            key = name if name.isidentifier() else _json(name)
            note = _notes(sub)
            comment = f"  // {note}" if note else ""
            lines.append(f"{inner}{key}: {self.type_of(sub, inner)}{comment}")
        others = node.get("additionalProperties", {} if not lines else None)
        if isinstance(others, dict):
            lines.append(f"{inner}[key: string]: {self.type_of(others, inner)}")
        return "\n".join(["{", *lines, margin + "}"])

    def _array(self, node: Node, margin: str) -> str:
        if "prefixItems" in node:
            return f"[{', '.join(self.type_of(sub, margin) for sub in node['prefixItems'])}]"
        item = self.type_of(node.get("items", True), margin)
        return f"({item})[]" if " | " in item else f"{item}[]"


def _notes(node: object) -> str:
    """What the type alone doesn't say about a property: format, bounds, description."""
    if not isinstance(node, dict):
        return ""
    notes = [_comment(node["description"])] if node.get("description") else []
    for branch in (node, *node.get("anyOf", ())):
        if branch.get("format") in _FORMATS:
            notes.append(_FORMATS[branch["format"]])
        elif "format" in branch:
            notes.append(str(branch["format"]))
        notes += [text.format(branch[key]) for key, text in _BOUNDS.items() if key in branch]
    return "; ".join(dict.fromkeys(notes))


def _comment(text: str) -> str:
    """Keep a description on its line, so that it can't pose as part of the type."""
    return " ".join(text.split())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


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
