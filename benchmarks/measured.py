"""What a part of the benchmarks found, and the measuring that all parts share.

A part is a module with `measure(*, quick: bool) -> Part`; `run.py` names them all, runs each in a
process of its own, and keeps what they found. The docstring of the module says how it measures; it
stands above its tables.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Cell: TypeAlias = str | int | float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """Draws columns of a table: bars beside the names, or lines over the numbers, of its first one.

    `file` is the picture's name without a suffix, `axis` what is drawn and its unit.
    """

    file: str
    kind: Literal["bars", "lines"]
    columns: tuple[str, ...]
    axis: str
    logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of names and numbers; None is shown as a dash: not measured, or not to be had.

    Numbers are kept as measured, and rounded where they are shown.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    chart: Chart | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """A number that the project promises, and what came out.

    `wide` is the bound of the quick form, which runs beside other work and fails on it alone.
    """

    what: str
    measured: float
    bound: float
    wide: float
    kind: Literal["at most", "at least"] = "at most"

    def holds(self, *, quick: bool = False) -> bool:
        bound = self.wide if quick else self.bound
        return self.measured <= bound if self.kind == "at most" else self.measured >= bound


@dataclass(frozen=True, slots=True)
class Part:
    """What one part found.

    `headlines` are sentences made of its numbers, for the README; `raw` is each round's number.
    """

    tables: tuple[Table, ...]
    promises: tuple[Promise, ...] = ()
    headlines: tuple[str, ...] = ()
    raw: dict[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cost:
    """Median milliseconds of one unit of work: this process's CPU, all threads, and by the clock.

    `rounds` is the CPU of each round.
    """

    cpu: float
    wall: float
    rounds: tuple[float, ...]


def side_by_side(
    ways: Mapping[str, Callable[[], object]], rounds: int, *, units: int = 1
) -> dict[str, Cost]:
    """Run the ways in turn, `rounds` times over; the median cost of each, per unit of work.

    Each way is called once before, so that none pays for what is loaded or compiled first.
    """
    for work in ways.values():
        work()
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            cpu, wall = time.process_time(), time.perf_counter()
            work()
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            spent[name].append((cpu / units * 1000, wall / units * 1000))
    costs = {}
    for name, each in spent.items():
        cpus, walls = zip(*each, strict=True)
        costs[name] = Cost(median(cpus), median(walls), rounds=cpus)
    return costs
