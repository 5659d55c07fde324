"""What is read out of malformed answers, by policy, and what reading costs.

The cases are those beside the project (`../shared/cases/parse_cases.json`); without them only the
cost is measured. json_repair, with jsonschema behind it, and baml-py read the same ones in the same
run where they are installed; they are no dependency. A case whose schema BAML has no type for isn't
applicable there. Cost: CPU seconds for 1 MB of what readers find hard.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import baml
import jsonschema
from pydantic import BaseModel

import extractify

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = Path(__file__).parents[2] / "shared" / "cases" / "parse_cases.json"
TO_READ = ("safe", "coercion")
TO_DECLINE = ("reject", "truncated_as_final", "guess_from_prose", "lossy")
VERDICTS = ("as expected", "otherwise", "declined", "not applicable")
MEGABYTE = 1_000_000
HARD = {
    "valid": '{"value": [' + "1," * (MEGABYTE // 2) + "1]}",
    "open brackets": "[" * 100_000,
    "objects in a row": '{"value":1}' * (MEGABYTE // 11),
    "open string, k: v": '{"a": "' + "k: v " * (MEGABYTE // 5),
    "objects that differ": "".join(f'{{"value":{n}}}' for n in range(60_000)),
    "fences": "```json\n{}\n```\n" * (MEGABYTE // 15),
    "single quotes": "{'value': [" + "'a'," * (MEGABYTE // 4) + "]}",
    "a table": json.dumps({"rows": [{"a": n, "b": "text", "c": n / 2} for n in range(27_000)]}),
    "calls": '<invoke name="x"><parameter name="value">[1]</parameter></invoke>' * 15_000,
}


class Value(BaseModel):
    value: list[int]


def ours(text: str, schema: Any) -> tuple[bool, Any]:  # noqa: ANN401  (any JSON Schema)
    try:
        reading = extractify.read(text, schema)
    except extractify.SchemaError:
        return False, None
    return reading.ok, reading.value if reading.ok else None


def json_repairs(text: str, schema: Any) -> tuple[bool, Any]:  # noqa: ANN401  (any JSON Schema)
    import json_repair

    value: Any = json_repair.loads(text)
    try:
        jsonschema.validate(value, schema)
    except (jsonschema.ValidationError, jsonschema.SchemaError, RecursionError):
        return False, None
    return True, value


def verdict(read: Callable[[str, Any], tuple[bool, Any]], case: dict[str, Any]) -> str:
    try:
        ok, value = read(case["input"], {} if case["schema"] is None else case["schema"])
    except baml.Unsayable:
        return "not applicable"
    if not ok:
        return "declined"
    return "as expected" if plain(value) == plain(case["expected"]) else "otherwise"


def plain(value: Any) -> Any:  # noqa: ANN401  (JSON)
    """A value to compare: in Python true is 1, in JSON it isn't."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return ("boolean", value) if isinstance(value, bool) else value


def show_cases() -> None:
    ways = {"extractify": ours}
    if find_spec("json_repair"):
        ways["json_repair + jsonschema"] = json_repairs
    if find_spec("baml_py"):
        ways["baml-py"] = baml.parsed
    cases = json.loads(CASES.read_text())
    for policy in (*TO_READ, *TO_DECLINE):
        print(f"  {policy} (to {'read' if policy in TO_READ else 'decline'})")
        for name, read in ways.items():
            counts = Counter(verdict(read, case) for case in cases if case["policy"] == policy)
            told = " ".join(f"{counts[each]:4} {each}" for each in VERDICTS)
            print(f"    {name:<24}{told}")


def main() -> int:
    if CASES.exists():
        show_cases()
    else:
        print(f"  no cases at {CASES}")
    for name, text in HARD.items():
        started = time.process_time()
        reading = extractify.read(text, Value)
        seconds = time.process_time() - started
        print(f"  {name:<20} {len(text) / 1e6:4.1f} MB {seconds:6.2f} s CPU  ok={reading.ok}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
