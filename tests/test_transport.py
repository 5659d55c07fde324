"""extractify.transport against a real server on this machine, synchronously and asynchronously."""

from __future__ import annotations

import asyncio
import gzip
import pickle
import socket
import time
import traceback
from typing import TYPE_CHECKING, TypeAlias

import pytest
from tenacity.stop import stop_after_attempt, stop_after_delay
from tenacity.wait import wait_fixed, wait_none

from extractify import (
    AuthenticationError,
    Client,
    Completion,
    ConfigurationError,
    ContextTooLong,
    Endpoint,
    EndpointError,
    ExtractifyError,
    InvalidRequest,
    InvalidResponse,
    Message,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    Repair,
    Request,
    Retry,
    Task,
    TransportError,
)
from extractify.events import Done, Event, RequestSent, RetryScheduled
from extractify.retrying import is_passing
from extractify.transport import AsyncTransport, Transport
from extractify.wire import Wire
from tests.loopback import KEY, Answer, Close, Delay, Loopback, endpoint, environment
from tests.pickling import pickled

if TYPE_CHECKING:
    from collections.abc import Callable

    from extractify.messages import JsonValue

REQUEST = Request("minimax/m2.7", (Message("user", "Zyxomma plc"),))
AT_ONCE = Retry(stop=3, wait=wait_none())
BUSY: Answer = (503, {}, {"error": {"message": "busy"}})

Send: TypeAlias = "Callable[..., Completion]"


def send_sync(
    where: Endpoint,
    retry: Retry | int = AT_ONCE,
    timeout: float = 5,
    events: list[Event] | None = None,
) -> Completion:
    emit = ([] if events is None else events).append
    transport = Transport(
        Wire(where), timeout=timeout, retry=Retry.of(retry), limits=None, emit=emit
    )
    try:
        return transport.send(REQUEST)
    finally:
        transport.close()


def send_async(
    where: Endpoint,
    retry: Retry | int = AT_ONCE,
    timeout: float = 5,
    events: list[Event] | None = None,
) -> Completion:
    emit = ([] if events is None else events).append

    async def exchange() -> Completion:
        transport = AsyncTransport(
            Wire(where), timeout=timeout, retry=Retry.of(retry), limits=None, emit=emit
        )
        try:
            return await transport.send(REQUEST)
        finally:
            await transport.close()

    return asyncio.run(exchange())


@pytest.fixture(params=[send_sync, send_async], ids=["sync", "async"])
def send(request: pytest.FixtureRequest) -> Send:
    chosen: Send = request.param
    return chosen


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def assert_clean(error: ExtractifyError) -> None:
    """Neither the key nor the document stands in anything that an error shows."""
    told = "".join(traceback.format_exception(error))
    for shown in (str(error), repr(error), told):
        assert KEY not in shown
        assert "Zyxomma" not in shown
    assert KEY.encode() not in pickle.dumps(error)
    assert len(str(error)) <= 800
    assert (str(pickled(error)), vars(pickled(error))) == (str(error), vars(error))


def test_a_request_is_posted_with_its_credentials(send: Send) -> None:
    with Loopback(["{}"]) as server:
        assert send(endpoint(server)).text == "{}"
        (received,) = server.requests
    assert received.path == "/v1/chat/completions"
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert received.headers["content-type"] == "application/json"
    assert received.last_message == "Zyxomma plc"


def test_without_a_key_no_credentials_are_sent(send: Send) -> None:
    with Loopback(["{}"]) as server:
        send(endpoint(server, api_key=None))
        assert "authorization" not in server.requests[0].headers


def test_a_429_with_retry_after_is_repeated_after_it(send: Send) -> None:
    events: list[Event] = []
    with Loopback([(429, {"retry-after-ms": "60"}, {}), "{}"]) as server:
        started = time.monotonic()
        assert send(endpoint(server), events=events).text == "{}"
        assert time.monotonic() - started >= 0.06
        assert len(server.requests) == 2
        assert server.requests[0].body == server.requests[1].body
    assert events == [RetryScheduled("RateLimited", 429, 0.06)]


def test_the_longer_pause_wins(send: Send) -> None:
    events: list[Event] = []
    retry = Retry(stop=2, wait=wait_fixed(0.03))
    with Loopback([(429, {"retry-after": "0"}, {}), "{}"]) as server:
        send(endpoint(server), retry=retry, events=events)
    assert events == [RetryScheduled("RateLimited", 429, 0.03)]


