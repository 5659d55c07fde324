"""extractify.paced: what is sent again, what is raised, and what stops the run. Time is virtual."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from extractify.conversation import Asked
from extractify.errors import (
    AuthenticationError,
    EndpointError,
    ExtractifyError,
    Overloaded,
    RateLimited,
    Stopped,
    TransportError,
)
from extractify.messages import Completion, Message, Request, Usage
from extractify.pace import Pace, Regulator
from extractify.paced import Paced
from tests.virtual_time import now, run

if TYPE_CHECKING:
    from collections.abc import Callable

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

    def __init__(self, fault: Callable[[str], ExtractifyError | None]) -> None:
        self._fault = fault
        self.seen: list[tuple[float, str]] = []
        self.at_once = self.most_at_once = 0

    async def answer(self, asked: Asked) -> Completion:
        text = asked.request.messages[-1].content
        self.seen.append((now(), text))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        error = self._fault(text)
        await asyncio.sleep(LATENCY)
        self.at_once -= 1
        if error is not None:
            raise error
        return ANSWER


class Ran:
    """What became of a run: for each text the completion, or what was raised."""

    def __init__(self, server: Server, regulator: Regulator) -> None:
        self.server, self.regulator = server, regulator
        self.results: dict[str, Completion | BaseException] = {}
        self.seconds = 0.0

    @property
    def kinds(self) -> Counter[str]:
        return Counter(type(each).__name__ for each in self.results.values())


def ran(count: int, fault: Callable[[str], ExtractifyError | None], **options: Any) -> Ran:
    """Send so many requests, at most twice as many at a time as may be out."""

    async def main() -> Ran:
        pace = Pace(**options)
        regulator = Regulator(pace, clock=now)
        run = Ran(Server(fault), regulator)
        paced = Paced(run.server.answer, regulator, lambda _: None, clock=now)
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


def test_what_is_cancelled_gives_its_place_back() -> None:
    async def main() -> None:
        regulator = Regulator(Pace(1), clock=now)
        paced = Paced(Server(lambda _: None).answer, regulator, lambda _: None, clock=now)
        first = asyncio.ensure_future(paced.send(asked("a")))
        await asyncio.sleep(LATENCY / 2)
        first.cancel()
        assert await paced.send(asked("b")) == ANSWER
        with pytest.raises(asyncio.CancelledError):
            await first

    run(main)
