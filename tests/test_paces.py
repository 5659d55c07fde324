"""extractify.paces: each endpoint of a run has a pace of its own. Time is virtual."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from extractify.conversation import Asked
from extractify.errors import (
    AuthenticationError,
    EndpointError,
    ExtractifyError,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    Stopped,
    TransportError,
)
from extractify.events import PaceChanged, RetryScheduled
from extractify.messages import Completion, Message, Request
from extractify.pace import Pace
from extractify.paces import Paces
from tests.virtual_time import now, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from extractify.events import Event

    Fault = Callable[[], ExtractifyError | None]

LATENCY = 0.5
PASSED_ON = (Overloaded, RateLimited, QuotaExceeded, TransportError)


def failure(kind: type[EndpointError], status: int, **fields: Any) -> EndpointError:
    error = kind("no", status=status, **fields)
    error.retries = None if kind in {RateLimited, Overloaded} else 0
    return error


class Ran:
    """What became of a run that asks "first", and then "second" where that fails."""

    def __init__(self, first: Fault, second: Fault, names: tuple[str, ...]) -> None:
        self.faults = {"first": first, "second": second}
        self.names = names
        self.seen: list[tuple[float, str]] = []
        self.events: list[Event] = []
        self.answered_by: dict[int, str] = {}
        self.took: dict[int, float] = {}
        self.raised: dict[int, BaseException] = {}
        self.earlier: list[ExtractifyError] = []
        self.at_once = self.most_at_once = 0
        self.limits: list[tuple[int, int]] = []
        self.paces: Paces

    async def answer(self, asked: Asked) -> Completion:
        name = str(asked.endpoint)
        self.seen.append((now(), name))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.limits.append((self.paces.in_flight, self.paces.limit))
        error = self.faults[name]()
        await asyncio.sleep(LATENCY)
        self.at_once -= 1
        if error is not None:
            raise error
        return Completion(name)

    async def one(self, number: int) -> None:
        """As a conversation at several endpoints does."""
        begun = now()
        request = Request("m", (Message("user", f"document {number}"),))
        for name in self.names:
            try:
                completion = await self.paces.send(Asked(request, name))
            except PASSED_ON as error:
                self.earlier.append(error)
                self.raised[number] = error
            except (ExtractifyError, Stopped) as error:
                self.raised[number] = error
                return
            else:
                self.answered_by[number] = completion.text
                self.took[number] = now() - begun
                self.raised.pop(number, None)
                return

    def asked(self, name: str) -> int:
        return len([each for _, each in self.seen if each == name])


def ran(
    count: int,
    first: Fault,
    second: Fault = lambda: None,
    *,
    names: tuple[str, ...] = ("first", "second"),
    **options: Any,
) -> Ran:
    async def main() -> Ran:
        made = Ran(first, second, names)
        pace = Pace(**options)
        made.paces = Paces(made.answer, pace, names, made.events.append, clock=now)
        numbers = iter(range(count))

        async def worker() -> None:
            for number in numbers:
                await made.one(number)

        await asyncio.gather(*(worker() for _ in range(2 * pace.concurrency)))
        return made

    return run(main)


def test_an_endpoint_that_pauses_leads_on_to_the_next_at_once_and_is_asked_again_later() -> None:
    def first() -> ExtractifyError | None:
        return failure(RateLimited, 429, retry_after=20.0) if 5 <= now() < 6 else None

    done = ran(2500, first)
    assert len(done.answered_by) == 2500
    assert max(done.took.values()) < 3 * LATENCY + 1.5
    assert [at for at, name in done.seen if name == "first" and 6.5 < at < 25] == []
    assert len([at for at, name in done.seen if name == "second" and 6.5 < at < 25]) > 700
    assert {name for at, name in done.seen if at > 28} == {"first"}


def test_one_that_says_nothing_of_its_pause_leads_on_when_that_grows() -> None:
    done = ran(1000, lambda: failure(Overloaded, 503))
    assert set(done.answered_by.values()) == {"second"}
    assert max(done.took.values()) < 5
    assert done.asked("first") < 60


@pytest.mark.parametrize(
    "fault",
    [
        lambda: failure(Overloaded, 500),
        lambda: TransportError("broke off", sent=True),
        lambda: TransportError("refused"),
    ],
)
def test_one_that_answers_nothing_but_errors_is_hardly_asked(fault: Fault) -> None:
    done = ran(1000, fault)
    assert set(done.answered_by.values()) == {"second"}
    assert max(done.took.values()) < 5
    assert done.asked("first") < 100


def test_one_without_quota_is_left_aside_and_tried_now_and_then() -> None:
    done = ran(9000, lambda: failure(QuotaExceeded, 402))
    assert set(done.answered_by.values()) == {"second"}
    assert not any(isinstance(error, Stopped) for error in done.raised.values())
    lasted = done.seen[-1][0]
    assert lasted > 120
    assert 5 < done.asked("first") < 16 + 4 * lasted / 60


def test_what_was_not_asked_says_so_and_has_the_failure_of_the_endpoint() -> None:
    done = ran(200, lambda: failure(RateLimited, 429, retry_after=30.0, code="busy"))
    assert {type(error) for error in done.earlier} == {RateLimited}
    assert {getattr(error, "code", "") for error in done.earlier} == {"busy"}
    assert {error.tries for error in done.earlier} == {0, 1}
    assert len({id(error) for error in done.earlier}) == 200
    again = [event for event in done.events if isinstance(event, RetryScheduled)]
    assert again == []


def test_together_no_more_are_out_than_the_pace_allows() -> None:
    flips = iter(range(10**9))

    def sometimes() -> ExtractifyError | None:
        return failure(QuotaExceeded, 402) if next(flips) % 4 == 0 else None

    done = ran(600, sometimes, concurrency=16)
    assert done.most_at_once == 16
    assert {"first", "second"} == set(done.answered_by.values())
    assert len(done.answered_by) == 600
    assert max(out for out, _ in done.limits) == 16
    assert max(limit for _, limit in done.limits) == 16


def test_the_last_endpoint_is_waited_for() -> None:
    def second() -> ExtractifyError | None:
        return failure(RateLimited, 429, retry_after=10.0) if now() < 5 else None

    done = ran(300, lambda: failure(Overloaded, 503, retry_after=60.0), second)
    assert set(done.answered_by.values()) == {"second"}
    assert max(done.took.values()) > 10


def test_credentials_refused_by_the_first_stop_all_of_it() -> None:
    done = ran(500, lambda: failure(AuthenticationError, 401))
    assert done.asked("second") == 0
    assert {type(error) for error in done.raised.values()} == {Stopped}
    assert "3 requests in a row" in str(done.paces.stopped)


def test_a_last_endpoint_that_refuses_stops_all_of_it() -> None:
    busy = failure(RateLimited, 429, retry_after=3600.0)
    done = ran(500, lambda: busy, lambda: failure(AuthenticationError, 401))
    assert {type(error) for error in done.raised.values()} == {Stopped}
    assert done.asked("second") < 20


def test_patience_is_with_all_of_them_together() -> None:
    def outage() -> ExtractifyError | None:
        return failure(Overloaded, 503) if now() > 1 else None

    done = ran(2000, outage, outage, patience=120)
    assert {type(error) for error in done.raised.values()} == {Stopped}
    assert 120 <= done.seen[-1][0] < 160


def test_patience_is_not_spent_on_one_while_another_answers() -> None:
    busy = failure(RateLimited, 429, retry_after=86_400.0)
    done = ran(2000, lambda: busy, patience=10)
    assert len(done.answered_by) == 2000
    assert done.seen[-1][0] > 20


def test_an_endpoint_that_is_first_and_last_is_waited_for() -> None:
    def first() -> ExtractifyError | None:
        return failure(RateLimited, 429, retry_after=10.0) if now() < 5 else None

    done = ran(50, first, names=("first", "first"))
    assert len(done.answered_by) == 50
    assert len(done.earlier) == 0


def test_a_stop_reaches_an_endpoint_that_was_not_asked_before() -> None:
    async def main() -> None:
        made = Ran(lambda: None, lambda: None, ("first", "second"))
        made.paces = Paces(made.answer, Pace(), ["first", "second"], made.events.append, clock=now)
        made.paces.stop("enough")
        made.names = ("second",)
        await made.one(1)
        assert isinstance(made.raised[1], Stopped)
        assert made.paces.stopped == "enough"

    run(main)


def test_a_change_of_pace_names_its_endpoint() -> None:
    class Named(str):
        __slots__ = ()
        name = "http://first.invalid/v1#m"

    async def main() -> list[Event]:
        events: list[Event] = []
        busy = iter([failure(Overloaded, 503)])

        async def send(_: Asked) -> Completion:
            for error in busy:
                raise error
            return Completion("{}")

        paces = Paces(send, Pace(), [Named("first")], events.append, clock=now)
        await paces.send(Asked(Request("m", (Message("user", "a"),)), Named("first")))
        return events

    changes = [event for event in run(main) if isinstance(event, PaceChanged)]
    assert {event.endpoint for event in changes} == {"http://first.invalid/v1#m"}
