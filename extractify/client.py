"""The clients: one conversation, driven synchronously or asynchronously."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast, overload

from extractify.conversation import Setting, converse, first_request
from extractify.endpoints import LOCAL, Endpoint, resolve
from extractify.errors import ConfigurationError, ExtractifyError, TransportError
from extractify.task import Task
from extractify.transport import (
    DEFAULT_TIMEOUT,
    AsyncTransport,
    BuiltRequest,
    Limits,
    Retry,
    Transport,
    Wire,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Mapping

    from typing_extensions import TypeForm

    from extractify.events import Event, OnEvent
    from extractify.extraction import Extraction
    from extractify.local import LocalServer
    from extractify.messages import Completion, JsonValue, Request
    from extractify.prompts import Source

T = TypeVar("T")


class _Session:
    """What both clients are made of: an endpoint, the options, and a local server if it needs one.

    Nothing is opened here but what `_start` opens.
    """

    def __init__(
        self,
        endpoint: Endpoint | str | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        retry: Retry | int = True,
        limits: Limits | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        """Describe the calls; the connections open with the first of them.

        endpoint: or its name; None takes EXTRACTIFY_ENDPOINT. timeout: seconds, per read. retry:
        of passing faults, a number of exchanges, a Retry, or False. limits: of the connection
        pool. on_event: called with frozen events, in the calling thread. Raises:
        ConfigurationError on an unknown endpoint or missing credentials.
        """
        self.endpoint = resolve(endpoint)
        self._emit: OnEvent = on_event or _ignore
        self._options: dict[str, Any] = {
            "timeout": timeout,
            "retry": Retry.of(retry),
            "limits": limits,
            "emit": self._emit,
        }
        self._setting = Setting(
            self.endpoint.model,
            self.endpoint.capabilities,
            self.endpoint.extra,
            self.endpoint.prices,
        )
        self._server: LocalServer | None = None
        self._lock = threading.Lock()

    def build_request(self, target: object, document: Source) -> BuiltRequest:
        """Show the first request of an extraction: url, masked headers, body. Sends nothing."""
        request = first_request(_task(target), document, self._setting)
        return Wire(self.endpoint).built(request)

    def _start(self) -> Wire:
        """Start the local server if the endpoint is one, and say where requests go."""
        endpoint = self.endpoint
        if endpoint.url == LOCAL:
            from extractify.local import LocalModel, LocalServer  # only few calls need it

            self._server = LocalServer(LocalModel.find(endpoint.model))
            endpoint = replace(endpoint, url=self._server.url)
        return Wire(endpoint)

    def _stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _explained(self, error: TransportError) -> TransportError:
        """Say that the local server died, where that is the reason."""
        reason = self._server.why_dead() if self._server is not None else None
        if reason is None:
            return error
        message = f"The local model's server died: {reason} Open a new client to start it again."
        return TransportError(message)

    def _conversation(
        self, target: object, document: Source
    ) -> Generator[Request, Completion, Extraction[Any]]:
        return converse(_task(target), document, self._setting, self._emit)


class Client(_Session):
    """Extracts synchronously; safe to share between threads. Close it, or use it in a `with`."""

    _transport: Transport | None = None

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
            return _drive(flow, self._send)

    def _send(self, request: Request) -> Completion:
        try:
            return self._opened().send(request)
        except TransportError as error:
            raise self._explained(error) from None

    def _opened(self) -> Transport:
        transport = self._transport
        if transport is None:
            with self._lock:
                transport = self._transport or Transport(self._start(), **self._options)
                self._transport = transport
        return transport

    def close(self) -> None:
        """Close the connections, and the local server if there is one."""
        with self._lock:
            transport, self._transport = self._transport, None
            if transport is not None:
                transport.close()
            self._stop()

    def __enter__(self) -> Self:
        """Open the connections; a local model starts now."""
        self._opened()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close them."""
        self.close()


class AsyncClient(_Session):
    """Extracts asynchronously, within one event loop. Close it, or use it in an `async with`."""

    _transport: AsyncTransport | None = None

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
            return await _drive_async(flow, self._send)

    async def _send(self, request: Request) -> Completion:
        try:
            return await (await self._opened()).send(request)
        except TransportError as error:
            raise self._explained(error) from None

    async def _opened(self) -> AsyncTransport:
        if self._transport is None:
            import asyncio  # as slow to import as all of ours, and only this client needs it

            # A local model takes a second to start; the loop goes on meanwhile.
            await asyncio.to_thread(self._open)
        if self._transport is None:
            message = "The client was closed while it opened. Open a new one."
            raise ConfigurationError(message)
        return self._transport

    def _open(self) -> None:
        with self._lock:
            if self._transport is None:
                self._transport = AsyncTransport(self._start(), **self._options)

    async def close(self) -> None:
        """Close the connections, and the local server if there is one."""
        transport, self._transport = self._transport, None
        try:
            if transport is not None:
                await transport.close()
        finally:
            if self._server is not None:
                import asyncio

                await asyncio.to_thread(self._stop)

    async def __aenter__(self) -> Self:
        """Open the connections; a local model starts now."""
        await self._opened()
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


def _drive(flow: Generator[Request, Completion, T], send: Callable[[Request], Completion]) -> T:
    step: Callable[[], Request] = partial(next, flow)
    try:
        while True:
            request = step()
            try:
                step = partial(flow.send, send(request))
            except ExtractifyError as error:
                step = partial(flow.throw, error)
    except StopIteration as done:
        return cast("T", done.value)


async def _drive_async(
    flow: Generator[Request, Completion, T], send: Callable[[Request], Awaitable[Completion]]
) -> T:
    step: Callable[[], Request] = partial(next, flow)
    try:
        while True:
            request = step()
            try:
                step = partial(flow.send, await send(request))
            except ExtractifyError as error:
                step = partial(flow.throw, error)
    except StopIteration as done:
        return cast("T", done.value)


def _task(target: object) -> Task[Any]:
    return target if isinstance(target, Task) else Task(cast("Any", target))


def _ignore(_event: Event) -> None:
    """What `on_event` does where there is none."""
