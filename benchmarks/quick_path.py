"""What reading valid JSON costs, against pydantic's `validate_json` on the same text.

CPU seconds, median of rounds taken in turns. The reader does more: it sees keys that are given
twice or unknown, numbers that are none, and digits that would be lost.
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


def ratio(target: type[BaseModel], text: str) -> tuple[float, float]:
    adapter, schema = TypeAdapter(target), compile_schema(target)
    assert read_answer(text, schema).value == adapter.validate_json(text)  # noqa: S101
    times = max(3, 60_000 // len(text))
    plain, ours = [], []
    for _ in range(ROUNDS):
        plain.append(seconds(lambda: adapter.validate_json(text), times))
        ours.append(seconds(lambda: read_answer(text, schema), times))
    return statistics.median(plain) / times, statistics.median(ours) / times


def main() -> int:
    for name, target, words in (
        ("all keys required", Invoice, "Steel bolt, 12 mm, zinc plated"),
        ("optional keys", Notes, "Steel bolt, 12 mm, zinc plated"),
        ("colons in the text", Invoice, "Steel bolt: 12 mm, zinc plated"),
    ):
        print(f"  {name}")
        for lines in SIZES:
            text = written(lines, words)
            plain, ours = ratio(target, text)
            told = f"{plain * 1e6:9.1f} us, read {ours * 1e6:9.1f} us, {ours / plain:5.2f} times"
            print(f"    {len(text):8,} characters: validate_json {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
