"""Which proxy the environment names for a URL. It reads settings and opens nothing."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def is_loopback(url: str) -> bool:
    """Whether the host is this machine; its servers are never asked through a proxy."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def proxy_for(url: str) -> str | None:
    """The proxy's URL, of `https_proxy`, `http_proxy` or `all_proxy`; `no_proxy` excepts hosts."""
    parts = urlsplit(url)
    if is_loopback(url):
        return None
    named = getproxies()
    proxy = named.get(parts.scheme) or named.get("all")
    if not proxy or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def shown(proxy: str) -> str:
    """The proxy as a message may show it: without credentials."""
    return urlsplit(proxy).netloc.rpartition("@")[2]
