"""What grounding is worth with the embedded model: exact fields, precision, tokens and turns.

Two sets of short texts with gold fields, from a folder of data sets that is no part of the
project: snips_slots and usaddress, in which this model gets fields right at all. Each text is
asked for the fields that its gold has and two that it hasn't. *off*: as answered. *reported*: the
same answers, without the values that are reported as missing. *required*: asked for again, and null
in the end. One run of each; the model's temperature is 0. A part of `grounding`.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measured import Cell, Table
from pydantic import create_model

from extractify import Client, ExtractionError, Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify import Extraction

SETS = ("snips_slots", "usaddress")
DATASETS = Path(__file__).parents[2] / "shared" / "datasets"
TEXTS = 5
ABSENT = 2
MODES = ("off", "reported", "required")
Fields = dict[str, str]


def can_run() -> bool:
    """Whether the sets and the engine are here."""
    return DATASETS.exists() and find_spec("xllamacpp") is not None


def table() -> Table:
    rows: list[tuple[Cell, ...]] = []
    with Client("local:smollm2") as client:
        for name in SETS:
            records = list(texts(DATASETS / name / "records.jsonl"))
            random.Random(name).shuffle(records)  # noqa: S311  (a sample, no secret)
            rows += measure(client, name, records[:TEXTS])
    return Table(
        f"What grounding is worth with the embedded model, {TEXTS} texts of each set",
        ("set", "grounding", "precision", "recall", "F1", "tokens a text", "turns", "failed"),
        tuple(rows),
        "So few texts tell no more than a direction.",
    )


def texts(path: Path) -> Iterator[tuple[str, Fields]]:
    """Yield each text with its gold fields."""
    for line in path.read_text().splitlines():
        record = json.loads(line)
        gold = record.get("gold", record.get("gold_segments"))
        if isinstance(gold, list):
            gold = {each["type"].rpartition(".")[2]: each["text"] for each in gold}
        fields = {key.replace("-", "_"): str(value) for key, value in gold.items()}
        if fields:
            yield record["text"], fields


def measure(client: Client, name: str, records: list[tuple[str, Fields]]) -> list[tuple[Cell, ...]]:
    pool = sorted({key for _, fields in records for key in fields})
    rng = random.Random(name)  # noqa: S311  (a sample, no secret)
    counts = {mode: Counter[str]() for mode in MODES}
    for text, gold in records:
        others = [key for key in pool if key not in gold]
        keys = [*gold, *rng.sample(others, min(ABSENT, len(others)))]
        rng.shuffle(keys)
        kinds: dict[str, Any] = dict.fromkeys(keys, (str | None, None))
        target = create_model("Fields", **kinds)
        answered, result = extracted(client, Task(target, max_tokens=200), text, counts["off"])
        judge(counts["off"], answered, gold)
        missing = set()
        if result is not None:
            evidence = result.evidence
            missing = {key for key in answered if evidence[f"/{key}"].status == "missing"}
        counts["reported"].update(
            {key: counts["off"][key] - counts["reported"][key] for key in COSTS}
        )
        judge(counts["reported"], {k: v for k, v in answered.items() if k not in missing}, gold)
        task = Task(target, max_tokens=200, grounding="required")
        answered, _ = extracted(client, task, text, counts["required"])
        judge(counts["required"], answered, gold)
    return [row(name, mode, counts[mode], len(records)) for mode in MODES]


COSTS = ("tokens", "turns", "failed")


def extracted(
    client: Client, task: Task[Any], text: str, count: Counter[str]
) -> tuple[Fields, Extraction[Any] | None]:
    """What was answered; nothing where it failed."""
    value: Fields = {}
    result: Extraction[Any] | None = None
    try:
        result = client.extract(task, text)
        attempts = result.attempts
        value = {k: v for k, v in result.value.model_dump().items() if v is not None}
    except ExtractionError as error:
        attempts = error.attempts
        count["failed"] += 1
    count["turns"] += len(attempts)
    count["tokens"] += sum(attempt.usage.total_tokens or 0 for attempt in attempts)
    return value, result


def judge(count: Counter[str], answered: Fields, gold: Fields) -> None:
    count["answered"] += len(answered)
    count["gold"] += len(gold)
    count["right"] += sum(gold.get(key) == value for key, value in answered.items())


def row(name: str, mode: str, count: Counter[str], size: int) -> tuple[Cell, ...]:
    right, answered, gold = count["right"], count["answered"], count["gold"]
    precision, recall = right / max(answered, 1), right / max(gold, 1)
    f1 = 2 * right / max(answered + gold, 1)
    tokens, turns = count["tokens"] / size, count["turns"] / size
    return (name, mode, precision, recall, f1, tokens, turns, count["failed"])
