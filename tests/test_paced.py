"""extractify.paced: what is sent again, what is raised, and what stops the run. Time is virtual."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from extractify.conversation import Asked
from extractify.errors import (
    AuthenticationError,
    ConfigurationError,
    ContentBlocked,
    EndpointError,
    ExtractifyError,
    InvalidRequest,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    Stopped,
    TransportError,
)
from extractify.events import RetryScheduled
from extractify.links import AsyncLink
from extractify.messages import Completion, Message, Request, Usage
from extractify.pace import Pace, Regulator
from extractify.paced import Paced
from extractify.rates import Allowance, Rate
from extractify.retrying import Retry
from extractify.testing import FAULTS, ScriptedEndpoint
from extractify.testing.contract import anything
from tests.loopback import Loopback, endpoint
from tests.pickling import pickled
from tests.virtual_time import now, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from extractify import Endpoint
    from extractify.events import Event

LATENCY = 0.05
ANSWER = Completion("{}", usage=Usage(80, 20, 100))


def asked(text: str) -> Asked:
    return Asked(Request("m", (Message("user", text),)), None)


def failure(kind: type[EndpointError], status: int, **fields: Any) -> EndpointError:
    error = kind("no", status=status, **fields)
    passing = kind in {RateLimited, Overloaded}
    error.retries = None if passing else 0
    return error


class Server:
    """Answers after a while, unless `fault` says what to raise for a text."""

    def __init__(
        self,
        fault: Callable[[str], ExtractifyError | None],
        latency: Callable[[str], float] = lambda _: LATENCY,
        answer: Completion = ANSWER,
    ) -> None:
        self._fault, self._latency, self._answer = fault, latency, answer
        self.seen: list[tuple[float, str]] = []
        self.at_once = self.most_at_once = 0

    async def answer(self, asked: Asked) -> Completion:
        text = asked.request.messages[-1].content
        self.seen.append((now(), text))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        error = self._fault(text)
        await asyncio.sleep(self._latency(text))
        self.at_once -= 1
        if error is not None:
            raise error
        return self._answer


class Ran:
    """What became of a run: for each text the completion, or what was raised."""

    def __init__(self, server: Server, regulator: Regulator) -> None:
        self.server, self.regulator = server, regulator
        self.results: dict[str, Completion | BaseException] = {}
        self.events: list[Event] = []
        self.seconds = 0.0

    @property
    def kinds(self) -> Counter[str]:
        return Counter(type(each).__name__ for each in self.results.values())


def ran(
    count: int,
    fault: Callable[[str], ExtractifyError | None],
    *,
    latency: Callable[[str], float] = lambda _: LATENCY,
    preset: float | None = None,
    answer: Completion = ANSWER,
    **options: Any,
) -> Ran:
    """Send so many requests, at most twice as many at a time as may be out."""

    async def main() -> Ran:
        pace = Pace(**options)
        regulator = Regulator(pace, preset=preset, clock=now)
        run = Ran(Server(fault, latency, answer), regulator)
        paced = Paced(run.server.answer, regulator, run.events.append, clock=now)
        names = iter([f"document {number}" for number in range(count)])

        async def worker() -> None:
            for name in names:
                try:
                    run.results[name] = await paced.send(asked(name))
                except (ExtractifyError, Stopped) as error:
                    run.results[name] = error

        await asyncio.gather(*(worker() for _ in range(2 * pace.concurrency)))
        run.seconds = now()
        return run

    return run(main)


def test_all_is_sent_once_where_nothing_fails() -> None:
    done = ran(1000, lambda _: None)
    assert done.kinds == {"Completion": 1000}
    assert len(done.server.seen) == 1000
    assert done.server.most_at_once == 32
    assert done.seconds < 1000 / 32 * LATENCY * 1.2


def test_one_document_that_always_fails_is_given_up_after_a_few_tries() -> None:
    done = ran(300, lambda text: failure(Overloaded, 500) if text == "document 7" else None)
    assert done.kinds == {"Completion": 299, "Overloaded": 1}
    error = done.results["document 7"]
    assert isinstance(error, Overloaded)
    assert error.tries == 5
    assert len(done.server.seen) == 304


def test_an_outage_costs_time_and_no_document() -> None:
    def fault(_text: str) -> ExtractifyError | None:
        return TransportError("refused") if 1 <= now() < 11 else None

    done = ran(2000, fault)
    assert done.kinds == {"Completion": 2000}
    assert len(done.server.seen) < 2000 + 100
    assert done.seconds < 1 + 25 + 2000 / 32 * LATENCY * 2


def test_wrong_credentials_stop_the_run_and_leave_every_document_unfinished() -> None:
    done = ran(10_000, lambda _: failure(AuthenticationError, 401))
    assert done.kinds == {"Stopped": 10_000}
    assert len(done.server.seen) < 20
    assert "3 requests in a row" in str(done.results["document 0"])


def test_a_storm_of_429s_costs_time_and_no_document() -> None:
    def fault(_text: str) -> ExtractifyError | None:
        return failure(RateLimited, 429) if 1 <= now() < 11 else None

    done = ran(2000, fault)
    assert done.kinds == {"Completion": 2000}
    assert len(done.server.seen) < 2000 + 100
    assert len([at for at, _ in done.server.seen if 2 < at < 11]) < 40


class Window:
    """A server's limit of requests in each minute."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.seen: Counter[int] = Counter()
        self.refused = 0

    def __call__(self, _text: str) -> ExtractifyError | None:
        minute = int(now() // 60)
        self.seen[minute] += 1
        if self.seen[minute] <= self.most:
            return None
        self.refused += 1
        return failure(RateLimited, 429)


def test_a_limit_that_is_known_is_never_met_and_all_of_it_is_used() -> None:
    window = Window(200)
    done = ran(1000, window, preset=200)
    assert done.kinds == {"Completion": 1000}
    assert window.refused == 0
    assert done.seconds < 5 * 60 * 1.03


def test_a_limit_that_is_not_known_is_borne() -> None:
    window = Window(200)
    done = ran(1000, window)
    assert done.kinds == {"Completion": 1000}
    assert window.refused < 250
    assert done.seconds < 5 * 60 + 60


def test_a_limit_that_the_headers_tell_overrules_the_preset() -> None:
    window = Window(600)
    told = Completion("{}", rate=Rate(Allowance(600, 300)))
    done = ran(1200, window, preset=60, answer=told)
    assert done.kinds == {"Completion": 1200}
    assert window.refused == 0
    assert done.seconds < 130


def test_a_refusal_that_tells_the_limit_is_heeded() -> None:
    window = Window(100)

    def fault(text: str) -> ExtractifyError | None:
        error = window(text)
        if isinstance(error, RateLimited):
            error.rate = Rate(Allowance(100, 0))
        return error

    done = ran(300, fault)
    assert done.kinds == {"Completion": 300}
    assert done.regulator.limit > 1
    assert sum(window.seen.values()) < 340


def test_a_retry_after_of_one_request_makes_all_wait() -> None:
    def fault(text: str) -> ExtractifyError | None:
        if text == "document 500" and now() < 3:
            return failure(RateLimited, 429, retry_after=7.0)
        return None

    done = ran(2000, fault, concurrency=64)
    asked_at = next(at for at, text in done.server.seen if text == "document 500")
    told_at = asked_at + LATENCY
    between = [at for at, _ in done.server.seen if told_at < at < told_at + 7]
    assert between == []
    assert done.server.most_at_once == 64
    assert done.kinds == {"Completion": 2000}
    assert len(done.server.seen) == 2001


def test_one_credential_refused_among_many_is_asked_again() -> None:
    refused = {"document 3", "document 150", "document 299"}

    def fault(text: str) -> ExtractifyError | None:
        if text in refused:
            refused.remove(text)
            return failure(AuthenticationError, 401)
        return None

    done = ran(300, fault)
    assert done.kinds == {"Completion": 300}
    assert len(done.server.seen) == 303


def test_a_document_that_the_endpoint_forbids_is_given_up_and_the_run_goes_on() -> None:
    done = ran(
        100, lambda text: failure(AuthenticationError, 403) if text == "document 99" else None
    )
    assert done.kinds == {"Completion": 99, "AuthenticationError": 1}
    assert len(done.server.seen) == 101


def test_a_quota_used_up_in_the_middle_stops_the_run_and_kills_no_document() -> None:
    served = Counter[str]()

    def fault(_text: str) -> ExtractifyError | None:
        served["all"] += 1
        return failure(QuotaExceeded, 429) if served["all"] > 500 else None

    slow = {f"document {number}" for number in range(480, 500)}
    done = ran(2000, fault, latency=lambda text: 0.5 if text in slow else LATENCY)
    assert done.kinds == {"Completion": 500, "Stopped": 1500}
    assert len(done.server.seen) < 500 + 64
    last = done.results["document 1999"]
    assert isinstance(last, Stopped)
    assert isinstance(last.__cause__, QuotaExceeded)


def test_a_client_that_was_closed_stops_the_run() -> None:
    done = ran(100, lambda _: ConfigurationError("The client was closed."))
    assert done.kinds["Stopped"] == 98
    assert done.kinds["ConfigurationError"] == 2


@pytest.mark.parametrize(("status", "few"), [(404, 3), (400, 10)])
def test_an_endpoint_that_takes_no_request_at_all_stops_the_run(status: int, few: int) -> None:
    done = ran(10_000, lambda _: failure(InvalidRequest, status), concurrency=1)
    assert done.kinds["InvalidRequest"] <= few
    assert done.kinds["Stopped"] >= 10_000 - few
    assert len(done.server.seen) == few
    assert f"{few} requests in a row" in str(done.results["document 9999"])


def test_a_model_that_is_gone_in_the_middle_stops_the_run() -> None:
    done = ran(1000, lambda _: failure(InvalidRequest, 404) if now() > 0.5 else None)
    assert done.kinds["Stopped"] > 500
    assert "10 requests in a row" in str(done.results["document 999"])


def test_a_tenth_of_the_documents_that_are_refused_as_credentials_are_stop_nothing() -> None:
    refused = {f"document {each}": each % 3 for each in range(3, 1000, 10)}

    def some(text: str) -> ExtractifyError | None:
        kinds = (QuotaExceeded, 402), (AuthenticationError, 403), (InvalidRequest, 404)
        return failure(*kinds[refused[text]]) if text in refused else None

    done = ran(1000, some)
    assert done.kinds["Completion"] == 900
    assert done.kinds["Stopped"] == 0
    assert len(done.server.seen) <= 900 + 2 * 100


def test_bad_requests_among_good_ones_stop_nothing() -> None:
    done = ran(100, lambda text: failure(InvalidRequest, 400) if text != "document 0" else None)
    assert done.kinds == {"Completion": 1, "InvalidRequest": 99}
    assert len(done.server.seen) == 100


def test_what_a_filter_stops_is_raised_at_once() -> None:
    done = ran(50, lambda _: failure(ContentBlocked, 400))
    assert done.kinds == {"ContentBlocked": 50}
    assert len(done.server.seen) == 50
    assert done.regulator.limit == 32


@pytest.mark.parametrize("count", [1, 3])
def test_the_last_documents_are_given_up_if_they_always_fail(count: int) -> None:
    done = ran(count, lambda _: failure(Overloaded, 500))
    assert done.kinds == {"Overloaded": count}
    assert len(done.server.seen) <= 30 * count
    assert done.seconds < 300


def test_an_outage_of_another_kind_costs_time_and_no_document() -> None:
    done = ran(500, lambda _: TransportError("broke off", sent=True) if 1 <= now() < 61 else None)
    assert done.kinds == {"Completion": 500}


def test_patience_ends() -> None:
    done = ran(500, lambda _: failure(Overloaded, 503) if now() > 0.3 else None, patience=120)
    assert set(done.kinds) == {"Completion", "Stopped"}
    assert 120 <= done.seconds < 155
    assert "Nothing succeeded for 1" in str(done.results["document 499"])


def test_a_server_that_was_never_there_is_waited_for_a_tenth_of_that() -> None:
    done = ran(500, lambda _: TransportError("refused"))
    assert done.kinds == {"Stopped": 500}
    assert 60 <= done.seconds < 91


def test_a_pause_beyond_all_patience_stops_the_run_at_once() -> None:
    done = ran(500, lambda _: failure(RateLimited, 429, retry_after=86400.0))
    assert done.kinds == {"Stopped": 500}
    assert done.seconds < 1
    assert "alone for 86400 seconds" in str(done.results["document 499"])


def test_patience_is_not_spent_while_nothing_is_asked() -> None:
    async def main() -> None:
        regulator = Regulator(Pace(1, patience=10), clock=now)
        faults = iter([None, failure(Overloaded, 503), None])
        server = Server(lambda _: next(faults))
        paced = Paced(server.answer, regulator, lambda _: None, clock=now)
        await paced.send(asked("a"))
        await asyncio.sleep(100)
        answer = await paced.send(asked("b"))
        assert answer.usage.total_tokens is not None
        assert next(faults, "all were met") == "all were met"

    run(main)


def test_what_may_be_repeated_once_is_repeated_once() -> None:
    def fault(text: str) -> ExtractifyError | None:
        error = failure(RateLimited, 200, code="1039")
        error.retries = 1
        return error if text == "document 5" else None

    done = ran(50, fault)
    assert done.kinds == {"Completion": 49, "RateLimited": 1}
    assert len(done.server.seen) == 51


def test_each_repetition_is_told() -> None:
    faults: list[ExtractifyError] = [
        TransportError("silent", sent=True),
        failure(Overloaded, 503, retry_after=3.0),
        failure(Overloaded, 500, retry_after=20.0),
    ]
    done = ran(1, lambda _: faults.pop(0) if faults else None)
    told = [event for event in done.events if isinstance(event, RetryScheduled)]
    assert [(each.error, each.status, each.may_run_twice) for each in told] == [
        ("TransportError", None, True),
        ("Overloaded", 503, False),
        ("Overloaded", 500, False),
    ]
    assert [each.seconds for each in told[1:]] == [3.0, 20.0]
    assert done.seconds > 23


def test_tokens_a_minute_are_charged_by_what_was_learned_and_settled() -> None:
    done = ran(300, lambda _: None, tokens_per_minute=6000)
    assert 4.5 * 60 < done.seconds < 5.2 * 60


def test_what_is_cancelled_gives_its_place_back() -> None:
    async def main() -> None:
        regulator = Regulator(Pace(1), clock=now)
        paced = Paced(Server(lambda _: None).answer, regulator, lambda _: None, clock=now)
        first = asyncio.ensure_future(paced.send(asked("a")))
        await asyncio.sleep(LATENCY / 2)
        first.cancel()
        assert await paced.send(asked("b")) is ANSWER
        with pytest.raises(asyncio.CancelledError):
            await first

    run(main)


class Skipping:
    """A clock that sleeping moves, for one who does nothing else meanwhile."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def over_the_wire(where: Endpoint, count: int = 1) -> list[Completion]:
    """Send so many requests to an endpoint, one after the other, without waiting."""
    options = {"timeout": 30.0, "retry": Retry(stop=1), "limits": None}
    link = AsyncLink(where, {**options, "emit": lambda _: None})
    clock = Skipping()
    regulator = Regulator(Pace(4), clock=clock, sleep=clock.sleep)

    async def send(asked: Asked) -> Completion:
        return await link.send(asked.request)

    async def main() -> list[Completion]:
        paced = Paced(send, regulator, lambda _: None, clock=clock)
        try:
            return [await paced.send(asked("the document")) for _ in range(count)]
        finally:
            await link.close()

    return asyncio.run(main())


@pytest.mark.parametrize("name", [each.name for each in FAULTS.values() if not each.stream])
def test_each_fault_that_passes_is_survived_once(name: str) -> None:
    fault = FAULTS[name]
    script = iter([fault, "{}"])
    scripted = ScriptedEndpoint(lambda _: next(script), contract=anything)
    is_document = fault.error is not None and fault.retries == 0
    if is_document and fault.error not in {AuthenticationError, QuotaExceeded}:
        assert fault.error is not None
        with pytest.raises(fault.error):
            over_the_wire(scripted)
    else:
        over_the_wire(scripted)


def test_what_the_headers_say_arrives_with_answers_and_with_errors() -> None:
    headers = {"x-ratelimit-limit-requests": "500", "x-ratelimit-remaining-requests": "499"}
    rate = Rate(Allowance(500, 499))
    good = json.dumps({"choices": [{"message": {"content": "{}"}}]})
    with Loopback([(200, headers, good), (429, headers, {"error": {}}), "{}"]) as server:
        told, untold = over_the_wire(endpoint(server), 2)
        assert told.rate == rate
        assert untold.rate is None
        assert len(server.requests) == 3
    with Loopback([(400, headers, {"error": {}})]) as server, pytest.raises(InvalidRequest) as bad:
        over_the_wire(endpoint(server))
    assert bad.value.rate == rate
    assert pickled(bad.value).rate == rate
