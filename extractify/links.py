"""A link to one endpoint: its connections, opened with the first request, and its local server."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from extractify.endpoints import LOCAL
from extractify.errors import ConfigurationError, TransportError
from extractify.transport import AsyncTransport, Transport
from extractify.wire import Wire

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Mapping

    from extractify.deltas import AsyncDeltas, Deltas
    from extractify.endpoints import Endpoint
    from extractify.local import LocalServer
    from extractify.messages import Completion, Request
    from extractify.otel import AsyncObservedDeltas, Exchange, ObservedDeltas, Observer

    Running = Callable[[Endpoint], LocalServer | None]


class _Link:
    """What both links share; nothing is opened here but what `_start` opens."""

    def __init__(
        self, endpoint: Endpoint, options: Mapping[str, Any], running: Running | None = None
    ) -> None:
        """options: as the transports take them. running: finds a local server to share."""
        self.endpoint = endpoint
        self._options = options
        self._running = running
        self._shared: LocalServer | None = None
        self._server: LocalServer | None = None
        self._lock = threading.Lock()

    def _start(self) -> Wire:
        """Start the local server if the endpoint is one, and say where requests go."""
        endpoint = self.endpoint
        if endpoint.url == LOCAL:
            from extractify.local import LocalModel, LocalServer  # only few calls need it

            self._shared = None if self._running is None else self._running(endpoint)
            if self._shared is None:
                self._server = LocalServer(LocalModel.find(endpoint.model))
            endpoint = replace(endpoint, url=cast("LocalServer", self.server).url)
        return Wire(endpoint, self.endpoint.name)

    @property
    def server(self) -> LocalServer | None:
        """The local server that it asks, if it is open and there is one."""
        return self._server or self._shared

    def _stop(self) -> None:
        server, self._server, self._shared = self._server, None, None
        if server is not None:
            server.close()

    def observed(self, request: Request, observer: object) -> Exchange:
        """An exchange that is about to begin. observer: of the extraction that it is a part of."""
        return cast("Observer", observer).exchange(self.endpoint, request)

    def explained(self, error: TransportError) -> TransportError:
        """Say that the local server died, where that is the reason."""
        server = self.server
        reason = None if server is None else server.why_dead()
        if reason is None:
            return error
        message = f"The local model's server died: {reason} Open a new client to start it again."
        return TransportError(message)


class Link(_Link):
    """A synchronous link; safe to share between threads."""

    _transport: Transport | None = None

    def open(self) -> Transport:
        """Open the connections, if they aren't; a local model starts now."""
        transport = self._transport
        if transport is None:
            with self._lock:
                transport = self._transport or Transport(self._start(), **self._options)
                self._transport = transport
        return transport

    def send(self, request: Request, observer: object = None) -> Completion:
        """Exchange one request. Raises: TransportError, EndpointError."""
        if observer is None:
            return self._send(request)
        with self.observed(request, observer) as exchange:
            return exchange.answered(self._send(request))

    def _send(self, request: Request) -> Completion:
        try:
            return self.open().send(request)
        except TransportError as error:
            raise self.explained(error) from None

    def stream(self, request: Request, observer: object = None) -> Deltas | ObservedDeltas:
        """Exchange one request whose answer streams. Raises: TransportError, EndpointError."""
        if observer is None:
            return self.open().stream(request)
        with self.observed(request, observer) as exchange:
            return exchange.streaming(self.open().stream(request))

    def close(self) -> None:
        """Close the connections, and the local server if there is one."""
        with self._lock:
            transport, self._transport = self._transport, None
            if transport is not None:
                transport.close()
            self._stop()


class AsyncLink(_Link):
    """An asynchronous link; each event loop has connections of its own."""

    def __init__(
        self, endpoint: Endpoint, options: Mapping[str, Any], running: Running | None = None
    ) -> None:
        super().__init__(endpoint, options, running)
        self._wire: Wire | None = None
        self._transports: dict[AbstractEventLoop, AsyncTransport] = {}

    async def open(self) -> AsyncTransport:
        """Open the connections, if they aren't; a local model starts now."""
        import asyncio  # as slow to import as all of ours, and only this link needs it

        loop = asyncio.get_running_loop()
        transport = self._transports.get(loop)
        if transport is None:
            # A local model takes a second to start; the loop goes on meanwhile.
            await asyncio.to_thread(self._open, loop)
            transport = self._transports.get(loop)
            if transport is None:
                message = "The client was closed while it opened. Open a new one."
                raise ConfigurationError(message)
            await transport.end_with_the_loop()
        return transport

    def _open(self, loop: AbstractEventLoop) -> None:
        with self._lock:
            for ended in [each for each in self._transports if each.is_closed()]:
                del self._transports[ended]
            if loop not in self._transports:
                self._wire = self._wire or self._start()
                self._transports[loop] = AsyncTransport(self._wire, **self._options)

    async def send(self, request: Request, observer: object = None) -> Completion:
        """Exchange one request. Raises: TransportError, EndpointError."""
        if observer is None:
            return await self._send(request)
        with self.observed(request, observer) as exchange:
            return exchange.answered(await self._send(request))

    async def _send(self, request: Request) -> Completion:
        try:
            return await (await self.open()).send(request)
        except TransportError as error:
            raise self.explained(error) from None

    async def stream(
        self, request: Request, observer: object = None
    ) -> AsyncDeltas | AsyncObservedDeltas:
        """Exchange one request whose answer streams. Raises: TransportError, EndpointError."""
        if observer is None:
            return await (await self.open()).stream(request)
        with self.observed(request, observer) as exchange:
            return exchange.streaming_async(await (await self.open()).stream(request))

    async def close(self) -> None:
        """Close the connections of this loop and of others, and the local server if it runs."""
        import asyncio

        running = asyncio.get_running_loop()
        transports, self._transports, self._wire = self._transports, {}, None
        try:
            for loop, transport in transports.items():
                if loop is running:
                    await transport.close()
                elif not loop.is_closed():  # of another thread
                    asyncio.run_coroutine_threadsafe(transport.close(), loop)
        finally:
            if self.server is not None:
                await asyncio.to_thread(self._stop)


L = TypeVar("L", Link, AsyncLink)


class Links(Generic[L]):
    """The links opened so far, one an endpoint. Thread-safe."""

    def __init__(
        self, kind: type[L], options: Mapping[str, Any], running: Running | None = None
    ) -> None:
        """options: as the transports take them. running: finds a local server to share."""
        self._kind: Callable[[Endpoint, Mapping[str, Any], Running | None], L] = kind
        self._options, self._running = options, running
        self._links: list[L] = []
        self._lock = threading.Lock()

    def to(self, endpoint: object) -> L:
        """The link to an endpoint; one that `on_problems` named gets its own when it is asked."""
        with self._lock:
            for link in self._links:
                if link.endpoint is endpoint or link.endpoint == endpoint:
                    return link
            link = self._kind(cast("Endpoint", endpoint), self._options, self._running)
            self._links.append(link)
            return link

    def running(self, endpoint: Endpoint) -> LocalServer | None:
        """The local server of an endpoint, if a link has it open and it is alive."""
        with self._lock:
            servers = [link.server for link in self._links if link.endpoint == endpoint]
        return next((each for each in servers if each and each.why_dead() is None), None)

    def taken(self) -> list[L]:
        """All of them, to be closed; the next request opens new ones."""
        with self._lock:
            links, self._links = self._links, []
        return links