def test_a_retry_is_no_attempt_of_the_conversation() -> None:
    events: list[Event] = []
    with Loopback([BUSY, (429, {"retry-after": "0"}, {}), "7"]) as server:
        client = Client(endpoint(server), retry=AT_ONCE, on_event=events.append)
        with client:
            result = client.extract(Task(int, repair=Repair(stop=1)), "seven")
    assert (result.value, len(result.attempts)) == (7, 1)
    assert [type(event) for event in events].count(RetryScheduled) == 2
    assert events[0] == RequestSent(1)
    assert events[-1] == Done(1, valid=True)


@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_is_too_long_fails_at_once(send: Send, status: int) -> None:
    with Loopback([(status, {"retry-after": "3600"}, {}), "{}"]) as server:
        with pytest.raises((RateLimited, Overloaded)) as raised:
            send(endpoint(server))
        assert len(server.requests) == 1
    assert raised.value.retry_after == 3600
    assert_clean(raised.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, AuthenticationError),
        (402, QuotaExceeded),
        (403, AuthenticationError),
        (404, InvalidRequest),
        (413, ContextTooLong),
        (422, InvalidRequest),
        (200, InvalidResponse),
    ],
)
def test_what_would_fail_again_is_not_repeated(
    send: Send, status: int, kind: type[EndpointError]
) -> None:
    with Loopback([(status, {}, b"<html>no</html>")] * 2) as server:
        with pytest.raises(kind) as raised:
            send(endpoint(server))
        assert len(server.requests) == 1
    assert type(raised.value) is kind
    assert_clean(raised.value)


