"""What it costs to read an answer while it arrives: CPU for 100 KB in deltas of four characters.

Parse, make a Partial for each delta, look at its value, and validate each line item as it closes.
Beside it, for scale: json.loads of the same text, and a bare state machine in Python that only
finds strings and depth, character by character. Partial parsers that start again with each delta
are measured on a part of the text, and their growth with it: jiter (pydantic_core.from_json with
allow_partial), and instructor's partial where it is installed. Nothing here is a dependency.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.util import find_spec
from statistics import median
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import from_json

from extractify.partials import Partials
from extractify.schema import compile_schema

if TYPE_CHECKING:
    from collections.abc import Callable

DELTA = 4
SIZE = 100_000
SMALL = 10_000
ROUNDS = 5


class Line(BaseModel):
    sku: str
    description: str
    quantity: int
    price: float


class Order(BaseModel):
    buyer: str
    lines: list[Line]


class Note(BaseModel):
    text: str


def order(size: int) -> str:
    """An answer of about `size` characters: line items of about a hundred."""
    lines: list[dict[str, object]] = []
    length = 0
    while length < size:
        number = len(lines)
        line = {
            "sku": f"A-{number:05}",
            "description": f"item number {number} of a long list",
            "quantity": number % 7 + 1,
            "price": 9.75 + number,
        }
        lines.append(line)
        length += len(json.dumps(line)) + 2
    return json.dumps({"buyer": "Zyxomma plc", "lines": lines})


def deltas(text: str) -> list[str]:
    return [text[at : at + DELTA] for at in range(0, len(text), DELTA)]


def ours(text: str, target: type[BaseModel] = Order) -> None:
    partials = Partials(compile_schema(target))
    for delta in deltas(text):
        partial = partials.feed(delta)
        if partial is not None and partial.value is None:
            raise AssertionError
    if not partials.is_settled:
        raise AssertionError


def state_machine(text: str) -> None:
    """A bare one: no values, no validation."""
    depth, in_string, escaped = 0, False, False
    for delta in deltas(text):
        for char in delta:
            if escaped:
                escaped = False
            elif in_string:
                escaped, in_string = char == "\\", char != '"'
            elif char == '"':
                in_string = True
            else:
                depth += (char in "{[") - (char in "}]")
    if depth:
        raise AssertionError


def again_and_again(text: str) -> None:
    """What a parser that knows of no deltas does: all of it, each time."""
    so_far = ""
    for delta in deltas(text):
        so_far += delta
        from_json(so_far, allow_partial="trailing-strings")


def instructors(text: str) -> None:
    from instructor.dsl.partial import Partial as Theirs

    model: Any = Theirs[Order]
    for _ in model.model_from_chunks(iter(deltas(text))):
        pass


def cpu(work: Callable[[], object]) -> float:
    """Median CPU milliseconds of a few rounds."""
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return median(times) * 1000


def show(name: str, milliseconds: float, plain: float, bare: float) -> None:
    ratios = f"{milliseconds / plain:7.1f} of json.loads {milliseconds / bare:6.1f} of the machine"
    print(f"  {name:<46} {milliseconds:8.1f} ms {ratios}")


def growth(work: Callable[[str], None], text: str, twice: str) -> tuple[float, float]:
    """What a text costs, and how many times as much twice the text costs."""
    once = cpu(lambda: work(text))
    return once, cpu(lambda: work(twice)) / once


def main() -> int:
    text, twice = order(SIZE), order(2 * SIZE)
    note, notes = (json.dumps({"text": "x" * size}) for size in (SIZE, 2 * SIZE))
    plain = cpu(lambda: [json.loads(text) for _ in range(20)]) / 20
    bare = cpu(lambda: state_machine(text))
    print(f"{len(text)} characters in {len(deltas(text))} deltas, median CPU of {ROUNDS}:")
    show("json.loads, once, at the end", plain, plain, bare)
    show("a bare state machine", bare, plain, bare)
    once, factor = growth(ours, text, twice)
    show("extractify: parse, partials, validated items", once, plain, bare)
    print(f"  {'twice the text':<46} {factor:8.2f} times as much")
    once, factor = growth(lambda text: ours(text, Note), note, notes)
    show("extractify: all of it one string", once, plain, bare)
    print(f"  {'twice the text':<46} {factor:8.2f} times as much")
    small, small_twice = order(SMALL), order(2 * SMALL)
    ways = {"extractify": ours, "jiter, from the start with each delta": again_and_again}
    if find_spec("instructor"):
        ways["instructor's partial"] = instructors
    print(f"{SMALL} characters, and what twice as many cost:")
    for name, work in ways.items():
        once, factor = growth(work, small, small_twice)
        print(f"  {name:<46} {once:8.1f} ms {factor:8.2f} times as much")
    return 0


if __name__ == "__main__":
    sys.exit(main())
