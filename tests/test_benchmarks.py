"""What `make bench` writes: the figures of README and RESULTS.md are those that were measured."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Literal

import measured
import pytest
import report

ROOT = Path(__file__).parents[1]

RESULTS = ROOT / "benchmarks" / "results"


def result(part: measured.Part, name: str = "calls", failure: str = "") -> report.Result:
    facts = {"date": "2026-01-02", "python": "CPython 3.11"}
    return report.Result(name, "How it is done.", part, failure, seconds=90.0, environment=facts)


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (None, "-"),
        (1.2345, "1.23"),
        (0.000123, "0.000123"),
        (99.96, "100"),
        (12345.6, "12,346"),
        (200, "200"),
        (1_000_000, "1,000,000"),
        ("a name", "a name"),
    ],
)
def test_a_number_is_shown_with_the_digits_that_tell(cell: measured.Cell, shown: str) -> None:
    assert report.shown(cell) == shown


@pytest.mark.parametrize(
    ("kind", "number", "held"),
    [
        ("at most", 1.4, (True, True)),
        ("at most", 1.6, (False, True)),
        ("at most", 2.1, (False, False)),
        ("at least", 2.1, (True, True)),
        ("at least", 1.4, (False, False)),
    ],
)
def test_a_promise_holds_on_one_side_of_its_bound(
    kind: Literal["at most", "at least"], number: float, held: tuple[bool, bool]
) -> None:
    promise = measured.Promise("a ratio", number, bound=1.5, wide=2.0, kind=kind)
    assert (promise.holds(), promise.holds(quick=True)) == held


def test_the_page_has_the_promises_the_tables_and_what_failed() -> None:
    chart = measured.Chart("calls", "bars", ("ms",), "ms of CPU")
    table = measured.Table("A call", ("", "ms"), (("bare", 0.5), ("peer", None)), "Note.", chart)
    promise = measured.Promise("a call, times bare", 1.61, bound=1.5, wide=2.0)
    page = report.page(
        [
            result(measured.Part((table,), (promise,))),
            result(measured.Part(()), "bulk", "TimeoutExpired: after 900 s"),
        ]
    )
    assert "- python: CPython 3.11" in page
    assert "- time: 3 minutes" in page
    assert "| a call, times bare | at most 1.5 | 1.61 | **no** |" in page
    assert "![A call](results/calls.svg)" in page
    assert "| bare | 0.5 |\n| peer | - |\n\nNote." in page
    assert "Measured on 2026-01-02 in 90 s.\n\n**Failed**: TimeoutExpired: after 900 s" in page


def test_the_readme_gets_the_sentences_and_keeps_the_rest() -> None:
    readme = "before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n"
    told = report.with_figures(
        readme, [result(measured.Part((), headlines=("A.", "B."))), result(measured.Part(()))]
    )
    assert told == "before\n<!-- figures -->\n- A.\n<!-- /figures -->\nafter\n"


def test_ways_take_turns_and_each_is_called_once_before() -> None:
    calls: list[str] = []
    ways = {"one": lambda: calls.append("one"), "two": lambda: calls.append("two")}
    costs = measured.side_by_side(ways, rounds=3)
    assert calls == ["one", "two"] * 4
    assert [len(costs[name].rounds) for name in ("one", "two")] == [3, 3]


@pytest.mark.parametrize("name", report.PARTS)
def test_each_part_says_how_it_measures(name: str) -> None:
    part = importlib.import_module(name)
    assert callable(part.measure)
    assert len(part.__doc__ or "") > 100


def test_results_and_readme_say_what_was_measured() -> None:
    kept = report.read(RESULTS)
    assert [(each.name, each.failure) for each in kept] == [(name, "") for name in report.PARTS]
    assert (ROOT / "benchmarks" / "RESULTS.md").read_text() == report.page(kept)
    readme = (ROOT / "README.md").read_text()
    assert readme == report.with_figures(readme, kept)
    assert readme.count("<!-- figures -->") == 1


def test_each_picture_of_the_results_is_there_and_no_other() -> None:
    page = (ROOT / "benchmarks" / "RESULTS.md").read_text()
    drawn = {each.name for each in RESULTS.glob("*.svg")}
    assert drawn == set(re.findall(r"results/([\w-]+\.svg)", page))
    assert drawn
