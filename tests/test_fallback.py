"""extractify.fallback: who is asked next, and what is kept of those asked before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel, field_validator
from tenacity.wait import wait_none

from extractify import (
    AsyncClient,
    AuthenticationError,
    Client,
    ContentBlocked,
    Endpoint,
    Extraction,
    ExtractionError,
    InvalidRequest,
    Overloaded,
    QuotaExceeded,
    Refused,
    Repair,
    Retry,
    Task,
    TransportError,
)
from extractify.events import Event, FellBack, RetryScheduled
from tests.loopback import KEY, Answer, Close, Loopback, completion, endpoint
from tests.pickling import pickled

if TYPE_CHECKING:
    from collections.abc import Sequence

TASK = Task(int, repair=Repair(stop=1))
BUSY: Answer = (503, {}, {"error": {"message": "busy"}})
BROKE: Answer = (402, {}, {"error": {"message": "balance"}})


def plain(server: Loopback) -> Endpoint:
    return Endpoint(server.url, "other", KEY)


def extract_sync(
    first: Endpoint, others: Sequence[Endpoint], events: list[Event]
) -> Extraction[int]:
    with Client(first, fallback=others, retry=False, on_event=events.append) as client:
        return client.extract(TASK, "seven")


def extract_async(
    first: Endpoint, others: Sequence[Endpoint], events: list[Event]
) -> Extraction[int]:
    async def run() -> Extraction[int]:
        emit = events.append
        async with AsyncClient(first, fallback=others, retry=False, on_event=emit) as client:
            return await client.extract(TASK, "seven")

    return asyncio.run(run())


both = pytest.mark.parametrize("extract", [extract_sync, extract_async])


@both
@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (BUSY, "Overloaded"),
        (BROKE, "QuotaExceeded"),
        ((429, {}, {}), "RateLimited"),
        (Close(), "TransportError"),
        ("no number", "ExtractionError"),
    ],
)
def test_the_next_endpoint_is_asked_and_the_attempts_say_who_answered(
    extract: object, failure: Answer, told: str
) -> None:
    events: list[Event] = []
    with Loopback([failure]) as down, Loopback(["7"]) as up:
        assert callable(extract)
        result = extract(endpoint(down), [plain(up)], events)
        assert result.value == 7
        names = [f"{down.url}#minimax/m2.7", f"{up.url}#other"]
        given = names if told == "ExtractionError" else names[1:]
        assert [attempt.endpoint for attempt in result.attempts] == given
        assert FellBack(names[0], names[1], told) in events
        assert up.requests[0].body["model"] == "other"
        # The second endpoint gets its own dialect's and profile's request.
        assert "max_tokens" in down.requests[0].body
        assert "max_tokens" not in up.requests[0].body


@both
@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        ((401, {}, {}), AuthenticationError),
        ((400, {}, {}), InvalidRequest),
        ((200, {}, completion("", finish_reason="content_filter")), ContentBlocked),
        ((200, {}, completion("", message={"refusal": "No."})), Refused),
    ],
)
def test_what_is_the_callers_to_decide_is_raised_at_once(
    extract: object, failure: Answer, kind: type[Exception]
) -> None:
    with Loopback([failure]) as first, Loopback(["7"]) as second:
        assert callable(extract)
        with pytest.raises(kind):
            extract(endpoint(first), [plain(second)], [])
        assert second.requests == []


def test_the_last_error_has_the_attempts_of_all() -> None:
    with Loopback(["a"]) as first, Loopback([BUSY]) as second, Loopback(["c"]) as third:
        with pytest.raises(ExtractionError) as raised:
            extract_sync(endpoint(first), [plain(second), plain(third)], [])
        names = [attempt.endpoint for attempt in raised.value.attempts]
        assert names == [f"{first.url}#minimax/m2.7", f"{third.url}#other"]
        assert pickled(raised.value).attempts == raised.value.attempts
    with Loopback(["a"]) as first, Loopback([BROKE]) as last:
        with pytest.raises(QuotaExceeded) as broke:
            extract_sync(endpoint(first), [plain(last)], [])
        assert len(broke.value.attempts) == 1


def test_without_a_fallback_nothing_changes() -> None:
    events: list[Event] = []
    with Loopback([BUSY]) as server, pytest.raises(Overloaded):
        extract_sync(endpoint(server), [], events)
    assert not any(isinstance(event, FellBack) for event in events)


def test_a_fallback_may_be_named_as_an_endpoint_is() -> None:
    with Loopback(["7"]) as server:
        dead = Endpoint("http://127.0.0.1:9/v1", "m")
        with Client(dead, fallback=[f"{server.url}#other"], retry=False) as client:
            assert client.extract(TASK, "seven").value == 7
        with Client(dead, retry=False) as client, pytest.raises(TransportError):
            client.extract(TASK, "seven")


@both
def test_an_error_names_its_endpoint_its_tries_and_the_failures_before(extract: object) -> None:
    assert callable(extract)
    with Loopback([BUSY]) as first, Loopback([BROKE]) as second, Loopback([(401, {}, {})]) as last:
        with pytest.raises(AuthenticationError) as raised:
            extract(endpoint(first), [plain(second), plain(last)], [])
        error = raised.value
        assert error.endpoint == f"{last.url}#other"
        assert str(error).endswith(f" ({last.url}#other)")
        for told in (error, pickled(error)):
            earlier = told.__cause__
            assert isinstance(earlier, QuotaExceeded)
            assert earlier.endpoint == f"{second.url}#other"
            assert isinstance(earlier.__cause__, Overloaded)
            assert earlier.__cause__.endpoint == f"{first.url}#minimax/m2.7"
            assert str(told) == str(error)


def test_an_error_and_the_events_tell_how_often_which_endpoint_was_asked() -> None:
    events: list[Event] = []
    dead = Endpoint("http://127.0.0.1:9/v1", "m")
    retry = Retry(stop=3, wait=wait_none())
    with Client(dead, retry=retry, on_event=events.append) as client:
        with pytest.raises(TransportError) as raised:
            client.extract(TASK, "seven")
        with client.stream(TASK, "seven") as stream, pytest.raises(TransportError) as streamed:
            stream.result()
    for error in (raised.value, streamed.value):
        assert (error.endpoint, error.tries) == (dead.name, 3)
        assert str(error).endswith(" (http://127.0.0.1:9/v1#m, 3 tries)")
    again = [event for event in events if isinstance(event, RetryScheduled)]
    assert [event.endpoint for event in again] == [dead.name] * 4


def test_a_validator_that_broke_stays_the_cause() -> None:
    class Broken(BaseModel):
        a: int

        @field_validator("a")
        @classmethod
        def _check(cls, value: int) -> int:
            raise KeyError(value)

    with Loopback([BUSY]) as first, Loopback(['{"a": 1}']) as second:
        with (
            Client(endpoint(first), fallback=[plain(second)], retry=False) as client,
            pytest.raises(ExtractionError) as raised,
        ):
            client.extract(Broken, "one")
        assert isinstance(raised.value.__cause__, KeyError)
