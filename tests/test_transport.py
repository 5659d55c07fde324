"""extractify.transport against a real server on this machine, synchronously and asynchronously."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import pickle
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import httpx
import pytest
from tenacity.stop import stop_after_attempt, stop_after_delay
from tenacity.wait import wait_fixed, wait_none

from extractify import (
    AsyncClient,
    AuthenticationError,
    Client,
    Completion,
    ConfigurationError,
    ContextTooLong,
    Endpoint,
    EndpointError,
    ExtractifyError,
    Image,
    InvalidRequest,
    InvalidResponse,
    Limits,
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
from extractify.events import Done, Event, RequestSent, RetryScheduled, Warned
from extractify.exchanges import Exchanges
from extractify.messages import ResponseFormat
from extractify.retrying import is_passing
from extractify.transport import AsyncTransport, Transport
from extractify.wire import Wire
from tests.loopback import KEY, Answer, Close, Delay, Loopback, endpoint, environment
from tests.pickling import pickled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    limits: Limits | None = None,
) -> Completion:
    emit = ([] if events is None else events).append
    transport = Transport(
        Wire(where), timeout=timeout, retry=Retry.of(retry), limits=limits, emit=emit
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
    limits: Limits | None = None,
) -> Completion:
    emit = ([] if events is None else events).append

    async def exchange() -> Completion:
        transport = AsyncTransport(
            Wire(where), timeout=timeout, retry=Retry.of(retry), limits=limits, emit=emit
        )
        try:
            return await transport.send(REQUEST)
        finally:
            await transport.close()

    return asyncio.run(exchange())


def send_async_base(
    where: Endpoint,
    retry: Retry | int = AT_ONCE,
    timeout: float = 5,
    events: list[Event] | None = None,
    limits: Limits | None = None,
) -> Completion:
    without_aiohttp = replace(limits or Limits(), aiohttp=False)
    return send_async(where, retry, timeout, events, without_aiohttp)


@pytest.fixture(params=[send_sync, send_async_base, send_async], ids=["sync", "async", "aiohttp"])
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
    assert events == [RetryScheduled("RateLimited", 429, 0.06, endpoint=endpoint(server).name)]


def test_the_longer_pause_wins(send: Send) -> None:
    events: list[Event] = []
    retry = Retry(stop=2, wait=wait_fixed(0.03))
    with Loopback([(429, {"retry-after": "0"}, {}), "{}"]) as server:
        send(endpoint(server), retry=retry, events=events)
    assert events == [RetryScheduled("RateLimited", 429, 0.03, endpoint=endpoint(server).name)]


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
    assert events == [RetryScheduled("TransportError", None, 0.0, endpoint=where.name)] * 2
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


# --- limits --------------------------------------------------------------------------------------


class Raw:
    """A server that sends pieces as they are, with a pause between them."""

    def __init__(
        self, pieces: Sequence[bytes], pause: float = 0.0, tls: Path | None = None
    ) -> None:
        self._pieces, self._pause = pieces, pause
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._tls = tls
        self._over = threading.Event()
        self.first = b""
        self._thread = threading.Thread(target=self._serve)
        self.port: int = self._socket.getsockname()[1]

    @property
    def endpoint(self) -> Endpoint:
        scheme = "http" if self._tls is None else "https"
        return Endpoint(f"{scheme}://127.0.0.1:{self.port}/v1", "m", KEY)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection, suppress(OSError):
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        if self._tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._tls)
            connection = context.wrap_socket(connection, server_side=True)
        self.first = connection.recv(65536)
        for piece in self._pieces:
            if self._over.wait(self._pause):
                return
            connection.sendall(piece)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def test_a_body_is_read_up_to_the_limit_and_no_further(send: Send) -> None:
    body = b'{"choices": [{"message": {"content": "7"}}]}'
    limits = Limits(response_bytes=len(body))
    with Loopback([(200, {}, body), (200, {}, body + b" ")]) as server:
        assert send(endpoint(server), limits=limits).text == "7"
        with pytest.raises(InvalidResponse, match="response_bytes") as raised:
            send(endpoint(server), limits=limits)
        assert len(server.requests) == 2
    assert_clean(raised.value)
    assert raised.value.status == 200


def test_a_body_that_unpacks_to_more_than_the_limit_is_refused(send: Send) -> None:
    bomb = gzip.compress(b" " * 3_000_000)
    with (
        Loopback([(200, {"content-encoding": "gzip"}, bomb)]) as server,
        pytest.raises(InvalidResponse, match="1000000 bytes"),
    ):
        send(endpoint(server), limits=Limits(response_bytes=1_000_000))


def test_an_endless_body_ends_at_the_limit(send: Send) -> None:
    endless = itertools.repeat(b"10000\r\n" + b" " * 65536 + b"\r\n", 10_000)
    with (
        Raw([HEAD + b"transfer-encoding: chunked\r\n\r\n", *endless]) as server,
        pytest.raises(InvalidResponse, match="larger"),
    ):
        send(server.endpoint, limits=Limits(response_bytes=200_000))


def test_a_slow_drip_ends_with_the_total_time(send: Send) -> None:
    pieces = [HEAD + b"content-length: 900\r\n\r\n", *[b" "] * 900]
    with Raw(pieces, pause=0.02) as server:
        started = time.monotonic()
        with pytest.raises(TransportError, match=r"for all was over.*Raise Limits") as raised:
            send(server.endpoint, retry=False, limits=Limits(total=0.2))
        assert time.monotonic() - started < 3
    assert raised.value.sent
    assert_clean(raised.value)


def test_the_deadline_of_a_call_ends_an_exchange_too(send: Send) -> None:
    pieces = [HEAD + b"content-length: 900\r\n\r\n", *[b" "] * 900]
    with (
        Raw(pieces, pause=0.02) as server,
        pytest.raises(TransportError, match="Raise Retry"),
    ):
        send(server.endpoint, retry=Retry(deadline=0.2, wait=wait_none()))


def test_the_time_until_an_answer_begins_has_a_limit_of_its_own(send: Send) -> None:
    limits = Limits(headers=0.6)
    told = "its time to begin was over.*Raise Limits.headers=…., or"
    with Loopback([Delay(30)]) as server, pytest.raises(TransportError, match=told):
        send(endpoint(server), retry=False, limits=limits)
    body = b'{"choices": [{"message": {"content": "7"}}]}'
    head = HEAD + f"content-length: {len(body)}\r\n\r\n".encode()
    with Raw([head, body[:9], body[9:]], pause=0.25) as server:
        assert send(server.endpoint, retry=False, limits=limits).text == "7"


@pytest.mark.parametrize(
    "options", [{"connections": 0}, {"response_bytes": 0}, {"total": -1.0}, {"headers": 0.0}]
)
def test_limits_within_which_nothing_fits_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Limits(**options)


def test_a_timeout_that_may_have_been_answered_is_repeated_as_the_policy_says(send: Send) -> None:
    events: list[Event] = []
    with Loopback([Delay(30), "{}"]) as server:
        where = endpoint(server)
        assert send(where, timeout=0.4, events=events).text == "{}"
    assert events == [
        RetryScheduled("TransportError", None, 0.0, may_run_twice=True, endpoint=where.name)
    ]
    careful = replace(AT_ONCE, may_run_twice=False)
    with Loopback([Delay(30), "{}"]) as server:
        with pytest.raises(TransportError):
            send(endpoint(server), timeout=0.4, retry=careful)
        assert len(server.requests) == 1


# --- what the endpoint teaches -------------------------------------------------------------------

FORMAT = ResponseFormat("Answer", {"type": "object"}, '{"type":"object"}')
NO_FORMAT: Answer = (
    400,
    {},
    {"error": {"message": "response_format is not supported by this model"}},
)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_an_endpoint_that_takes_no_response_format_is_asked_without_it_from_then_on(
    kind: type[Client | AsyncClient],
) -> None:
    events: list[Event] = []
    with Loopback([NO_FORMAT, "7", "8"]) as server:
        if kind is Client:
            with Client(endpoint(server), on_event=events.append) as client:
                values = [client.extract(int, text).value for text in ("seven", "eight")]
        else:
            values = asyncio.run(two_values(endpoint(server), events))
        sent = ["response_format" in each.body for each in server.requests]
    assert (values, sent) == ([7, 8], [True, False, False])
    assert [each.parameter for each in events if isinstance(each, Warned)] == ["response_format"]


async def two_values(where: Endpoint, events: list[Event]) -> list[int]:
    async with AsyncClient(where, on_event=events.append) as client:
        return [(await client.extract(int, text)).value for text in ("seven", "eight")]


def test_a_refusal_that_is_not_about_the_format_stays_one(send: Send) -> None:
    with Loopback([(400, {}, {"error": {"message": "bad temperature"}})]) as server:
        with pytest.raises(InvalidRequest):
            send(endpoint(server))
        assert len(server.requests) == 1


def test_a_format_is_only_given_up_if_that_helps() -> None:
    with Loopback([NO_FORMAT, NO_FORMAT, NO_FORMAT, "7"]) as server:
        with Client(endpoint(server)) as client:
            with pytest.raises(InvalidRequest):
                client.extract(int, "seven")
            assert client.extract(int, "seven").value == 7
        sent = ["response_format" in each.body for each in server.requests]
    assert sent == [True, False, True, False]


# --- secrets, TLS, proxies -----------------------------------------------------------------------


def test_a_certificate_that_nobody_vouches_for_is_refused(send: Send) -> None:
    with (
        Raw(
            [HEAD + b"content-length: 0\r\n\r\n"], tls=Path(__file__).parent / "self_signed.pem"
        ) as server,
        pytest.raises(TransportError, match="Can't connect") as raised,
    ):
        send(server.endpoint, retry=False)
    assert "CERTIFICATE_VERIFY_FAILED" in str(raised.value) or "certificate" in str(raised.value)
    assert_clean(raised.value)


def test_a_proxy_that_fails_is_named_without_its_credentials(send: Send) -> None:
    where = Endpoint("https://models.invalid/v1", "m", KEY)
    proxy = f"127.0.0.1:{free_port()}"
    with (
        environment(https_proxy=f"http://user:hunter2@{proxy}", no_proxy=""),
        pytest.raises(TransportError, match=f"proxy {proxy}.*https_proxy") as raised,
    ):
        send(where, retry=False)
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))
    assert not raised.value.sent
    assert_clean(raised.value)


def test_a_proxy_that_says_no_is_named_too(send: Send) -> None:
    where = Endpoint("https://models.invalid/v1", "m", KEY)
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"
    with (
        Raw([refusal]) as proxy,
        environment(https_proxy=f"http://127.0.0.1:{proxy.port}", no_proxy=""),
        pytest.raises(TransportError, match=rf"127.0.0.1:{proxy.port}: .*407") as raised,
    ):
        send(where, retry=False)
    assert_clean(raised.value)


def test_logs_hold_neither_key_nor_document(send: Send, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"), Loopback([BUSY, "{}"]) as server:
        send(endpoint(server))
    assert KEY not in caplog.text
    assert "Zyxomma" not in caplog.text


def test_an_image_s_url_is_passed_on_and_never_fetched(send: Send) -> None:
    with Loopback(["{}"]) as pictures, Loopback(["{}"]) as server:
        shown = Message("user", "what?", images=(Image(f"{pictures.url}/x.png"),))
        where = endpoint(server, profile="full")
        assert Wire(where).built(Request("m", (shown,))).body["messages"]
        send(where)
        assert pictures.requests == []


# --- many at once --------------------------------------------------------------------------------


@pytest.mark.parametrize("http", ["httpx", "aiohttp"])
def test_many_calls_share_few_connections_and_all_are_answered(http: str) -> None:
    limits = Limits(connections=4, aiohttp=http == "aiohttp")

    async def run(where: Endpoint) -> list[int]:
        async with AsyncClient(where, limits=limits) as client:
            results = await asyncio.gather(*(client.extract(int, f"{n}") for n in range(40)))
            return [result.value for result in results]

    with Loopback(lambda received: received.last_message.split()[1]) as server:
        assert asyncio.run(run(endpoint(server))) == list(range(40))
        assert server.connections <= 4


def test_threads_share_few_connections_too() -> None:
    with (
        Loopback(lambda received: received.last_message.split()[1]) as server,
        Client(endpoint(server), limits=Limits(connections=4, kept=2)) as client,
        ThreadPoolExecutor(16) as threads,
    ):
        found = list(threads.map(lambda n: client.extract(int, f"{n}").value, range(40)))
        assert found == list(range(40))


def test_a_call_that_finds_no_free_connection_fails_in_time() -> None:
    # Headers that drip keep a connection busy past the total time, which is looked at in the body.
    drip = [bytes([each]) for each in HEAD + b"content-length: 0\r\n\r\n"]
    with (
        Raw(drip, pause=0.01) as server,
        Client(server.endpoint, limits=Limits(connections=1, total=0.1), retry=False) as client,
        ThreadPoolExecutor(2) as threads,
    ):
        calls = [threads.submit(client.extract, int, "seven") for _ in range(2)]
        failures = [call.exception() for call in calls]
    assert any("were busy" in str(failure) for failure in failures)
    assert any("were busy" not in str(failure) for failure in failures)


@pytest.mark.parametrize("http", ["httpx", "aiohttp"])
def test_a_call_that_is_cancelled_leaves_the_client_usable(http: str) -> None:
    async def run(where: Endpoint) -> int:
        limits = Limits(connections=1, aiohttp=http == "aiohttp")
        async with AsyncClient(where, limits=limits) as client:
            call = asyncio.create_task(client.extract(int, "seven"))
            await asyncio.sleep(0.1)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            return (await client.extract(int, "seven")).value

    with Loopback([Delay(0.5), "7"]) as server:
        assert asyncio.run(run(endpoint(server))) == 7


def test_aiohttp_is_used_where_it_is_installed_and_may_be_asked_for() -> None:
    with Loopback(["{}", "{}"]) as server:
        send_async(endpoint(server))
        send_async_base(endpoint(server))
        names = [each.headers["user-agent"] for each in server.requests]
    assert names == ["extractify", "extractify"]
    proxied = Endpoint("https://models.invalid/v1", "m")
    with environment(all_proxy="socks5://127.0.0.1:1", https_proxy="", no_proxy=""):
        assert not Exchanges(Wire(proxied), 1, None).wants_aiohttp()
    assert Exchanges(Wire(proxied), 1, Limits(aiohttp=True)).wants_aiohttp()


def test_without_the_extra_the_async_client_uses_httpx_alone() -> None:
    code = """
