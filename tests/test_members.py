"""extractify.members: how many members the objects of a value had in its JSON, at least."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    TypeAdapter,
    model_validator,
)
from pydantic_core import ValidationError
from typing_extensions import TypedDict

from extractify.members import counter, enveloped, finite, mentions
from extractify.reading import read_answer
from extractify.schema import compile_schema


class Line(BaseModel):
    text: str
    price: float


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    line: Line


class Node(BaseModel):
    label: str
    children: list[Node] = []


class Lines(RootModel[list[Line]]):
    pass


class Typed(TypedDict, total=False):
    name: str
    line: Line


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str


class Order(BaseModel):
    id: int
    lines: list[Line]
    first: Line | None
    pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]] = []
    either: Cat | list[Line] | None = None
    by_key: dict[str, Line] = {}
    names: dict[str, int] = {}
    free: Any = None
    noted: Annotated[int, AfterValidator(abs)] = 0
    default: Line = Line(text="none", price=0.0)


class Checked(BaseModel):
    one: int
    two: int = 0

    @model_validator(mode="after")
    def filled(self) -> Checked:
        self.two = 2
        return self


class Filled(BaseModel):
    one: int
    two: int = 0

    @model_validator(mode="before")
    @classmethod
    def fill(cls, data: dict[str, int]) -> dict[str, int]:
        return {"two": 2, **data}


class Own(BaseModel):
    one: int
    lines: list[Line] = []

    def model_post_init(self, _context: object) -> None:
        self.lines.append(Line(text="more", price=0.0))


@dataclass
class Plain:
    name: str


LINE = '{"text": "a", "price": 1.5}'
PETS = f'[{{"kind": "cat"}}, {{"kind": "dog", "line": {LINE}}}]'
EXACT = [
    (Line, LINE),
    (list[Line], f"[{LINE}, {LINE}]"),
    (Lines, f"[{LINE}]"),
    (Node, '{"label": "a", "children": [{"label": "b", "children": [{"label": "c"}]}]}'),
    (list[Node], '[{"label": "a"}, {"label": "b", "children": []}]'),
    (Typed, '{"name": "a"}'),
    (Typed, f'{{"line": {LINE}}}'),
    (dict[str, Line], f'{{"a": {LINE}, "b": {LINE}}}'),
    (dict[str, Any], '{"a": {"b": [{"c": 1}, 2]}}'),
    (Open, '{"name": "a", "other": 1}'),
    (Order, f'{{"id": 1, "lines": [{LINE}, {LINE}], "first": null}}'),
    (Order, f'{{"id": 1, "lines": [], "first": {LINE}, "by_key": {{"a": {LINE}}}}}'),
    (
        Order,
        f'{{"id": 1, "lines": [], "first": null, "pets": {PETS}, "names": {{"a": 1}}, "noted": 5}}',
    ),
    (Order, '{"id": 1, "lines": [], "first": null, "either": {"kind": "cat"}}'),
    (Order, f'{{"id": 1, "lines": [], "first": null, "either": [{LINE}]}}'),
    (Order, '{"id": 1, "lines": [], "first": null, "free": {"a": [{"b": 1}]}}'),
]


def keys(data: Any) -> int:
    if isinstance(data, dict):
        return len(data) + sum(map(keys, data.values()))
    return sum(map(keys, data)) if isinstance(data, list) else 0


@pytest.mark.parametrize(("target", "text"), EXACT)
def test_the_keys_of_a_value_are_counted(target: Any, text: str) -> None:
    adapter = TypeAdapter(target)
    value = adapter.validate_json(text, strict=True)
    assert counter(adapter.core_schema)(value) == keys(json.loads(text))
    validator = finite(enveloped(adapter.core_schema, "result"))
    assert validator.validate_json(f'{{"result": {text}}}') == {"result": value}


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (Checked, '{"one": 1}'),
        (Filled, '{"one": 1}'),
        (Own, '{"one": 1}'),
        (Plain, '{"name": "a"}'),
        (tuple[Line, int], f"[{LINE}, 1]"),
        (Line | dict[str, int], LINE),
        (dict[str, int] | dict[str, Line], '{"a": 1}'),
        (int, "1"),
        (set[int], "[1]"),
    ],
)
def test_never_too_many_are_counted(target: Any, text: str) -> None:
    adapter = TypeAdapter(target)
    value = adapter.validate_json(text)
    assert counter(adapter.core_schema)(value) <= keys(json.loads(text))
    assert read_answer(text, compile_schema(target)).value == value


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400])
def test_a_number_that_is_none_is_refused_at_any_depth(number: str) -> None:
    validator = finite(TypeAdapter(Order).core_schema)
    line = f'{{"text": "a", "price": {number}}}'
    with pytest.raises(ValidationError):
        validator.validate_json(f'{{"id": 1, "lines": [{line}], "first": null}}')


def test_what_a_core_schema_mentions_is_found_at_any_depth() -> None:
    core = TypeAdapter(Order).core_schema
    assert mentions(core, "type", "float")
    assert not mentions(core, "type", "decimal")


# --- what the count is for -------------------------------------------------------------------


@pytest.mark.parametrize(("target", "text"), EXACT)
@pytest.mark.parametrize(
    "separators", [(",", ":"), (", ", ": "), (",\n", " : "), (",\n\t", "\t: ")]
)
def test_a_key_given_twice_is_a_conflict_also_in_valid_json(
    target: Any, text: str, separators: tuple[str, str]
) -> None:
    schema = compile_schema(target)
    written = json.dumps(json.loads(text), separators=separators)
    assert read_answer(written, schema).ok
    twice = 0
    for at, character in enumerate(written):
        if character == "{":
            end = written.index('"', at + 2) + 1
            key = written[at + 1 : end]
            for colon in (":", " :", "\n:"):
                damaged = f"{written[: at + 1]}{key}{colon}[7,7],{written[at + 1 :]}"
                reading = read_answer(damaged, schema)
                assert [problem.kind for problem in reading.problems] == ["conflict"]
                twice += 1
    assert twice


def test_a_text_with_colons_in_it_is_read_as_it_is() -> None:
    for words in ("at 12:30", 'a ":" b', "https://a.b", "oui : non", '\\":'):
        text = json.dumps({"text": words, "price": 1.0})
        assert read_answer(text, compile_schema(Line)).value == Line(text=words, price=1.0)
