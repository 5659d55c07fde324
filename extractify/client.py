"""The clients: one conversation, driven synchronously or asynchronously."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast, overload

from extractify.checks import FUNCTION, SECONDS, check_option, instance, many
from extractify.conversation import Asked, Setting, context_of, first_request
from extractify.driving import drive, drive_async
from extractify.endpoints import Endpoint, resolve
from extractify.errors import ConfigurationError
from extractify.exchanges import usable
from extractify.fallback import converse_in_turn
from extractify.limits import Limits
from extractify.links import AsyncLink, Link, Links
from extractify.retrying import Retry
from extractify.schema import compile_schema
from extractify.task import Task, plain_task
from extractify.transport import DEFAULT_TIMEOUT
from extractify.wire import BuiltRequest, Wire

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from typing_extensions import TypeForm

    from extractify.bulk import Bulk, Given
    from extractify.events import Event, OnEvent
    from extractify.extraction import Extraction
    from extractify.messages import Completion, JsonValue
    from extractify.otel import Telemetry
    from extractify.picking import Picker
    from extractify.plans import OnProgress, Plan, Report
    from extractify.playback import Playback
    from extractify.prompts import Source
    from extractify.streams import AsyncItems, AsyncStream, Items, Stream

_ENDPOINT = instance(Endpoint, str)
_FALLBACK = "a list of endpoints or their names, such as ['openai:gpt-5-mini']"
T = TypeVar("T")
L = TypeVar("L", Link, AsyncLink)


class _Session(Generic[L]):
    """What both clients are made of: an endpoint, the options, and the links opened so far."""

    _kind: type[L]

    def __init__(  # noqa: PLR0913  (one for each option)
        self,
        endpoint: Endpoint | str | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        retry: Retry | int = True,
        limits: Limits | None = None,
        fallback: Sequence[Endpoint | str] = (),
        on_event: OnEvent | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        """Describe the calls; the connections open with the first of them.

        endpoint: or its name; None takes EXTRACTIFY_ENDPOINT. timeout: seconds, per read. retry:
        of passing faults, a number of exchanges, a Retry, or False. limits: of time, size and
        connections. fallback: who is asked next where the endpoint is overloaded, out of quota or
        out of reach, or gives no valid answer. on_event: called with frozen events, in the
        calling thread. telemetry: of extractify.otel, tells OpenTelemetry. Raises:
        ConfigurationError on an unknown endpoint or missing credentials.
        """
        check_option("Client(timeout=…)", timeout, SECONDS)
        check_option("Client(limits=…)", limits, instance(Limits).optional)
        check_option("Client(fallback=…)", fallback, many(_ENDPOINT, _FALLBACK))
        check_option("Client(on_event=…)", on_event, FUNCTION.optional)
        self.endpoint = resolve(endpoint)
        self._emit: OnEvent = on_event or _ignore
        self._telemetry = telemetry
        if telemetry is not None:
            from extractify.otel import Telemetry  # and OpenTelemetry with it

            check_option("Client(telemetry=…)", telemetry, instance(Telemetry))
            self._emit = telemetry.hearing(self._emit)
        self._options: dict[str, Any] = {
            "timeout": timeout,
            "retry": Retry.of(retry),
            "limits": limits,
            "emit": self._emit,
        }
        self._settings = [_setting(each) for each in (self.endpoint, *map(resolve, fallback))]
        self._links: Links[L] = Links(self._kind, self._options)

    def build_request(self, target: object, document: Source) -> BuiltRequest:
        """Show the first request of an extraction: url, masked headers, body. Sends nothing."""
        request = first_request(_task(target), document, self._settings[0])
        wire = Wire(self.endpoint)
        usable(wire)
        return wire.built(request)

    def _conversation(
        self, target: object, document: Source
    ) -> Generator[Asked, Completion, Extraction[Any]]:
        task, settings = _task(target), self._settings
        flow = converse_in_turn(task, document, settings, self._emit, _setting)
        telemetry = self._telemetry
        return flow if telemetry is None else telemetry.observed(flow, task.schema.name)

    def _playback(
        self, task: Task[Any], document: Source, interval: float = 0.0, *, keeps: bool = False
    ) -> Playback[Any]:
        from extractify.playback import Playback  # what streams is only imported to stream

        flow = self._conversation(task, document)
        context = context_of(document)
        return Playback(flow, task, context, self._emit, interval, keeps=keeps)

    def _picking(
        self, target: object, document: Source, *, in_order: bool
    ) -> tuple[Playback[Any], Picker[Any]]:
        from extractify.picking import Picker, task_of_items

        playback = self._playback(task_of_items(_task(target)), document, keeps=True)
        picker: Picker[Any] = Picker(in_order=in_order)
        return playback, picker

    def _run(self, target: object, given: Given, on_progress: OnProgress | None) -> Bulk:
        from extractify.bulk import Bulk  # what runs in bulk is only imported to run

        task = _task(target)
        converse = partial(self._conversation, task)
        options = {**self._options, "running": self._links.running}
        return Bulk(task, converse, self._settings, options, given, on_progress)


class Client(_Session[Link]):
    """Extracts synchronously; safe to share between threads. Close it, or use it in a `with`."""

    _kind = Link

    @overload
    def extract(self, target: Task[T], document: Source) -> Extraction[T]: ...
    @overload
    def extract(self, target: TypeForm[T], document: Source) -> Extraction[T]: ...
    @overload
    def extract(
        self, target: Mapping[str, JsonValue], document: Source
    ) -> Extraction[JsonValue]: ...
    def extract(self, target: object, document: Source) -> Extraction[Any]:
        """Extract one value from a document.

        target: a Task, or what a Task takes. document: a text, a Document, or the messages of a
        conversation. Raises: SchemaError, DocumentError before anything is sent; TransportError,
        EndpointError when no answer came; ExtractionError when none was valid. Each has the
        finished `attempts` on it.
        """
        with closing(self._conversation(target, document)) as flow:
            return drive(flow, self._send)

    @overload
    def stream(
        self, target: Task[T], document: Source, *, min_interval: float = 0.0
    ) -> Stream[T]: ...
    @overload
    def stream(
        self, target: TypeForm[T], document: Source, *, min_interval: float = 0.0
    ) -> Stream[T]: ...
    @overload
    def stream(
        self, target: Mapping[str, JsonValue], document: Source, *, min_interval: float = 0.0
    ) -> Stream[JsonValue]: ...
    def stream(self, target: object, document: Source, *, min_interval: float = 0.0) -> Stream[Any]:
        """Extract one value, and show it while it arrives: `with client.stream(…) as stream`.

        Nothing is sent before the first Partial is asked for. min_interval: seconds between two
        Partials at least. Raises: as `extract`, while the stream is read.
        """
        from extractify.streams import Stream

        return Stream(self._playback(_task(target), document, min_interval), self._links.to)

    @overload
    def items(self, target: Task[T], document: Source, *, in_order: bool = False) -> Items[T]: ...
    @overload
    def items(
        self, target: TypeForm[T], document: Source, *, in_order: bool = False
    ) -> Items[T]: ...
    @overload
    def items(
        self, target: Mapping[str, JsonValue], document: Source, *, in_order: bool = False
    ) -> Items[JsonValue]: ...
    def items(self, target: object, document: Source, *, in_order: bool = False) -> Items[Any]:
        """Extract all items of a kind, and yield each when it is complete and valid.

        target: of one item; or a Task of one, whose examples hold one item each. in_order: items
        that were mended hold back those behind them. Raises: as `extract`, while it is read.
        """
        from extractify.streams import Items, Stream

        playback, picker = self._picking(target, document, in_order=in_order)
        return Items(Stream(playback, self._links.to), picker)

    def run(
        self,
        target: object,
        source: object,
        output: object,
        plan: Plan | None = None,
        *,
        on_progress: OnProgress | None = None,
    ) -> Report:
        """Extract from each row of an input, resumably, with at most one paid call for each.

        source: a file (.jsonl, .csv, .parquet), a folder of texts, a table of pandas, polars or
        Arrow, or (id, text) pairs. output: a file (.jsonl, .csv, .parquet, .sqlite), or a function
        of an id and an Entry. plan: the journal, pace, budget and fields. on_progress: called with
        a Progress four times a second.

        A run that is started again goes on from its journal. Ctrl-C ends it once what is in flight
        is answered; twice, at once. Meanwhile the garbage collector looks less often.

        Raises: ConfigurationError, SchemaError, JournalError, OutputError, and, when all that came
        of it is done, what the source raises.
        """
        from extractify.blocking import blocking

        bulk = self._run(target, (source, output, plan), on_progress)
        return blocking(lambda: bulk.run(catches_signals=True))

    def _send(self, asked: Asked) -> Completion:
        return self._links.to(asked.endpoint).send(asked.request, asked.observer)

    def close(self) -> None:
        """Close the connections, and the local server if there is one."""
        for link in self._links.taken():
            link.close()

    def __enter__(self) -> Self:
        """Open the connections; a local model starts now."""
        self._links.to(self.endpoint).open()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close them."""
        self.close()


