"""The command line: `extract`, `run`, `ground`, `schema` and `demo`.

It needs the extra `cli`, which is imported when a command runs. Results go to standard output, and
what went wrong to standard error, without the document's text.
"""

import importlib.util
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from extractify import __version__
from extractify.endpoints import profile_of, resolve
from extractify.errors import ConfigurationError
from extractify.evidence import as_dict
from extractify.grounding import ground
from extractify.lowering import lower
from extractify.nodes import ENVELOPE
from extractify.notation import notation
from extractify.outcomes import Job, Outcome, Outcomes, Shown, outcomes, read_text, record
from extractify.partials import Partial
from extractify.profiles import M2_7, PROFILES, Profile
from extractify.run_command import add_run
from extractify.shell import FAILED, MISUSED, as_json, in_order, task_at
from extractify.tables import count_absent, growing_table, print_table, repair, visible
from extractify.targets import imported
from extractify.task import Task

if TYPE_CHECKING:
    import typer

_EXTRA_MISSING = "The command line needs its extra. Run: pip install 'extractify[cli]'\n"
_EMBEDDED = "local:smollm2"
_WHERE = "cloudflare:minimax/m2.7, openai:MODEL, local:smollm2 or http://host/v1#MODEL."
_TARGET_HELP = (
    "What to extract: file.py:Name or package.module:Name, of a type, a Task, or a JSON Schema "
    "as a dict."
)


class Format(StrEnum):
    """How `extract` prints: JSON Lines for programs, a table for people."""

    json = "json"
    table = "table"


def main() -> None:
    """Run the command line. Exits with 0 if all was done, 1 if something failed, 2 on misuse."""
    try:
        application = app()
    except ImportError:
        sys.stderr.write(_EXTRA_MISSING)
        sys.exit(MISUSED)
    if sys.stdout is None:  # closed by the caller
        sys.stderr.write("error: There is no standard output to write to.\n")
        sys.exit(FAILED)
    with in_order():  # also for what is printed outside of a command, such as the version
        application()


def app() -> "typer.Typer":
    """Build the application. Raises: ImportError without the extra `cli`."""
    import typer

    importlib.import_module("rich")
    cli = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
    )

    def show_version(wanted: object) -> None:
        if wanted:
            typer.echo(f"extractify {__version__}")
            raise typer.Exit

    @cli.callback()
    def _common(
        *,
        _version: Annotated[
            bool,
            typer.Option(
                "--version", callback=show_version, is_eager=True, help="Show the version."
            ),
        ] = False,
    ) -> None:
        """Typed data out of text, with nothing lost."""

    @cli.command()
    def extract(
        files: Annotated[
            list[str], typer.Argument(metavar="FILE...", help="UTF-8 text; - is standard input.")
        ],
        target: Annotated[str, typer.Option(metavar="WHERE:NAME", help=_TARGET_HELP)],
        endpoint: Annotated[
            str | None, typer.Option(help=f"{_WHERE} Default: $EXTRACTIFY_ENDPOINT.")
        ] = None,
        output: Annotated[
            Format, typer.Option("--format", help="One JSON line per document, or a table.")
        ] = Format.json,
        instructions: Annotated[
            str | None, typer.Option(metavar="TEXT", help="Told to the model besides the target.")
        ] = None,
        *,
        stream: Annotated[
            bool, typer.Option("--stream", help="Show the values on a terminal while they arrive.")
        ] = False,
    ) -> None:
        """Extract one value from each FILE.

        Prints a line for each document when it is done: a JSON object with document, value, error,
        problems, status, attempts, seconds, usage, evidence and fixes. If extraction failed, value
        is null and error has type, message, detail, endpoint, status, code, retry_after,
        request_id, tries, problems and partial, the best value so far; otherwise error is null.
        With Repair(best_effort=True), problems and status say what is wrong in the value.

        Where the credentials are refused or the quota is used up, the rest isn't tried.

        Exits with 0 if every document gave a valid value, with 1 if one didn't, with 2 if the
        options, the target or the endpoint are wrong.
        """
        task = task_at(target, instructions)
        jobs = [(file, None if file == "-" else Path(file), task) for file in files]
        with in_order():
            _write(jobs, endpoint, output, streamed=len(jobs) if stream else 0)

    add_run(cli, _TARGET_HELP, _WHERE)

    @cli.command()
    def ground(
        file: Annotated[str, typer.Argument(metavar="FILE", help="UTF-8 text; - is its input.")],
        value: Annotated[str, typer.Option(metavar="JSON", help="What to look up in it.")],
        *,
        fuzzy: Annotated[
            bool, typer.Option("--fuzzy", help="Take typos too. Needs the extra fuzzy.")
        ] = False,
        output: Annotated[
            Format, typer.Option("--format", help="One JSON object, or a table.")
        ] = Format.json,
    ) -> None:
        """Show where the leaves of a value stand in FILE. No model is asked.

        Prints an object by JSON pointer: status, spans (the best place, with line and column) and
        whether it is ambiguous.

        Exits with 0 if every leaf stands in the text, with 1 if one doesn't.
        """
        with in_order(MISUSED):
            _ground(file, value, output, fuzzy=fuzzy)

    @cli.command()
    def schema(
        target: Annotated[str, typer.Argument(metavar="WHERE:NAME", help=_TARGET_HELP)],
        endpoint: Annotated[
            str | None, typer.Option(help=f"{_WHERE} Takes no credentials.")
        ] = None,
        profile: Annotated[
            str | None, typer.Option(help=f"{', '.join(PROFILES)}. Default: {M2_7.name}.")
        ] = None,
    ) -> None:
        """Show a target as a model is asked for it.

        Prints the schema as the endpoint gets it, the type as the prompt shows it, and what the
        endpoint isn't told, so that extractify alone checks it.
        """
        with in_order(MISUSED):
            _show_schema(task_at(target), _profile(endpoint, profile))

    @cli.command()
    def demo(
        endpoint: Annotated[str, typer.Option(help=_WHERE)] = _EMBEDDED,
    ) -> None:
        """Extract from sample documents with a small model on this machine."""
        with in_order():
            _demonstrate(endpoint)

    return cli


