"""The command line: `extract`, `schema` and `demo`.

It needs the extra `cli`, which is imported when a command runs. Results go to standard output, and
what went wrong to standard error, without the document's text.
"""

import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from hashlib import sha256
from io import TextIOWrapper
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, cast, get_origin

from extractify import __version__
from extractify.client import Client
from extractify.documents import Document
from extractify.endpoints import profile_of
from extractify.errors import ConfigurationError, DocumentError, ExtractifyError
from extractify.events import Event, RequestSent, RetryScheduled
from extractify.extraction import Extraction
from extractify.grounding import ground
from extractify.lowering import lower
from extractify.messages import Attempt, JsonValue, Usage, clipped
from extractify.nodes import escaped
from extractify.notation import notation
from extractify.profiles import M2_7, PROFILES, Profile
from extractify.task import Task

if TYPE_CHECKING:
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec

    import typer

_EXTRA_MISSING = "The command line needs its extra. Run: pip install 'extractify[cli]'\n"
_EMBEDDED = "local:smollm2"
_FAILED, _MISUSED, _INTERRUPTED = 1, 2, 130


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
        sys.exit(_MISUSED)
    application()


def app() -> "typer.Typer":
    """Build the application. Raises: ImportError without the extra `cli`."""
    import typer

    importlib.import_module("rich")
    where = "cloudflare:minimax/m2.7, openai:MODEL, local:smollm2 or http://host/v1#MODEL."
    target_help = "What to extract: file.py:Name or package.module:Name."
    cli = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
    )

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
        """Typed data out of text, with nothing lost."""

    @cli.command()
    def extract(
        files: Annotated[
            list[str], typer.Argument(metavar="FILE...", help="UTF-8 text; - is standard input.")
        ],
        target: Annotated[str, typer.Option(metavar="WHERE:NAME", help=target_help)],
        endpoint: Annotated[
            str | None, typer.Option(help=f"{where} Default: $EXTRACTIFY_ENDPOINT.")
        ] = None,
        output: Annotated[
            Format, typer.Option("--format", help="One JSON line per document, or a table.")
        ] = Format.json,
        instructions: Annotated[
            str | None, typer.Option(metavar="TEXT", help="Told to the model besides the target.")
        ] = None,
    ) -> None:
        """Extract one value from each FILE.

        Prints a line for each document when it is done: a JSON object with document, value, error,
        attempts, seconds, usage and fixes. If extraction failed, value is null and error has type,
        message, detail, problems and partial, the best value so far; otherwise error is null.

        Exits with 0 if every document gave a value, with 1 if one didn't.
        """
        task = _task(target, instructions)
        jobs = [(file, None if file == "-" else Path(file), task) for file in files]
        with _in_order():
            (_write_lines if output is Format.json else _write_table)(jobs, endpoint)

    @cli.command()
    def schema(
        target: Annotated[str, typer.Argument(metavar="WHERE:NAME", help=target_help)],
        endpoint: Annotated[str | None, typer.Option(help=f"{where} Takes no credentials.")] = None,
        profile: Annotated[
            str | None, typer.Option(help=f"{', '.join(PROFILES)}. Default: {M2_7.name}.")
        ] = None,
    ) -> None:
        """Show a target as a model is asked for it.

        Prints the schema as the endpoint gets it, the type as the prompt shows it, and what the
        endpoint isn't told, so that extractify alone checks it.
        """
        with _in_order(_MISUSED):
            _show_schema(_task(target), _profile(endpoint, profile))

    @cli.command()
    def demo(
        endpoint: Annotated[str, typer.Option(help=where)] = _EMBEDDED,
    ) -> None:
        """Extract from sample documents with a small model on this machine."""
        with _in_order():
            _demonstrate(endpoint)

    return cli


@contextmanager
def _in_order(code: int = _FAILED) -> Iterator[None]:
    """End the command with one message and an exit code, whatever stops it. code: for errors."""
    if isinstance(sys.stdout, TextIOWrapper):  # what its encoding can't say is escaped
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        yield
        sys.stdout.flush()
    except ExtractifyError as error:
        reason = str(error)
    except KeyboardInterrupt:
        reason, code = "interrupted", _INTERRUPTED
    except OSError as error:
        with suppress(OSError):  # at its end, the interpreter would try again to write the rest
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        reader_left = isinstance(error, BrokenPipeError)
        reason = "" if reader_left else f"The output can't be written: {error.strerror or error}."
    else:
        return
    if reason:
        sys.stderr.write(f"error: {reason}\n")
    sys.exit(code)


def _task(where: str, instructions: str | None = None) -> Task[Any]:
    """The task that `file.py:Name` or `package.module:Name` stands for."""
    with _in_order(_MISUSED):
        place, _, name = where.rpartition(":")
        if not place or not name:
            raise ConfigurationError(f"Write {where} as file.py:Name or package.module:Name.")
        module = _imported(place)
        if not hasattr(module, name):
            known = ", ".join(_candidates(module)) or "nothing to extract"
            raise ConfigurationError(f"There is no {name} in {place}. There is: {known}.")
        target = getattr(module, name)
        task = target if isinstance(target, Task) else Task(target)
    return task if instructions is None else replace(task, instructions=instructions)


