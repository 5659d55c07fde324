"""What the environment names for the network: proxies, certificates. It opens nothing."""

from __future__ import annotations

import os
from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from extractify.errors import ConfigurationError

_SCHEMES = {"http", "https", "socks5", "socks5h"}


def is_loopback(url: str) -> bool:
    """Whether the host is this machine; its servers are never asked through a proxy."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def proxy_for(url: str) -> str | None:
    """The proxy's URL, of `https_proxy`, `http_proxy` or `all_proxy`; `no_proxy` excepts hosts.

    Raises: ConfigurationError, which names the variable, on what is no proxy's URL.
    """
    parts = urlsplit(url)
    if is_loopback(url):
        return None
    named = getproxies()
    key = parts.scheme if named.get(parts.scheme) else "all"
    proxy = named.get(key)
    if not proxy or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if not _is_usable(proxy):
        raise unusable(f"{key}_proxy")
    return proxy


def _is_usable(proxy: str) -> bool:
    try:
        parts = urlsplit(proxy)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    # An @ further on means that the password has a / in it, and that its half passes for a port.
    rest = f"{parts.path}{parts.query}{parts.fragment}"
    return bool(host) and parts.scheme in _SCHEMES and "@" not in rest and proxy.isprintable()


def unusable(variable: str) -> ConfigurationError:
    """What to say of a variable that names no proxy; its value may hold a password."""
    return ConfigurationError(
        f"{variable} of the environment (or in capitals) isn't a proxy's URL. Write it as "
        "http://host:port, https:// or socks5://, with %2F for a / in a password; or unset it."
    )


def certificates() -> str:
    """Where the certificates are from that a server's is checked against, as a message says it."""
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if os.environ.get(variable):
            return f"{variable}={os.environ[variable]}"
    return "the package certifi"


def shown(proxy: str) -> str:
    """The proxy as a message may show it: without credentials."""
    return urlsplit(proxy).netloc.rpartition("@")[2]