def _write(jobs: Sequence[Job], endpoint: str | None, output: Format, *, streamed: int) -> None:
    with in_order(MISUSED):
        resolve(endpoint)
    (_write_lines if output is Format.json else _write_table)(jobs, endpoint, streamed)


def _write_lines(jobs: Sequence[Job], endpoint: str | None, streamed: int) -> None:
    """Print a JSON line for each document as it is done."""
    complete = True
    told = _live(jobs, endpoint, streamed) if streamed else _silently(jobs, endpoint)
    left = len(jobs)
    with closing(told) as stream:
        for outcome in stream:
            left -= 1
            sys.stdout.write(f"{as_json(record(outcome))}\n")
            sys.stdout.flush()
            complete = _succeeded(outcome) and complete
    _tell_untried(left)
    if not complete:
        sys.exit(FAILED)


def _succeeded(outcome: Outcome) -> bool:
    """Whether there is a valid value; else what is wrong, without document text, is told."""
    if outcome.problems and outcome.error is None:
        sys.stderr.write(f"error: {outcome.name}: the value is invalid in part (see problems)\n")
    if outcome.error is not None:
        kind = type(outcome.error).__name__
        sys.stderr.write(f"error: {outcome.name}: {kind}: {outcome.error}\n")
    return outcome.ok


def _tell_untried(count: int) -> None:
    if count:
        rest = "1 document wasn't" if count == 1 else f"{count} documents weren't"
        sys.stderr.write(f"error: {rest} tried, since the same would happen.\n")


def _ground(name: str, value: str, output: Format, *, fuzzy: bool) -> None:
    try:
        data = json.loads(value)
    except (ValueError, RecursionError):
        raise ConfigurationError(
            "The --value is no JSON. Quote it for the shell: --value '{\"total\": 12.5}'."
        ) from None
    text = read_text(name, None if name == "-" else Path(name))
    evidence = ground(data, text, fuzzy=fuzzy)
    if output is Format.json:
        sys.stdout.write(f"{as_json(as_dict(evidence))}\n")
    else:
        print_table([Outcome(name, text, data, (), 0.0, evidence=evidence)])
    sys.stdout.flush()
    if any(found.status == "missing" for found in evidence.values()):
        sys.exit(FAILED)


def _profile(endpoint: str | None, name: str | None) -> Profile:
    if endpoint and name:
        raise ConfigurationError("Name an --endpoint or a --profile, not both.")
    if name and name not in PROFILES:
        raise ConfigurationError(f"There is no profile {name}. Known: {', '.join(PROFILES)}.")
    return profile_of(endpoint) if endpoint else PROFILES[name or M2_7.name]


