"""extractify.client: whole calls over a real connection, synchronously and asynchronously."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from pydantic import BaseModel

import extractify
import extractify.events
from extractify import (
    AsyncClient,
    Client,
    ConfigurationError,
    Document,
    Endpoint,
    ExtractionError,
    Message,
    Repair,
    SchemaError,
    Task,
    TransportError,
)
from extractify.events import AttemptJudged, Done, Event, RepairAsked, RequestSent
from extractify.limits import Limits
from extractify.profiles import FULL
from tests.loopback import (
    KEY,
    Answer,
    Close,
    Delay,
    Loopback,
    Received,
    completion,
    endpoint,
    environment,
)
from tests.pickling import pickled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from extractify import Extraction, Retry
    from extractify.events import OnEvent
    from extractify.prompts import Source

    Extract: TypeAlias = Callable[..., Extraction[Any]]

TEXT = "Invoice INV-2041 of Acme Ltd, 5 March 2024: 1,249.50 EUR"
GOOD = '{"result": {"number": "INV-2041", "issued": "2024-03-05", "total": 1249.5}}'
BAD = '{"result": {"number": "INV-2041", "issued": "2024-03-35", "total": 1249.5}}'


class Invoice(BaseModel):
    number: str
    issued: date
    total: Decimal


class Opaque:
    """Nothing that pydantic could describe."""


INVOICE = Invoice(number="INV-2041", issued=date(2024, 3, 5), total=Decimal("1249.5"))


def extract_sync(
    where: Endpoint,
    target: type | Task[Any],
    source: Source,
    on_event: OnEvent | None = None,
    *,
    retry: Retry | int = True,
) -> Extraction[Any]:
    with Client(where, on_event=on_event, retry=retry) as client:
        return client.extract(task(target), source)


def extract_async(
    where: Endpoint,
    target: type | Task[Any],
    source: Source,
    on_event: OnEvent | None = None,
    *,
    retry: Retry | int = True,
) -> Extraction[Any]:
    async def call() -> Extraction[Any]:
        async with AsyncClient(where, on_event=on_event, retry=retry) as client:
            return await client.extract(task(target), source)

    return asyncio.run(call())


@pytest.fixture(params=[extract_sync, extract_async], ids=["sync", "async"])
def extract(request: pytest.FixtureRequest) -> Extract:
    chosen: Extract = request.param
    return chosen


def task(target: type | Task[Any]) -> Task[Any]:
    return target if isinstance(target, Task) else Task(target)


def echo(received: Received) -> Answer:
    """The number that stands in the document."""
    return "".join(filter(str.isdigit, received.last_message))


def plain(server: Loopback) -> Endpoint:
    return endpoint(server, profile=FULL)


def test_a_value_is_the_users_own_class(extract: Extract) -> None:
    with Loopback([GOOD]) as server:
        result = extract(endpoint(server), Invoice, TEXT)
    assert type(result.value) is Invoice
    assert result.value == INVOICE
    assert result.usage.total_tokens == 160
    assert result.fixes == ()
    assert len(result.attempts) == 1


def test_an_invalid_answer_is_sent_back(extract: Extract) -> None:
    events: list[Event] = []
    with Loopback([BAD, GOOD]) as server:
        result = extract(endpoint(server), Invoice, TEXT, events.append)
        assert "/issued" in server.requests[1].last_message
        assert server.requests[1].body["messages"][-2] == {"role": "assistant", "content": BAD}
    assert result.value == INVOICE
    assert result.usage.total_tokens == 320
    assert [type(event) for event in events] == [
        *(RequestSent, AttemptJudged, RepairAsked),
        *(RequestSent, AttemptJudged, Done),
    ]


def test_reasoning_that_the_endpoint_wants_back_is_sent_back(extract: Extract) -> None:
    details: list[Any] = [{"type": "reasoning.text", "text": "A date."}]
    thought = completion(BAD, message={"reasoning_details": details})
    with Loopback([(200, {}, thought), GOOD]) as server:
        extract(endpoint(server), Invoice, TEXT)
        assert server.requests[1].body["messages"][-2]["reasoning_details"] == details


@pytest.mark.parametrize(
    ("target", "text", "value"),
    [
        (list[Invoice], "[]", []),
        (Invoice | None, "null", None),
        (int, "7", 7),
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, '{"a": 1}', {"a": 1}),
        (Task(Invoice, instructions="Mind the date."), GOOD[11:-1], INVOICE),
    ],
)
def test_targets_of_every_kind_are_extracted(
    extract: Extract, target: type, text: str, value: object
) -> None:
    with Loopback([text]) as server:
        assert extract(plain(server), target, TEXT).value == value


def test_a_document_and_a_conversation_are_sources_too(extract: Extract) -> None:
    turns = [
        Message("system", "You know invoices."),
        Message("user", "Here it comes."),
        Message("assistant", "Go on."),
        Message("user", TEXT),
    ]
    with Loopback([GOOD, GOOD]) as server:
        extract(endpoint(server), Invoice, Document(TEXT, name="a.txt"))
        extract(endpoint(server), Invoice, turns)
        first, second = (received.body["messages"] for received in server.requests)
    assert [turn["role"] for turn in first] == ["system", "user"]
    assert TEXT in first[1]["content"]
    assert "a.txt" not in json.dumps(first)
    assert [turn["role"] for turn in second] == ["system", "user", "assistant", "user"]
    assert second[0]["content"].startswith("You know invoices.")
    assert [turn["content"] for turn in second[1:]] == [turn.content for turn in turns[1:]]


def test_examples_are_shown_as_earlier_turns(extract: Extract) -> None:
    shown = Task(Invoice, examples=[("An invoice.", INVOICE)])
    with Loopback([GOOD]) as server:
        extract(endpoint(server), shown, TEXT)
        turns = server.requests[0].body["messages"]
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"]
    assert json.loads(turns[2]["content"])["result"]["issued"] == "2024-03-05"


def test_what_goes_in_and_comes_out_pickles(extract: Extract) -> None:
    asked = pickled(Task(Invoice, instructions="Mind the date."))
    with Loopback([BAD, GOOD]) as server:
        result = extract(pickled(endpoint(server)), asked, TEXT)
    copy = pickled(result)
    assert copy == result
    assert type(copy.value) is Invoice
    assert copy.usage == result.usage


def test_a_request_can_be_seen_before_it_is_sent() -> None:
    with Loopback([GOOD]) as server, Client(endpoint(server)) as client:
        shown = client.build_request(Invoice, TEXT)
        assert server.requests == []
        client.extract(Invoice, TEXT)
        assert shown.body == server.requests[0].body
        assert shown.url == f"{server.url}/chat/completions"
        assert shown == AsyncClient(endpoint(server)).build_request(Task(Invoice), TEXT)
    assert shown.headers["authorization"] == "Bearer ***"
    assert KEY not in repr(shown)


def test_m2_7_gets_the_schema_its_page_allows() -> None:
    where = Endpoint.parse(
        "cloudflare:minimax/m2.7", {"CLOUDFLARE_ACCOUNT_ID": "a", "CLOUDFLARE_API_TOKEN": KEY}
    )
    body: Any = Client(where).build_request(Invoice, TEXT).body
    assert body["model"] == "minimax/m2.7"
    assert body["max_tokens"] == 4096
    schema = body["response_format"]["json_schema"]
    assert set(schema) == {"name", "schema"}
    assert set(schema["schema"]) == {"type", "properties"}
    assert list(schema["schema"]["properties"]) == ["result"]


def test_one_client_serves_many_threads() -> None:
    with Loopback(echo) as server, Client(plain(server)) as client:

        def five(thread: int) -> list[int]:
            return [client.extract(int, f"no {thread * 5 + n}").value for n in range(5)]

        with ThreadPoolExecutor(16) as pool:
            found = list(pool.map(five, range(16)))
        assert found == [list(range(start, start + 5)) for start in range(0, 80, 5)]
        assert len(server.requests) == 80


def test_one_async_client_serves_many_tasks() -> None:
    async def all_at_once(where: Endpoint) -> list[int]:
        async with AsyncClient(where) as client:
            calls = [client.extract(int, f"no {n}") for n in range(50)]
            return [result.value for result in await asyncio.gather(*calls)]

    with Loopback(echo) as server:
        assert asyncio.run(all_at_once(plain(server))) == list(range(50))


def test_many_first_calls_open_one_pool() -> None:
    async def unopened(where: Endpoint) -> None:
        client = AsyncClient(where, limits=Limits(connections=1))
        await asyncio.gather(*(client.extract(int, f"no {n}") for n in range(8)))
        await client.close()

    with Loopback(echo) as server:
        asyncio.run(unopened(plain(server)))
        assert server.connections == 1
        client = Client(plain(server), limits=Limits(connections=1))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: client.extract(int, f"no {n}"), range(8)))
        client.close()
        # Eight pools would open eight; one may replace a connection that a thread gave back.
        assert server.connections - 1 in {1, 2}


def test_a_client_works_again_after_it_was_closed() -> None:
    async def twice(where: Endpoint) -> list[int]:
        client = AsyncClient(where)
        first = await client.extract(int, "no 1")
        await client.close()
        await client.close()
        async with client:
            second = await client.extract(int, "no 2")
        return [first.value, second.value]

    with Loopback(echo) as server:
        client = Client(plain(server))
        first = client.extract(int, "no 1")
        client.close()
        client.close()
        with client:
            second = client.extract(int, "no 2")
        assert [first.value, second.value] == asyncio.run(twice(plain(server))) == [1, 2]
        assert server.connections == 4


def test_an_async_client_that_was_closed_serves_the_next_event_loop() -> None:
    with Loopback(echo) as server:
        client = AsyncClient(plain(server))

        async def once(text: str) -> int:
            async with client:
                return (await client.extract(int, text)).value

        assert [asyncio.run(once("no 1")), asyncio.run(once("no 2"))] == [1, 2]


@pytest.mark.parametrize("http", ["httpx", "aiohttp"])
def test_an_async_client_serves_each_event_loop_and_leaves_nothing_open(http: str) -> None:
    code = """if True:
    import asyncio, gc, sys
    from extractify import AsyncClient, Limits

    client = AsyncClient(limits=Limits(aiohttp=sys.argv[1] == "aiohttp"))

    async def call(n):
        calls = [client.extract(int, f"no {n}"), client.extract(int, f"no {n}")]
        return [result.value for result in await asyncio.gather(*calls)]

    async def close_from_elsewhere():
        await call(4)
        await asyncio.to_thread(asyncio.run, client.close())

    print(asyncio.run(call(1)), asyncio.run(call(2)))
    asyncio.run(client.close())
    print(asyncio.run(call(3)))
    asyncio.run(close_from_elsewhere())
    gc.collect()
    """
    with Loopback(echo) as server:
        env = {**os.environ, "EXTRACTIFY_ENDPOINT": f"{server.url}#m"}
        command = [sys.executable, "-W", "error", "-c", code, http]
        ran = subprocess.run(command, env=env, capture_output=True, check=True)
    assert ran.stderr == b""
    assert ran.stdout.decode().split("\n")[:2] == ["[1, 1] [2, 2]", "[3, 3]"]


def test_nothing_is_left_open_when_the_clients_are_closed() -> None:
    code = """if True:
    import asyncio, gc
    import extractify
    from extractify import AsyncClient, Client

    async def call():
        async with AsyncClient() as client:
            await asyncio.gather(*(client.extract(int, f"no {n}") for n in range(3)))

    with Client() as client:
        client.extract(int, "no 1")
    extractify.extract(int, "no 2")
    asyncio.run(call())
    gc.collect()
    """
    with Loopback(echo) as server:
        env = {**os.environ, "EXTRACTIFY_ENDPOINT": f"{server.url}#m"}
        command = [sys.executable, "-W", "error", "-c", code]
        ran = subprocess.run(command, env=env, capture_output=True, check=True)
        assert len(server.requests) == 5
    assert ran.stderr == b""


def test_one_call_takes_its_endpoint_from_the_environment() -> None:
    with (
        Loopback([GOOD[11:-1]]) as server,
        environment(EXTRACTIFY_ENDPOINT=f"{server.url}#qwen", EXTRACTIFY_API_KEY=KEY),
    ):
        assert extractify.extract(Invoice, TEXT).value == INVOICE
        (received,) = server.requests
    assert received.body["model"] == "qwen"
    assert received.headers["authorization"] == f"Bearer {KEY}"


def test_one_call_may_name_its_endpoint() -> None:
    with Loopback([GOOD, GOOD]) as server:
        where = endpoint(server)
        assert extractify.extract(Task(Invoice), TEXT, endpoint=where).value == INVOICE
        base = environment(CLOUDFLARE_AI_BASE_URL=server.url, CLOUDFLARE_API_TOKEN=KEY)
        with base:
            result = extractify.extract(Invoice, TEXT, endpoint="cloudflare:minimax/m2.7")
        assert result.value == INVOICE


def test_without_any_endpoint_the_error_says_how_to_name_one() -> None:
    with environment(EXTRACTIFY_ENDPOINT=""):
        for call in (Client, AsyncClient, lambda: extractify.extract(Invoice, TEXT)):
            with pytest.raises(ConfigurationError, match="export EXTRACTIFY_ENDPOINT=cloudflare"):
                call()


def test_a_target_that_is_none_fails_before_anything_is_opened() -> None:
    with Loopback() as server:
        with pytest.raises(SchemaError):
            extractify.extract(Opaque, TEXT, endpoint=endpoint(server))
        assert server.connections == 0


def test_a_cancelled_call_leaves_the_client_usable() -> None:
    events: list[Event] = []

    def slow_once(received: Received) -> Answer:
        return Delay(30) if "slow" in received.last_message else echo(received)

    async def cancelled(where: Endpoint) -> int:
        async with AsyncClient(where, on_event=events.append) as client:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.extract(int, "slow"), 0.05)
            assert events == [RequestSent(1), Done(0, valid=False)]
            return (await client.extract(int, "no 7")).value

    with Loopback(slow_once) as server:
        assert asyncio.run(cancelled(plain(server))) == 7


class Stop(BaseException):
    """As KeyboardInterrupt, which pytest would take for its own."""


@pytest.mark.parametrize("moment", [RequestSent, AttemptJudged, RepairAsked, Done])
def test_an_interrupt_in_the_callback_gets_through(extract: Extract, moment: type[Event]) -> None:
    seen: list[Event] = []

    def interrupt(event: Event) -> None:
        seen.append(event)
        if isinstance(event, moment):
            raise Stop

    with Loopback([BAD, GOOD]) as server, pytest.raises(Stop):
        extract(endpoint(server), Invoice, TEXT, interrupt)
    assert isinstance(seen[-1], Done)
    assert [type(event) for event in seen].count(Done) == 1


def test_an_interrupt_while_a_fault_is_waited_for_gets_through(extract: Extract) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, extractify.events.RetryScheduled):
            raise Stop

    with Loopback([(503, {}, {}), GOOD]) as server, pytest.raises(Stop):
        extract(endpoint(server), Invoice, TEXT, interrupt)


def test_giving_up_over_the_wire_carries_every_attempt(extract: Extract) -> None:
    with Loopback([BAD] * 3) as server:
        with pytest.raises(ExtractionError) as raised:
            extract(endpoint(server), Invoice, TEXT)
        assert len(server.requests) == 3
    assert len(raised.value.attempts) == 3
    assert raised.value.usage.total_tokens == 480
    assert raised.value.partial == json.loads(BAD)["result"]


# --- the model that the client runs itself -------------------------------------------------------

STAND_IN = """
import os, threading
from types import SimpleNamespace