def _candidates(module: ModuleType) -> Iterator[str]:
    for name, value in vars(module).items():
        own = isinstance(value, type) and value.__module__ == module.__name__
        kind = own or isinstance(value, Task | dict) or get_origin(value) is not None
        if kind and not name.startswith("_"):
            yield name


def _imported(place: str) -> ModuleType:
    """Import a module by its name, or a file by its path under a name of its own."""
    path = Path(place).absolute()
    is_file = place.endswith(".py")
    if is_file and not path.is_file():
        raise ConfigurationError(f"There is no file {path}.")
    sys.path.insert(0, str(path.parent if is_file else Path.cwd()))
    try:
        if not is_file:
            return importlib.import_module(place)
        name = f"{path.stem}_{sha256(os.fsencode(path)).hexdigest()[:8]}"
        spec = cast("ModuleSpec", importlib.util.spec_from_file_location(name, path))
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # where pydantic and pickle look for it
        cast("Loader", spec.loader).exec_module(module)
    except (Exception, SystemExit) as error:
        raise ConfigurationError(f"The import failed: {_described(error)}") from error
    return module


def _described(error: BaseException) -> str:
    """Say what an import raised, and at which line of the user's file."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError in {error.filename}, line {error.lineno}: {error.msg}"
    places = [
        f" in {frame.filename}, line {frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and "importlib" not in frame.filename
    ]
    return f"{type(error).__name__}{''.join(places[1:2])}: {error}"  # the first is this file's


_Job = tuple[str, Path | None, Task[Any]]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a document. data: its value as plain data; if it failed, the best part."""

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


_Outcomes = Generator[_Outcome, None, None]


def _outcomes(
    jobs: Sequence[_Job], endpoint: str | None, say: Callable[[str], object]
) -> _Outcomes:
    """Do the jobs in order; a failure is an outcome too, and the next document has its turn."""
    where = ""

    def on_event(event: Event) -> None:
        if isinstance(event, RequestSent):
            say(f"{where}, attempt {event.attempt}")
        elif isinstance(event, RetryScheduled):
            say(f"{where}: {event.error}, again in {event.seconds:.0f} s")

    with Client(endpoint, on_event=on_event) as client:
        for number, (name, path, task) in enumerate(jobs, start=1):
            where = f"{number} of {len(jobs)}: {name}"
            text = ""
            try:
                text = _text(name, path)
                result = client.extract(task, Document(text, name))
            except ExtractifyError as error:
                partial = getattr(error, "partial", None)
                yield _Outcome(name, text, partial, error.attempts, error)
            else:
                yield _Outcome(name, text, _data(task, result), result.attempts)


def _data(task: Task[Any], result: Extraction[Any]) -> JsonValue:
    """The value as plain data."""
    value, adapter = result.value, task.schema.adapter
    if adapter is not None:
        value = adapter.dump_python(value, mode="json", by_alias=True, warnings=False, fallback=str)
    return cast("JsonValue", value)


def _text(name: str, path: Path | None) -> str:
    try:
        content = sys.stdin.buffer.read() if path is None else path.read_bytes()
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{name} isn't UTF-8 text (byte {error.start}). Convert it first, for example with "
            "iconv -f LATIN1 -t UTF-8."
        ) from None
    except OSError as error:
        raise DocumentError(f"{name} can't be read: {error.strerror}.") from None


def _write_lines(jobs: Sequence[_Job], endpoint: str | None) -> None:
    """Print a JSON line for each document as it is done."""
    complete = True
    with closing(_outcomes(jobs, endpoint, lambda _: None)) as outcomes:
        for outcome in outcomes:
            sys.stdout.write(f"{_json(_record(outcome))}\n")
            sys.stdout.flush()
            complete = _succeeded(outcome) and complete
    if not complete:
        sys.exit(_FAILED)


def _succeeded(outcome: _Outcome) -> bool:
    """Whether there is a value; else the error's message, without document text, is told."""
    if outcome.error is not None:
        kind = type(outcome.error).__name__
        sys.stderr.write(f"error: {outcome.name}: {kind}: {outcome.error}\n")
    return outcome.error is None


def _record(outcome: _Outcome) -> dict[str, object]:
    error = outcome.error
    return {
        "document": outcome.name,
        "value": None if error else outcome.data,
        "error": error
        and {
            "type": type(error).__name__,
            "message": str(error),
            "detail": getattr(error, "detail", ""),
            "problems": [asdict(problem) for problem in getattr(error, "problems", ())],
            "partial": outcome.data,
        },
        "attempts": len(outcome.attempts),
        "seconds": round(outcome.seconds, 3),
        "usage": asdict(outcome.usage),
        "fixes": [asdict(fix) for attempt in outcome.attempts[-1:] for fix in attempt.fixes],
    }


