"""The command `run`: many documents, resumably."""

# No __future__ import: typer reads the annotations.
import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from extractify.blocking import INTERRUPTION
from extractify.errors import ConfigurationError, ExtractifyError
from extractify.plans import BROKEN_OFF, Report
from extractify.progress import Style, closing_table, display, event, tell_faults
from extractify.shell import FAILED, INTERRUPTED, MISUSED, STOPPED, in_order, task_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    import typer

    from extractify.client import Client
    from extractify.journal import OnChange
    from extractify.otel import Telemetry
    from extractify.plans import Budget, OnProgress, Plan, Progress
    from extractify.task import Task


def add_run(cli: "typer.Typer", target_help: str, where: str) -> None:
    """Add the command to an application."""
    import typer

    @cli.command()
    def run(  # noqa: PLR0913  (one for each option)
        source: Annotated[
            str,
            typer.Argument(
                metavar="INPUT",
                help=".jsonl, .csv, .parquet, a folder of UTF-8 texts, or - for JSON Lines.",
            ),
        ],
        target: Annotated[str, typer.Option(metavar="WHERE:NAME", help=target_help)],
        output: Annotated[
            str,
            typer.Option(
                "--output", "-o", help=".jsonl, .csv, .parquet, .sqlite, or - for JSON Lines."
            ),
        ],
        *,
        endpoint: Annotated[
            str | None, typer.Option(help=f"{where} Default: $EXTRACTIFY_ENDPOINT.")
        ] = None,
        fallback: Annotated[
            list[str] | None,
            typer.Option(
                metavar="ENDPOINT",
                help="Asked where the one before is overloaded or exhausted, or gives up. May be "
                "given more than once.",
            ),
        ] = None,
        instructions: Annotated[
            str | None, typer.Option(metavar="TEXT", help="Told to the model besides the target.")
        ] = None,
        journal: Annotated[
            str | None, typer.Option(metavar="FILE", help="What is done. Default: OUTPUT.journal.")
        ] = None,
        dead: Annotated[
            str | None,
            typer.Option(
                metavar="FILE",
                help="What failed, as input again. Default: OUTPUT.dead.jsonl; "
                "extractify.dead.jsonl where OUTPUT is -.",
            ),
        ] = None,
        id_field: Annotated[
            str | None, typer.Option(metavar="NAME", help="Default: id, or the row's number.")
        ] = None,
        text_field: Annotated[str, typer.Option(metavar="NAME", help="Of the document.")] = "text",
        concurrency: Annotated[int, typer.Option(min=1, help="Most requests in flight.")] = 32,
        requests_per_minute: Annotated[
            float | None, typer.Option(help="Default: what the endpoint is known to take.")
        ] = None,
        tokens_per_minute: Annotated[float | None, typer.Option(help="In and out.")] = None,
        max_cost: Annotated[
            float | None, typer.Option(help="Money, of all sessions on the journal.")
        ] = None,
        max_tokens: Annotated[
            int | None, typer.Option(help="In and out, of all sessions on the journal.")
        ] = None,
        max_seconds: Annotated[float | None, typer.Option(help="Of this session.")] = None,
        max_failures: Annotated[
            str | None, typer.Option(metavar="N or N%", help="Dead letters, from 100 rows on if %.")
        ] = None,
        as_completed: Annotated[
            bool, typer.Option("--as-completed", help="Not in the order of the input.")
        ] = False,
        flat: Annotated[
            bool, typer.Option("--flat", help="Parquet with columns instead of structs.")
        ] = False,
        retry_dead: Annotated[
            bool, typer.Option("--retry-dead", help="Ask again for what failed before.")
        ] = False,
        force: Annotated[
            bool,
            typer.Option(
                "--force",
                help="Go on though the task or the endpoint changed. Answers that were kept are "
                "read again by the task as it is now, free of charge.",
            ),
        ] = False,
        new: Annotated[
            bool, typer.Option("--new", help="Begin anew, and set the old journal aside.")
        ] = False,
        progress: Annotated[Style, typer.Option(help="On standard error.")] = Style.auto,
        telemetry: Annotated[
            bool,
            typer.Option(
                "--telemetry", help="Send OpenTelemetry's spans and metrics, as OTEL_* says."
            ),
        ] = False,
    ) -> None:
        """Extract one value from each row of INPUT, for hours if need be, and resumably.

        A run that is started again with the same command goes on from its journal: nothing that
        is done is asked again. OUTPUT stands in its place when every row has an outcome; before
        that it is OUTPUT.part. Ctrl-C ends the run when what is in flight is answered; twice, at
        once.

        Exits with 0 if every row gave a valid value, with 1 if some are dead letters, with 3 if it
        stopped before the end, with 130 if it was interrupted, with 2 if the options, the target,
        the endpoint or the files are wrong.
        """
        from extractify.client import Client
        from extractify.pace import Pace
        from extractify.plans import Budget, Plan

        task = task_at(target, instructions)
        with in_order(MISUSED):
            if force and new:
                raise ConfigurationError("Choose --force or --new, not both.")
            on_change: OnChange = "force" if force else "new" if new else "refuse"
            plan = Plan(
                journal=journal,
                dead=dead,
                pace=Pace(concurrency, requests_per_minute, tokens_per_minute),
                budget=Budget(max_cost, max_tokens, max_seconds, _failures(max_failures)),
                ordered=not as_completed,
                id_field=id_field,
                text_field=text_field,
                flat=flat,
                retry_dead=retry_dead,
                on_change=on_change,
            )
            # It isn't opened: the run has connections, and a local model, of its own.
            with _telling(wanted=telemetry) as told, display(progress) as show:
                told_to = tell_faults(progress)
                others = fallback or ()
                client = Client(endpoint, fallback=others, on_event=told_to, telemetry=told)
                report = _ran(client, task, (source, output, plan), show)
        _tell(report, progress, plan.budget)