class CommonParams:
    def __init__(self):
        self.model, self.cpuparams = SimpleNamespace(), SimpleNamespace()
        self.cpuparams_batch = SimpleNamespace()

class Server:
    listening_address = {address!r}
    def __init__(self, params):
        {behaviour}
"""


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Names a local model whose server is a Loopback, behind a real child process."""

    def install(server: Loopback, behaviour: str = "pass") -> str:
        code = STAND_IN.format(address=f"http://{server.host}", behaviour=behaviour)
        (tmp_path / "xllamacpp.py").write_text(code)
        (tmp_path / "tiny.gguf").write_bytes(b"GGUF and nothing more")
        monkeypatch.syspath_prepend(str(tmp_path))
        return f"local:{tmp_path / 'tiny.gguf'}"

    return install


def test_a_local_model_runs_while_the_client_is_open(
    extract: Extract, local: Callable[..., str]
) -> None:
    with Loopback([GOOD[11:-1]]) as server:
        where = Endpoint.parse(local(server), {})
        assert extract(where, Invoice, TEXT).value == INVOICE
        assert "authorization" not in server.requests[0].headers


def test_a_run_asks_the_local_model_that_its_client_has_open(
    tmp_path: Path, local: Callable[..., str]
) -> None:
    starts, rows = tmp_path / "starts", [(1, TEXT)]
    noted = f"open({str(starts)!r}, 'a').write('started ')"

    async def main(name: str) -> None:
        async with AsyncClient(name) as client:
            assert (await client.run(Invoice, rows, tmp_path / "two.jsonl")).ok
            assert (await client.extract(Invoice, TEXT)).value == INVOICE

    with Loopback(lambda _: GOOD[11:-1]) as server:
        name = local(server, noted)
        with Client(name) as client:
            assert client.run(Invoice, rows, tmp_path / "one.jsonl").ok
            assert client.extract(Invoice, TEXT).value == INVOICE  # it runs still
        assert starts.read_text().split() == ["started"]
        asyncio.run(main(name))
        assert starts.read_text().split() == ["started"] * 2
        client = Client(name)
        assert client.run(Invoice, rows, tmp_path / "three.jsonl").ok
        assert starts.read_text().split() == ["started"] * 3
        client.close()


