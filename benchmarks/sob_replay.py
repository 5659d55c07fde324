"""Real answers that didn't parse or broke their schema: what the reader alone gets out of them.

The answers are those of 34 models, beside the project (`../shared/datasets/sob_replay`). A false
repair is a leaf that the model had right and that is another one in what was read. json_repair
reads the same answers where it is installed; it is no dependency.
"""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema

import extractify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATA = Path(__file__).parents[2] / "shared" / "datasets" / "sob_replay"


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


def leaves(data: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401  (JSON)
    if isinstance(data, dict | list):
        steps = data.items() if isinstance(data, dict) else enumerate(data)
        for step, value in steps:
            yield from leaves(value, f"{pointer}/{step}")
    else:
        yield pointer, data


def ours(text: str, schema: Any) -> Any:  # noqa: ANN401  (JSON)
    reading = extractify.read(text, schema)
    return reading.value if reading.ok else reading.partial


def json_repairs(text: str, _schema: Any) -> Any:  # noqa: ANN401  (JSON)
    import json_repair

    return json_repair.loads(text)


def is_valid(data: Any, schema: Any) -> bool:  # noqa: ANN401  (JSON)
    return bool(jsonschema.Draft202012Validator(schema).is_valid(data))


def show_malformed(records: dict[str, Any], read: Callable[[str, Any], Any]) -> None:
    """No parser reads these as they are, so what the model had right is what stands in the text."""
    answers = rows("malformed_responses.jsonl")
    found = valid = absent = 0
    for answer in answers:
        schema = records[answer["record_id"]]["json_schema"]
        value = read(answer["raw"], schema)
        if not isinstance(value, dict):
            continue
        found += 1
        valid += is_valid(value, schema)
        gold = dict(leaves(records[answer["record_id"]]["gold"]))
        for pointer, leaf in leaves(value):
            right = gold.get(pointer)
            said = isinstance(right, str) and len(right) > 3 and right in answer["raw"]  # noqa: PLR2004
            absent += said and leaf != right and str(leaf) not in answer["raw"]
    print(f"    malformed {len(answers)}: {found} read as objects, {valid} schema-valid,", end=" ")
    print(f"{absent} leaves that stand nowhere in the answer where the right one does")


def show_invalid(records: dict[str, Any], read: Callable[[str, Any], Any]) -> None:
    answers = rows("schema_invalid_responses.jsonl")
    valid = false = mended = 0
    for answer in answers:
        record = records[answer["record_id"]]
        value = read(json.dumps(answer["response"]), record["json_schema"])
        valid += is_valid(value, record["json_schema"])
        before, gold = dict(leaves(answer["response"])), dict(leaves(record["gold"]))
        for pointer, leaf in leaves(value):
            changed = pointer in before and (type(before[pointer]), before[pointer]) != (
                type(leaf),
                leaf,
            )
            mended += changed
            false += changed and pointer in gold and before[pointer] == gold[pointer] != leaf
    print(
        f"    schema-invalid {len(answers)}: {valid} schema-valid, {mended} leaves changed,",
        end=" ",
    )
    print(f"{false} of them right before")


def main() -> int:
    if not DATA.exists():
        print(f"  no answers at {DATA}")
        return 0
    records = {record["record_id"]: record for record in rows("records.jsonl")}
    ways: dict[str, Callable[[str, Any], Any]] = {"extractify": ours}
    if find_spec("json_repair"):
        ways["json_repair"] = json_repairs
    for name, read in ways.items():
        print(f"  {name}")
        show_malformed(records, read)
        show_invalid(records, read)
    return 0


if __name__ == "__main__":
    sys.exit(main())