@contextmanager
def _telling(*, wanted: bool) -> "Iterator[Telemetry | None]":
    """What tells OpenTelemetry, if that is wanted. Raises: ConfigurationError without the extra."""
    if not wanted:
        yield None
        return
    from extractify.otel import by_environment

    with by_environment(os.environ) as telemetry:
        yield telemetry


def _ran(
    client: "Client", task: "Task[Any]", given: "tuple[str, str, Plan]", show: "OnProgress | None"
) -> Report:
    """The report of a run, also of one whose input broke off in the middle."""
    from extractify.bulk import located

    source, output, plan = given
    seen: list[Progress] = []

    def watch(progress: "Progress") -> None:
        seen[:] = [progress]
        if show is not None:
            show(progress)

    try:
        return client.run(task, source, output, plan, on_progress=watch)
    except (ExtractifyError, OSError) as error:
        notes = [note for note in getattr(error, "__notes__", ()) if note.startswith(BROKEN_OFF)]
        if not notes or not seen:
            raise
        plan = located(plan, output)
        where = notes[0].partition(".")[0]
        stopped = f"{where[0].lower()}{where[1:]}: {error}"
        written = "" if output == "-" else output
        return Report(seen[0], stopped, written, str(plan.dead or ""), str(plan.journal or ""))


def _failures(text: str | None) -> int | float | None:
    """`5` is a number of dead letters, `1%` a share of the rows."""
    if text is None:
        return None
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else int(text)
    except ValueError:
        raise ConfigurationError(
            f"--max-failures {text} is neither a number nor a share. Write 50, or 1%."
        ) from None


def _tell(report: Report, style: Style, budget: "Budget") -> None:
    """The closing table, and the exit code."""
    if style is Style.json:
        told = {
            **event(report.progress),
            "event": "end",
            "complete": report.complete,
            "stopped": report.stopped,
        }
        sys.stderr.write(f"{json.dumps(told)}\n")
    elif style is not Style.none:
        rows = closing_table(report)
        width = max(len(name) for name, _ in rows)
        sys.stderr.write("".join(f"{name:<{width}}  {value}\n" for name, value in rows))
    if not report.complete:
        way_on = "The same command goes on from here."
        if budget.is_used_up(report.progress):
            way_on = "With a higher limit the same command goes on from here."
        if not report.journal:
            way_on = "Nothing was kept: name a --journal, and what is done isn't asked again."
        if report.progress.failed:
            way_on += " What failed is asked again with --retry-dead."
        sys.stderr.write(f"Stopped before the end: {report.stopped.rstrip('.')}. {way_on}\n")
        sys.exit(INTERRUPTED if report.stopped == INTERRUPTION else STOPPED)
    if report.progress.failed:
        sys.exit(FAILED)