def test_a_local_server_that_died_is_the_reason_told(
    extract: Extract, local: Callable[..., str]
) -> None:
    def slowly(_received: Received) -> Answer:
        time.sleep(0.3)
        return Close()

    with Loopback(slowly) as server:
        where = Endpoint.parse(local(server, "threading.Timer(0.1, os._exit, (3,)).start()"), {})
        with pytest.raises(TransportError, match="Open a new client") as raised:
            extract(where, Invoice, TEXT, retry=False)
    assert "exit" in str(raised.value)


def test_the_endpoint_that_on_problems_names_is_asked_from_then_on(extract: Extract) -> None:
    with Loopback([BAD]) as small, Loopback([BAD, GOOD]) as large:
        better = plain(large)
        repair = Repair(on_problems=lambda _problems: better)
        result = extract(plain(small), Task(Invoice, repair=repair), TEXT)
        assert (len(small.requests), len(large.requests)) == (1, 2)
    assert [attempt.endpoint for attempt in result.attempts] == [
        f"{plain(small).url}#{plain(small).model}",
        *[f"{better.url}#{better.model}"] * 2,
    ]


def test_what_on_problems_returns_is_checked(extract: Extract) -> None:
    repair = Repair(on_problems=lambda _problems: 7)
    with Loopback([BAD]) as server, pytest.raises(ConfigurationError, match="a int") as raised:
        extract(plain(server), Task(Invoice, repair=repair), TEXT)
    assert len(raised.value.attempts) == 1
