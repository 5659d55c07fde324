"""Every fault of the table, by every way a call can meet it: the outcome is the documented one."""

from __future__ import annotations

import asyncio
import gc
import re
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from pydantic import BaseModel
from tenacity.wait import wait_none

from extractify import (
    AsyncClient,
    Client,
    EndpointError,
    ExtractifyError,
    InvalidResponse,
    Repair,
    Retry,
    Task,
    TransportError,
)
from extractify.events import Event, RetryScheduled
from extractify.testing import FAULTS, Fault, ScriptedEndpoint, serve
from extractify.testing.script import KEY
from tests.pickling import pickled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from extractify import Endpoint, Extraction
    from extractify.testing import Seen, Server

    Call: TypeAlias = Callable[..., Extraction["Shop"]]

PAGE = (Path(__file__).parents[1] / "docs" / "faults.md").read_text(encoding="utf-8")
EXCHANGES = 3
AT_ONCE = Retry(stop=EXCHANGES, wait=wait_none())
TEXT = "Zyxomma plc, café Ω"


class Shop(BaseModel):
    name: str
    rows: list[int] = []


TASK = Task(Shop, repair=Repair(2))
GOOD = Shop(name="café Ω 漢字", rows=[1, 2, 3])
WRONG = {"name": ["no", "name"]}


def call_sync(where: Endpoint, timeout: float, events: list[Event]) -> Extraction[Shop]:
    with Client(where, timeout=timeout, retry=AT_ONCE, on_event=events.append) as client:
        return client.extract(TASK, TEXT)


def call_async(where: Endpoint, timeout: float, events: list[Event]) -> Extraction[Shop]:
    async def call() -> Extraction[Shop]:
        options: dict[str, Any] = {"timeout": timeout, "retry": AT_ONCE, "on_event": events.append}
        try:
            async with AsyncClient(where, **options) as client:
                return await client.extract(TASK, TEXT)
        finally:
            mine, rounds = {asyncio.current_task()}, 0
            while asyncio.all_tasks() != mine and rounds < 100:
                await asyncio.sleep(0)  # the loop closes a generator that broke off a little later
                rounds += 1
            assert asyncio.all_tasks() == mine

    return asyncio.run(call())


