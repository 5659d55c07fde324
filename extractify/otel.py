"""OpenTelemetry: a span for each extraction and each exchange in it, and the metrics of exchanges.

Only who passes a Telemetry to a client imports this module, and OpenTelemetry with it.

A span is the current one only while code runs in it without a pause. What outlives a `yield` is
handed on instead, since what runs between two steps of a generator is somebody else's.
"""

from __future__ import annotations

from asyncio import CancelledError
from contextlib import closing, contextmanager
from functools import partial
from importlib.metadata import entry_points
from time import monotonic
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from extractify import conventions
from extractify.checks import FLAG, Kind, check_option
from extractify.errors import ConfigurationError, ExtractifyError
from extractify.events import RetryScheduled

try:
    from opentelemetry import context, metrics, trace
except ImportError:
    _MISSING = "Telemetry needs OpenTelemetry. Run: pip install 'extractify[otel]'"
    raise ConfigurationError(_MISSING) from None

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
    from types import TracebackType

    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

    from extractify.conversation import Asked
    from extractify.deltas import AsyncDeltas, Deltas
    from extractify.dialects.chunks import Delta
    from extractify.endpoints import Endpoint
    from extractify.events import Event, OnEvent
    from extractify.extraction import Extraction
    from extractify.messages import Completion, Request

T = TypeVar("T")
_NO_SDK = "Telemetry needs OpenTelemetry's SDK to send it. Run: pip install opentelemetry-sdk"
_PROTOCOLS = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
_EXCHANGE = context.create_key("extractify.exchange")
_TRACERS = Kind("a TracerProvider", lambda value: callable(getattr(value, "get_tracer", None)))
_METERS = Kind("a MeterProvider", lambda value: callable(getattr(value, "get_meter", None)))


class Telemetry:
    """What a client tells OpenTelemetry. Thread-safe; one may serve several clients."""

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        *,
        content: bool = False,
    ) -> None:
        """Take these providers; None is the process's own.

        content: whether spans hold what was asked and answered, documents included. Raises:
        ConfigurationError on what is no provider.
        """
        check_option("Telemetry(tracer_provider=…)", tracer_provider, _TRACERS.optional)
        check_option("Telemetry(meter_provider=…)", meter_provider, _METERS.optional)
        check_option("Telemetry(content=…)", content, FLAG)
        self.content = content
        self.tracer = trace.get_tracer("extractify", tracer_provider=tracer_provider)
        meter = metrics.get_meter("extractify", meter_provider=meter_provider)
        self.duration = meter.create_histogram(
            conventions.DURATION,
            unit="s",
            description="GenAI operation duration.",
            explicit_bucket_boundaries_advisory=conventions.DURATION_BOUNDARIES,
        )
        self.tokens = meter.create_histogram(
            conventions.TOKENS,
            unit="{token}",
            description="Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=conventions.TOKENS_BOUNDARIES,
        )

    def hearing(self, on_event: OnEvent) -> OnEvent:
        """Note on the span of an exchange when it is repeated, and pass all events on."""

        def emit(event: Event) -> None:
            span = context.get_value(_EXCHANGE)
            if span is not None and isinstance(event, RetryScheduled):
                cast("Span", span).add_event(conventions.RETRY, conventions.of_retry(event))
            on_event(event)

        return emit

    def observed(
        self, flow: Generator[Asked, Completion, Extraction[T]], target: str
    ) -> Generator[Asked, Completion, Extraction[T]]:
        """The same conversation within a span, to which its exchanges belong.

        target: its name. Raises: what the conversation raises.
        """
        span = self.tracer.start_span(f"extract {target}", attributes={conventions.TARGET: target})
        observer = Observer(self, trace.set_span_in_context(span))
        step: Callable[[], Asked] = partial(next, flow)
        try:
            with closing(flow):
                while True:
                    asked = observer.within(step)
                    try:
                        completion = yield asked._replace(observer=observer)
                        step = partial(flow.send, completion)
                    except ExtractifyError as error:
                        step = partial(flow.throw, error)
        except StopIteration as done:
            extraction = cast("Extraction[T]", done.value)
            _judge(span, len(extraction.attempts), valid=extraction.ok)
            return extraction
        except Exception as error:
            attempts = error.attempts if isinstance(error, ExtractifyError) else ()
            _judge(span, len(attempts), valid=False)
            _fail(span, error)
            raise
        finally:
            span.end()


