"""extractify.congestion: the limit of requests at once, after successes and overloads."""

from __future__ import annotations

import pytest

from extractify.congestion import Congestion


def grown(congestion: Congestion, limit: int) -> int:
    """How many successes it takes until so many go out at once."""
    successes = 0
    while congestion.limit < limit:
        congestion.succeeded()
        successes += 1
    return successes


def test_it_doubles_up_to_half_of_what_was_too_much_and_then_grows_by_one_a_round_trip() -> None:
    congestion = Congestion(64)
    assert grown(congestion, 64) == 56
    congestion.overloaded(0)
    assert congestion.limit == 32
    assert grown(congestion, 33) in {32, 33}
    assert 30 * 33 < grown(congestion, 64) < 32 * 65


def test_after_an_outage_it_comes_back_to_half_at_once() -> None:
    congestion = Congestion(64)
    grown(congestion, 64)
    for cuts in range(10):
        congestion.overloaded(cuts)
    assert congestion.limit == 1
    assert grown(congestion, 32) == 31
    assert grown(congestion, 34) > 60


def test_it_is_never_above_the_most_nor_below_one() -> None:
    congestion = Congestion(3)
    assert congestion.limit == 3
    for _ in range(10):
        congestion.succeeded()
    assert congestion.limit == 3
    for cuts in range(10):
        congestion.overloaded(cuts)
    assert congestion.limit == 1


def test_requests_that_were_out_together_halve_it_once() -> None:
    congestion = Congestion(8)
    assert congestion.overloaded(0) > 0
    assert [congestion.overloaded(0) for _ in range(7)] == [0.0] * 7
    assert (congestion.limit, congestion.cuts) == (4, 1)


def test_an_overload_that_others_met_halves_it_and_what_was_out_then_does_not() -> None:
    congestion = Congestion(64)
    grown(congestion, 64)
    congestion.halve()
    assert congestion.overloaded(0) == 0.0
    assert (congestion.limit, congestion.cuts) == (32, 1)
    assert grown(congestion, 33) in {32, 33}


def test_pauses_double_while_nothing_succeeds_and_end_at_half_a_minute() -> None:
    congestion = Congestion(8)
    for cuts, longest in enumerate([0.5, 1, 2, 4, 8, 16, 30, 30, 30]):
        assert longest / 2 <= congestion.overloaded(cuts) <= longest
    congestion.succeeded()
    assert congestion.overloaded(congestion.cuts) <= 0.5


def test_the_endpoint_says_how_long_a_pause_is_and_one_that_did_not_help_grows() -> None:
    congestion = Congestion(8)
    assert congestion.overloaded(0, 7.0) == 7.0
    assert congestion.overloaded(0, 9.0) == 9.0
    congestion.succeeded()
    assert congestion.overloaded(1, 0.0) == 0.0
    assert congestion.overloaded(2, 0.0) >= 0.5
    assert congestion.overloaded(3, 60.0) == pytest.approx(60.0)