@pytest.fixture(params=[call_sync, call_async], ids=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Call:
    chosen: Call = request.param
    return chosen


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_left_open() -> Iterator[None]:
    yield
    gc.collect()  # what was forgotten warns now, and a warning is an error


class Outcome:
    """What a call came to, bounded in time."""

    def __init__(self, call: Call, where: Endpoint, timeout: float = 10.0) -> None:
        self.events: list[Event] = []
        self.result: Extraction[Shop] | None = None
        self.error: ExtractifyError | None = None
        started = time.monotonic()
        try:
            self.result = call(where, timeout, self.events)
        except ExtractifyError as error:
            self.error = error
        assert time.monotonic() - started < 20

    @property
    def retries(self) -> int:
        return sum(isinstance(event, RetryScheduled) for event in self.events)

    def check(self, fault: Fault, *, attempts: int = 0) -> None:
        """The documented error, with all that was seen before it and nothing that is secret."""
        error = self.error
        if fault.error is None:
            assert error is None
            return
        assert type(error) is fault.error
        assert len(error.attempts) == attempts
        if isinstance(error, EndpointError):
            assert error.code == fault.code
            assert error.status == getattr(fault.answer, "status", 200)
            assert error.detail or not getattr(fault.answer, "content", b"")
        assert self.retries == most(fault)
        for shown in (str(error), repr(error)):
            assert KEY not in shown
            assert "Zyxomma" not in shown
        assert vars(pickled(error)).keys() == vars(error).keys()


AGAIN = {None: "yes", 1: "once", 0: "no"}


def most(fault: Fault) -> int:
    """How often a call that may try three times tries again."""
    return EXCHANGES - 1 if fault.retries is None else fault.retries


ROWS = [fault for fault in FAULTS.values() if not fault.stream]
SILENT = {"silent", "stalled in the body"}
FAULTY = pytest.mark.parametrize("fault", [fault.on(GOOD) for fault in ROWS], ids=lambda f: f.name)


def test_the_table_has_a_row_for_every_kind_of_failure() -> None:
    assert len(FAULTS) >= 100
    assert len({fault.what for fault in ROWS}) >= 10


@FAULTY
def test_a_fault_that_lasts_ends_as_documented(call: Call, fault: Fault) -> None:
    where = ScriptedEndpoint(lambda _seen: fault)
    outcome = Outcome(call, where)
    outcome.check(fault)
    assert len(where.requests) == 1 + most(fault)
    if fault.error is None:
        assert outcome.result is not None
        assert outcome.result.value == GOOD


@FAULTY
def test_a_fault_that_passes_does_no_harm_where_it_is_repeated(call: Call, fault: Fault) -> None:
    where = ScriptedEndpoint([fault, GOOD])
    outcome = Outcome(call, where)
    if fault.retries != 0 or fault.error is None:
        assert outcome.result is not None
        assert outcome.result.value == GOOD
        assert len(outcome.result.attempts) == 1
        assert outcome.retries == int(fault.error is not None)
    else:
        outcome.check(fault)


@FAULTY
def test_a_fault_in_a_repair_turn_loses_no_attempt(call: Call, fault: Fault) -> None:
    where = ScriptedEndpoint([WRONG, *[fault] * EXCHANGES])
    outcome = Outcome(call, where)
    outcome.check(fault, attempts=1)
    attempts = outcome.error.attempts if outcome.error else ()
    assert [attempt.usage.total_tokens for attempt in attempts] == [160] * len(attempts)
    if outcome.result is not None:
        assert len(outcome.result.attempts) == 2


@FAULTY
def test_over_a_socket_a_fault_is_the_same(call: Call, fault: Fault) -> None:
    silent = fault.name in SILENT
    with serve([fault] * EXCHANGES) as server:
        outcome = Outcome(call, server.endpoint, 0.1 if silent else 10.0)
        if fault.name == "content-length too short":
            # httpx doesn't look at what comes after the body; another client may, and break off.
            assert isinstance(outcome.error, InvalidResponse | TransportError)
            return
        outcome.check(fault)
        if fault.name != "refused":
            assert len(server.requests) == 1 + most(fault)
        assert_hung_up(server)
    if fault.error is None:
        assert outcome.result is not None
        assert outcome.result.value == GOOD


def assert_hung_up(server: Server) -> None:
    """The client has closed its connections; the server's threads notice in a moment."""
    patience = time.monotonic() + 5
    while server.open and time.monotonic() < patience:
        time.sleep(0.001)
    assert server.open == set()


@pytest.mark.parametrize("name", sorted(SILENT))
def test_a_call_that_is_cancelled_leaves_nothing_open(name: str) -> None:
    asked = threading.Event()

    def answer(_seen: Seen) -> Fault:
        asked.set()
        return FAULTS[name].on(GOOD)

    async def cancelled(where: Endpoint) -> None:
        async with AsyncClient(where, retry=AT_ONCE) as client:
            call = asyncio.create_task(client.extract(TASK, TEXT))
            assert await asyncio.to_thread(asked.wait, 10)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    with serve(answer) as server:
        asyncio.run(cancelled(server.endpoint))
        assert_hung_up(server)
        assert len(server.requests) == 1


def test_a_server_that_is_down_is_a_connection_refused(call: Call) -> None:
    with serve() as server:
        server.refuse()
        outcome = Outcome(call, server.endpoint)
    assert type(outcome.error) is TransportError
    assert "Check that the server runs" in str(outcome.error)


def test_the_page_on_faults_tells_every_outcome() -> None:
    told = re.findall(r"^\| ([^|`]+) \| ([^|]+) \| (yes|once|no) \|$", PAGE, re.MULTILINE)
    rows = {}
    for fault in FAULTS.values():
        error = "the value" if fault.error is None else f"`{fault.error.__name__}`"
        rows[fault.what] = (error, AGAIN[fault.retries])
    assert {what: tuple(rest) for what, *rest in told} == rows


def test_alike_faults_end_alike() -> None:
    ends = {(fault.what, fault.error, fault.retries) for fault in FAULTS.values()}
    assert len(ends) == len({fault.what for fault in FAULTS.values()})
