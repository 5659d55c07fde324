"""Every fault of the table, met by an answer that streams: typed, with what was complete."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from pydantic import BaseModel
from tenacity.wait import wait_none

from extractify import AsyncClient, Client, ExtractifyError, Repair, Retry, Task, TransportError
from extractify.events import Event, RetryScheduled
from extractify.testing import FAULTS, Answer, Fault, ScriptedEndpoint, completion, serve
from extractify.testing.answers import frames
from extractify.testing.script import KEY
from tests.pickling import pickled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from extractify import Endpoint, Extraction
    from extractify.messages import JsonValue

    Play: TypeAlias = Callable[..., Extraction["Shop"]]

EXCHANGES = 3
AT_ONCE = Retry(stop=EXCHANGES, wait=wait_none())
TEXT = "Zyxomma plc, café Ω"


class Shop(BaseModel):
    name: str
    rows: list[int] = []


TASK = Task(Shop, repair=Repair(2))
GOOD = Shop(name="café Ω 漢字", rows=[1, 2, 3])
WHOLE = {"name": "café Ω 漢字", "rows": [1, 2, 3]}


def play_sync(where: Endpoint, timeout: float, events: list[Event]) -> Extraction[Shop]:
    options: dict[str, Any] = {"timeout": timeout, "retry": AT_ONCE, "on_event": events.append}
    with Client(where, **options) as client, client.stream(TASK, TEXT) as stream:
        return stream.result()


def play_async(where: Endpoint, timeout: float, events: list[Event]) -> Extraction[Shop]:
    async def play() -> Extraction[Shop]:
        options: dict[str, Any] = {"timeout": timeout, "retry": AT_ONCE, "on_event": events.append}
        async with AsyncClient(where, **options) as client, client.stream(TASK, TEXT) as stream:
            return await stream.result()

    return asyncio.run(play())


@pytest.fixture(params=[play_sync, play_async], ids=["sync", "async"])
def play(request: pytest.FixtureRequest) -> Play:
    chosen: Play = request.param
    return chosen


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_left_open() -> Iterator[None]:
    yield
    gc.collect()  # what was forgotten warns now, and a warning is an error


# A body that is cut where its length says so ends like a stream without an end.
CUT = "content-length too short"
FAULTY = pytest.mark.parametrize(
    "fault", [fault.on(GOOD) for fault in FAULTS.values()], ids=lambda fault: fault.name
)
SILENT = {"silent", "stalled in the body"}


def check(
    fault: Fault, error: ExtractifyError | None, events: list[Event], *, in_process: bool = True
) -> None:
    retries = sum(isinstance(event, RetryScheduled) for event in events)
    if fault.error is None:
        assert error is None
        return
    assert type(error) is (TransportError if fault.name == CUT else fault.error)
    most = EXCHANGES - 1 if fault.retries is None else fault.retries
    begun = error.partial is not None
    if in_process or not begun:
        assert retries == (0 if begun else most)
    else:  # a socket may hand over the beginning with the fault, and the next time without it
        assert retries <= most
    assert error.partial in (None, {}, WHOLE, {"name": WHOLE["name"]})
    assert getattr(error, "code", None) == (None if fault.name == CUT else fault.code)
    for shown in (str(error), repr(error)):
        assert KEY not in shown
        assert "Zyxomma" not in shown
    assert vars(pickled(error)).keys() == vars(error).keys()


@FAULTY
def test_a_fault_is_typed_and_keeps_what_was_complete(play: Play, fault: Fault) -> None:
    events: list[Event] = []
    caught: ExtractifyError | None = None
    try:
        assert play(ScriptedEndpoint(lambda _seen: fault), 10.0, events).value == GOOD
    except ExtractifyError as error:
        caught = error
    check(fault, caught, events)


@FAULTY
def test_over_a_socket_it_is_the_same(play: Play, fault: Fault) -> None:
    events: list[Event] = []
    caught: ExtractifyError | None = None
    with serve([fault] * EXCHANGES) as server:
        try:
            found = play(server.endpoint, 0.1 if fault.name in SILENT else 10.0, events)
            assert found.value == GOOD
        except ExtractifyError as error:
            caught = error
        if fault.name != CUT:  # httpx may find the rest of the body, and break off
            check(fault, caught, events, in_process=False)


@pytest.mark.parametrize(
    "name", ["reset in the body", "stalled in the body", "error in the stream"]
)
def test_a_fault_in_a_repair_turn_loses_no_attempt_and_no_value(play: Play, name: str) -> None:
    wrong = {"name": ["no", "name"], "rows": [1, 2]}
    where = ScriptedEndpoint([wrong, FAULTS[name].on(GOOD)])
    with pytest.raises(ExtractifyError) as caught:
        play(where, 10.0, [])
    assert len(caught.value.attempts) == 1
    assert caught.value.partial == wrong


def test_a_fault_before_the_answer_began_is_repeated(play: Play) -> None:
    events: list[Event] = []
    where = ScriptedEndpoint([FAULTS["HTTP 429"], FAULTS["refused"], GOOD])
    assert play(where, 10.0, events).value == GOOD
    assert sum(isinstance(event, RetryScheduled) for event in events) == 2


def test_wherever_a_stream_breaks_off_what_was_complete_is_kept(play: Play) -> None:
    body = b"".join(frames(completion('{"result": {"name": "Acme", "rows": [1, 23]}}'), size=3))
    end = body.index(b'"finish_reason":"stop"')
    rows: list[JsonValue] = [[], [1], [1, 23]]
    allowed: list[JsonValue] = [None, {}, {"name": "Acme"}]
    allowed += [{"name": "Acme", "rows": each} for each in rows]
    seen = []
    for cut in range(1, end, 97):
        broken = Answer(body[:cut], headers={"content-type": "text/event-stream"})
        with pytest.raises(TransportError) as caught:
            play(ScriptedEndpoint([broken] * EXCHANGES), 10.0, [])
        seen.append(allowed.index(caught.value.partial))
    assert seen == sorted(seen)
    assert set(seen) >= {0, 1, 2, 4, 5}
