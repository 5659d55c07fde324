"""A table of outcomes for people: each value, and whether it stands in the text."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from extractify.messages import clipped
from extractify.nodes import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from extractify.evidence import Evidence
    from extractify.outcomes import Outcome
    from extractify.partials import Partial

_SHOWN = 20


def print_table(outcomes: Sequence[Outcome]) -> None:
    """Print a row for each document, with what it cost, and below it one for each leaf."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("document, field", "value", "in the text?"):
        table.add_column(heading, overflow="fold")
    for outcome in outcomes:
        count, tokens = len(outcome.attempts), outcome.usage.total_tokens
        attempts = "1 attempt" if count == 1 else f"{count} attempts"
        known = "?" if tokens is None else tokens
        asked = count or outcome.error
        cost = Text(f"{attempts}, {known} tokens" if asked else "", "dim")
        end = Text(f"FAILED after {outcome.seconds:.1f} s", "bold red")
        if outcome.problems and not outcome.error:
            end = Text(f"INVALID in part, {outcome.seconds:.1f} s", "bold red")
        elif not outcome.error:
            end = Text(f"{outcome.seconds:.1f} s" if asked else "", "dim")
        table.add_row(Text(visible(outcome.name), "bold"), cost, end)
        for field, value, remark, style in _rows(outcome):
            name = Text(f"  {visible(field)}")
            table.add_row(name, Text(visible(value)), Text(visible(remark), style))
        table.add_section()
    Console().print(table)


def growing_table(partial: Partial[Any], says: str) -> Table:
    """A table of what has come of a value: the last leaves, as many as fit on a screen."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), title=Text(visible(says)))
    for heading in ("field", "value", ""):
        table.add_column(heading, overflow="fold")
    for pointer, leaf in [] if partial.value is None else list(leaves(partial.value))[-_SHOWN:]:
        value = leaf if isinstance(leaf, str) else json.dumps(leaf, ensure_ascii=False)
        mark = "" if partial.state(pointer) == "complete" else "…"
        table.add_row(Text(visible(pointer or "/")), Text(visible(value)), mark)
    return table


def _rows(outcome: Outcome) -> Iterator[tuple[str, str, str, str]]:
    """Yield field, value, remark and the remark's style: what is wrong first, then the rest."""
    problems = outcome.problems
    if outcome.error and not problems:
        yield "", "", str(outcome.error), "red"
        detail = getattr(outcome.error, "detail", "")
        if detail:
            yield "  detail", "", detail, "red"
    for problem in problems:
        yield problem.pointer or "/", problem.got, problem.expected, "red"
    evidence = outcome.evidence
    read = not outcome.error or outcome.data is not None
    for pointer, leaf in leaves(outcome.data) if read else ():
        value = leaf if isinstance(leaf, str) else json.dumps(leaf, ensure_ascii=False)
        found = evidence.get(pointer)
        if pointer in {problem.pointer for problem in problems}:
            continue
        if found is None or isinstance(leaf, bool):
            yield pointer, value, "", ""
        elif found.status == "inferred":
            yield pointer, value, "inferred", "dim"
        elif not found.spans:
            yield pointer, value, "not in the text", "bold red"
        else:
            yield pointer, value, f"yes, {_place(found, outcome.text)}", "green"


def _place(found: Evidence, text: str) -> str:
    """How a value stands there, and as what if that isn't the same."""
    best = found.spans[0]
    unsure = ", ambiguous" if found.ambiguous else ""
    seen = "" if found.status == "exact" else f": {text[best.start : best.end]}"
    return f"{found.status}{unsure}{seen}"


def visible(text: str) -> str:
    """Keep what a model wrote from moving the cursor or breaking a row."""
    return "".join(
        char if char.isprintable() else " " if char.isspace() else ascii(char)[1:-1]
        for char in text
    )


def count_absent(outcome: Outcome) -> int:
    """How many of a value's leaves don't stand in the text; those that can't are left out."""
    evidence = outcome.evidence
    booleans = {pointer for pointer, leaf in leaves(outcome.data) if isinstance(leaf, bool)}
    return sum(not found.spans for at, found in evidence.items() if at not in booleans)


def repair(outcome: Outcome) -> Iterator[str]:
    """Yield lines that tell how the answer was sent back: what was wrong, asked for, and said."""
    yield f"{outcome.name}: the first answer was sent back."
    for before, after in pairwise(outcome.attempts):
        yield from (f"  wrong: {problem}" for problem in before.problems)
        asked = "those values alone" if after.strategy == "patch" else "the whole again"
        said = " ".join(after.completion.text.split())
        yield f"  asked for {asked}, it said: {clipped(said, 200)}"
    last = outcome.attempts[-1].problems
    yield "  so it was mended." if not last else f"  still wrong: {last[0]}"
    yield ""