@pytest.mark.parametrize(
    "fault",
    [
        BUSY,
        (500, {}, b""),
        (408, {}, {}),
        (409, {}, {}),
        (529, {}, {}),
        (200, {}, {"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}),
        Close(),
        Close(b'{"cho'),
    ],
)
def test_passing_faults_are_repeated(send: Send, fault: Answer) -> None:
    with Loopback([fault, fault, "{}"]) as server:
        assert send(endpoint(server)).text == "{}"
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("retry", "exchanges"),
    [
        (False, 1),
        (1, 1),
        (2, 2),
        (Retry(stop=3, wait=wait_none()), 3),
        (Retry(stop=stop_after_attempt(2) | stop_after_delay(60), wait=wait_none()), 2),
    ],
)
def test_faults_are_repeated_as_often_as_asked(
    send: Send, retry: Retry | int, exchanges: int
) -> None:
    with Loopback([(503, {"retry-after": "0"}, {})] * 5) as server:
        if isinstance(retry, int) and retry > 1:
            retry = Retry(stop=retry, wait=wait_none())
        with pytest.raises(Overloaded) as raised:
            send(endpoint(server), retry=retry)
        assert len(server.requests) == exchanges
    assert_clean(raised.value)


def test_the_short_forms_of_a_retry() -> None:
    assert Retry.of(retry=False).stop == 1
    assert Retry.of(5).stop == 5
    assert Retry.of(AT_ONCE) is AT_ONCE
    assert Retry.of(retry=True).stop == Retry().stop == 3
    assert pickled(Retry(stop=4)).stop == 4


def test_a_broken_connection_is_a_transport_error(send: Send) -> None:
    for fault in (Close(), Close(b'{"choices": [{"message": {"content": "Zyxomma')):
        with Loopback([fault]) as server:
            with pytest.raises(TransportError, match=server.host) as raised:
                send(endpoint(server), retry=False)
            assert "broke off" in str(raised.value)
            assert_clean(raised.value)


def test_a_silent_endpoint_is_a_transport_error(send: Send) -> None:
    with Loopback([Delay(30)]) as server:
        with pytest.raises(TransportError, match="didn't answer in time") as raised:
            send(endpoint(server), retry=False, timeout=0.05)
        assert "timeout=" in str(raised.value)
        assert server.host in str(raised.value)
    assert_clean(raised.value)


def test_a_server_that_is_not_there_is_named_with_what_to_do(send: Send) -> None:
    port = free_port()
    where = Endpoint(url=f"http://127.0.0.1:{port}/v1", model="m", api_key=KEY)
    events: list[Event] = []
    with pytest.raises(TransportError, match=f"127.0.0.1:{port}") as raised:
        send(where, events=events)
    assert "Check that the server runs" in str(raised.value)
    assert events == [RetryScheduled("TransportError", None, 0.0)] * 2
    assert_clean(raised.value)
    assert is_passing(raised.value)


def test_a_redirect_is_not_followed(send: Send) -> None:
    with Loopback(["{}"]) as other:
        there = {"location": f"{other.url}/chat/completions"}
        with Loopback([(307, there, b"")]) as server:
            with pytest.raises(InvalidResponse, match="HTTP 307") as raised:
                send(endpoint(server))
            assert len(server.requests) == 1
        assert other.requests == []
    assert_clean(raised.value)


def test_a_compressed_answer_is_read_and_a_broken_one_is_a_fault(send: Send) -> None:
    packed = {"content-encoding": "gzip"}
    body = gzip.compress(b'{"choices": [{"message": {"content": "{}"}}]}')
    with Loopback([(200, packed, b"not gzip"), (200, packed, body)]) as server:
        assert send(endpoint(server)).text == "{}"
        assert len(server.requests) == 2


def test_what_is_no_http_is_a_fault(send: Send) -> None:
    with (
        Loopback([(200, {"content-length": "Zyxomma"}, b"{}")]) as server,
        pytest.raises(TransportError) as raised,
    ):
        send(endpoint(server), retry=False)
    assert len(str(raised.value)) <= 800


def test_a_key_that_the_endpoint_sends_back_is_masked(send: Send) -> None:
    problem: JsonValue = {"code": f"bad:{KEY}", "message": f"Incorrect API key: {KEY}."}
    with (
        Loopback([(401, {"x-request-id": KEY}, {"error": problem})]) as server,
        pytest.raises(AuthenticationError) as raised,
    ):
        send(endpoint(server))
    error = raised.value
    assert error.detail == "Incorrect API key: ***."
    assert (error.code, error.request_id) == ("bad:***", "***")
    assert_clean(error)


def test_a_request_is_shown_as_it_would_travel_with_its_credentials_masked() -> None:
    with Loopback(["{}"]) as server:
        where = endpoint(server, extra={"top_p": 0.95})
        shown = Wire(where).built(REQUEST)
        assert server.requests == []
        send_sync(where)
        (received,) = server.requests
    assert shown.url == f"{server.url}/chat/completions"
    assert shown.body == received.body
    assert shown.headers == {
        "content-type": "application/json",
        "accept": "application/json",
        "authorization": "Bearer ***",
    }
    assert all(received.headers[name] for name in shown.headers)
    assert KEY not in repr(shown)
    assert KEY.encode() not in pickle.dumps(shown)


def test_events_hold_neither_key_nor_document() -> None:
    events: list[Event] = []
    with (
        Loopback([(401, {}, {"error": {"message": f"{KEY} Zyxomma plc"}})]) as server,
        Client(endpoint(server), on_event=events.append) as client,
        pytest.raises(AuthenticationError),
    ):
        client.extract(int, "Zyxomma plc")
    assert events == [RequestSent(1), Done(0, valid=False)]
    assert KEY not in repr(events)


def test_a_server_on_this_machine_is_not_asked_through_a_proxy(send: Send) -> None:
    with (
        environment(http_proxy="http://127.0.0.1:1", all_proxy="http://127.0.0.1:1"),
        Loopback(["{}"]) as server,
    ):
        assert send(endpoint(server), retry=False).text == "{}"
        by_name = Endpoint(url=server.url.replace("127.0.0.1", "localhost"), model="m")
        with pytest.raises(InvalidRequest, match="HTTP 400"):
            send(by_name, retry=False)


def test_a_server_elsewhere_is_asked_through_the_proxy_of_the_environment(send: Send) -> None:
    where = Endpoint(url="http://models.invalid/v1", model="m")
    with (
        Loopback(["{}"]) as proxy,
        environment(http_proxy=f"http://{proxy.host}", no_proxy=""),
    ):
        assert send(where, retry=False).text == "{}"
        assert proxy.requests[0].path == "http://models.invalid/v1/chat/completions"


def test_connections_are_kept_for_the_next_call() -> None:
    with Loopback(["1", "2", "3"]) as server, Client(endpoint(server)) as client:
        assert [client.extract(int, text).value for text in ("one", "two", "three")] == [1, 2, 3]
        assert server.connections == 1


def test_a_transport_that_was_closed_meanwhile_says_so() -> None:
    with Loopback() as server:
        wire = Wire(endpoint(server))
        closed = Transport(wire, timeout=5, retry=AT_ONCE, limits=None, emit=print)
        closed.close()
        with pytest.raises(ConfigurationError, match="Open a new one"):
            closed.send(REQUEST)

        async def late() -> None:
            gone = AsyncTransport(wire, timeout=5, retry=AT_ONCE, limits=None, emit=print)
            await gone.close()
            await gone.send(REQUEST)

        with pytest.raises(ConfigurationError, match="Open a new one"):
            asyncio.run(late())
        assert server.requests == []
