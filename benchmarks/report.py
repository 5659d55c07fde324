"""Results as JSON, as tables to read (RESULTS.md), and as the figures that the README shows."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from measured import Cell, Part, Table
from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Iterable

PARTS = (
    "calls",
    "concurrency",
    "streaming",
    "reading",
    "grounding",
    "repair",
    "prompts",
    "quality",
    "bulk",
)
ROOT = Path(__file__).resolve().parents[1]
BETWEEN = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Result:
    """What a part found, how, where, and in what time; or the failure that it ended with."""

    name: str
    method: str
    found: Part
    failure: str
    seconds: float
    environment: dict[str, str]


def read(folder: Path) -> list[Result]:
    """The results kept in a folder, in the order of the parts."""
    files = [folder / f"{name}.json" for name in PARTS]
    return [TypeAdapter(Result).validate_json(each.read_bytes()) for each in files if each.exists()]


def write(results: list[Result], folder: Path) -> None:
    """Keep the results, and write all that is made of them and of those kept before."""
    import pictures

    folder.mkdir(exist_ok=True)
    for result in results:
        kept = TypeAdapter(Result).dump_json(result, indent=1)
        (folder / f"{result.name}.json").write_bytes(kept + b"\n")
        for table in result.found.tables:
            if table.chart:
                pictures.draw(table, table.chart, folder)
    results = read(folder)
    (folder.parent / "RESULTS.md").write_text(page(results))
    readme = ROOT / "README.md"
    readme.write_text(with_figures(readme.read_text(), results))


def page(results: Iterable[Result]) -> str:
    """RESULTS.md."""
    results = list(results)
    facts = results[0].environment
    lines = [
        "# Benchmarks: results",
        "",
        "Written by `make bench`; don't edit. Compare ratios, not times: what stands in one table",
        "was measured in turn in one run.",
        "",
        *(f"- {name}: {value}" for name, value in facts.items()),
        f"- time: {sum(each.seconds for each in results) / 60:.0f} minutes",
        "",
        "## In short",
        "",
        *(f"- {line}" for each in results for line in each.found.headlines),
        "",
        "## Promises",
        "",
        *_promises(results),
        "",
    ]
    return "\n".join(lines) + "\n" + "\n".join(section(each) for each in results)


def _promises(results: Iterable[Result]) -> Iterable[str]:
    yield "| what | promised | measured | holds |"
    yield "|---|---|---|---|"
    for result in results:
        for promise in result.found.promises:
            holds = "yes" if promise.holds() else "**no**"
            bound = f"{promise.kind} {shown(promise.bound)}"
            yield f"| {promise.what} | {bound} | {shown(promise.measured)} | {holds} |"


def section(result: Result) -> str:
    """One part: how it measures, and its tables."""
    lines = [
        f"## {result.name.capitalize()}",
        "",
        textwrap.dedent(result.method).strip(),
        "",
        f"Measured on {result.environment['date']} in {result.seconds:.0f} s.",
        "",
    ]
    if result.failure:
        lines += [f"**Failed**: {result.failure}", ""]
    for table in result.found.tables:
        lines += [*_table(table), ""]
    return "\n".join(lines)


def _table(table: Table) -> Iterable[str]:
    yield f"### {table.title}"
    yield ""
    if table.chart:
        yield f"![{table.title}](results/{table.chart.file}.svg)"
        yield ""
    yield f"| {' | '.join(table.columns)} |"
    yield f"|{'---|' * len(table.columns)}"
    for row in table.rows:
        yield f"| {' | '.join(shown(cell) for cell in row)} |"
    if table.note:
        yield ""
        yield table.note


def shown(cell: Cell) -> str:
    """A cell as it is read: three significant digits, and no more places than the number needs."""
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.3g}"  # noqa: PLR2004
    return f"{cell:,}" if isinstance(cell, int) else cell


def with_figures(readme: str, results: Iterable[Result]) -> str:
    """The README with the first of the sentences that each part made of its numbers."""
    told = "".join(f"- {line}\n" for each in results for line in each.found.headlines[:1])
    return BETWEEN.sub(lambda found: found[1] + told + found[2], readme)