import sys
sys.modules["aiohttp"] = None
import asyncio, extractify
async def main(url):
    where = extractify.Endpoint(url, "m")
    async with extractify.AsyncClient(where) as client:
        print((await client.extract(int, "seven")).value)
    try:
        async with extractify.AsyncClient(where, limits=extractify.Limits(aiohttp=True)):
            pass
    except extractify.ConfigurationError as error:
        print(error)
asyncio.run(main(sys.argv[1]))
print("aiohttp.client" in sys.modules)
"""
    with Loopback(["7"]) as server:
        command = [sys.executable, "-c", code, server.url]
        ran = subprocess.run(command, capture_output=True, check=True)
    value, error, loaded = ran.stdout.decode().splitlines()
    assert (value, loaded) == ("7", "False")
    assert "pip install 'extractify[aiohttp]'" in error


@pytest.mark.parametrize("http", ["httpx", "aiohttp"])
def test_connections_beyond_those_kept_are_closed(http: str) -> None:
    limits = Limits(kept=1, aiohttp=http == "aiohttp")

    async def run(where: Endpoint) -> None:
        async with AsyncClient(where, limits=limits) as client:
            for _ in range(2):
                await asyncio.gather(*(client.extract(int, "7") for _ in range(3)))

    with Loopback(lambda _received: "7") as server:
        asyncio.run(run(endpoint(server)))
        assert server.connections <= 6
        assert len(server.requests) == 6


def test_a_connection_that_the_server_closed_is_opened_again() -> None:
    body = b'{"choices": [{"message": {"content": "7"}}]}'
    head = HEAD + f"content-length: {len(body)}\r\n\r\n".encode()
    with Raw([head + body]) as server, Client(server.endpoint, retry=False) as client:
        assert client.extract(int, "seven").value == 7
        time.sleep(0.05)
        assert client.extract(int, "seven").value == 7


def test_an_async_connection_that_the_server_closed_is_opened_again() -> None:
    body = b'{"choices": [{"message": {"content": "7"}}]}'
    head = HEAD + f"content-length: {len(body)}\r\n\r\n".encode()

    async def run(where: Endpoint) -> list[int]:
        async with AsyncClient(where, retry=False, limits=Limits(aiohttp=False)) as client:
            first = (await client.extract(int, "seven")).value
            await asyncio.sleep(0.05)
            return [first, (await client.extract(int, "seven")).value]

    with Raw([head + body]) as server:
        assert asyncio.run(run(server.endpoint)) == [7, 7]


def test_the_head_and_the_body_of_a_request_leave_together() -> None:
    body = b'{"choices": [{"message": {"content": "7"}}]}'
    answer = HEAD + f"content-length: {len(body)}\r\n\r\n".encode() + body
    for send in (send_sync, send_async_base):
        with Raw([answer]) as server:
            send(server.endpoint)
            head, _, sent = server.first.partition(b"\r\n\r\n")
        assert f"content-length: {len(sent)}".encode() in head
        assert json.loads(sent)["model"] == "minimax/m2.7"


def test_a_refusal_that_comes_before_the_whole_request_was_read_is_heard() -> None:
    refusal = b'{"error": {"message": "too large"}}'
    head = b"HTTP/1.1 413 Content Too Large\r\ncontent-type: application/json\r\n"
    length = f"connection: close\r\ncontent-length: {len(refusal)}\r\n\r\n".encode()
    document = "Zyxomma plc " * 1_000_000

    async def extract(where: Endpoint) -> None:
        async with AsyncClient(where, retry=False, limits=Limits(aiohttp=False)) as client:
            await client.extract(int, document)

    # It hangs up a while later, with most of the request unread.
    with Raw([head + length + refusal, b""], pause=0.05) as server:
        with (
            Client(server.endpoint, retry=False) as client,
            pytest.raises(ContextTooLong),
        ):
            client.extract(int, document)
        with pytest.raises(ContextTooLong):
            asyncio.run(extract(server.endpoint))


def test_a_connection_that_takes_too_long_names_its_limit() -> None:
    where = Endpoint("http://127.0.0.1:9/v1", "m")
    for limits, told in (
        (Limits(connect=5), "Limits.connect=…."),
        (Limits(connect=50), "Client.timeout=…."),
    ):
        side = Exchanges(Wire(where), 10, limits)
        with pytest.raises(TransportError, match=f"no connection in the time of {told}"):
            side.fail(httpx.ConnectTimeout(""), None)


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_within_which_nothing_fits_is_refused(timeout: float) -> None:
    for kind in (Client, AsyncClient):
        with pytest.raises(ConfigurationError, match="timeout="):
            kind("http://127.0.0.1:9/v1#m", timeout=timeout)
