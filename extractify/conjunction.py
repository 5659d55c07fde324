"""Schemas that hold together, written as one.

Many endpoints take no `allOf`, or pass over what stands beside a reference or a union. What can't
be said in one schema is left out, so the result lets more through, never less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extractify.nodes import ANNOTATIONS, KEYWORDS_OF, map_schemas, resolve, types_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from extractify.nodes import Node

    Lose = Callable[[str, str], None]
    _Value = Any

MOST = 5_000
"""The most schemas that writing references out may make."""

_UNIONS = ("anyOf", "oneOf")
_JOINING = frozenset({"$ref", "allOf", *_UNIONS})
_LARGER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_SMALLER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_OF_OTHER_KEYS = ("additionalProperties", "unevaluatedProperties")


def flattened(root: Node, lose: Lose) -> Node:
    """Write a schema without `allOf`, and with nothing but annotations beside `$ref` and unions.

    lose: told the pointer and the keyword of what is left out.
    """
    writer = _Writer(root, lose)
    definitions = {
        name: writer.flat(node, f"/$defs/{name}", ())
        for name, node in root.get("$defs", {}).items()
    }
    body = {key: value for key, value in root.items() if key != "$defs"}
    flat = writer.flat(body, "", ())
    return {**flat, "$defs": definitions} if definitions else flat


class _Writer:
    def __init__(self, root: Node, lose: Lose) -> None:
        self._root = root
        self._lose = lose
        self._written = 0

    def flat(self, node: Node, pointer: str, above: tuple[str, ...]) -> Node:
        """One schema and all inside it. above: the references that are being written out."""
        node, above = self._joined(node, pointer, above)
        return map_schemas(node, lambda sub, place: self.flat(sub, f"{pointer}/{place}", above))

    def _joined(
        self, node: Node, pointer: str, above: tuple[str, ...]
    ) -> tuple[Node, tuple[str, ...]]:
        """One schema with its parts joined, and what has been written out for it."""
        if _JOINING.isdisjoint(node) and not isinstance(node.get("type"), list):
            return node, above
        reference = node.get("$ref")
        own = {key: value for key, value in node.items() if key not in {"$ref", "allOf"}}
        parts = [part for part in node.get("allOf", ()) if isinstance(part, dict)]
        telling = own.keys() <= ANNOTATIONS
        if reference is not None:
            if telling and not parts:
                return node, above
            self._written += 1
            if reference in above or self._written > MOST:
                for keyword in (*(own.keys() - ANNOTATIONS), *(["allOf"] if parts else [])):
                    self._lose(pointer, keyword)
                told = {key: own[key] for key in own.keys() & ANNOTATIONS}
                return {**told, "$ref": reference}, above
            above = (*above, reference)
            parts.insert(0, resolve(self._root, reference))
        for part in parts:
            joined, above = self._joined(part, pointer, above)
            own = self._with(own, self._opened(joined, own), pointer)
        return self._distributed(_split(own), pointer, above)

    def _opened(self, node: Node, beside: Node) -> Node:
        """What a bare reference names, where something has to hold beside it."""
        while "$ref" in node and beside.keys() - ANNOTATIONS:
            told = {key: node[key] for key in node.keys() & ANNOTATIONS}
            node = {**resolve(self._root, node["$ref"]), **told}
        return node

    def _distributed(
        self, node: Node, pointer: str, above: tuple[str, ...]
    ) -> tuple[Node, tuple[str, ...]]:
        """Move what stands beside a union into each of its branches."""
        keyword = next((key for key in _UNIONS if key in node), None)
        beside = {key: value for key, value in node.items() if key not in {*_UNIONS, *ANNOTATIONS}}
        second = keyword == "anyOf" and "oneOf" in node
        if keyword is None or not (beside or second):
            return node, above
        if second:
            self._lose(pointer, "oneOf")
        branches: list[Node] = []
        for branch in node[keyword]:
            whole, above = self._joined({"allOf": [branch, beside]}, pointer, above)
            if whole not in branches:
                branches.append(whole)
        told = {key: node[key] for key in node.keys() & ANNOTATIONS}
        if len(branches) == 1:
            return {**branches[0], **told}, above
        return {**told, keyword: branches}, above

    def _with(self, node: Node, other: Node, pointer: str) -> Node:
        """One schema for two that hold together."""
        if "$ref" in other:  # nothing else is here yet
            return {**other, **node}
        result = dict(node)
        for keyword in _OF_OTHER_KEYS:
            for one, two in ((node, other), (other, node)):
                unknown = two.get("properties", {}).keys() - one.get("properties", {}).keys()
                if one.get(keyword, True) is not True and unknown:
                    self._lose(pointer, keyword)
                    result.pop(keyword, None)
                    other = {key: other[key] for key in other if key != keyword}
        for keyword, value in other.items():
            if keyword in result and result[keyword] != value:
                both = _both(keyword, result[keyword], value)
                if both is None:
                    if keyword not in ANNOTATIONS:
                        self._lose(pointer, keyword)
                    continue
                result[keyword] = both
            else:
                result[keyword] = value
        return result


def _split(node: Node) -> Node:
    """Write an object or a list that may be something else as a union of the two."""
    named = types_of(node)
    if len(named) <= 1 or KEYWORDS_OF.keys().isdisjoint(named) or "anyOf" in node:
        return node
    told = {key: node[key] for key in node.keys() & ANNOTATIONS}
    plain = {key: value for key, value in node.items() if key not in {"type", *ANNOTATIONS}}
    parts = {kind: {"type": kind, **_of_kind(plain, kind)} for kind in named}
    return {**told, "anyOf": list(parts.values())}


def _of_kind(node: Node, kind: str) -> Node:
    """Leave out what says nothing of values of this type."""
    others = {key for each, keys in KEYWORDS_OF.items() if each != kind for key in keys}
    return {key: value for key, value in node.items() if key not in others}


def _both(keyword: str, one: _Value, two: _Value) -> object:
    """What a keyword says where two schemas hold; None where one can't say it."""
    if keyword == "properties":
        same = {key: {"allOf": [one[key], two[key]]} for key in one.keys() & two.keys()}
        return {**one, **two, **{key: same.get(key, one[key]) for key in one}}
    if keyword in {"items", "additionalProperties"}:
        if isinstance(one, bool) or isinstance(two, bool):
            return (one and two) if two is not True else one
        return {"allOf": [one, two]}
    joined: dict[str, Callable[[Any, Any], object]] = {
        "required": lambda first, second: list(dict.fromkeys([*first, *second])),
        "enum": lambda first, second: [value for value in first if value in second] or None,
        "type": _both_types,
        **dict.fromkeys(_LARGER, max),
        **dict.fromkeys(_SMALLER, min),
    }
    return joined[keyword](one, two) if keyword in joined else None


def _both_types(one: str | list[str], two: str | list[str]) -> str | list[str] | None:
    first = [one] if isinstance(one, str) else one
    second = {two} if isinstance(two, str) else set(two)
    if "number" in second:
        second.add("integer")
    kept = [kind for kind in first if kind in second]
    if "number" in first and "integer" in second and "number" not in second:
        kept.append("integer")
    return kept[0] if len(kept) == 1 else kept or None
