"""extractify.proxies: which proxy the environment names."""

from __future__ import annotations

import pytest

from extractify.proxies import is_loopback, proxy_for, shown
from tests.loopback import environment


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://api.test/v1", "http://secure:1"),
        ("http://api.test/v1", "http://plain:2"),
        ("https://inside.test/v1", None),
        ("https://a.inside.test:8443/v1", None),
        ("http://127.0.0.1:8080/v1", None),
        ("http://localhost/v1", None),
        ("http://[::1]:8080/v1", None),
    ],
)
def test_a_proxy_is_chosen_by_scheme_and_host(url: str, proxy: str | None) -> None:
    with environment(
        https_proxy="http://secure:1", http_proxy="plain:2", no_proxy="inside.test", all_proxy=""
    ):
        assert proxy_for(url) == proxy


def test_one_proxy_may_stand_for_all_schemes() -> None:
    with environment(https_proxy="", http_proxy="", all_proxy="socks5://all:1", no_proxy=""):
        assert proxy_for("https://api.test/v1") == "socks5://all:1"
    with environment(https_proxy="", http_proxy="", all_proxy="", no_proxy=""):
        assert proxy_for("https://api.test/v1") is None


def test_a_proxy_is_shown_without_its_credentials() -> None:
    assert shown("http://user:pass@proxy.test:3128") == "proxy.test:3128"


def test_a_name_is_no_loopback_address() -> None:
    assert not is_loopback("http://127.0.0.1.test/v1")
    assert is_loopback("http://127.8.8.8/v1")
