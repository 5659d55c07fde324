"""What the sync and the async transport do alike: requests built, deadlines, sizes, faults."""

from __future__ import annotations

from importlib.util import find_spec
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, cast

import httpx

from extractify.deltas import Reading
from extractify.errors import ConfigurationError
from extractify.limits import Body, End, Limits, shorter
from extractify.proxies import certificates, unusable

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable
    from ssl import SSLContext

    from extractify.errors import TransportError
    from extractify.wire import Fault, Wire

FAULTS = (httpx.HTTPError, TimeoutError)
_ALWAYS_SENT = {"accept-encoding": "gzip, deflate", "user-agent": "extractify"}
Timeouts: TypeAlias = "dict[str, float]"


def usable(wire: Wire) -> httpx.URL:
    """The URL to post to. Raises: ConfigurationError on a host that no name server could take."""
    try:
        return httpx.URL(wire.url)
    except httpx.InvalidURL as error:
        message = f"The endpoint's URL for {wire.host} can't be used: {error}. Correct it."
        raise ConfigurationError(message) from None


class Exchanges:
    """What both transports do alike: requests built, deadlines, sizes, faults."""

    def __init__(self, wire: Wire, timeout: float, limits: Limits | None) -> None:
        self.wire = wire
        self.limits = limits or Limits()
        self.is_closed = False
        self._timeout = timeout
        self._url = usable(wire)
        self._headers = httpx.Headers({**_ALWAYS_SENT, **wire.headers})
        self._proxy = None if wire.proxy is None else _proxy(wire.proxy)
        self._tls: SSLContext | None = None

    def request(self, body: bytes, seconds: float | None) -> tuple[httpx.Request, Timeouts]:
        """The POST, and its timeouts, which the connection looks at before each wait."""
        read = shorter(self._timeout, seconds)
        connect = shorter(min(self._timeout, self.limits.connect), seconds)
        timeouts: Timeouts = {"connect": connect, "read": read, "write": read}
        options: dict[str, Any] = {"content": body, "extensions": {"timeout": timeouts}}
        return httpx.Request("POST", self._url, headers=self._headers, **options), timeouts

    def begun(
        self, connection: httpx.BaseTransport, request: httpx.Request, timeouts: Timeouts
    ) -> httpx.Response:
        """Send a request, and read the head of its answer. Raises: TimeoutError if it is late."""
        read = timeouts["read"]
        timeouts["read"] = first = shorter(read, self.limits.headers)
        try:
            response = connection.handle_request(request)
        except httpx.ReadTimeout:
            if first < read:
                raise TimeoutError from None
            raise
        timeouts["read"] = read
        return response

    def connection(self) -> httpx.BaseTransport:
        """A new connection."""
        if self._proxy is None:
            from extractify.direct import Direct  # brings httpcore, as httpx does when it opens

            return self.wire.here or Direct(self._url, self.tls())
        return httpx.HTTPTransport(**self.settings())

    def async_connection(self) -> httpx.AsyncBaseTransport:
        """A new connection, to be awaited."""
        if self._proxy is None:
            from extractify.direct import AsyncDirect

            return self.wire.here or AsyncDirect(self._url, self.tls())
        return httpx.AsyncHTTPTransport(**self.settings())

    def settings(self) -> dict[str, Any]:
        """The options of a transport of httpx's own, which knows of proxies."""
        if "socks" in self._proxy_scheme() and find_spec("socksio") is None:
            message = (
                "The environment names a SOCKS proxy, which needs a package: pip install "
                "'httpx[socks]'. Or unset all_proxy, https_proxy and http_proxy."
            )
            raise ConfigurationError(message)
        return {
            "verify": self.tls() or False,  # False: there is no TLS
            "limits": httpx.Limits(max_connections=1, keepalive_expiry=30.0),
            "proxy": self._proxy,
        }

    def tls(self) -> SSLContext | None:
        """One context for all connections, which verifies; None where nobody speaks TLS."""
        if self._tls is None and "https" in (self._url.scheme, self._proxy_scheme()):
            try:
                self._tls = httpx.create_ssl_context()
            except OSError as error:
                message = (
                    f"The certificates of {certificates()} can't be read: "
                    f"{error.strerror or type(error).__name__}. Correct the variable or unset it."
                )
                raise ConfigurationError(message) from None
        return self._tls

    def _proxy_scheme(self) -> str:
        return "" if self._proxy is None else self._proxy.url.scheme

    def wants_aiohttp(self) -> bool:
        """Whether to use aiohttp. Raises: ConfigurationError where it is asked for and missing."""
        wanted = False if self.wire.here is not None else self.limits.aiohttp
        if wanted is None:
            return "socks" not in self._proxy_scheme() and find_spec("httpx_aiohttp") is not None
        if wanted and find_spec("httpx_aiohttp") is None:
            message = "Limits(aiohttp=True) needs the extra: pip install 'extractify[aiohttp]'"
            raise ConfigurationError(message)
        return wanted

    def reading(
        self,
        status: int,
        headers: dict[str, str],
        faults: tuple[tuple[type[Exception], ...], Callable[[Exception], NoReturn]],
        end: float | None,
    ) -> Reading:
        """How an answer that streams is read. faults: what may break off, and what tells it."""
        size = Body(status, self.limits.response_bytes, end)
        return Reading(self.wire.assembly(status, headers), size, *faults)

    def fail(self, error: Exception, end: End | None) -> NoReturn:
        """Raise the fault that an error of httpx's stands for.

        A TimeoutError before the end is of an answer that didn't begin.
        """
        limit = "Client(timeout=…)"
        kind, what = _kind(error), str(error) or type(error).__name__
        ours = isinstance(error, TimeoutError)
        if end is not None and (monotonic() >= end or (ours and self.limits.headers is None)):
            kind, what, limit = "timeout", "its time for all was over", end.limit
        elif ours:
            what, limit = "its time to begin was over", "Limits(headers=…)"
        elif isinstance(error, httpx.ConnectTimeout):
            if self.limits.connect <= self._timeout:
                limit = "Limits(connect=…)"
            what = f"no connection in the time of {limit}"
        raise self.wire.fault(kind, what, limit) from None

    def busy(self, end: End | None) -> TransportError:
        """What to say where no connection came free."""
        limits = "Limits(connections=…)" if end is None else f"Limits(connections=…) or {end.limit}"
        return self.wire.fault("timeout", "all of Limits(connections=…) were busy", limits)


def _proxy(url: str) -> httpx.Proxy:
    try:
        return httpx.Proxy(url)
    except httpx.InvalidURL:  # which quotes it, password included
        raise unusable("https_proxy, http_proxy or all_proxy") from None


def plain_headers(headers: httpx.Headers) -> dict[str, str]:
    """The headers by their names in lower case; httpx's own mapping decodes at every look."""
    return {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in headers.raw}


def pieces_of(response: httpx.Response) -> Iterable[bytes]:
    """A body as it arrives, decompressed."""
    packed = "content-encoding" in response.headers
    return response.iter_bytes() if packed else cast("Iterable[bytes]", response.stream)


def async_pieces_of(response: httpx.Response) -> AsyncIterable[bytes]:
    """A body as it arrives, decompressed."""
    packed = "content-encoding" in response.headers
    return response.aiter_bytes() if packed else cast("AsyncIterable[bytes]", response.stream)


def _kind(error: Exception) -> Fault:
    if isinstance(error, httpx.ProxyError):
        return "proxy"
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
        return "connect"
    return "timeout" if isinstance(error, httpx.TimeoutException | TimeoutError) else "broken"
