"""A schema reduced to the keywords, formats and sizes that an endpoint takes.

Whatever is left out lets more through, never less: a keyword that others depend on takes them with
it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from extractify.errors import SchemaError
from extractify.messages import clipped
from extractify.nodes import ANNOTATIONS, DECIMAL, NEVER, inner_schemas, map_schemas, types_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from extractify.nodes import Node
    from extractify.profiles import Profile

    Lose = Callable[[str, str], None]

_NUMERIC = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
DECIMAL_PATTERN = r"^-?[0-9]{1,15}(\.[0-9]{1,9})?$"
"""A decimal number as a string: bounded, because a small model may write digits without end."""

_TELLING = ANNOTATIONS | {"contentMediaType"}
_BACKTRACKING = re.compile(r"\(\?(?:[=!<]|P[=>])|\\[1-9k]")
_PLAIN = re.compile(
    r"\^(?:[A-Za-z0-9 ,:;#@%/_-]|\\[./-]|\[[A-Za-z0-9 _.,/-]+\]|\{\d+(?:,\d*)?\}|[()|?*+])*\$"
)
_TYPES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
    list: "array",
    dict: "object",
}


class Reduction:
    """Leaves out what a profile doesn't take. lose: told the pointer and the keyword of it."""

    def __init__(self, profile: Profile, lose: Lose) -> None:
        self._profile = profile
        self._keywords: frozenset[str] = profile.keywords or frozenset()
        self._lose = lose
        self._enum_values = 0
        self._cyclic: frozenset[str] = frozenset()

    def reduced(self, root: Node) -> Node:
        """The schema as the endpoint takes it."""
        if self._profile.cycles_may_end:
            self._cyclic = _cyclic(root)
        return self._reduced(root, "")

    def _reduced(self, node: Node, pointer: str) -> Node:
        node = self._rewritten(node, pointer)
        kept = {key: value for key, value in node.items() if key in self._keywords}
        for keyword in [key for key in node if key not in kept and key not in _TELLING]:
            self._lose(pointer, keyword)
        for keyword in [key for key in kept if not self._takes(key, kept)]:
            self._lose(pointer, keyword)
            del kept[keyword]
        if "patternProperties" in node.keys() - kept.keys():
            self._open(kept, pointer)
        kept = map_schemas(kept, lambda sub, place: self._reduced(sub, f"{pointer}/{place}"))
        return self._possible(kept, node, pointer)

    def _open(self, node: Node, pointer: str) -> None:
        """Take any key. Engines close what has properties and doesn't say so."""
        if node.pop("additionalProperties", True) is not True:
            self._lose(pointer, "additionalProperties")
        if "properties" in node and "additionalProperties" in self._keywords:
            node["additionalProperties"] = True

    def _rewritten(self, node: Node, pointer: str) -> Node:
        """Say with the endpoint's keywords what others say, as far as that goes."""
        node = dict(node)
        if node.get("format") == DECIMAL and node.get("type") == "string":
            node |= {"pattern": DECIMAL_PATTERN}
            del node["format"]
        if isinstance(node.get("items"), bool):  # llama.cpp wants an object there
            few = len(node.get("prefixItems", ()))
            if node.pop("items") is False:
                node["maxItems"] = min(few, node.get("maxItems", few))
        if "oneOf" in node and "oneOf" not in self._keywords and "anyOf" not in node:
            node["anyOf"] = node.pop("oneOf")
            self._lose(pointer, "oneOf")
        if "const" in node and "const" not in self._keywords:
            node["enum"] = [node.pop("const")]
        if "prefixItems" in node and "prefixItems" not in self._keywords:
            self._lose(pointer, "prefixItems")
            held = node.pop("prefixItems")
            if node.get("maxItems", len(held) + 1) > len(held):
                held = [*held, node.get("items", {})]
            held = [sub for index, sub in enumerate(held) if sub not in held[:index]]
            node["items"] = held[0] if len(held) == 1 else {"anyOf": held}
        values = node.get("enum", [node["const"]] if "const" in node else None)
        if self._profile.closed and "type" not in node and values is not None:
            kinds = list(dict.fromkeys(_TYPES[type(value)] for value in values))
            node["type"] = kinds[0] if len(kinds) == 1 else kinds
        return node

    def _takes(self, keyword: str, node: Node) -> bool:
        """Whether the endpoint takes this keyword as it is used here."""
        profile, value = self._profile, node[keyword]
        if keyword == "format":
            return profile.formats is None or value in profile.formats
        if keyword == "pattern":
            return profile.patterns == "any" or _is_simple(str(value), profile.patterns)
        if keyword == "enum":
            return self._counts(value)
        if keyword in _NUMERIC and node.get("type") == "string":
            return False  # of a Decimal that is asked for as text
        if keyword in _NUMERIC and profile.number_keywords is not None:
            return keyword in profile.number_keywords or node.get("type") == "integer"
        return True

    def _counts(self, values: list[Any]) -> bool:
        """Whether there is room for one more enum."""
        limits = self._profile.limits
        within = self._enum_values + len(values) <= (limits.enum_values or len(values) + 10**9)
        if limits.long_enum is not None and len(values) > limits.long_enum:
            texts = sum(len(value) for value in values if isinstance(value, str))
            within = within and texts <= limits.long_enum_characters
        self._enum_values += len(values) if within else 0
        return within

    def _possible(self, node: Node, given: Node, pointer: str) -> Node:
        """Leave out branches and properties that nothing fits, and what must not be required."""
        for keyword in ("anyOf", "properties"):
            held = given.get(keyword)
            if isinstance(held, list) and NEVER in held:
                pairs = zip(node[keyword], held, strict=True)
                node[keyword] = [sub for sub, was in pairs if was != NEVER]
            elif isinstance(held, dict) and NEVER in held.values():
                node[keyword] = {k: sub for k, sub in node[keyword].items() if held[k] != NEVER}
        names = node.get("properties", {})
        if "required" in node and names:
            node["required"] = [
                name
                for name in node["required"]
                if name in names and not self._cyclic & set(_references(names[name]))
            ]
            for name in set(given["required"]) - set(node["required"]):
                self._lose(f"{pointer}/properties/{name}", "required")
        return node


