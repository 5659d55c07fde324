"""The wire itself: connections, timeouts, retries. The only importer of httpx.

It owns *time*: what fails for a passing reason is repeated here, by a tenacity policy, and never
counts as an attempt of the conversation. A sync and an async transport share all but the sending.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

import httpx
from tenacity import RetryCallState, Retrying
from tenacity.retry import retry_if_exception
from tenacity.stop import stop_after_attempt, stop_base
from tenacity.wait import wait_base, wait_random_exponential

from extractify.dialects import named
from extractify.errors import (
    ConfigurationError,
    EndpointError,
    Overloaded,
    RateLimited,
    TransportError,
)
from extractify.events import RetryScheduled
from extractify.in_process import here
from extractify.messages import JsonValue, clipped

if TYPE_CHECKING:
    from extractify.endpoints import Endpoint
    from extractify.events import OnEvent
    from extractify.messages import Completion, Request

MAX_RETRY_AFTER = 60.0
"""The longest pause an endpoint may ask for, in seconds; past that the call fails at once."""
DEFAULT_TIMEOUT = 300.0
"""Seconds without a byte until a call fails; a thinking model is silent for long."""
CONNECT_TIMEOUT = 10.0
_SHORTEST_KEY = 8
"""A shorter one is a dummy for a local server; masking it would garble the message."""

Limits: TypeAlias = httpx.Limits


@dataclass(frozen=True, slots=True)
class Retry:
    """How passing faults are repeated: 408, 409, 429, 5xx and broken connections.

    stop: the most exchanges, the first included, or a tenacity stop. wait: a tenacity wait, in
    seconds; a longer `Retry-After` of the endpoint wins.
    """

    stop: int | stop_base = 3
    wait: wait_base = field(default_factory=lambda: wait_random_exponential(0.5, max=30))

    @classmethod
    def of(cls, retry: Retry | int) -> Retry:
        """Take the short forms: a number of exchanges, or False for one alone."""
        if isinstance(retry, Retry):
            return retry
        if isinstance(retry, bool):
            return cls() if retry else cls(stop=1)
        return cls(stop=retry)

    def options(self, emit: OnEvent) -> dict[str, Any]:
        """The policy in tenacity's words."""
        stop = stop_after_attempt(self.stop) if isinstance(self.stop, int) else self.stop

        def announce(state: RetryCallState) -> None:
            error = _failure(state)
            status = error.status if isinstance(error, EndpointError) else None
            emit(RetryScheduled(type(error).__name__, status, state.upcoming_sleep))

        return {
            "stop": stop,
            "wait": self._pause,
            "retry": retry_if_exception(is_passing),
            "before_sleep": announce,
            "reraise": True,
        }

    def _pause(self, state: RetryCallState) -> float:
        asked = getattr(_failure(state), "retry_after", None) or 0.0
        return max(asked, self.wait(state))


def is_passing(error: BaseException) -> bool:
    """Whether the same request may succeed later."""
    if isinstance(error, RateLimited | Overloaded):
        return (error.retry_after or 0.0) <= MAX_RETRY_AFTER
    return isinstance(error, TransportError)


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


@dataclass(frozen=True, slots=True)
class BuiltRequest:
    """A request as it would travel. headers: the credentials masked. body: the JSON."""

    url: str
    headers: Mapping[str, str]
    body: Mapping[str, JsonValue]


