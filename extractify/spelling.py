"""Keys in another spelling: `Line-Items` or `lineItems` where the target declares `line_items`."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from extractify.messages import Fix, JsonValue, Problem, clipped
from extractify.nodes import Node, escaped, kinds, plain, under

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractify.schema import Schema

_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s_\-]+(?=\d)")
_BETWEEN_WORDS = re.compile(r"(?<=[^\W_])[\s_\-]+(?=[^\W_])")
_CONFLICT = "expected one value; two spellings of the key are given, with different ones"


@dataclass(frozen=True, slots=True)
class Respelled:
    """Data with the keys that the target declares. conflicts: keys given twice, once otherwise."""

    data: JsonValue
    fixes: tuple[Fix, ...]
    conflicts: tuple[Problem, ...]


def respelled(schema: Schema[Any], data: JsonValue) -> Respelled:
    """Rename each key that is a declared one but for its case and what stands between its words.

    Only where one declared key can be meant, and never in an object of free keys.
    """
    speller = _Speller(schema.canonical, keeps_others=schema.adapter is None)
    spelled = speller.spell([schema.canonical], data, "")
    return Respelled(spelled, tuple(speller.fixes), tuple(speller.conflicts))


@dataclass(slots=True)
class _Speller:
    """One walk. keeps_others: whether keys that aren't declared are part of the value."""

    canonical: Node
    keeps_others: bool
    fixes: list[Fix] = field(default_factory=list)
    conflicts: list[Problem] = field(default_factory=list)

    def spell(self, nodes: list[Node], data: JsonValue, pointer: str) -> JsonValue:
        here = plain(self.canonical, nodes)
        if isinstance(data, list):
            return [
                self._inner(here, index, item, f"{pointer}/{index}")
                for index, item in enumerate(data)
            ]
        if not isinstance(data, dict) or not here:
            return data
        names = self._names(here, data, pointer)
        kept = [(names.get(key, key), value) for key, value in data.items()]
        return {
            key: self._inner(here, key, value, f"{pointer}/{escaped(key)}")
            for key, value in kept
            if key is not None
        }

    def _inner(self, here: list[Node], step: str | int, data: JsonValue, pointer: str) -> JsonValue:
        holds = isinstance(data, dict | list) and bool(data)
        return self.spell(under(here, step), data, pointer) if holds else data

    def _names(
        self, here: Sequence[Node], data: dict[str, JsonValue], pointer: str
    ) -> dict[str, Any]:
        """What each key that isn't declared is renamed to; None drops one that says the same."""
        objects = [node for node in here if not kinds([node]).isdisjoint({"object", None})]
        declared = {key for node in objects for key in node.get("properties", ())}
        unknown = [key for key in data if key not in declared]
        if not unknown or not declared or any(map(_is_free, objects)):
            return {}
        counts = Counter(map(folded, declared))
        meant = {folded(key): key for key in declared if counts[folded(key)] == 1}
        names: dict[str, Any] = {}
        given = {key: data[key] for key in data if key in declared}
        for key in unknown:
            name = meant.get(folded(key))
            if name is None:
                continue
            place = f"{pointer}/{escaped(name)}"
            if name not in given:
                given[name], names[key] = data[key], name
                self.fixes.append(Fix(place, "key", clipped(key)))
            elif _same(given[name], data[key]):
                names[key] = None
                self.fixes.append(Fix(place, "key", clipped(key)))
            elif not self.keeps_others or not _is_open(objects):
                self.conflicts.append(Problem(place, "conflict", _CONFLICT, clipped(key)))
        return names


def folded(key: str) -> str:
    """A key without its case and what stands between its words: `_id` isn't `id`, 1_2 not 12."""
    return _BETWEEN_WORDS.sub("", _BETWEEN_DIGITS.sub(".", key.strip())).casefold()


def _is_free(node: Node) -> bool:
    """Whether an object takes keys that it doesn't declare, and means them."""
    return bool(node.get("additionalProperties", False)) or "patternProperties" in node


def _is_open(objects: Sequence[Node]) -> bool:
    return any(node.get("additionalProperties", True) is not False for node in objects)


def _same(one: JsonValue, other: JsonValue) -> bool:
    return type(one) is type(other) and one == other