def _is_simple(pattern: str, kind: str) -> bool:
    if kind == "linear":
        return _BACKTRACKING.search(pattern) is None
    if _PLAIN.fullmatch(pattern) is None or "(?" in pattern:
        return False
    depth = 0
    for character in pattern.replace(r"\(", "").replace(r"\)", ""):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "|" and depth == 0:
            return False  # each alternative has an end of its own
    return True


def _references(node: Node) -> Iterator[str]:
    if isinstance(node.get("$ref"), str):
        yield node["$ref"]
    for sub, _ in inner_schemas(node):
        yield from _references(sub)


def _cyclic(root: Node) -> frozenset[str]:
    """The references to definitions that lead back to themselves."""
    direct = {
        f"#/$defs/{name}": set(_references(node)) for name, node in root.get("$defs", {}).items()
    }
    found = set()
    for start, first in direct.items():
        seen: set[str] = set()
        stack = [*first]
        while stack:
            reference = stack.pop()
            if reference not in seen:
                seen.add(reference)
                stack.extend(direct.get(reference, ()))
        if start in seen:
            found.add(start)
    return frozenset(found)


# --- sizes -------------------------------------------------------------------------------------


def check_size(name: str, payload: Node, profile: Profile) -> None:
    """Refuse what is larger than the endpoint takes. Raises: SchemaError, which names the place."""
    limits = profile.limits
    if limits == type(limits)():
        return
    levels, deepest = _deepest(payload, payload, "", {})
    nodes = list(_all(payload))
    found = {
        "levels": levels,
        "properties": sum(len(node.get("properties", ())) for node in nodes),
        "characters": sum(map(_characters, nodes)),
    }
    for what, count in found.items():
        most = getattr(limits, what)
        if most is not None and count > most:
            place = f" (the deepest is at {clipped(deepest, 200)})" if what == "levels" else ""
            raise SchemaError(
                f"{name} has {count} {what}{place}; the profile {profile.name} takes {most}. "
                "Extract it in parts, each a target of its own, or use the profile full."
            )


def _all(node: Node) -> Iterator[Node]:
    yield node
    for sub, _ in inner_schemas(node):
        yield from _all(sub)


def _deepest(
    root: Node, node: Node, place: str, known: dict[str, tuple[int, str]]
) -> tuple[int, str]:
    """Levels of objects and lists inside one another, and where they end; a cycle counts once."""
    own = int(not {"object", "array"}.isdisjoint(types_of(node)))
    reference = node.get("$ref")
    found = [(0, place)]
    if isinstance(reference, str):
        if reference not in known:
            known[reference] = (0, place)
            target: Any = root
            for step in reference.split("/")[1:]:
                target = target[step]
            known[reference] = _deepest(root, target, place, known)
        found.append(known[reference])
    found += [
        _deepest(root, sub, f"{place}/{step}", known)
        for sub, step in inner_schemas(node)
        if not step.startswith("$defs/")
    ]
    levels, deepest = max(found)
    return own + levels, deepest


def _characters(node: Node) -> int:
    texts = [*node.get("properties", ()), *node.get("$defs", ()), *node.get("enum", ())]
    texts += [node["const"]] if "const" in node else []
    return sum(len(text if isinstance(text, str) else json.dumps(text)) for text in texts)
