"""Keys in another spelling: `Line-Items` or `lineItems` where the target declares `line_items`.

And containers in another one: JSON in a string, where the target has no place for a string.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from extractify.hazards import is_strict
from extractify.messages import Fix, JsonValue, Problem, clipped
from extractify.nodes import Node, escaped, kinds, plain, under
from extractify.parsing import encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractify.schema import Schema

_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s_\-]+(?=\d)")
_BETWEEN_WORDS = re.compile(r"(?<=[^\W_])[\s_\-]+(?=[^\W_])")
MOST_DECODED = 1000
"""The most fixes of one answer before which a container in a string is still decoded."""
_CONFLICT = "expected one value; two spellings of the key are given, with different ones"


@dataclass(frozen=True, slots=True)
class Respelled:
    """Data with the keys that the target declares. conflicts: keys given twice, once otherwise."""

    data: JsonValue
    fixes: tuple[Fix, ...]
    conflicts: tuple[Problem, ...]


def respelled(schema: Schema[Any], data: JsonValue) -> Respelled:
    """Rename each key that is a declared one but for its case and what stands between its words.

    Only where one declared key can be meant, and never in an object of free keys. A container that
    was encoded twice is decoded on the way.
    """
    speller = _Speller(schema.canonical, schema.adapter is None, not is_strict(schema))
    spelled = speller.spell([schema.canonical], data, "")
    return Respelled(spelled, tuple(speller.fixes), tuple(speller.conflicts))


@dataclass(slots=True)
class _Speller:
    """One walk. keeps_others: whether keys that aren't declared are part of the value.

    decodes: whether JSON in a string may stand for what it holds.
    """

    canonical: Node
    keeps_others: bool
    decodes: bool
    fixes: list[Fix] = field(default_factory=list)
    conflicts: list[Problem] = field(default_factory=list)

    def spell(self, nodes: list[Node], data: JsonValue, pointer: str) -> JsonValue:
        here = plain(self.canonical, nodes)
        if isinstance(data, str) and pointer:  # the whole is a form of its own, and may be no value
            data = self._decoded(here, data, pointer)
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
        in_text = isinstance(data, str) and data.lstrip().startswith(("{", "["))
        holds = in_text or (isinstance(data, dict | list) and bool(data))
        return self.spell(under(here, step), data, pointer) if holds else data

    def _decoded(self, here: list[Node], text: str, pointer: str) -> JsonValue:
        """The container that a string holds, where one of its kind is wanted and no string."""
        wanted = kinds(here)
        if not self.decodes or not wanted or not wanted <= {"object", "array", "null"}:
            return text
        data = encoded(text) if len(self.fixes) < MOST_DECODED else None
        if data is None or ("object" if isinstance(data, dict) else "array") not in wanted:
            return text
        self.fixes.append(Fix(pointer, "coerced", clipped(text)))
        return data

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
