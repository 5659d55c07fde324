"""What reading costs, by the size of the answer: tables of `reading.py`."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import baml
from growth import growth
from measured import Cell, Chart, Promise, Table, side_by_side
from pydantic import BaseModel, TypeAdapter

import extractify
from extractify.quoting import MAX_MENDS
from extractify.reading import read_answer
from extractify.schema import compile_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROUNDS = 9
SIZES = (10, 30, 100, 300, 1000)  # kilobytes
PATIENCE = 8.0  # CPU seconds: what would take longer is left out
WORDS = "Steel bolt, 12 mm, zinc plated"


class Line(BaseModel):
    text: str
    quantity: int
    price: float
    sku: str | None


class Invoice(BaseModel):
    number: str
    total: float
    lines: list[Line]


class Note(BaseModel):
    text: str
    quantity: int = 1
    price: float
    sku: str | None = None


class Notes(BaseModel):
    number: str
    total: float = 0
    lines: list[Note]


class Value(BaseModel):
    value: list[int]


SHAPES: tuple[tuple[str, type[BaseModel], str], ...] = (
    ("all keys required", Invoice, WORDS),
    ("optional keys", Notes, WORDS),
    ("colons in the text", Invoice, "Steel bolt: 12 mm, zinc plated"),
)


def value(lines: int, words: str = WORDS) -> dict[str, Any]:
    each = {"text": words, "quantity": 12, "price": 1234.5, "sku": "A-17"}
    return {"number": "2024-17", "total": 12.5, "lines": [each] * lines}


def valid(size: int) -> str:
    """A valid answer of about `size` kilobytes."""
    return json.dumps(value(size * 11))


def malformed(size: int) -> str:
    """The same in a fence behind prose, with single quotes and trailing commas."""
    spoiled = repr(value(size * 11)).replace("}, {", ",}, {").replace("}]}", ",},]}")
    return f"Here is the invoice you asked for:\n```json\n{spoiled}\n```\n"


def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError
    return members


def standard(*, quick: bool) -> tuple[Table, Promise]:
    """The standard case, valid JSON, beside pydantic alone."""
    rows: list[tuple[Cell, ...]] = []
    worst = 0.0
    for name, target, words in SHAPES:
        adapter, schema = TypeAdapter(target), compile_schema(target)
        for lines in (1000,) if quick else (1, 100, 1000):
            text = json.dumps(value(lines, words))
            ways = {
                "validate_json": lambda: adapter.validate_json(text),  # noqa: B023  (called at once)
                "ours": lambda: read_answer(text, schema).value,  # noqa: B023
                "hook": lambda: adapter.validate_python(  # noqa: B023
                    json.loads(text, object_pairs_hook=once)  # noqa: B023
                ),
            }
            times = max(1, 20_000 // len(text))
            costs = side_by_side(_repeated(ways, times), ROUNDS, units=times)
            plain = costs["validate_json"].cpu
            ratio = costs["ours"].cpu / plain
            rows.append((name, len(text), plain, ratio, costs["hook"].cpu / plain))
            worst = max(worst, ratio * (lines == 1000))  # noqa: PLR2004
    columns = ("answer", "characters", "validate_json, ms", "extractify, times", "a hook, times")
    table = Table(
        title="Valid JSON, beside pydantic's validate_json",
        columns=columns,
        rows=tuple(rows),
        note="extractify also sees keys that are given twice or unknown, and digits that would be "
        "lost. The hook is the other way to see a key given twice: `json.loads` with one on every "
        "object, then `validate_python`.",
    )
    what = "reading valid JSON of 100 kB, times pydantic's validate_json"
    return table, Promise(what=what, measured=worst, bound=1.3, wide=1.6)


def _repeated(
    ways: Mapping[str, Callable[[], object]], times: int
) -> dict[str, Callable[[], object]]:
    def again(way: Callable[[], object]) -> Callable[[], object]:
        return lambda: [way() for _ in range(times)]

    return {name: again(way) for name, way in ways.items()}


def ours(text: str) -> Invoice:
    reading = extractify.read(text, Invoice)
    if not reading.ok:
        raise ValueError(reading.problems)
    return reading.value


def readers() -> dict[str, Callable[[str], object]]:
    """What reads an Invoice, as plain data; an exception where it can't."""
    adapter = TypeAdapter(Invoice)
    found: dict[str, Callable[[str], object]] = {
        "extractify": ours,
        "pydantic": adapter.validate_json,
    }
    if find_spec("json_repair"):
        import json_repair

        found["json_repair"] = lambda text: adapter.validate_python(json_repair.loads(text))
    if find_spec("baml_py"):
        schema = _untitled(compile_schema(Invoice).asked)
        found["baml-py"] = lambda text: adapter.validate_python(baml.parsed(text, schema)[1])
    return found