def _json(data: object, indent: int | None = None) -> str:
    """JSON in the characters that standard output can carry."""
    text = json.dumps(data, ensure_ascii=False, indent=indent)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return json.dumps(data, indent=indent)
    return text


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
        _json(wire.format.schema, indent=2) if wire.format else "nothing: only the prompt says it",
        "\n# In the prompt:",
        notation(task.schema, enveloped=wire.enveloped),
        "\n# Not told to the endpoint, checked by extractify:",
        *(dropped or ["  nothing"]),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _with_progress(jobs: Sequence[_Job], endpoint: str | None) -> _Outcomes:
    """As `_outcomes`, with a spinner on standard error, or lines where it is no terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    if console.is_terminal:
        with console.status("") as status:
            yield from _outcomes(jobs, endpoint, lambda text: status.update(Text(text)))
    else:
        yield from _outcomes(jobs, endpoint, lambda text: sys.stderr.write(f"{text}\n"))


def _write_table(jobs: Sequence[_Job], endpoint: str | None) -> None:
    """Print a table of the documents, or of those that were done when something stopped it."""
    done: list[_Outcome] = []
    complete = True
    try:
        with closing(_with_progress(jobs, endpoint)) as outcomes:
            for outcome in outcomes:
                done.append(outcome)
                complete = _succeeded(outcome) and complete
    finally:
        if done:
            _print_table(done)
    if not complete:
        sys.exit(_FAILED)


def _print_table(outcomes: Sequence[_Outcome]) -> None:
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
        cost = Text(f"{attempts}, {known} tokens", "dim")
        end = Text(f"FAILED after {outcome.seconds:.1f} s", "bold red")
        if not outcome.error:
            end = Text(f"{outcome.seconds:.1f} s", "dim")
        table.add_row(Text(_visible(outcome.name), "bold"), cost, end)
        for field, value, remark, style in _rows(outcome):
            name = Text(f"  {_visible(field)}")
            table.add_row(name, Text(_visible(value)), Text(_visible(remark), style))
        table.add_section()
    Console().print(table)


def _rows(outcome: _Outcome) -> Iterator[tuple[str, str, str, str]]:
    """Yield field, value, remark and the remark's style: what is wrong first, then the rest."""
    problems = getattr(outcome.error, "problems", ())
    if outcome.error and not problems:
        yield "", "", str(outcome.error), "red"
    for problem in problems:
        yield problem.pointer or "/", problem.got, problem.expected, "red"
    evidence = ground(outcome.data, outcome.text)
    for pointer, leaf in _leaves(outcome.data):
        value = leaf if isinstance(leaf, str) else json.dumps(leaf, ensure_ascii=False)
        found = evidence.get(pointer)
        if pointer in {problem.pointer for problem in problems}:
            continue
        if found is None or isinstance(leaf, bool):
            yield pointer, value, "", ""
        elif not found.spans:
            yield pointer, value, "not in the text", "bold red"
        else:
            as_written = outcome.text[slice(*found.spans[0])]
            seen = "" if found.status == "exact" else f": {as_written}"
            yield pointer, value, f"yes, {found.status}{seen}", "green"


def _leaves(value: JsonValue, pointer: str = "") -> Iterator[tuple[str, JsonValue]]:
    if isinstance(value, dict | list) and value:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, f"{pointer}/{escaped(str(key))}")
    elif pointer or value is not None:
        yield pointer, value


def _visible(text: str) -> str:
    """Keep what a model wrote from moving the cursor or breaking a row."""
    return "".join(
        char if char.isprintable() else " " if char.isspace() else ascii(char)[1:-1]
        for char in text
    )


def _demonstrate(endpoint: str) -> None:
    from rich.console import Console
    from rich.text import Text

    installed = Path(__file__).with_name("_demo")
    checkout = Path(__file__).parents[1] / "examples" / "demo"
    folder = installed if installed.is_dir() else checkout
    documents = _imported(str(folder / "documents.py")).DEMO
    # A small model can go round in circles: without a limit of its own, the answer gets more room.
    jobs = [(name, folder / name, Task(model, max_tokens=400)) for name, model in documents]
    place = ", a small model on this machine" if endpoint == _EMBEDDED else ""
    console = Console()
    console.print(Text(f"Extracting from {len(jobs)} documents with {endpoint}{place}."))
    with closing(_with_progress(jobs, endpoint)) as outcomes:
        done = list(outcomes)
    _print_table(done)
    for outcome in done:
        if len(outcome.attempts) > 1:
            for line in _repair(outcome):
                console.print(Text(_visible(line)))
    valid = sum(outcome.error is None for outcome in done)
    console.print(Text(f"{valid} of {len(done)} documents gave a valid value."))
    if not any(outcome.attempts for outcome in done):
        sys.exit(_FAILED)


def _repair(outcome: _Outcome) -> Iterator[str]:
    """Tell what was wrong with the first answer, and what stands there in the last."""
    yield f"{outcome.name}: the first answer was sent back with what was wrong in it:"
    leaves = dict(_leaves(outcome.data))
    for problem in outcome.attempts[0].problems:
        after = leaves.get(problem.pointer) if problem.pointer else outcome.data
        yield f"  {problem}"
        yield f"  in the last answer: {clipped(json.dumps(after, ensure_ascii=False), 300)}"
    yield ""
