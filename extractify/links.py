"""A link to one endpoint: its connections, opened with the first request, and its local server."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from extractify.endpoints import LOCAL
from extractify.errors import ConfigurationError, TransportError
from extractify.transport import AsyncTransport, Transport
from extractify.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.deltas import AsyncDeltas, Deltas
    from extractify.endpoints import Endpoint
    from extractify.local import LocalServer
    from extractify.messages import Completion, Request


class _Link:
    """What both links share; nothing is opened here but what `_start` opens."""

    def __init__(self, endpoint: Endpoint, options: Mapping[str, Any]) -> None:
        """options: as the transports take them."""
        self.endpoint = endpoint
        self._options = options
        self._server: LocalServer | None = None
        self._lock = threading.Lock()

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

    def explained(self, error: TransportError) -> TransportError:
        """Say that the local server died, where that is the reason."""
        reason = self._server.why_dead() if self._server is not None else None
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

    def send(self, request: Request) -> Completion:
        """Exchange one request. Raises: TransportError, EndpointError."""
        try:
            return self.open().send(request)
        except TransportError as error:
            raise self.explained(error) from None

    def stream(self, request: Request) -> Deltas:
        """Exchange one request whose answer streams. Raises: TransportError, EndpointError."""
        return self.open().stream(request)

    def close(self) -> None:
        """Close the connections, and the local server if there is one."""
        with self._lock:
            transport, self._transport = self._transport, None
            if transport is not None:
                transport.close()
            self._stop()


class AsyncLink(_Link):
    """An asynchronous link, within one event loop."""

    _transport: AsyncTransport | None = None

    async def open(self) -> AsyncTransport:
        """Open the connections, if they aren't; a local model starts now."""
        if self._transport is None:
            import asyncio  # as slow to import as all of ours, and only this link needs it

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

    async def send(self, request: Request) -> Completion:
        """Exchange one request. Raises: TransportError, EndpointError."""
        try:
            return await (await self.open()).send(request)
        except TransportError as error:
            raise self.explained(error) from None

    async def stream(self, request: Request) -> AsyncDeltas:
        """Exchange one request whose answer streams. Raises: TransportError, EndpointError."""
        return await (await self.open()).stream(request)

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
