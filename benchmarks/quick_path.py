"""What reading valid JSON costs, against pydantic's `validate_json` on the same text.

CPU seconds, median of rounds taken in turns. The reader does more: it sees keys that are given
twice or unknown, numbers that are none, and digits that would be lost. Beside them stands the other
way to see keys given twice: `json.loads` with a hook on every object, then `validate_python`.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import TYPE_CHECKING

from pydantic import BaseModel, TypeAdapter

from extractify.reading import read_answer
from extractify.schema import compile_schema

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 15
SIZES = (1, 10, 100, 1000, 5000)


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


def written(lines: int, words: str) -> str:
    each = {"text": words, "quantity": 12, "price": 1234.5, "sku": "A-17"}
    return json.dumps({"number": "2024-17", "total": 12.5, "lines": [each] * lines})


def seconds(call: Callable[[], object], times: int) -> float:
    started = time.process_time()
    for _ in range(times):
        call()
    return time.process_time() - started


def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError
    return members


def costs(target: type[BaseModel], text: str) -> list[float]:
    """Seconds of each way: `validate_json`, ours, a hook on every object."""
    adapter, schema = TypeAdapter(target), compile_schema(target)
    ways = (
        lambda: adapter.validate_json(text),
        lambda: read_answer(text, schema).value,
        lambda: adapter.validate_python(json.loads(text, object_pairs_hook=once)),
    )
    first, *others = (way() for way in ways)
    assert all(other == first for other in others)  # noqa: S101
    times = max(3, 60_000 // len(text))
    rounds = [[seconds(way, times) / times for way in ways] for _ in range(ROUNDS)]
    return [statistics.median(way) for way in zip(*rounds, strict=True)]


def main() -> int:
    for name, target, words in (
        ("all keys required", Invoice, "Steel bolt, 12 mm, zinc plated"),
        ("optional keys", Notes, "Steel bolt, 12 mm, zinc plated"),
        ("colons in the text", Invoice, "Steel bolt: 12 mm, zinc plated"),
    ):
        print(f"  {name}")
        for lines in SIZES:
            text = written(lines, words)
            plain, *others = costs(target, text)
            told = [f"{each * 1e6:9.1f} us, {each / plain:5.2f} times" for each in others]
            start = f"    {len(text):8,} characters: validate_json {plain * 1e6:9.1f} us"
            print(f"{start}; read {told[0]}; with a hook {told[1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
