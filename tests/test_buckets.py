"""extractify.buckets: how much a minute may be spent."""

from __future__ import annotations

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractify.buckets import Bucket, Ration
from extractify.rates import Allowance


def spent(bucket: Bucket | Ration, seconds: float, amount: float = 1.0) -> list[float]:
    """When so much is spent, by one who spends whatever there is."""
    now, moments = 0.0, list[float]()
    while (due := bucket.due(now, amount)) <= seconds:
        now = due
        if bucket.due(now, amount) <= now:
            bucket.take(amount)
            moments.append(now)
    return moments


@given(st.integers(1, 500))
def test_no_minute_spends_more_than_a_minutes_worth(per_minute: int) -> None:
    moments = spent(Bucket(per_minute, 0.0), 180)
    for at, first in enumerate(moments):
        assert bisect_left(moments, first + 60) - at <= per_minute
    assert len(moments) >= 3 * per_minute * 0.97 - 1


def test_what_is_larger_than_a_burst_is_lent_and_paid_back() -> None:
    bucket = Bucket(6000, 0.0)
    assert bucket.due(0.0, 3000) == 0.0
    bucket.take(3000)
    assert bucket.due(0.0, 3000) == pytest.approx(30, rel=0.05)
    bucket.take(-2950)
    assert bucket.due(0.0, 1) == 0.0


def test_the_lower_of_the_users_limit_and_the_endpoints_counts() -> None:
    ration = Ration(100, 200, 0.0)
    assert ration.per_minute == 100
    assert ration.heed(Allowance(50), 0.0)
    assert ration.per_minute == 50
    assert not ration.heed(Allowance(None, 10), 0.0)
    assert not ration.heed(Allowance(50, 10), 0.0)
    assert ration.heed(Allowance(500), 0.0)
    assert ration.per_minute == 100


def test_the_endpoints_word_overrules_what_was_known_of_it() -> None:
    ration = Ration(None, 200, 0.0)
    ration.heed(Allowance(500), 0.0)
    assert ration.per_minute == 500


def test_where_nothing_is_left_the_next_is_waited_for() -> None:
    ration = Ration(None, None, 0.0)
    ration.heed(Allowance(None, 0), 0.0)
    assert ration.due(5.0, 1.0) == 5.0
    ration.take(1.0)
    assert ration.per_minute is None
    ration.heed(Allowance(60, 0), 5.0)
    assert ration.due(5.0, 1.0) == pytest.approx(6.0, abs=0.1)
