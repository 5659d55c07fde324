"""What the notation allows, the schema allows: values made from the text alone are valid."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from pydantic import BaseModel

from extractify.lowering import lower
from extractify.notation import notation
from extractify.profiles import FULL, OPENAI_STRICT
from extractify.schema import compile_schema
from extractify.shapes import raised
from extractify.validation import validate
from tests.corpus import (
    Box,
    Cat,
    Colour,
    Dog,
    Invoice,
    Man,
    Mixed,
    Nested,
    Optionals,
    Pets,
    Place,
    Point,
    Receipt,
    Shape,
    Times,
    Tree,
)

_TOKEN = re.compile(r'//[^\n]*|"(?:\\.|[^"\\])*"|-?\d+(?:\.\d+)?|\w+|\[\]|[{}()\[\]|&:,=]')
_TEXTS = {
    "YYYY-MM-DD": "2026-11-22",
    "YYYY-MM-DDThh:mm:ss": "2026-11-22T10:00:00",
    "hh:mm:ss": "10:00:00",
    "ISO 8601 duration": "PT1H",
}


class Maker:
    """Reads a notation, and makes a value that it allows."""

    def __init__(self, text: str, draw: random.Random) -> None:
        self.draw = draw
        self.named: dict[str, int] = {}
        self.tokens: list[str] = _TOKEN.findall(text)
        self.at = 0
        self.depth = self.made = 0
        while self.tokens[self.at] == "type":
            self.named[self.tokens[self.at + 1]] = self.at + 3
            self.at += 3
            self.union()
            self.comment()

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def comment(self) -> str:
        return self.take()[2:].strip() if self.peek().startswith("//") else ""

    def union(self) -> Any:
        made = [self.postfix()]
        while self.peek() == "|":
            self.take()
            made.append(self.postfix())
        if None in made and self.depth > 8:
            return None
        return self.draw.choice(made)

    def postfix(self) -> Any:
        start = self.at
        value = self.primary()
        while self.peek() == "[]":
            self.take()
            end = self.at
            again = []
            for _ in range(self.draw.randint(0, 2) if self.depth < 6 else 0):
                self.at = start
                again.append(self.primary())
            self.at, value = end, again
        return value

    def primary(self) -> Any:
        token = self.take()
        self.made += 1  # no two texts are the same: keys in pairs mustn't be
        if token == "{":
            return self.object()
        if token == "[":
            parts = []
            while self.peek() != "]":
                parts.append(self.union())
                if self.peek() == ",":
                    self.take()
            self.take()
            return parts
        if token == "(":
            value = self.union()
            self.take()
            return value
        if token in self.named:
            return self.reference(token)
        leaves: dict[str, Any] = {
            "string": Text(f"x{self.made}"), "integer": 3, "number": 1.5, "boolean": True,
            "null": None, "any": [1],
        }  # fmt: skip
        return leaves[token] if token in leaves else json.loads(token)

    def reference(self, name: str) -> Any:
        if self.depth > 8:
            return None
        back, self.at = self.at, self.named[name]
        self.depth += 1
        value = self.union()
        self.depth -= 1
        self.at = back
        return value

    def object(self) -> dict[str, Any]:
        made: dict[str, Any] = {}
        self.depth += 1
        while self.peek() != "}":
            if self.peek() == "[":
                while self.take() != "]":
                    pass
                key: Any = "k"
            else:
                token = self.take()
                key = json.loads(token) if token.startswith('"') else token
            self.take()
            value = self.union()
            notes = self.comment()
            made[key] = dated(value, notes)
        self.take()
        self.depth -= 1
        return made


class Text(str):
    """A string that nothing more is known of."""

    __slots__ = ()


def dated(value: Any, notes: str) -> Any:
    """A string in the format that the comment names."""
    known = next((text for mark, text in _TEXTS.items() if mark in notes.split("; ")), None)
    return known if isinstance(value, Text) and known else value


TARGETS: list[Any] = [
    Nested, Tree, Man, Box[int], Optionals, Pets, Place, Point, Shape, Times, Invoice, Colour,
    Mixed, list[Tree], dict[str, Point], Cat | Dog, Invoice | Receipt | None, tuple[int, str],
    list[int | None],
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("profile", [FULL, OPENAI_STRICT], ids=lambda profile: profile.name)
def test_what_the_notation_allows_the_schema_allows(target: Any, profile: Any) -> None:
    schema = compile_schema(target)
    text = notation(schema, shape=lower(schema, profile).shape)
    for seed in range(20):
        made = Maker(text, random.Random(seed)).union()
        data = raised(schema, profile, json.loads(json.dumps(made)))
        verdict = validate(schema, data)
        assert not verdict.problems, (text, data, verdict.problems)


def test_a_target_without_types_is_any() -> None:
    class Empty(BaseModel):
        pass

    assert Maker(notation(compile_schema(Any)), random.Random(1)).union() == [1]
    assert Maker(notation(compile_schema(Empty)), random.Random(1)).union() is not None
