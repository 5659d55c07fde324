"""Real answers that didn't parse or broke their schema: what readers get out of them.

The answers are those of 34 models, beside the project (`../shared/datasets/sob_replay`): a table of
`reading.py`.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import jsonschema
from measured import Promise, Table

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


Reader: TypeAlias = "Callable[[str, Any], Any]"


def readers(*, quick: bool) -> dict[str, Reader]:
    found: dict[str, Reader] = {"extractify": ours}
    if find_spec("json_repair") and not quick:
        found["json_repair"] = json_repairs
    return found


def malformed(records: dict[str, Any], read: Reader) -> tuple[int, int, int]:
    """How many are read as objects, how many are valid, and the leaves that no answer holds.

    No parser reads these as they are, so what the model had right is what stands in the text.
    """
    found = valid = absent = 0
    for answer in rows("malformed_responses.jsonl"):
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
    return found, valid, absent


def invalid(records: dict[str, Any], read: Reader) -> tuple[int, int]:
    """How many are valid when read, and the leaves changed that had been right."""
    valid = false = 0
    for answer in rows("schema_invalid_responses.jsonl"):
        record = records[answer["record_id"]]
        value = read(json.dumps(answer["response"]), record["json_schema"])
        valid += is_valid(value, record["json_schema"])
        before, gold = dict(leaves(answer["response"])), dict(leaves(record["gold"]))
        for pointer, leaf in leaves(value):
            stood = before.get(pointer, leaf)
            changed = (type(stood), stood) != (type(leaf), leaf)
            false += changed and pointer in gold and stood == gold[pointer] != leaf
    return valid, false


def replayed(*, quick: bool) -> tuple[Table, Promise] | None:
    """What is read of them; None where they aren't there."""
    if not DATA.exists():
        return None
    records = {record["record_id"]: record for record in rows("records.jsonl")}
    told = {
        name: (*malformed(records, read), *invalid(records, read))
        for name, read in readers(quick=quick).items()
    }
    broken, wrong = (
        len(rows(f"{kind}_responses.jsonl")) for kind in ("malformed", "schema_invalid")
    )
    columns = (
        "reader",
        f"of {broken} malformed: read",
        "valid",
        "false leaves",
        f"of {wrong} invalid: valid",
        "right leaves changed",
    )
    table = Table(
        title="Real answers of 34 models that were malformed or broke their schema",
        columns=columns,
        rows=tuple((name, *counts) for name, counts in told.items()),
        note="A false leaf stands nowhere in the answer, where the right one does. json_repair is "
        "used without a schema here.",
    )
    *_, changed = told["extractify"]
    return table, Promise(
        what="false and changed leaves in what is read of real answers",
        measured=told["extractify"][2] + changed,
        bound=0,
        wide=0,
    )