def _untitled(schema: Any) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(schema, dict):
        return {key: _untitled(each) for key, each in schema.items() if key in baml.SAID} | {
            name: {key: _untitled(each) for key, each in schema[name].items()}
            for name in ("properties", "$defs")
            if name in schema
        }
    return [_untitled(each) for each in schema] if isinstance(schema, list) else schema


def by_size(kind: str, text: Callable[[int], str]) -> Table:
    """CPU of all readers that get the value out of a text."""
    expected = Invoice.model_validate(value(SIZES[0] * 11))
    found = {}
    for name, read in readers().items():
        try:
            is_read = read(text(SIZES[0])) == expected
        except ValueError:
            is_read = False
        if is_read:
            found[name] = growth(read, text, SIZES, patience=PATIENCE)
    return Table(
        title=f"CPU of reading {kind} answers",
        columns=("kB", *found),
        rows=tuple(
            (size, *(each.seconds[place] for each in found.values()))
            for place, size in enumerate(SIZES)
        ),
        note="Seconds of CPU; who isn't there doesn't read any, and a dash is for one that isn't "
        f"read, or not in {PATIENCE:.0f} s. extractify gives up behind {MAX_MENDS:,} mends. "
        "pydantic is what instructor and pydantic-ai read with; json_repair's and baml-py's data "
        "are validated by it.",
        chart=Chart(f"reading-{kind}", "lines", tuple(found), "seconds of CPU", logarithmic=True),
    )


HARD: dict[str, Callable[[int], str]] = {
    "open brackets": lambda size: "[" * size * 1000,
    "objects in a row": lambda size: '{"value":1}' * (size * 1000 // 11),
    "open string, k: v": lambda size: '{"a": "' + "k: v " * (size * 200),
    "objects that differ": lambda size: "".join(f'{{"value":{n}}}' for n in range(size * 60)),
    "fences": lambda size: "```json\n{}\n```\n" * (size * 66),
    "single quotes": lambda size: "{'value': [" + "'a'," * (size * 250) + "]}",
    "a table": lambda size: json.dumps(
        {"rows": [{"a": n, "b": "text", "c": n / 2} for n in range(size * 27)]}
    ),
    "calls": lambda size: (
        '<invoke name="x"><parameter name="value">[1]</parameter></invoke>' * (size * 15)
    ),
}
"""What readers find hard, by kilobytes."""


def hard(*, quick: bool) -> tuple[Table, Promise]:
    """What is hard to read, and how it grows."""
    sizes, rounds = ((60, 250), 2) if quick else ((60, 250, 1000), ROUNDS)
    found = {
        name: growth(lambda text: extractify.read(text, Value), text, sizes, rounds=rounds)
        for name, text in HARD.items()
    }
    table = Table(
        title="What is hard to read",
        columns=("text", *(f"{size} kB" for size in sizes), "exponent"),
        rows=tuple((name, *each.seconds, each.exponent) for name, each in found.items()),
        note="Seconds of CPU of extractify, and the slope over the size as logarithms: 1 is "
        "linear. It is less where something is given up behind a bound.",
    )
    worst = max(each.exponent or 0.0 for each in found.values())
    what = "growth of CPU with the size of the worst hard text"
    return table, Promise(what=what, measured=worst, bound=1.2, wide=1.4)
