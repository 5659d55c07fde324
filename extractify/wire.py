"""What an exchange with an endpoint says: requests written, answers read, faults told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlsplit

from extractify.dialects import named
from extractify.dialects.chunks import Assembly
from extractify.endpoints import Secret
from extractify.errors import EndpointError, InvalidRequest, TransportError
from extractify.in_process import here
from extractify.messages import JsonValue, clipped
from extractify.proxies import proxy_for, shown
from extractify.rates import rate_of

if TYPE_CHECKING:
    from extractify.endpoints import Endpoint
    from extractify.messages import Completion, Request

Fault: TypeAlias = Literal["connect", "proxy", "timeout", "broken"]
_SHORTEST_KEY = 8
"""A shorter one is a dummy for a local server; masking it would garble the message."""
_FORMAT_WORDS = ("response_format", "json_schema", "json schema", "structured output")


@dataclass(frozen=True, slots=True)
class BuiltRequest:
    """A request as it would travel. headers: the credentials masked. body: the JSON."""

    url: str
    headers: Mapping[str, str]
    body: Mapping[str, JsonValue]


class Wire:
    """What both transports share. takes_format: False once the endpoint refused such a field.

    name: of the endpoint, where it isn't where requests go.
    """

    def __init__(self, endpoint: Endpoint, name: str | None = None) -> None:
        self.name = name or endpoint.name
        self._dialect = named(endpoint.dialect)
        self._profile = endpoint.capabilities
        key = endpoint.api_key
        self._key = key.revealed() if isinstance(key, Secret) else key
        self.takes_format = True
        self.here = here(endpoint)
        self.url = endpoint.url.rstrip("/") + self._dialect.path
        self.host = urlsplit(self.url).netloc or self.url
        self.proxy = None if self.here is not None else proxy_for(self.url)
        self.headers = {"content-type": "application/json", "accept": "application/json"}
        if self._key:
            self.headers["authorization"] = f"Bearer {self._key}"
        if endpoint.gateway is not None:
            self.headers |= endpoint.gateway.headers()

    def body(self, request: Request) -> bytes:
        """The body of the POST. Raises: DocumentError on pictures that nobody would look at."""
        if not self.takes_format and request.structure == "native":
            request = _without_format(request)
        return self._dialect.write(request, self._profile)

    def built(self, request: Request) -> BuiltRequest:
        """Show the request, its credentials masked."""
        masked = {
            name: "Bearer ***" if name == "authorization" else value
            for name, value in self.headers.items()
        }
        return BuiltRequest(self.url, masked, json.loads(self.body(request)))

    def plain_body(self, request: Request, error: InvalidRequest) -> bytes | None:
        """The same without its `response_format`, where that is what the endpoint refused.

        The prompt asks for the same, so the answer is read in the same way.
        """
        sent = self.takes_format and request.structure == "native"
        asked = request.response_format or request.parameters.response_format
        words = f"{error.detail} {error.code}".lower()
        refused = any(each in words for each in _FORMAT_WORDS)
        if not sent or asked is None or not refused or type(error) is not InvalidRequest:
            return None
        return self._dialect.write(_without_format(request), self._profile)

    def completion(self, status: int, headers: Mapping[str, str], body: bytes) -> Completion:
        """Read an answer. Raises: EndpointError, in which no key stands."""
        try:
            completion = self._dialect.read(status, headers, body)
        except EndpointError as error:
            error.rate = rate_of(headers)
            if self._key and len(self._key) >= _SHORTEST_KEY:
                _mask(error, self._key)
            raise
        rate = rate_of(headers)
        return completion if rate is None else replace(completion, rate=rate)

    def assembly(self, status: int, headers: Mapping[str, str]) -> Assembly:
        """Begin to read an answer that streams; it raises what `completion` raises."""
        return Assembly(status, headers, self.completion)

    def fault(self, kind: Fault, told: str, limit: str = "") -> TransportError:
        """Say what happened on the way to the endpoint, and what to do.

        told: in other words. limit: the one that ran out, for a timeout.
        """
        what = clipped(told, 200).rstrip(".")
        way = f"{self.host} through the proxy {shown(self.proxy)}" if self.proxy else self.host
        if kind in {"connect", "proxy"} and self.proxy:
            return TransportError(
                f"Can't connect to {way}: {what}. The environment names that proxy: check it, and "
                "https_proxy, http_proxy, all_proxy and no_proxy."
            )
        if kind in {"connect", "proxy"}:
            return TransportError(
                f"Can't connect to {way}: {what}. Check that the server runs and that the "
                "URL and the network are right."
            )
        if kind == "timeout":
            message = f"{way} didn't answer in time ({what}). Raise {limit}, or ask for less."
            return TransportError(message, sent=True)
        message = f"The exchange with {way} broke off: {what}. Try again."
        return TransportError(message, sent=True)


def _without_format(request: Request) -> Request:
    parameters = replace(request.parameters, response_format=None)
    return replace(request, response_format=None, parameters=parameters)


def _mask(error: EndpointError, key: str) -> None:
    """Take the key out of whatever the endpoint said: some send it back."""
    error.args = tuple(str(part).replace(key, "***") for part in error.args)
    error.detail = error.detail.replace(key, "***")
    error.code = error.code and error.code.replace(key, "***")
    error.request_id = error.request_id and error.request_id.replace(key, "***")
