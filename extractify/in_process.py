"""An endpoint in this process, in the place of a network. Beside the transport, it knows httpx.

What such an endpoint raises in words of Python becomes what httpx raises when a socket fails so,
below retries and limits: the transport can't tell the difference.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

_OF_A_CONNECTION = frozenset(
    {"host", "connection", "content-length", "content-encoding", "transfer-encoding"}
    | {"accept-encoding"}
)


@runtime_checkable
class InProcess(Protocol):
    """What an endpoint has that answers in this process, without a network: one of tests."""

    def exchange(
        self, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], Iterable[bytes | float]]:
        """Answer a POST: status, headers, and the body in parts; a float is a pause, in seconds.

        Raises, also while the parts are iterated: what a socket raises, ConnectionError or
        TimeoutError; EOFError where an answer ends too early.
        """


def forwarded(
    url: str, headers: Mapping[str, str], body: bytes, timeout: float
) -> tuple[int, Mapping[str, str], bytes]:
    """POST once for an endpoint in this process that asks another: status, headers, body."""
    own = {name: value for name, value in headers.items() if name not in _OF_A_CONNECTION}
    answer = httpx.post(url, content=body, headers=own, timeout=timeout)
    told = {name: value for name, value in answer.headers.items() if name not in _OF_A_CONNECTION}
    return answer.status_code, told, answer.content


def here(endpoint: object) -> Here | None:
    """What takes requests to the endpoint if it answers in this process, None if it doesn't."""
    return Here(endpoint) if isinstance(endpoint, InProcess) else None


class Here(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Takes requests to an endpoint in this process."""

    def __init__(self, endpoint: InProcess) -> None:
        self._endpoint = endpoint

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        return self._response(request, request.read())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        return self._response(request, await request.aread())

    def _response(self, request: httpx.Request, content: bytes) -> httpx.Response:
        path, headers = request.url.raw_path.decode(), dict(request.headers)
        with _as_over_a_socket():
            status, fields, parts = self._endpoint.exchange(path, headers, content)
        patience = request.extensions.get("timeout", {}).get("read")
        return httpx.Response(status, headers=dict(fields), stream=_Parts(parts, patience))


class _Parts(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of an answer; a pause beyond the client's patience isn't slept through."""

    def __init__(self, parts: Iterable[bytes | float], patience: float | None) -> None:
        self._parts = parts
        self._patience = patience

    def __iter__(self) -> Iterator[bytes]:
        for part in self._checked():
            if isinstance(part, bytes):
                yield part
            else:
                time.sleep(part)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        import asyncio

        for part in self._checked():
            if isinstance(part, bytes):
                yield part
            else:
                await asyncio.sleep(part)

    def _checked(self) -> Iterator[bytes | float]:
        patience = self._patience
        with _as_over_a_socket():
            for part in self._parts:
                if not isinstance(part, bytes) and patience is not None and part >= patience:
                    raise TimeoutError
                yield part


@contextmanager
def _as_over_a_socket() -> Iterator[None]:
    """Raise what httpx raises where a socket would have failed in the same way."""
    try:
        yield
    except ConnectionRefusedError as error:
        raise httpx.ConnectError(str(error)) from error
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from error
    except ConnectionError as error:
        raise httpx.ReadError(str(error)) from error
    except EOFError as error:
        raise httpx.RemoteProtocolError(str(error)) from error
