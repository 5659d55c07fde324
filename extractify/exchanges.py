"""What the sync and the async transport do alike: requests built, deadlines, sizes, faults."""

from __future__ import annotations

from importlib.util import find_spec
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn

import httpx

from extractify import detours
from extractify.deltas import Reading
from extractify.errors import ConfigurationError
from extractify.limits import Body, End, Limits, shorter
from extractify.posting import Patience
from extractify.proxies import certificates, unusable

if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext

    from extractify.errors import TransportError
    from extractify.posting import Answer, AsyncConnection, Connection
    from extractify.wire import Fault, Wire

FAULTS = (httpx.HTTPError, TimeoutError)
_ALWAYS_SENT = {"accept-encoding": "gzip, deflate", "user-agent": "extractify"}


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
        self._connect = shorter(timeout, self.limits.connect)
        self.url = usable(wire)
        self.headers = {**_ALWAYS_SENT, **wire.headers}
        self._proxy = None if wire.proxy is None else _proxy(wire.proxy)
        self._tls: SSLContext | None = None

    def patience(self, seconds: float | None) -> Patience:
        """How long to wait for what, where so many seconds are left."""
        read, connect = self._timeout, self._connect
        if seconds is not None:
            read, connect = min(read, seconds), min(connect, seconds)
        return Patience(connect, shorter(read, self.limits.headers), read)

    def begun(self, connection: Connection, body: bytes, seconds: float | None) -> Answer:
        """Send a request, and read the head of its answer. Raises: TimeoutError if it is late."""
        patience = self.patience(seconds)
        try:
            return connection.post(body, patience)
        except httpx.ReadTimeout:
            if patience.first < patience.read:
                raise TimeoutError from None
            raise

    def connection(self) -> Connection:
        """A new connection."""
        here = self.wire.here
        if here is None and self._proxy is None:
            from extractify.direct import Direct, Route  # brings httpcore, as httpx does

            return Direct(Route(self.url, self.headers, self.tls()))
        transport = here or httpx.HTTPTransport(**self.settings())
        return detours.Detour(transport, detours.Route(self.url, self.headers))

    def async_connection(self) -> AsyncConnection:
        """A new connection, to be awaited."""
        here = self.wire.here
        if here is None and self._proxy is None:
            from extractify.direct import AsyncDirect, Route

            return AsyncDirect(Route(self.url, self.headers, self.tls()))
        transport = here or httpx.AsyncHTTPTransport(**self.settings())
        return detours.AsyncDetour(transport, detours.Route(self.url, self.headers))

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
        if self._tls is None and "https" in (self.url.scheme, self._proxy_scheme()):
            try:
                self._tls = httpx.create_ssl_context()
                self._tls.set_alpn_protocols(["http/1.1"])
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
            return "socks" not in self._proxy_scheme() and find_spec("aiohttp") is not None
        if wanted and find_spec("aiohttp") is None:
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
            if self.limits.connect == self._connect:
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


def _kind(error: Exception) -> Fault:
    if isinstance(error, httpx.ProxyError):
        return "proxy"
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
        return "connect"
    return "timeout" if isinstance(error, httpx.TimeoutException | TimeoutError) else "broken"