class Wire:
    """What both transports share: an endpoint's requests written, its answers read."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._dialect = named(endpoint.dialect)
        self._profile = endpoint.capabilities
        self._key = endpoint.api_key
        self._here = here(endpoint)
        self.url = endpoint.url.rstrip("/") + self._dialect.path
        self.host = urlsplit(self.url).netloc or self.url
        try:
            httpx.URL(self.url)
        except httpx.InvalidURL as error:
            message = f"The endpoint's URL for {self.host} can't be used: {error}. Correct it."
            raise ConfigurationError(message) from None
        self.headers = {"content-type": "application/json", "accept": "application/json"}
        if self._key:
            self.headers["authorization"] = f"Bearer {self._key}"

    def body(self, request: Request) -> bytes:
        """The body of the POST."""
        return self._dialect.write(request, self._profile)

    def built(self, request: Request) -> BuiltRequest:
        """Show the request, its credentials masked."""
        masked = {
            name: "Bearer ***" if name == "authorization" else value
            for name, value in self.headers.items()
        }
        return BuiltRequest(self.url, masked, json.loads(self.body(request)))

    def completion(self, response: httpx.Response) -> Completion:
        """Read an answer. Raises: EndpointError, from which the key is kept out."""
        try:
            return self._dialect.read(response.status_code, response.headers, response.content)
        except EndpointError as error:
            if self._key and len(self._key) >= _SHORTEST_KEY:
                _mask(error, self._key)
            raise

    def fault(self, error: httpx.HTTPError) -> TransportError:
        """Say what happened on the way to the endpoint, and what to do."""
        what = clipped(str(error), 200) or type(error).__name__
        if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
            message = (
                f"Can't connect to {self.host}: {what}. Check that the server runs and that the "
                "URL and the network are right."
            )
        elif isinstance(error, httpx.TimeoutException):
            message = (
                f"{self.host} didn't answer in time ({type(error).__name__}). Raise "
                "Client(timeout=…), or ask for less."
            )
        else:
            message = f"The exchange with {self.host} broke off: {what.rstrip('.')}. Try again."
        return TransportError(message)

    def settings(self, timeout: float, limits: Limits | None) -> dict[str, Any]:
        """The options of an httpx client. Proxies of the environment aren't for this machine."""
        is_loopback = _is_loopback(self.url)
        return {
            "timeout": httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT)),
            "limits": limits or httpx.Limits(max_connections=None, max_keepalive_connections=100),
            "headers": self.headers,
            "trust_env": not is_loopback,
            # Without TLS there is nothing to verify, and loading the certificates takes longer
            # than all the rest.
            "verify": not (is_loopback and self.url.startswith("http:")),
            "transport": self._here,
        }


def _mask(error: EndpointError, key: str) -> None:
    """Take the key out of whatever the endpoint said: some send it back."""
    error.args = tuple(str(part).replace(key, "***") for part in error.args)
    error.detail = error.detail.replace(key, "***")
    error.code = error.code and error.code.replace(key, "***")
    error.request_id = error.request_id and error.request_id.replace(key, "***")


def _closed() -> ConfigurationError:
    return ConfigurationError("The client was closed during the call. Open a new one.")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Transport:
    """Sends requests over a pool of connections, from any thread."""

    def __init__(
        self, wire: Wire, *, timeout: float, retry: Retry, limits: Limits | None, emit: OnEvent
    ) -> None:
        self._wire = wire
        self._http = httpx.Client(**wire.settings(timeout, limits))
        self._retrying = Retrying(**retry.options(emit))

    def send(self, request: Request) -> Completion:
        """Exchange one request. Raises: TransportError, EndpointError."""
        return self._retrying.copy()(self._exchange, self._wire.body(request))

    def _exchange(self, body: bytes) -> Completion:
        if self._http.is_closed:
            raise _closed()
        try:
            response = self._http.post(self._wire.url, content=body)
        except httpx.HTTPError as error:
            raise self._wire.fault(error) from None
        return self._wire.completion(response)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class AsyncTransport:
    """Sends requests over a pool of connections, within one event loop."""

    def __init__(
        self, wire: Wire, *, timeout: float, retry: Retry, limits: Limits | None, emit: OnEvent
    ) -> None:
        self._wire = wire
        self._http = httpx.AsyncClient(**wire.settings(timeout, limits))
        from tenacity import AsyncRetrying  # brings asyncio, which the sync client doesn't need

        self._retrying = AsyncRetrying(**retry.options(emit))

    async def send(self, request: Request) -> Completion:
        """Exchange one request. Raises: TransportError, EndpointError."""
        return await self._retrying.copy()(self._exchange, self._wire.body(request))

    async def _exchange(self, body: bytes) -> Completion:
        if self._http.is_closed:
            raise _closed()
        try:
            response = await self._http.post(self._wire.url, content=body)
        except httpx.HTTPError as error:
            raise self._wire.fault(error) from None
        return self._wire.completion(response)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