@contextmanager
def by_environment(environ: Mapping[str, str]) -> Iterator[Telemetry]:
    """Telemetry as the OTEL_* variables say. What is left is sent in the end.

    The process's providers are used where it has some, as below `opentelemetry-instrument`. Raises:
    ConfigurationError where the SDK, or an exporter that is named, isn't installed.
    """
    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        yield Telemetry()
        return
    try:
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise ConfigurationError(_NO_SDK) from None
    exporters = [made() for made in _exporters("traces", environ)]
    sinks = [made() for made in _exporters("metrics", environ)]
    tracers = TracerProvider()
    for exporter in exporters:
        tracers.add_span_processor(BatchSpanProcessor(exporter))
    meters = MeterProvider(
        [
            each if isinstance(each, MetricReader) else PeriodicExportingMetricReader(each)
            for each in sinks
        ]
    )
    try:
        yield Telemetry(tracers, meters)
    finally:
        tracers.shutdown()
        meters.shutdown()


def _exporters(signal: str, environ: Mapping[str, str]) -> list[Callable[[], Any]]:
    """What makes the exporters of a signal, by their entry points; OTLP if none is named."""
    variable = f"OTEL_{signal.upper()}_EXPORTER"
    names = [name.strip() for name in (environ.get(variable) or "otlp").split(",")]
    return [_exporter(name, signal, variable, environ) for name in names if name != "none"]


def _exporter(
    name: str, signal: str, variable: str, environ: Mapping[str, str]
) -> Callable[[], Any]:
    wanted = [name]
    if name == "otlp":
        said = environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL")
        said = said or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
        wanted = [_PROTOCOLS[said]] if said in _PROTOCOLS else list(_PROTOCOLS.values())
    for each in wanted:
        for found in entry_points(group=f"opentelemetry_{signal}_exporter", name=each):
            return cast("Callable[[], Any]", found.load())
    raise ConfigurationError(
        f"There is no exporter for {variable}={name}. Run: pip install "
        "opentelemetry-exporter-otlp-proto-http, or set it to what is installed, console, or none."
    )


class Observer:
    """Observes the exchanges of one extraction."""

    def __init__(self, telemetry: Telemetry, within: Context) -> None:
        """within: the context in which the extraction's span is the current one."""
        self._telemetry, self._context = telemetry, within

    def within(self, step: Callable[[], Asked]) -> Asked:
        """Take a step of the conversation, in which the user's validators run."""
        token = context.attach(self._context)
        try:
            return step()
        finally:
            context.detach(token)

    def exchange(self, endpoint: Endpoint, request: Request) -> Exchange:
        """Begin an exchange."""
        return Exchange(self._telemetry, self._context, endpoint, request)


