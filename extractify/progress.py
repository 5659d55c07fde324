"""How a bulk run shows where it is: a line that moves, plain lines, or JSON for machines."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager, suppress
from dataclasses import asdict
from enum import StrEnum
from time import monotonic
from typing import TYPE_CHECKING, Any

from extractify.events import RetryScheduled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify.events import Event, OnEvent
    from extractify.plans import OnProgress, Progress, Report

_BETWEEN_LINES = 10.0  # seconds, where it is no terminal
_BETWEEN_EVENTS = 1.0
_MINUTE, _HOUR = 60, 3600


class Style(StrEnum):
    """How progress is shown: as the terminal allows, as plain lines, as JSON lines, or not."""

    auto = "auto"
    plain = "plain"
    json = "json"
    none = "none"


@contextmanager
def display(style: Style) -> Iterator[OnProgress | None]:
    """What to call with each Progress, on standard error, while this lasts."""
    if style is Style.none:
        yield None
    elif style is Style.json:
        yield _seldom(_BETWEEN_EVENTS, lambda progress: _say(json.dumps(event(progress))))
    elif style is Style.auto and sys.stderr.isatty():
        with _moving() as show:
            yield show
    else:
        yield _seldom(_BETWEEN_LINES, lambda progress: _say(line(progress)))


def tell_faults(style: Style) -> OnEvent | None:
    """What to call with each event: that the endpoint fails is told, now and then, and asked again.

    Otherwise a run that waits for a server says nothing of why.
    """
    told = float("-inf")

    def tell(happened: Event) -> None:
        nonlocal told
        now = monotonic()
        if not isinstance(happened, RetryScheduled) or now - told < _BETWEEN_LINES:
            return
        told = now
        if style is Style.json:
            _say(json.dumps({"event": "fault", **asdict(happened)}))
        else:
            _say(f"{happened.endpoint} fails, and is asked again: {happened.reason}")

    return None if style is Style.none else tell


def event(progress: Progress) -> dict[str, Any]:
    """Progress as plain data for JSON."""
    left = progress.seconds_left
    return {
        "event": "progress",
        **asdict(progress),
        "seconds": round(progress.seconds, 3),
        "rate": round(progress.rate, 3),
        "seconds_left": left and round(left, 1),
    }


def line(progress: Progress) -> str:
    """Progress in one line for people."""
    finished = progress.done + progress.failed
    of = f" of {progress.total:,}" if progress.total is not None else ""
    parts = [f"{finished:,}{of} done", f"{progress.failed:,} failed", f"{progress.rate:.1f}/s"]
    if progress.stopping and progress.in_flight:  # first, since a narrow terminal cuts the rest
        parts.insert(0, "stopping (another Ctrl-C: at once)")
    elif progress.seconds_left is not None and progress.total != finished:
        parts.append(f"{duration(progress.seconds_left)} left")
    parts.append(f"{progress.in_flight} of {progress.limit} in flight")
    parts.append(f"{tokens(progress):,} tokens")
    if progress.usage.cost is not None:
        parts.append(f"{progress.usage.cost:.4f} spent")
    return ", ".join(parts)


def closing_table(report: Report) -> list[tuple[str, str]]:
    """What a run came to, as pairs of a name and a value."""
    progress = report.progress
    usage = progress.usage
    rows = [
        ("documents", f"{progress.done + progress.failed:,}"),
        ("values", f"{progress.done:,}"),
        ("dead letters", f"{progress.failed:,}"),
        ("not asked again", f"{progress.reused:,}"),
        ("tokens in", f"{usage.prompt_tokens or 0:,}"),
        ("tokens out", f"{usage.completion_tokens or 0:,}"),
        ("money", "unknown" if usage.cost is None else f"{usage.cost:.4f}"),
        ("time", duration(progress.seconds)),
    ]
    part = "" if report.complete else ".part"
    if report.output:
        rows.append(("output", f"{report.output}{part}"))
    if report.dead and progress.failed:
        rows.append(("dead letters in", f"{report.dead}{part}"))
    if report.journal:
        rows.append(("journal", report.journal))
    return rows


def tokens(progress: Progress) -> int:
    """In and out together."""
    return (progress.usage.prompt_tokens or 0) + (progress.usage.completion_tokens or 0)


def duration(seconds: float) -> str:
    """`42 s`, `3 min 20 s` or `2 h 5 min`."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s" if seconds < _MINUTE / 6 else f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min {int(seconds % _MINUTE)} s"
    return f"{int(seconds // _HOUR)} h {int(seconds % _HOUR // _MINUTE)} min"


@contextmanager
def _moving() -> Iterator[OnProgress]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = BarColumn(bar_width=24), TextColumn("{task.description}")
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None)

        def show(progress: Progress) -> None:
            finished = progress.done + progress.failed
            bars.update(task, total=progress.total, completed=finished, description=line(progress))

        yield show


def _seldom(seconds: float, show: OnProgress) -> OnProgress:
    last = float("-inf")
    shown: Progress | None = None

    def sometimes(progress: Progress) -> None:
        nonlocal last, shown
        now = monotonic()
        ended = progress.total is not None and progress.done + progress.failed == progress.total
        stops = bool(progress.stopping) and not (shown and shown.stopping)
        if now - last >= seconds or stops or (ended and progress != shown):
            last, shown = now, progress
            show(progress)

    return sometimes


def _say(text: str) -> None:
    with suppress(OSError):  # whoever watched has left, which is no reason to end the work
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
