"""extractify.retrying: when a failed exchange is repeated, without any wire."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
from tenacity.stop import stop_after_attempt
from tenacity.wait import wait_fixed, wait_none

from extractify import ConfigurationError, InvalidRequest, Overloaded, Retry, TransportError
from extractify.events import RetryScheduled
from extractify.retrying import Policy, is_passing

if TYPE_CHECKING:
    from extractify import EndpointError, ExtractifyError
    from extractify.events import Event


def overloaded(retry_after: float | None = None, retries: int | None = None) -> EndpointError:
    error = Overloaded("busy", status=503, retry_after=retry_after)
    error.retries = retries
    return error


def pauses(policy: Policy, error: ExtractifyError) -> list[float]:
    """How long each pause of a call is that fails until it is given up."""
    call = policy.call()
    found: list[float] = []
    with pytest.raises(type(error)) as raised:
        found.extend(iter(lambda: call.pause_after(error), None))
    assert raised.value is error
    return found


def policy(events: list[Event] | None = None, **options: Any) -> Policy:
    options = {"stop": 3, "wait": wait_none(), **options}
    return Retry(**options).policy(([] if events is None else events).append)


def test_a_call_is_given_up_after_as_many_exchanges_as_allowed() -> None:
    assert pauses(policy(wait=wait_fixed(2)), overloaded()) == [2, 2]
    assert pauses(policy(stop=stop_after_attempt(4)), overloaded()) == [0, 0, 0]


def test_an_error_that_says_so_is_repeated_once_or_never() -> None:
    assert pauses(policy(), overloaded(retries=1)) == [0]
    assert pauses(policy(), overloaded(retries=0)) == []
    assert pauses(policy(), InvalidRequest("no", status=400)) == []


def test_the_endpoint_may_ask_for_a_longer_pause_but_not_for_any() -> None:
    assert pauses(policy(wait=wait_fixed(2)), overloaded(retry_after=5)) == [5, 5]
    assert pauses(policy(wait=wait_fixed(2)), overloaded(retry_after=1)) == [2, 2]
    assert pauses(policy(), overloaded(retry_after=61)) == []
    assert not is_passing(overloaded(retry_after=61))


def test_no_pause_reaches_beyond_the_deadline() -> None:
    assert pauses(policy(stop=9, wait=wait_fixed(4), deadline=3), overloaded()) == []
    assert len(pauses(policy(stop=9, wait=wait_fixed(4), deadline=5), overloaded())) == 8
    started = monotonic()
    until = policy(deadline=5).call().until
    assert until is not None
    assert started + 5 <= until <= monotonic() + 5
    assert policy(deadline=None).call().until is None


def test_what_may_have_been_done_already_is_repeated_only_if_the_policy_says_so() -> None:
    events: list[Event] = []
    unsure = TransportError("silent", sent=True)
    assert pauses(policy(events), unsure) == [0, 0]
    assert events == [RetryScheduled("TransportError", None, 0.0, may_run_twice=True)] * 2
    assert pauses(policy(may_run_twice=False), unsure) == []
    assert pauses(policy(may_run_twice=False), TransportError("refused")) == [0, 0]


def test_an_outage_spends_the_budget_of_the_client_and_success_earns_it_back() -> None:
    shared = policy(budget=0.25)
    error = overloaded()
    assert [len(pauses(shared, error)) for _ in range(7)] == [2, 2, 2, 2, 2, 1, 0]
    assert "too many calls of this client failed" in error.__notes__[-1]
    for _ in range(4):
        shared.call()
    assert len(pauses(shared, overloaded())) == 1
    assert [len(pauses(policy(budget=None), error)) for _ in range(20)] == [2] * 20


def test_a_budget_never_holds_more_than_its_reserve() -> None:
    shared = policy(stop=99, budget=5.0)
    for _ in range(50):
        shared.call()
    assert len(pauses(shared, overloaded())) == 10


def test_calls_of_one_policy_do_not_count_each_others_exchanges() -> None:
    shared = policy(budget=None)
    first, second = shared.call(), shared.call()
    for call in (first, second, first, second):
        assert call.pause_after(overloaded()) == 0
    for call in (first, second):
        with pytest.raises(Overloaded):
            call.pause_after(overloaded())


@pytest.mark.parametrize("options", [{"stop": 0}, {"deadline": 0}, {"deadline": -1.0}])
def test_a_policy_under_which_nothing_is_sent_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Retry(**options)
