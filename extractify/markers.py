"""What a target says of where its values come from: markers for `Annotated`, and what they come to.

They travel in the canonical schema under keys of their own, which no model is shown; a target that
is a JSON Schema may write those keys itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from extractify.checks import ANYTHING, FLAG, TEXT, Kind, check_option, many, pair
from extractify.errors import SchemaError
from extractify.messages import JsonValue, clipped
from extractify.nodes import MARKS, escaped, inside, leaves, map_schemas, resolve, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

    from extractify.nodes import Node

POLICY, QUOTE, ALIASES = MARKS
"""Where the markers stand in a canonical schema."""
QUOTED = "_quote"
"""Ends the name of the field that holds a quote."""


class Grounding(StrEnum):
    """Whether a value has to stand in the document; for a task, or a field by `Annotated`.

    required: a value that doesn't is a Problem. reported: it is reported as missing. inferred: it
    needn't stand there, such as a category. off: it isn't looked up.
    """

    required = "required"
    reported = "reported"
    inferred = "inferred"
    off = "off"

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler | None = None
    ) -> dict[str, Any]:
        """Note the policy in the schema."""
        if handler is None:  # pydantic found the class, and calls it without an instance
            raise SchemaError(
                "Annotated[…, Grounding] says no policy. Write Annotated[…, Grounding.required], "
                "or another of its members."
            )
        return {**handler(core), POLICY: self.value}


class Quote:
    """Ask for the sentence of the document that says a field's value: `Annotated[str, Quote]`.

    It is taken out of the value again, looked up in the document, and tells which of several places
    is meant.
    """

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Note in the schema that the field wants a quote."""
        return {**handler(core), QUOTE: True}


@dataclass(frozen=True, slots=True)
class Aliases:
    """Other words that a document has for a field's values: `Aliases({"full-time": ["Vollzeit"]})`.

    words: by value, as it stands in JSON.
    """

    words: Mapping[Any, Sequence[str]]

    def __post_init__(self) -> None:
        """Refuse what isn't lists of words."""
        check_option("Aliases(…)", self.words, _ALIASES)

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler | None = None
    ) -> dict[str, Any]:
        """Note the words in the schema. Raises: SchemaError for no value of the field."""
        if handler is None:  # pydantic found the class, and calls it without an instance
            raise SchemaError(f"Annotated[…, Aliases] says no words. Pass {_ALIASES.words}.")
        pairs = [
            [getattr(value, "value", value), list(words)] for value, words in self.words.items()
        ]
        node = handler(core)
        plain = handler.resolve_ref_schema(node)
        known = plain.get("enum", [plain["const"]] if "const" in plain else None)
        for value, _ in pairs:
            if known is not None and value not in known:
                raise SchemaError(
                    f"Aliases has words for {clipped(repr(value))}, which the field can't be. It "
                    f"can be: {clipped(', '.join(map(repr, known)), 200)}."
                )
        return {**node, ALIASES: pairs}


@dataclass(frozen=True, slots=True)
class Mark:
    """What a schema says of one leaf. words: of its name and its description, for its label."""

    policy: Grounding | None = None
    quote: bool = False
    aliases: tuple[tuple[JsonValue, tuple[str, ...]], ...] = ()
    words: tuple[str, ...] = ()

    def other_words(self, leaf: JsonValue) -> tuple[str, ...]:
        """The declared aliases of a value."""
        return tuple(
            word
            for value, words in self.aliases
            if type(value) is type(leaf) and value == leaf
            for word in words
        )


def check_marks(node: Node) -> Node:
    """Look at the markers of a schema and those inside it. Raises: SchemaError for a wrong one."""
    for key, (words, is_right) in _MARKERS.items():
        if key in node and not is_right(node[key]):
            wrong = clipped(repr(node[key]))
            raise SchemaError(f'"{key}" in the schema can\'t be {wrong}. {words}.')
    return map_schemas(node, lambda sub, _: check_marks(sub))