class Exchange:
    """One exchange, with whatever the transport repeats of it. Its span is current in the `with`.

    It is over when the `with` is left, or, where the answer streams, when that is closed.
    """

    def __init__(
        self, telemetry: Telemetry, within: Context, endpoint: Endpoint, request: Request
    ) -> None:
        self._telemetry = telemetry
        self._common = conventions.of_exchange(endpoint, request)
        self._span = telemetry.tracer.start_span(
            f"{conventions.CHAT} {request.model}",
            within,
            trace.SpanKind.CLIENT,
            attributes=self._common | conventions.of_request(request),
        )
        self._shows = telemetry.content and self._span.is_recording()
        if self._shows:
            self._span.set_attribute(conventions.INPUT, conventions.input_messages(request))
        current = trace.set_span_in_context(self._span, within)
        self._context = context.set_value(_EXCHANGE, self._span, current)
        self._started = monotonic()
        self._streams = False

    def __enter__(self) -> Self:
        self._token = context.attach(self._context)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _where: TracebackType | None,
    ) -> None:
        context.detach(self._token)
        if error is not None:
            self.fail(error)
        if not self._streams:
            self.end()

    def answered(self, completion: Completion) -> Completion:
        """Take the answer, and hand it on."""
        usage = completion.usage
        self._span.set_attributes(conventions.of_completion(completion))
        if self._shows:
            self._span.set_attribute(conventions.OUTPUT, conventions.output_messages(completion))
        if completion.model is not None:
            self._common[conventions.RESPONSE_MODEL] = completion.model
        for kind, count in (("input", usage.prompt_tokens), ("output", usage.completion_tokens)):
            if count is not None:
                attributes = {**self._common, conventions.TOKENS_TYPE: kind}
                self._telemetry.tokens.record(count, attributes, self._context)
        return completion

    def streaming(self, deltas: Deltas) -> ObservedDeltas:
        """Take an answer that has begun to stream."""
        self._begin()
        return ObservedDeltas(deltas, self)

    def streaming_async(self, deltas: AsyncDeltas) -> AsyncObservedDeltas:
        """Take an answer that has begun to stream within an event loop."""
        self._begin()
        return AsyncObservedDeltas(deltas, self)

    def _begin(self) -> None:
        self._streams = True
        self._span.set_attribute(conventions.FIRST_CHUNK, monotonic() - self._started)

    def fail(self, error: BaseException) -> None:
        """Take a failure."""
        self._common[conventions.ERROR] = type(error).__name__
        _fail(self._span, error)

    def end(self) -> None:
        """Say that it is over."""
        self._telemetry.duration.record(monotonic() - self._started, self._common, self._context)
        self._span.end()


class ObservedDeltas:
    """`Deltas` that tell an exchange how they fare."""

    def __init__(self, deltas: Deltas, exchange: Exchange) -> None:
        self._deltas, self._exchange = deltas, exchange

    def __iter__(self) -> Iterator[Delta]:
        try:
            yield from self._deltas
        except Exception as error:
            self._exchange.fail(error)
            raise
        self._exchange.answered(self._deltas.completion)

    @property
    def completion(self) -> Completion:
        """The whole. Raises: TransportError where it wasn't read to its end."""
        return self._deltas.completion

    def close(self) -> None:
        """Give the connection back, or hang up."""
        try:
            self._deltas.close()
        finally:
            self._exchange.end()


class AsyncObservedDeltas:
    """`AsyncDeltas` that tell an exchange how they fare."""

    def __init__(self, deltas: AsyncDeltas, exchange: Exchange) -> None:
        self._deltas, self._exchange = deltas, exchange

    async def __aiter__(self) -> AsyncIterator[Delta]:
        try:
            async for delta in self._deltas:
                yield delta
        except (Exception, CancelledError) as error:
            self._exchange.fail(error)
            raise
        self._exchange.answered(self._deltas.completion)

    @property
    def completion(self) -> Completion:
        """The whole. Raises: TransportError where it wasn't read to its end."""
        return self._deltas.completion

    async def aclose(self) -> None:
        """Give the connection back, or hang up."""
        try:
            await self._deltas.aclose()
        finally:
            self._exchange.end()


def _judge(span: Span, attempts: int, *, valid: bool) -> None:
    span.set_attributes({conventions.ATTEMPTS: attempts, conventions.VALID: valid})


def _fail(span: Span, error: BaseException) -> None:
    """Say what failed. Only our own messages are known to hold nothing of the document."""
    told = str(error) if isinstance(error, ExtractifyError) else None
    span.set_attributes(conventions.of_error(error))
    span.set_status(trace.Status(trace.StatusCode.ERROR, told))
