"""extractify.gateway: the options of Cloudflare's gateway as headers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from extractify import Client, ConfigurationError, Endpoint, Gateway
from tests.loopback import KEY, Loopback, endpoint
from tests.pickling import pickled

ALL = Gateway(
    id="default",
    cache_ttl=3600,
    cache_key="k-1",
    skip_cache=False,
    timeout=1.5,
    metadata={"team": "ünit", "row": 7, "test": True, "none": None},
    collect_log=False,
)


def test_an_option_that_is_not_set_is_not_sent() -> None:
    assert Gateway().headers() == {}
    assert Gateway(cache_ttl=0).headers() == {"cf-aig-cache-ttl": "0"}


def test_every_option_has_its_header() -> None:
    assert ALL.headers() == {
        "cf-aig-gateway-id": "default",
        "cf-aig-cache-ttl": "3600",
        "cf-aig-cache-key": "k-1",
        "cf-aig-skip-cache": "false",
        "cf-aig-request-timeout": "1500",
        "cf-aig-metadata": '{"team": "\\u00fcnit", "row": 7, "test": true, "none": null}',
        "cf-aig-collect-log": "false",
    }
    assert pickled(ALL) == ALL


def test_the_headers_travel_with_each_request() -> None:
    with Loopback(["7"]) as server:
        where = replace(endpoint(server), gateway=ALL)
        shown = Client(where).build_request(int, "seven").headers
        with Client(where) as client:
            assert client.extract(int, "seven").value == 7
        sent = server.requests[0].headers
    assert ALL.headers().items() <= sent.items()
    assert ALL.headers().items() <= shown.items()
    assert KEY not in repr(shown)


@pytest.mark.parametrize(
    "options",
    [
        {"id": "a b"},
        {"id": ""},
        {"cache_key": "a\r\nx-evil: 1"},
        {"cache_key": "x" * 257},
        {"cache_ttl": -1},
        {"timeout": 0},
        {"timeout": float("inf")},
        {"metadata": dict.fromkeys("abcdef", 1)},
    ],
)
def test_what_no_header_takes_is_refused(options: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{next(iter(options))}="):
        replace(Gateway(), **options)


def test_only_cloudflares_dialects_take_a_gateway() -> None:
    for dialect in ("workers_ai", "cloudflare_run"):
        assert Endpoint("http://h/v1", "m", dialect=dialect, gateway=ALL).gateway == ALL
    with pytest.raises(ConfigurationError, match="workers_ai, cloudflare_run"):
        Endpoint("http://h/v1", "m", gateway=ALL)
