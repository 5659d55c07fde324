"""The command line: `extract`, `schema` and `demo`.

It needs the extra `cli`, which is imported when a command runs. Results go to standard output, and
what went wrong to standard error, without the document's text.
"""

import importlib
import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from hashlib import sha256
from io import TextIOWrapper
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, get_origin

from extractify import __version__
from extractify.client import Client
from extractify.documents import Document
from extractify.endpoints import profile_of
from extractify.errors import (
    ConfigurationError,
    DocumentError,
    ExtractifyError,
    ExtractionError,
    SchemaError,
)
from extractify.events import Event, RequestSent, RetryScheduled
from extractify.grounding import ground
from extractify.lowering import lower
from extractify.messages import Attempt, JsonValue, Usage
from extractify.notation import notation
from extractify.profiles import M2_7, PROFILES
from extractify.schema import escaped
from extractify.task import Task

if TYPE_CHECKING:
    import typer
    from rich.table import Table

_EXTRA_MISSING = "The command line needs its extra. Run: pip install 'extractify[cli]'\n"
_STDIN = "-"
_DEMO_ENDPOINT = "local:smollm2"
_FAILED, _MISUSED, _INTERRUPTED = 1, 2, 130
_COLOURS = {"exact": "green", "normalised": "green", "typed": "green", "missing": "bold red"}


class Format(StrEnum):
    """How `extract` prints: JSON Lines for programs, a table for people."""

    json = "json"
    table = "table"


def main() -> None:
    """Run the command line: exit 0 when all is done, 1 when something failed, 2 when misused."""
    try:
        application = app()
    except ImportError:
        sys.stderr.write(_EXTRA_MISSING)
        sys.exit(_MISUSED)
    application()


