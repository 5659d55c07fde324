"""extractify.rates: what endpoints say of the rate they bear, and what they say badly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractify.rates import Allowance, Rate, rate_of

SUNDAY = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT


def read(**headers: str) -> Rate | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return rate_of(named, lambda: SUNDAY)


def test_openais_headers_tell_requests_and_tokens_a_minute() -> None:
    assert read(
        x_ratelimit_limit_requests="5000",
        x_ratelimit_limit_tokens="160000",
        x_ratelimit_remaining_requests="4999",
        x_ratelimit_remaining_tokens="159976",
        x_ratelimit_reset_requests="12ms",
        x_ratelimit_reset_tokens="9ms",
    ) == Rate(Allowance(5000, 4999), Allowance(160_000, 159_976))


def test_a_limit_that_takes_more_than_a_minute_to_come_back_is_none_of_a_minute() -> None:
    rate = read(
        x_ratelimit_limit_requests="14400",
        x_ratelimit_remaining_requests="14370",
        x_ratelimit_reset_requests="2m59.56s",
        x_ratelimit_limit_tokens="18000",
        x_ratelimit_remaining_tokens="17997",
        x_ratelimit_reset_tokens="7.66s",
    )
    assert rate == Rate(Allowance(None, 14_370), Allowance(18_000, 17_997))


@pytest.mark.parametrize(
    ("reset", "of_a_minute"),
    [
        ("59", True),
        ("61", False),
        ("6m0s", False),
        ("1m", True),
        ("1h", False),
        ("1d2h", False),
        ("Fri, 15 Jan 2027 08:00:30 GMT", True),
        ("Fri, 15 Jan 2027 08:04:30 GMT", False),
        ("2027-01-15T08:00:30Z", True),
        ("2027-01-15T08:04:30Z", False),
        ("1800000030", True),
        ("1800000300", False),
        ("1800000030000", True),
        ("1800000300000", False),
        ("soon", True),
        ("", True),
        ("Fri, 99 Jan 2027 08:04:30 GMT", True),
    ],
)
def test_a_reset_is_a_time_or_a_moment_in_any_notation(reset: str, *, of_a_minute: bool) -> None:
    rate = read(x_ratelimit_limit="200", x_ratelimit_remaining="7", x_ratelimit_reset=reset)
    assert rate == Rate(Allowance(200 if of_a_minute else None, 7))


def test_policies_tell_their_window_and_the_tightest_counts() -> None:
    assert read(
        ratelimit_policy='"default";q=1200;w=300, "burst";q=100;w=10',
        ratelimit='"default";r=50;t=30, "burst";r=99;t=1',
    ) == Rate(Allowance(240, 50))
    assert read(ratelimit_policy='"day";q=1440;w=86400') == Rate(Allowance(None))
    assert read(ratelimit_policy='"minute"; q=30') == Rate(Allowance(30))


def test_headers_that_say_nothing_of_a_rate_are_no_rate() -> None:
    assert rate_of({"content-type": "application/json"}) is None
    assert read(x_ratelimit_limit="none", x_ratelimit_remaining="3") is None
    assert read(x_ratelimit_limit="-5") is None
    assert read(ratelimit='"default";r=50;t=30') is None


def test_a_limit_of_nothing_is_left_to_the_endpoint_to_enforce() -> None:
    assert read(x_ratelimit_limit="0", x_ratelimit_remaining="0") == Rate(Allowance(None, 0))
    assert read(ratelimit_policy='"a";q=0;w=60, "b";q=5;w=0') == Rate(Allowance(None))


def test_only_the_first_number_of_a_list_is_read() -> None:
    assert read(x_ratelimit_limit="100, 100;window=60, 10000;window=86400") == Rate(Allowance(100))


@given(
    st.dictionaries(
        st.sampled_from(
            [
                *(
                    f"x-ratelimit-{what}{of}"
                    for what in ("limit", "remaining", "reset")
                    for of in ("", "-requests", "-tokens")
                ),
                "ratelimit",
                "ratelimit-policy",
            ]
        ),
        st.text('0123456789.-;qwrt="mhsd, :TZ+eInfaGM', max_size=60),
    )
)
def test_whatever_stands_in_the_headers_a_limit_is_no_standstill(
    headers: dict[str, str],
) -> None:
    rate = rate_of(headers)
    for told in () if rate is None else (rate.requests, rate.tokens):
        if told is not None:
            assert told.per_minute is None or 0.1 <= told.per_minute < float("inf")
            assert told.remaining is None or 0 <= told.remaining < float("inf")
