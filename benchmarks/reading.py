"""What is read out of malformed answers, by policy, and what reading costs.

The cases stand beside the project (`../shared/cases`) and come from the tests of
[baml](https://docs.boundaryml.com) and [json_repair](https://github.com/mangiucugna/json_repair):
"as expected" is what one of these two says. Without the cases only the cost is measured.

json_repair is used with jsonschema behind it; baml-py by the call that its generated clients make,
with the schema in BAML's own types. instructor and pydantic-ai read with pydantic: the
`JSON_SCHEMA` mode as it is, the `MD_JSON` mode behind a search for the last JSON in the text
([modes](https://python.useinstructor.com/modes-comparison/)), pydantic-ai behind a search for a
fence ([native output](https://ai.pydantic.dev/output/#native-output)); the models are what a user
would write for the schema. A case whose schema a library has no type for isn't counted for it.
"""

from __future__ import annotations

import json
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import baml
import jsonschema
import reading_costs
from measured import Cell, Part, Promise, Table
from pydantic_types import validated
from replayed import replayed
from report import shown

import extractify

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = Path(__file__).parents[2] / "shared" / "cases" / "parse_cases.json"
TO_READ = ("safe", "coercion")
TO_DECLINE = ("reject", "truncated_as_final", "guess_from_prose", "lossy")
KNOWN = 2
"""Cases to decline that hold a value all the same; see the note of their table."""
Reader: TypeAlias = "Callable[[str, Any], tuple[bool, Any]]"
Counts: TypeAlias = dict[str, Counter[tuple[str, str]]]
"""By reader: how many cases of a policy had a verdict."""


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


def codeblocks(text: str, schema: Any) -> tuple[bool, Any]:  # noqa: ANN401  (any JSON Schema)
    from instructor.utils import extract_json_from_codeblock

    try:
        return validated(extract_json_from_codeblock(text), schema)
    except ValueError:  # beyond its bounds
        return False, None


def fenced(text: str, schema: Any) -> tuple[bool, Any]:  # noqa: ANN401  (any JSON Schema)
    from pydantic_ai._utils import strip_markdown_fences

    return validated(strip_markdown_fences(text), schema)


def readers(*, quick: bool) -> dict[str, Reader]:
    found: dict[str, Reader] = {"extractify": ours}
    if quick:
        return found
    if find_spec("json_repair"):
        found["json_repair + jsonschema"] = json_repairs
    if find_spec("baml_py"):
        found["baml-py"] = baml.parsed
    if find_spec("instructor"):
        found["instructor, JSON_SCHEMA"] = validated
        found["instructor, MD_JSON"] = codeblocks
    if find_spec("pydantic_ai"):
        found["pydantic-ai, NativeOutput"] = fenced
    return found


def verdict(read: Reader, case: dict[str, Any]) -> str:
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


def counted(*, quick: bool) -> Counts:
    cases = json.loads(CASES.read_text())
    judged = [case for case in cases if case["policy"] in TO_READ + TO_DECLINE]
    return {
        name: Counter((case["policy"], verdict(read, case)) for case in judged)
        for name, read in readers(quick=quick).items()
    }


def to_read(counts: Counts) -> Table:
    kinds = {"as expected": "as expected", "another value": "otherwise", "declined": "declined"}
    sizes = {policy: _size(counts, policy) for policy in TO_READ}
    return Table(
        title="Answers to read",
        columns=(
            "reader",
            *(f"{policy}, {size}: {kind}" for policy, size in sizes.items() for kind in kinds),
        ),
        rows=tuple(
            (name, *(found[policy, kind] for policy in TO_READ for kind in kinds.values()))
            for name, found in counts.items()
        ),
        note="Most of what extractify declines has two readings, lacks a value, or needs an alias "
        "or a default that only the other library's schema knows.",
    )


def to_decline(counts: Counts) -> Table:
    def given(name: str, policy: str) -> Cell:
        found = counts[name]
        taken, left = _given(found, policy), found[policy, "not applicable"]
        return f"{taken} of {_size(counts, policy) - left}" if left else taken

    return Table(
        title="Answers to decline: values given where none is sure",
        columns=("reader", *(f"{policy}, {_size(counts, policy)}" for policy in TO_DECLINE)),
        rows=tuple((name, *(given(name, policy) for policy in TO_DECLINE)) for name in counts),
        note=f'{KNOWN} of them hold a value all the same: `"TWO"`, quoted, for the constant '
        "`TWO`, and a valid text whose schema is refused by json_repair alone.",
    )


def _size(counts: Counts, policy: str) -> int:
    return sum(count for (each, _), count in counts["extractify"].items() if each == policy)


def _given(found: Counter[tuple[str, str]], policy: str) -> int:
    return found[policy, "as expected"] + found[policy, "otherwise"]


def measure(*, quick: bool) -> Part:
    tables: list[Table] = []
    promises: list[Promise] = []
    headlines: list[str] = []
    if CASES.exists():
        counts = counted(quick=quick)
        tables += [to_read(counts), to_decline(counts)]
        taken = {
            name: sum(_given(found, policy) for policy in TO_DECLINE)
            for name, found in counts.items()
        }
        what = f"values given where none is sure ({KNOWN} of the cases hold one)"
        promises.append(Promise(what, taken["extractify"], bound=KNOWN, wide=KNOWN))
        headlines += told(counts, taken)
    if again := replayed(quick=quick):
        tables.append(again[0])
        promises.append(again[1])
    table, promise = reading_costs.standard(quick=quick)
    tables.append(table)
    promises.append(promise)
    headlines.append(
        f"Valid JSON of 100 kB is read in {shown(promise.measured)} times the CPU of pydantic's "
        "validate_json, at most."
    )
    if not quick:
        tables.append(reading_costs.by_size("valid", reading_costs.valid))
        tables.append(reading_costs.by_size("malformed", reading_costs.malformed))
        headlines += compared(tables[-1])
    table, promise = reading_costs.hard(quick=quick)
    return Part((*tables, table), (*promises, promise), tuple(headlines))


def told(counts: Counts, taken: dict[str, int]) -> list[str]:
    size = sum(_size(counts, policy) for policy in TO_READ)
    unsure = sum(_size(counts, policy) for policy in TO_DECLINE)
    each = [
        f"{name} {sum(found[policy, 'as expected'] for policy in TO_READ)} and {taken[name]}"
        for name, found in counts.items()
    ]
    line = (
        f"Of {size} answers to read, and of {unsure} in which no value is sure, a value was given "
        f"as expected, and given all the same: {'; '.join(each)}."
    )
    return [line]


def compared(table: Table) -> list[str]:
    """The last row in which all have a number."""
    rows = [row for row in table.rows if None not in row]
    if not rows or len(table.columns) == len(("kB", "extractify")):
        return []
    size, ours, *theirs = (float(each or 0) for each in rows[-1])
    ratios = [
        f"{name} {shown(cost / ours)} times as much"
        for name, cost in zip(table.columns[2:], theirs, strict=True)
    ]
    return [f"A malformed answer of {size:.0f} kB takes {shown(ours)} s; {', '.join(ratios)}."]