def app() -> "typer.Typer":
    """Build the application. Raises: ImportError without the extra `cli`."""
    for needed in ("rich", "typer"):
        importlib.import_module(needed)
    import typer

    cli = typer.Typer(
        help="Typed data out of text, with nothing lost.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    target_help = "What to extract: file.py:Name or package.module:Name."
    endpoint_help = "cloudflare:minimax/m2.7, openai:MODEL, local:smollm2 or http://host/v1#MODEL."

    def show_version(wanted: bool) -> None:  # noqa: FBT001  (typer calls it so)
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
        pass

    @cli.command()
    def extract(
        files: Annotated[
            list[str], typer.Argument(metavar="FILE...", help="UTF-8 text; - is standard input.")
        ],
        target: Annotated[
            str, typer.Option("--target", "-t", metavar="WHERE:NAME", help=target_help)
        ],
        endpoint: Annotated[
            str | None, typer.Option(help=f"{endpoint_help} Default: $EXTRACTIFY_ENDPOINT.")
        ] = None,
        output: Annotated[
            Format, typer.Option("--format", help="One JSON line per document, or a table.")
        ] = Format.json,
        instructions: Annotated[
            str | None, typer.Option(metavar="TEXT", help="Told to the model besides the target.")
        ] = None,
    ) -> None:
        """Extract one value from each FILE.

        Prints one JSON object per line and document, in order, as each is done, with the keys
        document, value, error, attempts, seconds, usage and fixes. Where extraction failed, value
        is null and error has type, message, detail, problems and partial (the best value so far);
        otherwise error is null.

        Exits with 0 if every document gave a value, else with 1.
        """
        with _in_order():
            task = _task(target)
            if instructions is not None:
                task = replace(task, instructions=instructions)
            jobs = [(file, None if file == _STDIN else Path(file), task) for file in files]
            write = _write_lines if output is Format.json else _write_table
            if not write(jobs, endpoint):
                raise typer.Exit(_FAILED)

    @cli.command()
    def schema(
        target: Annotated[str, typer.Argument(metavar="WHERE:NAME", help=target_help)],
        endpoint: Annotated[
            str | None, typer.Option(help=f"{endpoint_help} Needs no credentials.")
        ] = None,
        profile: Annotated[
            str | None, typer.Option(help=f"One of {', '.join(PROFILES)}. Default: {M2_7.name}.")
        ] = None,
    ) -> None:
        """Show what a model is asked for.

        Prints the schema as the endpoint gets it, the type as the prompt shows it, and what the
        endpoint isn't told and extractify checks itself.
        """
        with _in_order():
            _show_schema(_task(target), endpoint, profile)

    @cli.command()
    def demo(
        endpoint: Annotated[str, typer.Option(help=endpoint_help)] = _DEMO_ENDPOINT,
    ) -> None:
        """Extract from sample documents with the embedded model, and show how it went."""
        with _in_order():
            if not _demonstrate(endpoint):
                raise typer.Exit(_FAILED)

    return cli


# --- ending in order ---------------------------------------------------------------------------


@contextmanager
def _in_order() -> Iterator[None]:
    """End a command with one message and an exit code, whatever stopped it."""
    import typer

    if isinstance(sys.stdout, TextIOWrapper):  # a table says what the encoding can't, escaped
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        yield
        sys.stdout.flush()
    except ExtractifyError as error:
        _fail(str(error), _FAILED)
    except KeyboardInterrupt:
        _fail("interrupted", _INTERRUPTED)
    except BrokenPipeError:  # the reader has seen enough
        _abandon_stdout()
        raise typer.Exit(_FAILED) from None
    except OSError as error:
        _abandon_stdout()
        _fail(f"The output can't be written: {error.strerror or error}.", _FAILED)


def _abandon_stdout() -> None:
    """Keep the interpreter from trying again, at its end, what couldn't be written."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, code: int) -> NoReturn:
    import typer

    _complain(message)
    raise typer.Exit(code) from None


def _complain(message: str) -> None:
    sys.stderr.write(f"error: {message}\n")


# --- targets -----------------------------------------------------------------------------------


def _task(where: str) -> Task[Any]:
    """The task that `file.py:Name` or `package.module:Name` stands for; else end the command."""
    try:
        place, _, name = where.rpartition(":")
        if not place or not name:
            raise ConfigurationError("Name it as file.py:Name or package.module:Name.")
        module = _module_at(Path(place)) if place.endswith(".py") else _module_named(place)
        if not hasattr(module, name):
            candidates = ", ".join(_candidates(module)) or "nothing to extract"
            raise ConfigurationError(f"{place} has no {name}. It has: {candidates}.")
        target = getattr(module, name)
        return target if isinstance(target, Task) else Task(target)
    except (ConfigurationError, SchemaError) as error:
        _fail(f"--target {where}: {error}", _MISUSED)


def _module_at(path: Path) -> ModuleType:
    """Import a file under a name of its own; what lies beside it can be imported by it."""
    path = path.absolute()
    if not path.is_file():
        raise ConfigurationError(f"There is no file {path}.")
    name = f"{path.stem}_{sha256(os.fsencode(path)).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{path} can't be imported.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where pydantic and pickle look for it
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ConfigurationError(f"The import failed: {_described(error)}") from error
    return module


def _module_named(name: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and name.startswith(error.name or "\0"):
            message = f"There is no module {error.name}, neither here nor installed."
            raise ConfigurationError(message) from error
        raise ConfigurationError(f"The import failed: {_described(error)}") from error


def _described(error: BaseException) -> str:
    """Say what an import raised, and where in the imported file."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError in {error.filename}, line {error.lineno}: {error.msg}"
    frames = [
        f"{frame.filename}, line {frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename not in {__file__, importlib.__file__} and frame.filename[0] != "<"
    ]
    place = f" in {frames[0]}" if frames else ""
    return f"{type(error).__name__}{place}: {error}"


def _candidates(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (
            isinstance(value, Task | dict)
            or get_origin(value) is not None
            or (isinstance(value, type) and value.__module__ == module.__name__)
        )
    ]


# --- extracting --------------------------------------------------------------------------------

_Job = tuple[str, Path | None, Task[Any]]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a document. data: its value as plain data, or with an error the best part."""

    name: str
    text: str
    data: JsonValue
    attempts: tuple[Attempt, ...]
    error: ExtractifyError | None = None

    @property
    def seconds(self) -> float:
        return sum(attempt.seconds for attempt in self.attempts)

    @property
    def usage(self) -> Usage:
        return Usage.total(attempt.usage for attempt in self.attempts)


def _outcomes(
    jobs: Sequence[_Job], endpoint: str | None, say: Callable[[str], object]
) -> Iterator[_Outcome]:
    """Do the jobs in order; a failure is an outcome, and the next document has its turn."""
    where = ""

    def on_event(event: Event) -> None:
        if isinstance(event, RequestSent):
            say(f"{where}, attempt {event.attempt}")
        elif isinstance(event, RetryScheduled):
            say(f"{where}: {event.error}, again in {event.seconds:.0f} s")

    say("starting")
    with Client(endpoint, on_event=on_event) as client:
        for number, job in enumerate(jobs, start=1):
            where = f"{number} of {len(jobs)}: {job[0]}"
            yield _outcome(client, *job)


def _outcome(client: Client, name: str, path: Path | None, task: Task[Any]) -> _Outcome:
    text = ""
    try:
        text = _text(name, path)
        result = client.extract(task, Document(text, name))
    except ExtractifyError as error:
        partial = error.partial if isinstance(error, ExtractionError) else None
        return _Outcome(name, text, partial, error.attempts, error)
    adapter = task.schema.adapter
    data = result.value
    if adapter is not None:
        data = adapter.dump_python(data, mode="json", by_alias=True, warnings=False, fallback=str)
    return _Outcome(name, text, data, result.attempts)


def _text(name: str, path: Path | None) -> str:
    try:
        content = sys.stdin.buffer.read() if path is None else path.read_bytes()
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{name} isn't UTF-8 text (byte {error.start}). Convert it first, for example with "
            "iconv -f LATIN1 -t UTF-8."
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        reason = error.strerror if isinstance(error, OSError) else error
        raise DocumentError(f"{name} can't be read: {reason}.") from None


def _complain_of(outcome: _Outcome) -> None:
    """Name the failure; the library's messages list the problems without the document's text."""
    if outcome.error is not None:
        _complain(f"{outcome.name}: {type(outcome.error).__name__}: {outcome.error}")


def _write_lines(jobs: Sequence[_Job], endpoint: str | None) -> bool:
    """Print a JSON line for each document as it is done. Returns whether all have a value."""
    complete = True
    with closing(_outcomes(jobs, endpoint, lambda _: None)) as outcomes:
        for outcome in outcomes:
            sys.stdout.write(f"{_json(_record(outcome))}\n")
            sys.stdout.flush()
            _complain_of(outcome)
            complete = complete and outcome.error is None
    return complete


def _record(outcome: _Outcome) -> dict[str, object]:
    error = outcome.error
    told = error and {
        "type": type(error).__name__,
        "message": str(error),
        "detail": getattr(error, "detail", ""),
        "problems": [asdict(problem) for problem in getattr(error, "problems", ())],
        "partial": outcome.data,
    }
    return {
        "document": outcome.name,
        "value": None if error else outcome.data,
        "error": told,
        "attempts": len(outcome.attempts),
        "seconds": round(outcome.seconds, 3),
        "usage": asdict(outcome.usage),
        "fixes": [] if error else [asdict(fix) for fix in outcome.attempts[-1].fixes],
    }


def _json(data: object, indent: int | None = None) -> str:
    """JSON text in the characters that standard output can carry."""
    text = json.dumps(data, ensure_ascii=False, indent=indent)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return json.dumps(data, indent=indent)
    return text


# --- for people --------------------------------------------------------------------------------


def _show_schema(task: Task[Any], profile: Profile) -> None:
    wire = lower(task.schema, profile)
    force = "enforced by the endpoint" if profile.enforces else "a hint to the endpoint"
    dropped = [f"  {item.pointer or '/'}: {item.keyword}" for item in wire.dropped]
    lines = [
        f"# On the wire, for the profile {profile.name} ({force}):",
        _json(wire.format.schema, indent=2) if wire.format else "nothing: only the prompt says it",
        "\n# In the prompt:",
        notation(task.schema, enveloped=wire.enveloped),
        "\n# Not told to the endpoint, checked by extractify:",
        *(dropped or ["  nothing"]),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _with_progress(jobs: Sequence[_Job], endpoint: str | None) -> Iterator[_Outcome]:
    """As `_outcomes`, with a spinner on standard error, or lines where it is no terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    if console.is_terminal:
        with console.status("") as status:
            yield from _outcomes(jobs, endpoint, lambda text: status.update(Text(text)))
    else:
        yield from _outcomes(jobs, endpoint, lambda text: sys.stderr.write(f"{text}\n"))


def _print_table(outcomes: Sequence[_Outcome]) -> None:
    """Print a row for each document, with what it cost, and below it one for each leaf."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("document, field", "value", "in the text?"):
        table.add_column(heading, overflow="fold")
    for outcome in outcomes:
        state = Text("FAILED", "bold red") if outcome.error else Text("")
        table.add_row(Text(_visible(outcome.name), "bold"), Text(_cost(outcome), "dim"), state)
        for field, value, remark, style in _rows(outcome):
            table.add_row(
                Text(f"  {_visible(field)}"), Text(_visible(value)), Text(_visible(remark), style)
            )
        table.add_section()
    Console().print(table)


def _cost(outcome: _Outcome) -> str:
    count, tokens = len(outcome.attempts), outcome.usage.total_tokens
    attempts = "1 attempt" if count == 1 else f"{count} attempts"
    return f"{attempts}, {'?' if tokens is None else tokens} tokens, {outcome.seconds:.1f} s"


def _rows(outcome: _Outcome) -> Iterator[tuple[str, str, str, str]]:
    """Yield field, value, remark and the remark's style: what is wrong first, then the rest."""
    problems = outcome.error.problems if isinstance(outcome.error, ExtractionError) else ()
    if outcome.error and not problems:
        yield "", "", str(outcome.error), "red"
    for problem in problems:
        yield problem.pointer or "/", problem.got, problem.expected, "bold red"
    evidence = ground(outcome.data, outcome.text)
    wrong = {problem.pointer for problem in problems}
    for pointer, leaf in _leaves(outcome.data):
        if pointer in wrong:
            continue
        value = leaf if isinstance(leaf, str) else json.dumps(leaf, ensure_ascii=False)
        found = evidence.get(pointer)
        if found is None or isinstance(leaf, bool):
            yield pointer, value, "", ""
        elif found.spans:
            written = outcome.text[slice(*found.spans[0])]
            as_written = "" if found.status == "exact" else f": {written}"
            yield pointer, value, f"yes, {found.status}{as_written}", "green"
        else:
            yield pointer, value, "not in the text", "bold red"


def _leaves(value: JsonValue, pointer: str = "") -> Iterator[tuple[str, JsonValue]]:
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from _leaves(inner, f"{pointer}/{escaped(str(key))}")
    elif pointer or value is not None:
        yield pointer, value


def _visible(text: str) -> str:
    """Keep a value from moving the cursor or breaking a row."""
    return "".join(
        char if char.isprintable() else " " if char.isspace() else ascii(char)[1:-1]
        for char in text
    )


def _demonstrate(endpoint: str) -> bool:
    """Run the demo. Returns whether a model answered at all."""
    from rich.console import Console
    from rich.text import Text

    installed = Path(__file__).parent / "_demo"
    checkout = Path(__file__).parents[1] / "examples" / "demo"
    folder = installed if installed.is_dir() else checkout
    documents = _module_at(folder / "documents.py").DEMO
    jobs = [(name, folder / name, Task(model)) for name, model in documents]
    console = Console()
    console.print(Text(f"Extracting typed data from {len(jobs)} documents with {endpoint}."))
    with closing(_with_progress(jobs, endpoint)) as outcomes:
        done = list(outcomes)
    _print_table(done)
    repaired = [outcome for outcome in done if len(outcome.attempts) > 1 and not outcome.error]
    for outcome in repaired:
        console.print(Text("\n".join(_repair(outcome))))
    good = sum(outcome.error is None for outcome in done)
    console.print(Text(f"{good} of {len(done)} documents gave a valid value."))
    return any(outcome.attempts for outcome in done)


def _repair(outcome: _Outcome) -> Iterator[str]:
    """Tell what was wrong with the first answer, and what stands there in the last."""
    yield f"{outcome.name}: the first answer was wrong, and was sent back with what is wrong in it:"
    leaves = dict(_leaves(outcome.data))
    for problem in outcome.attempts[0].problems:
        after = leaves.get(problem.pointer, outcome.data if not problem.pointer else None)
        yield _visible(f"  {problem}")
        yield _visible(f"    in the last answer: {json.dumps(after, ensure_ascii=False)}")
    yield ""