class AsyncClient(_Session[AsyncLink]):
    """Extracts asynchronously. Close it, or use it in an `async with`.

    In each event loop it has connections of its own, which close when that loop ends.
    """

    _kind = AsyncLink

    @overload
    async def extract(self, target: Task[T], document: Source) -> Extraction[T]: ...
    @overload
    async def extract(self, target: TypeForm[T], document: Source) -> Extraction[T]: ...
    @overload
    async def extract(
        self, target: Mapping[str, JsonValue], document: Source
    ) -> Extraction[JsonValue]: ...
    async def extract(self, target: object, document: Source) -> Extraction[Any]:
        """Extract one value from a document; as `Client.extract`."""
        with closing(self._conversation(target, document)) as flow:
            return await drive_async(flow, self._send)

    @overload
    def stream(
        self, target: Task[T], document: Source, *, min_interval: float = 0.0
    ) -> AsyncStream[T]: ...
    @overload
    def stream(
        self, target: TypeForm[T], document: Source, *, min_interval: float = 0.0
    ) -> AsyncStream[T]: ...
    @overload
    def stream(
        self, target: Mapping[str, JsonValue], document: Source, *, min_interval: float = 0.0
    ) -> AsyncStream[JsonValue]: ...
    def stream(
        self, target: object, document: Source, *, min_interval: float = 0.0
    ) -> AsyncStream[Any]:
        """Extract one value, and show it while it arrives; as `Client.stream`."""
        from extractify.streams import AsyncStream

        return AsyncStream(self._playback(_task(target), document, min_interval), self._links.to)

    @overload
    def items(
        self, target: Task[T], document: Source, *, in_order: bool = False
    ) -> AsyncItems[T]: ...
    @overload
    def items(
        self, target: TypeForm[T], document: Source, *, in_order: bool = False
    ) -> AsyncItems[T]: ...
    @overload
    def items(
        self, target: Mapping[str, JsonValue], document: Source, *, in_order: bool = False
    ) -> AsyncItems[JsonValue]: ...
    def items(self, target: object, document: Source, *, in_order: bool = False) -> AsyncItems[Any]:
        """Extract all items of a kind, and yield each when it is complete; as `Client.items`."""
        from extractify.streams import AsyncItems, AsyncStream

        playback, picker = self._picking(target, document, in_order=in_order)
        return AsyncItems(AsyncStream(playback, self._links.to), picker)

    async def run(
        self,
        target: object,
        source: object,
        output: object,
        plan: Plan | None = None,
        *,
        on_progress: OnProgress | None = None,
    ) -> Report:
        """Extract from each row of an input; as `Client.run`, but signals are left alone."""
        return await self._run(target, (source, output, plan), on_progress).run()

    async def _send(self, asked: Asked) -> Completion:
        return await self._links.to(asked.endpoint).send(asked.request, asked.observer)

    async def close(self) -> None:
        """Close the connections, and the local server if there is one."""
        for link in self._links.taken():
            await link.close()

    async def __aenter__(self) -> Self:
        """Open the connections; a local model starts now."""
        await self._links.to(self.endpoint).open()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Close them."""
        await self.close()


@overload
def extract(
    target: Task[T], document: Source, *, endpoint: Endpoint | str | None = None
) -> Extraction[T]: ...
@overload
def extract(
    target: TypeForm[T], document: Source, *, endpoint: Endpoint | str | None = None
) -> Extraction[T]: ...
@overload
def extract(
    target: Mapping[str, JsonValue], document: Source, *, endpoint: Endpoint | str | None = None
) -> Extraction[JsonValue]: ...
def extract(
    target: object, document: Source, *, endpoint: Endpoint | str | None = None
) -> Extraction[Any]:
    """Extract one value, with a client of its own; for more than one call, keep a Client.

    endpoint: or its name; None takes EXTRACTIFY_ENDPOINT. Raises: as `Client.extract`.
    """
    task = _task(target)
    with Client(endpoint) as client:
        return client.extract(task, document)


def _setting(endpoint: object) -> Setting:
    """Where a conversation with an endpoint takes place."""
    if not isinstance(endpoint, Endpoint):
        message = (
            f"on_problems returned a {type(endpoint).__name__}. It returns an instruction (a str), "
            "an Endpoint or None."
        )
        raise ConfigurationError(message)
    profile, extra, prices = endpoint.capabilities, endpoint.extra, endpoint.prices
    return Setting(endpoint.model, profile, extra, prices, endpoint, endpoint.name)


def _task(target: object) -> Task[Any]:
    if isinstance(target, Task):
        return target
    if isinstance(target, type):
        schema = compile_schema(target)
        if schema.target is target:
            return plain_task(schema)
    return Task(cast("Any", target))


def _ignore(_event: Event) -> None:
    """What `on_event` does where there is none."""