class Marks:
    """The markers of a canonical schema, by JSON pointer into a value."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self.has_quotes = _says(root, QUOTE, values=(True,))
        self.requires = _says(root, POLICY, values=(Grounding.required.value,))
        self._known: dict[tuple[str, ...], tuple[list[Node], Mark]] = {}

    def at(self, pointer: str) -> Mark:
        """What is said of the leaf there: the innermost policy on the way holds."""
        return self._down(tuple(steps(pointer)))[1]

    def quotes(self, data: JsonValue) -> dict[str, tuple[str, JsonValue]]:
        """The quotes in an answer as it came: by the pointer of the field, each with its own."""
        return {
            field: (pointer, said)
            for pointer, said in (leaves(data) if self.has_quotes else ())
            for field in [pointer.removesuffix(QUOTED)]
            if field != pointer
            and self.at(field).quote
            and not self._down(tuple(steps(pointer)))[0]
        }

    def _down(self, way: tuple[str, ...]) -> tuple[list[Node], Mark]:
        # Items of a list are alike: one entry serves them all.
        key = tuple("0" if step.isdecimal() and len(step) > 1 else step for step in way)
        if key not in self._known:
            if way:
                nodes, above = self._down(way[:-1])
                nodes = [sub for node in nodes for sub in inside(node, way[-1])]
            else:
                nodes, above = [self._root], Mark()
            opened = [each for node in nodes for each in _opened(self._root, node)]
            self._known[key] = opened, _mark(way, opened, above)
        return self._known[key]


def _mark(way: tuple[str, ...], nodes: Sequence[Node], above: Mark) -> Mark:
    policies = [node[POLICY] for node in nodes if node.get(POLICY) in list(Grounding)]
    aliases = [pair for node in nodes for pair in node.get(ALIASES, ())]
    told = next((str(node["description"]) for node in nodes if "description" in node), "")
    name = way[-1] if way else ""
    is_item = name.isdecimal()
    return Mark(
        Grounding(policies[0]) if policies else above.policy,
        any(node.get(QUOTE) is True for node in nodes),
        tuple((value, tuple(words)) for value, words in aliases),
        above.words if is_item else tuple(dict.fromkeys([*label_words(name), *label_words(told)])),
    )


def with_quotes(root: Node, properties: Mapping[str, Node], asked: Node) -> Node:
    """The properties to ask for, and behind each that wants a quote one for the quote."""
    result: Node = {}
    for name, node in asked.items():
        result[name] = node
        wants = any(each.get(QUOTE) is True for each in _opened(root, properties[name]))
        if wants and name + QUOTED not in properties:
            told = f"the sentence of the document that says {name}, word for word"
            result[name + QUOTED] = {
                "description": told,
                "anyOf": [{"type": "string"}, {"type": "null"}],
            }
    return result


def without_quotes(marks: Marks, data: JsonValue) -> JsonValue:
    """An answer without the quotes that were asked for beside its values."""
    pointers = {pointer for pointer, _ in marks.quotes(data).values()}
    return _without(data, pointers, "") if pointers else data


def _without(data: JsonValue, pointers: set[str], here: str) -> JsonValue:
    if isinstance(data, list):
        return [_without(held, pointers, f"{here}/{index}") for index, held in enumerate(data)]
    if not isinstance(data, dict):
        return data
    places = {key: f"{here}/{escaped(key)}" for key in data}
    return {
        key: _without(held, pointers, places[key])
        for key, held in data.items()
        if places[key] not in pointers
    }


def _says(node: Node, key: str, values: Sequence[object]) -> bool:
    """Whether a schema or one inside it has a marker of one of these values."""
    found = node.get(key) in values

    def visit(sub: Node, _place: str) -> Node:
        nonlocal found
        found = found or _says(sub, key, values)
        return sub

    map_schemas(node, visit)
    return found


def label_words(text: str) -> list[str]:
    """The words of a name or a description that may label its value in a document."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_+", " ", text[:_MOST_TOLD])
    return [word for word in re.findall(r"[^\W\d_]{2,}", parted.casefold()) if word not in _IDLE]


def _opened(root: Node, node: Node) -> Iterator[Node]:
    """Yield a schema and all that hold in its place: references followed, unions opened."""
    seen: set[str] = set()
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        reference = node.get("$ref")
        if isinstance(reference, str) and reference not in seen:
            seen.add(reference)
            stack.append(resolve(root, reference))
        for keyword in ("anyOf", "oneOf", "allOf"):
            stack.extend(reversed(node.get(keyword, ())))


_WORDS = many(TEXT, "")
_ALIASES = Kind(
    "a list of words for each value, as in Aliases({'full-time': ['Vollzeit']})",
    lambda words: isinstance(words, Mapping) and all(map(_WORDS.takes, words.values())),
)
_PAIRS = many(pair(ANYTHING, _WORDS), "")
_MARKERS: dict[str, Kind] = {
    POLICY: Kind(f"Write {', '.join(Grounding)}", lambda value: value in list(Grounding)),
    QUOTE: Kind("Write true or false", FLAG.takes),
    ALIASES: Kind("Write pairs of a value and its words, as in [[1, ['one']]]", _PAIRS.takes),
}
_MOST_TOLD = 300
_IDLE_WORDS = """\
the and for with its of in on at to is an as by or if be not from that this it are was \
value field string number text"""
_IDLE = frozenset(_IDLE_WORDS.split())
