"""extractify.proxies: which proxy the environment names."""

from __future__ import annotations

import traceback
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from extractify import ConfigurationError, Endpoint
from extractify.exchanges import Exchanges
from extractify.proxies import certificates, is_loopback, proxy_for, shown
from extractify.wire import Wire
from tests.loopback import environment

if TYPE_CHECKING:
    from pathlib import Path


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


@pytest.mark.parametrize(
    "proxy",
    [
        "foo://127.0.0.1:1",
        "socks://127.0.0.1:1",
        "http://127.0.0.1:bad",
        "http://:3128",
        "http://user:sk-SECRET/KEY@proxy.test:1",
        "http://user:123/KEYSECRET@proxy.test:1",
        "http://é..proxy.test:1",
    ],
)
def test_what_is_no_proxy_is_refused_by_its_variable_without_its_value(proxy: str) -> None:
    where = Endpoint("https://api.test/v1", "m")
    with (
        environment(https_proxy=proxy, all_proxy="", no_proxy=""),
        pytest.raises(ConfigurationError, match="https_proxy") as raised,
    ):
        Exchanges(Wire(where), 1, None)
    assert "SECRET" not in "".join(traceback.format_exception(raised.value))
    with (
        environment(https_proxy="", all_proxy="foo://a:1", no_proxy=""),
        pytest.raises(ConfigurationError, match="all_proxy"),
    ):
        proxy_for("https://api.test/v1")


def test_a_socks_proxy_says_what_to_install() -> None:
    if find_spec("socksio") is not None:
        pytest.skip("socksio is installed")
    where = Endpoint("https://api.test/v1", "m")
    with environment(https_proxy="", http_proxy="", all_proxy="socks5://127.0.0.1:1", no_proxy=""):
        side = Exchanges(Wire(where), 1, None)
        with pytest.raises(ConfigurationError, match=r"httpx\[socks\]"):
            side.connection()
        with pytest.raises(ConfigurationError, match=r"httpx\[socks\]"):
            side.async_connection()


def test_certificates_that_cant_be_read_are_refused_by_their_variable(tmp_path: Path) -> None:
    where = Endpoint("https://api.test/v1", "m")
    no_pem = tmp_path / "no.pem"
    no_pem.write_text("not a certificate")
    for file in ("/nonexistent", str(no_pem)):
        with (
            environment(SSL_CERT_FILE=file, https_proxy="", all_proxy=""),
            pytest.raises(ConfigurationError, match=f"SSL_CERT_FILE={file}"),
        ):
            Exchanges(Wire(where), 1, None).connection()
    with environment(SSL_CERT_FILE="", SSL_CERT_DIR=""):
        assert certificates() == "the package certifi"
