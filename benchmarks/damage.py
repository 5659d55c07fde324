"""Answers as models damage them: a valid one, mutated a few times, by a seed.

The fuzz run of `benchmarks/fuzz.py` and a test share it.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

WORDS = ["a", "RED", "12,5", "3 million", 'say "no"', "it's", "x: y", "{a}", "[1]", "\n", "ü"]
PIECES = [*"{}[]\",:'`\\\n#", "null", "None", "True", "NaN", "1e999", "```", "```json\n", "//"]
PIECES += ["/*", "<think>", "</think>", '"id": 7,', "...", "\u201c", "\ufeff", "\x00", "\ud800"]
PIECES += ['<invoke name="x">', '<parameter name="id">', "</parameter>", "</invoke>", "9" * 30]
AROUND = ["{}", "Here:\n{}\nDone.", "```json\n{}\n```", "<think>[1] {</think>{}", '{"result": {}}']
AROUND += ['{"data": {}}', "[{}]", '{"properties": {}}', '{"name": "x", "arguments": {}}', "{}{}"]


def order(random: Random) -> dict[str, Any]:
    """A value of the target `ORDER`."""
    line = {"text": random.choice(WORDS), "price": random.choice([0, 1.5, -3, 1e9])}
    return {
        "id": random.randint(0, 99),
        "lines": [line] * random.randint(0, 3),
        "color": random.choice(["RED", "DARK BLUE", None]),
        "paid": random.choice([True, False]),
        "by_key": {random.choice(WORDS): random.randint(0, 9)},
    }


ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"text": {"type": "string"}, "price": {"type": "number"}},
                "required": ["text", "price"],
                "additionalProperties": False,
            },
        },
        "color": {"enum": ["RED", "DARK BLUE", None]},
        "paid": {"type": "boolean"},
        "by_key": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
    "required": ["id", "lines", "color", "paid", "by_key"],
    "additionalProperties": False,
}


def damaged(seed: int) -> str:
    """An answer with up to six mistakes in it, the same for the same seed."""
    random = Random(seed)  # noqa: S311  (nobody has to be kept from guessing)
    text = json.dumps(order(random), indent=random.choice([None, None, 1]))
    text = random.choice(AROUND).replace("{}", text)
    for _ in range(random.randint(0, 6)):
        at = random.randint(0, len(text))
        until = min(len(text), at + random.choice([0, 0, 1, 1, 2, 9]))
        text = text[:at] + random.choice([*PIECES, ""]) + text[until:]
    return text[: random.randint(0, len(text))] if random.random() < 0.1 else text  # noqa: PLR2004
