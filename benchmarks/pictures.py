"""Pictures of tables, as SVG: the same bytes for the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from measured import Chart, Table

OURS = "#3f51b5"
OTHERS = ("#90a4ae", "#ffb74d", "#a1887f", "#81c784", "#e57373", "#ba68c8", "#4db6ac")
mpl.rcParams["svg.hashsalt"] = "extractify"
mpl.rcParams["svg.fonttype"] = "none"
mpl.rcParams["font.family"] = "sans-serif"


def draw(table: Table, chart: Chart, folder: Path) -> None:
    """Draw the chart of a table into the folder."""
    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    axes = figure.subplots()
    (_bars if chart.kind == "bars" else _lines)(axes, table, chart)
    axes.set_title(table.title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(folder / f"{chart.file}.svg", metadata={"Date": None})


def _bars(axes: Axes, table: Table, chart: Chart) -> None:
    height = 0.8 / len(chart.columns)
    names = [str(row[0]) for row in table.rows]
    for number, column in enumerate(chart.columns):
        values = _column(table, column)
        places = [place + number * height for place in range(len(names))]
        colors = [_color(name, number, len(chart.columns)) for name in names]
        bars = axes.barh(places, [value or 0 for value in values], height * 0.92, color=colors)
        axes.bar_label(bars, [f"{value:.3g}" if value else "" for value in values], padding=3)
        bars[0].set_label(column)
    middle = height * (len(chart.columns) - 1) / 2
    axes.set_yticks([place + middle for place in range(len(names))], names)
    axes.invert_yaxis()
    axes.set_xlabel(chart.axis)
    if chart.logarithmic:
        axes.set_xscale("log")
    if len(chart.columns) > 1:  # beside the axes: bars of any length leave no place within
        axes.figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)


def _lines(axes: Axes, table: Table, chart: Chart) -> None:
    across = _column(table, table.columns[0])
    others = iter(OTHERS)
    for column in chart.columns:
        ours = column.startswith("extractify")
        axes.plot(
            [each or 0.0 for each in across],
            [float("nan") if value is None else value for value in _column(table, column)],
            marker="o",
            markersize=4,
            linewidth=2 if ours else 1.4,
            color=OURS if column == "extractify" else next(others),
            label=column,
        )
    axes.set_xlabel(table.columns[0])
    axes.set_ylabel(chart.axis)
    if chart.logarithmic:
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks([each or 0.0 for each in across], [str(each) for each in across])
        axes.minorticks_off()
    axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))


def _column(table: Table, name: str) -> list[float | None]:
    cells = [row[table.columns.index(name)] for row in table.rows]
    return [cell if isinstance(cell, int | float) else None for cell in cells]


def _color(name: str, number: int, columns: int) -> str:
    if columns > 1:
        return (OURS, *OTHERS)[number]
    return OURS if name.startswith("extractify") else OTHERS[0]
