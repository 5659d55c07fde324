"""A bulk run from its parts: an input, a journal, a pace, an output."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from extractify import feeds, sinks
from extractify.blocking import drawn, stopped_by_signals
from extractify.endpoints import LOCAL
from extractify.errors import ConfigurationError
from extractify.journal import Journal
from extractify.keys import Identity
from extractify.limits import Limits
from extractify.links import AsyncLink, Links
from extractify.outlets import Outlet
from extractify.paces import Paces
from extractify.plans import Plan
from extractify.retrying import Retry
from extractify.running import Run
from extractify.settling import Settling
from extractify.sinks.dead import DeadLetters

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence

    from extractify.conversation import Asked, Setting
    from extractify.documents import Document
    from extractify.endpoints import Endpoint
    from extractify.extraction import Extraction
    from extractify.messages import Completion
    from extractify.plans import OnProgress, Report
    from extractify.rows import Row
    from extractify.sinks import Output
    from extractify.task import Task

Given: TypeAlias = "tuple[object, object, Plan | None]"
"""An input, an output and a plan."""
_DEAD = "extractify.dead.jsonl"
_ONCE = Retry(stop=1, budget=None)  # what fails in passing is the regulator's, for all at once


class Bulk:
    """A run that can be started. converse: begins the conversation about a document."""

    def __init__(
        self,
        task: Task[Any],
        converse: Callable[[Document], Generator[Asked, Completion, Extraction[Any]]],
        settings: Sequence[Setting],
        options: Mapping[str, Any],
        given: Given,
        on_progress: OnProgress | None = None,
    ) -> None:
        """Describe it.

        settings: in the order in which they are asked. options: of the connections, and `running`,
        which finds a local server that is there already.
        """
        self._task, self._converse, self._settings = task, converse, settings
        self._source, output, plan = given
        self._output = cast("Output", output)  # which the sinks check
        self._plan = located(plan or Plan(), output)
        self._options, self._on_progress = dict(options), on_progress
        self._running = self._options.pop("running", None)

    async def run(self, *, catches_signals: bool = False) -> Report:
        """Go through the input once, from where the journal says that it was left.

        catches_signals: the first Ctrl-C ends it cleanly, the second at once. Raises:
        ConfigurationError, JournalError, OutputError, and what the input raises.
        """
        plan, source = self._plan, self._source
        _check_apart({"input": source, "output": self._output, **_files(plan)})
        _check_prices(plan, self._settings)
        identity = Identity.of(self._task, self._settings[0])
        total, rows = feeds.count(source), _rows(source, plan)
        emit = self._options["emit"]
        options = _for_many(self._options, plan.pace.concurrency)
        links = Links(AsyncLink, options, self._running)

        async def send(asked: Asked) -> Completion:
            return await links.to(asked.endpoint).send(asked.request, asked.observer)

        with ExitStack() as held:
            journal = held.enter_context(_journal(plan, identity))
            if plan.retry_dead:
                journal.retry_dead()
            endpoints = [each.endpoint for each in self._settings]
            proven = journal.spent.done > 0
            paces = Paces(send, plan.pace, endpoints, emit, proven=proven)
            settling = Settling(self._converse, identity, journal, paces)
            dead = None if plan.dead is None else DeadLetters(Path(plan.dead))
            sink = sinks.opened(self._output, self._task, flat=plan.flat)
            outlet = Outlet(sink, dead, ordered=plan.ordered)
            session = Run(plan, settling, outlet, journal, paces, total)
            if catches_signals:
                held.enter_context(stopped_by_signals(session.stop))
            try:
                report = await session.work(rows, self._on_progress)
            finally:
                for link in links.taken():
                    await link.close()
        output = str(self._output) if _is_file(self._output) else ""
        return replace(
            report, output=output, dead=str(plan.dead or ""), journal=str(plan.journal or "")
        )


def _rows(source: object, plan: Plan) -> Iterator[Row] | AsyncIterator[Row]:
    rows = feeds.rows(
        source, id_field=plan.id_field, text_field=plan.text_field, largest=plan.largest
    )
    if isinstance(source, str) and source == "-":  # where the next row may be long in coming
        return drawn(cast("Iterator[Row]", rows))
    return rows


def located(plan: Plan, output: object) -> Plan:
    """The plan of a run with its files named, beside the output where they aren't."""
    if output == "-":
        return replace(plan, dead=plan.dead or _DEAD)
    if not _is_file(output):  # a function, which gets the dead letters too
        return plan
    dead = plan.dead or f"{output}.dead.jsonl"
    return replace(plan, journal=plan.journal or f"{output}.journal", dead=dead)


def _files(plan: Plan) -> dict[str, object]:
    return {"journal": plan.journal, "file of dead letters": plan.dead}


def _check_apart(places: Mapping[str, object]) -> None:
    """Refuse two uses of one file: the later would overwrite the other."""
    seen: dict[str, str] = {}
    for use, place in places.items():
        if not _is_file(place):
            continue
        path = os.path.realpath(cast("str", place))
        other = seen.setdefault(path, use)
        if other != use:
            raise ConfigurationError(
                f"{place} is both the {other} and the {use}. Name another file for one of them: "
                "what is in it would be overwritten."
            )


def _check_prices(plan: Plan, settings: Sequence[Setting]) -> None:
    """Refuse a limit on the cost where it would never be reached."""
    unknown = [each.name for each in settings if each.prices is None and not _is_free(each)]
    if plan.budget.cost is not None and unknown:
        raise ConfigurationError(
            f"A limit on the cost (Budget(cost=…), --max-cost) wouldn't hold: what {unknown[0]} "
            "charges isn't known. Give its Endpoint prices=Prices(…), or limit the tokens instead "
            "(Budget(tokens=…), --max-tokens)."
        )


def _is_free(setting: Setting) -> bool:
    return cast("Endpoint", setting.endpoint).url == LOCAL


def _is_file(output: object) -> bool:
    return isinstance(output, str | os.PathLike) and str(output) != "-"


def _for_many(options: Mapping[str, Any], concurrency: int) -> dict[str, Any]:
    limits: Limits = options["limits"] or Limits()
    open_, kept = limits.connections, max(limits.kept, concurrency)
    limits = replace(limits, connections=open_ and max(open_, concurrency), kept=kept)
    return {**options, "limits": limits, "retry": _ONCE}


@contextmanager
def _journal(plan: Plan, identity: Identity) -> Iterator[Journal]:
    """The journal; one for this run alone, if need be: identical documents are asked once."""
    with ExitStack() as held:
        path = plan.journal
        if path is None:
            folder = held.enter_context(tempfile.TemporaryDirectory(prefix="extractify-"))
            path = Path(folder, "journal")
        yield held.enter_context(Journal.opened(Path(path), identity, on_change=plan.on_change))