def _show_schema(task: Task[Any], profile: Profile) -> None:
    wire = lower(task.schema, profile)
    force = "enforced by the endpoint" if profile.enforces else "a hint to the endpoint"
    dropped = [f"  {item.pointer or '/'}: {item.keyword}" for item in wire.dropped]
    lines = [
        f"# On the wire, for the profile {profile.name} ({force}):",
        as_json(wire.format.schema, indent=2)
        if wire.format
        else "nothing: only the prompt says it",
        "\n# In the prompt:",
        notation(task.schema, envelope=ENVELOPE if wire.enveloped else None, shape=wire.shape),
        "\n# Not told to the endpoint, checked by extractify:",
        *(dropped or ["  nothing"]),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _silently(jobs: Sequence[Job], endpoint: str | None) -> Outcomes:
    return outcomes(jobs, endpoint, Shown(lambda _: None))


def _with_progress(jobs: Sequence[Job], endpoint: str | None) -> Outcomes:
    """As `outcomes`, with a spinner on standard error, or lines where it is no terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    if console.is_terminal:
        with console.status("") as status:
            say = Shown(lambda text: status.update(Text(text)))
            yield from outcomes(jobs, endpoint, say)
    else:
        yield from outcomes(jobs, endpoint, Shown(lambda text: sys.stderr.write(f"{text}\n")))


def _live(jobs: Sequence[Job], endpoint: str | None, streamed: int) -> Outcomes:
    """As `outcomes`, with a table on standard error that fills while the first ones arrive."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)
    if not console.is_terminal:  # nothing fills there; the answers stream all the same
        say = Shown(lambda text: sys.stderr.write(f"{text}\n"), lambda _: None, streamed)
        yield from outcomes(jobs, endpoint, say)
        return
    with Live(console=console, transient=True) as live:
        now = ""

        def say_now(text: str) -> None:
            nonlocal now
            now = text
            live.update(Text(text))

        def show(partial: Partial[Any]) -> None:
            live.update(growing_table(partial, now), refresh=True)

        yield from outcomes(jobs, endpoint, Shown(say_now, show, streamed))


def _write_table(jobs: Sequence[Job], endpoint: str | None, streamed: int) -> None:
    """Print a table of the documents, or of those that were done when something stopped it."""
    done: list[Outcome] = []
    complete = True
    told = _live(jobs, endpoint, streamed) if streamed else _with_progress(jobs, endpoint)
    try:
        with closing(told) as stream:
            for outcome in stream:
                done.append(outcome)
                complete = _succeeded(outcome) and complete
    finally:
        if done:
            print_table(done)
    _tell_untried(len(jobs) - len(done))
    if not complete:
        sys.exit(FAILED)


def _demonstrate(endpoint: str) -> None:
    from rich.console import Console
    from rich.text import Text

    installed = Path(__file__).with_name("_demo")
    checkout = Path(__file__).parents[1] / "examples" / "demo"
    folder = installed if installed.is_dir() else checkout
    documents = imported(str(folder / "documents.py")).DEMO
    # A small model can go round in circles: without a limit of its own, the answer gets more room.
    jobs = [(name, folder / name, Task(model, max_tokens=400)) for name, model in documents]
    place = ", a small model on this machine" if endpoint == _EMBEDDED else ""
    console = Console()
    console.print(Text(f"Extracting from {len(jobs)} documents with {endpoint}{place}."))
    if endpoint == _EMBEDDED:
        console.print(Text("It takes about a minute. So small a model makes mistakes: see below."))
    done: list[Outcome] = []
    try:
        with closing(_live(jobs, endpoint, 1)) as stream:  # the first one is shown as it arrives
            done.extend(stream)
    finally:  # what is done is shown, whatever stopped the rest
        if done:
            print_table(done)
    for outcome in done:
        if len(outcome.attempts) > 1:
            for line in repair(outcome):
                console.print(Text(visible(line)))
    valid = sum(outcome.ok for outcome in done)
    absent = sum(count_absent(outcome) for outcome in done if outcome.ok)
    console.print(
        Text(
            f"{valid} of {len(done)} documents gave a valid value; "
            f"{absent} of the values in them aren't in the text."
        )
    )
    if not any(outcome.attempts for outcome in done):
        sys.exit(FAILED)
