"""examples/service: what a client over HTTP gets of it, at its limits too."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from examples.service.app import Events, create
from examples.service.filling import Settings
from examples.service.statuses import told
from extractify import (
    AuthenticationError,
    ConfigurationError,
    ContentBlocked,
    ContextTooLong,
    DocumentError,
    Endpoint,
    ExtractionError,
    InvalidRequest,
    InvalidResponse,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    Refused,
    TransportError,
    Truncated,
)
from extractify.testing import FAULTS, ScriptedEndpoint, Seen, serve
from tests.serving import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

ROOT = Path(__file__).parents[1]
TEXT = "This is Maren Voss from Kiel."
PERSON = {"name": "Maren Voss", "born": None, "email": None, "city": "Kiel", "newsletter": None}
PLAIN = {"content-type": "text/plain; charset=utf-8"}
JSON = {"content-type": "application/json"}
STREAM = {**PLAIN, "accept": "text/event-stream"}
URL = "/forms/registration"


@contextmanager
def client_of(endpoint: Endpoint, **settings: Any) -> Iterator[httpx.Client]:
    with (
        serving(create(Settings(endpoint, **settings))) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        yield client


def sent(
    client: httpx.Client, headers: dict[str, str], body: str, length: int = 0
) -> socket.socket:
    """A connection on which a request went out; only its beginning, where its length says so."""
    told = {"host": "localhost", "content-length": str(length or len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    connection = socket.create_connection((client.base_url.host, client.base_url.port), timeout=30)
    connection.sendall(f"POST {URL} HTTP/1.1\r\n{head}\r\n{body}".encode())
    return connection


@contextmanager
def running_process(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The service as its own command runs it. Yields: the process, and its URL."""
    command = [sys.executable, "-m", "service", "--port=0", "--endpoint", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT / "examples", env=environment, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        told = next(line for line in process.stderr if b"running on" in line).decode()
        try:
            yield process, re.findall(r"http://[\d.:]+", told)[0]
        finally:
            process.kill()


def events(text: str) -> list[tuple[str, Any]]:
    found = re.findall(r"event: (\w+)\ndata: (.*)\n\n", text)
    return [(kind, json.loads(data)) for kind, data in found]


def test_a_text_is_answered_by_the_form_and_where_its_values_stand() -> None:
    with client_of(ScriptedEndpoint([PERSON])) as client:
        answer = client.post(URL, content=TEXT, headers=PLAIN)
    assert answer.status_code == 200
    assert answer.json()["value"] == PERSON
    assert answer.json()["evidence"]["/city"]["status"] == "exact"


def test_a_json_document_is_read_as_it_was_sent() -> None:
    endpoint = ScriptedEndpoint([PERSON])
    document = b'{"from": "Maren Voss",  "city": "Kiel"}'
    with client_of(endpoint) as client:
        assert client.post(URL, content=document, headers=JSON).json()["value"] == PERSON
    assert document.decode() in endpoint.requests[0].last_message


def test_who_accepts_events_sees_the_form_fill() -> None:
    with client_of(ScriptedEndpoint([PERSON]), interval=0) as client:
        answer = client.post(URL, content=TEXT, headers=STREAM)
    assert answer.headers["content-type"].startswith("text/event-stream")
    *partials, (last, result) = events(answer.text)
    assert {kind for kind, _ in partials} == {"partial"}
    assert partials[0][1] == {
        "value": {"name": "Maren"},
        "changed": {"": "incomplete", "/name": "incomplete"},
    }
    assert partials[-1][1] == {"value": PERSON, "changed": {"": "complete"}}
    assert (last, result["value"]) == ("result", PERSON)


def test_the_forms_are_told_as_schemas() -> None:
    with client_of(ScriptedEndpoint()) as client:
        forms = client.get("/forms").json()
    assert forms["registration"]["schema"]["properties"]["name"]["title"] == "Name"
    assert set(forms) == {"registration", "order"}


@pytest.mark.parametrize(
    ("url", "content", "headers", "status", "word"),
    [
        ("/forms/other", TEXT, PLAIN, 404, "registration, order"),
        (URL, TEXT, {"content-type": "application/pdf"}, 415, "text/plain"),
        (URL, TEXT, {}, 415, "text/plain"),
        (URL, b"\xff\xfe", PLAIN, 400, "UTF-8"),
        (URL, "{", JSON, 400, "application/json"),
        (URL, "[" * 90_000, JSON, 400, "application/json"),
        (URL, "a" * 100_001, PLAIN, 413, "100000 bytes"),
        (URL, " ", PLAIN, 422, "nothing to read"),
    ],
)
def test_what_cannot_be_read_is_refused_before_a_model_is_asked(
    url: str, content: str | bytes, headers: dict[str, str], status: int, word: str
) -> None:
    with client_of(ScriptedEndpoint()) as client:
        answer = client.post(url, content=content, headers=headers)
    assert answer.status_code == status
    assert word in answer.json()["message"]


def test_a_body_without_a_length_is_read_no_further_than_the_limit() -> None:
    with client_of(ScriptedEndpoint(), size=1000) as client:
        answer = client.post(URL, content=(b"a" * 100 for _ in range(11)), headers=PLAIN)
    assert answer.status_code == 413


def test_a_document_that_does_not_arrive_is_not_waited_for() -> None:
    with client_of(ScriptedEndpoint(), upload=0.01) as client, sent(client, PLAIN, "", 9) as one:
        assert one.recv(100).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("headers", [PLAIN, STREAM])
def test_what_is_wrong_with_an_answer_is_told_by_place(headers: dict[str, str]) -> None:
    wrong = {**PERSON, "born": "soon"}
    with client_of(ScriptedEndpoint([wrong, wrong])) as client:
        answer = client.post(URL, content=TEXT, headers=headers)
    if headers is STREAM:
        (kind, body) = events(answer.text)[-1]
        assert (answer.status_code, kind) == (200, "error")
    else:
        body = answer.json()
        assert answer.status_code == 422
    assert body["error"] == "ExtractionError"
    assert [each["pointer"] for each in body["problems"]] == ["/born"]
    assert body["partial"] == wrong


@pytest.mark.parametrize("headers", [PLAIN, STREAM])
@pytest.mark.parametrize(
    "said", ['{"name": NaN}', '{"name": "\\ud800"}', '{"name": "\\u2028\\n\\n"}']
)
def test_what_a_model_makes_up_is_told_as_json(said: str, headers: dict[str, str]) -> None:
    def refused(word: str) -> None:
        raise AssertionError(word)

    said = f'{{"name": {said}}}'
    with client_of(ScriptedEndpoint([said, said]), interval=0) as client:
        text = client.post(URL, content=TEXT, headers=headers).text
    data = re.findall(r"^data: (.*)$", text, re.MULTILINE) if headers is STREAM else [text]
    told = [json.loads(each, parse_constant=refused) for each in data]
    assert told[-1]["error"] == "ExtractionError"


@pytest.mark.parametrize(
    ("fault", "status"),
    [("HTTP 401", 502), ("Cloudflare 3036", 503), ("200 with HTML", 502)],
)
def test_a_fault_of_the_endpoint_is_not_the_document_s(
    fault: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with client_of(ScriptedEndpoint([FAULTS[fault]])) as client:
        answer = client.post(URL, content=TEXT, headers=PLAIN)
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) == (status == 503)
    assert "scripted.invalid" not in answer.text
    assert "scripted.invalid" in caplog.text
    assert "Maren" not in caplog.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DocumentError("…"), 422),
        (ExtractionError("…"), 422),
        (Refused("…"), 422),
        (Truncated("…"), 422),
        (ContentBlocked("…", status=400), 422),
        (ContextTooLong("…", status=400), 413),
        (TransportError("…"), 503),
        (RateLimited("…", status=429), 503),
        (Overloaded("…", status=500), 503),
        (QuotaExceeded("…", status=402), 503),
        (AuthenticationError("…", status=401), 502),
        (InvalidRequest("…", status=400), 502),
        (InvalidResponse("…", status=200), 502),
        (ConfigurationError("…"), 500),
        (TimeoutError(), 504),
    ],
)
def test_each_error_has_its_status(error: Exception, status: int) -> None:
    said = told(error)
    assert said.status == status
    assert said.body["error"] == type(error).__name__
    assert "…" not in str(said.body)


def test_the_pause_that_an_endpoint_asks_for_is_passed_on() -> None:
    assert told(RateLimited("…", status=429, retry_after=17)).pause == 17


def test_an_extraction_has_its_time() -> None:
    with serve([FAULTS["silent"]]) as model, client_of(model.endpoint, seconds=0.05) as client:
        assert client.post(URL, content=TEXT, headers=PLAIN).status_code == 504


def test_whoever_finds_the_queue_full_is_told_when_to_come_back() -> None:
    script = [FAULTS["silent"]]
    with serve(script) as model, client_of(model.endpoint, running=1, waiting=1) as client:
        with ExitStack() as held:
            for _ in range(2):  # one that is read, one that waits: each began its stream
                began = held.enter_context(client.stream("POST", URL, content=TEXT, headers=STREAM))
                assert began.status_code == 200
            answer = client.post(URL, content=TEXT, headers=PLAIN)
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "5"
        assert client.get("/live").status_code == 200
    assert len(model.requests) == 1


@pytest.mark.parametrize("headers", [PLAIN, STREAM])
def test_an_extraction_ends_when_its_client_leaves(headers: dict[str, str]) -> None:
    asked = threading.Event()

    def model(seen: Seen) -> object:
        if "leave" in seen.last_message:
            asked.set()
            return FAULTS["silent"]
        return PERSON

    with serve(model) as server, client_of(server.endpoint, running=1, waiting=9) as client:
        with sent(client, headers, "I leave."):
            assert asked.wait(30)
        # The only slot is free again, while the model would be silent for ever.
        answer = client.post(URL, content=TEXT, headers=PLAIN)
    assert answer.json()["value"] == PERSON


def test_a_client_that_does_not_read_holds_nothing_for_ever() -> None:
    ended: list[str] = []

    async def source() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"event"
        finally:
            ended.append("source")

    async def never() -> Any:
        await asyncio.Event().wait()

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await never()

    scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
    asyncio.run(Events(source(), seconds=0.01)(scope, never, send))
    assert ended == ["source"]


def test_whoever_leaves_before_the_document_is_there_leaves_nothing_behind() -> None:
    with client_of(ScriptedEndpoint([PERSON]), running=1, waiting=1) as client:
        for _ in range(4):
            with sent(client, PLAIN, "", 9) as leaver:
                leaver.shutdown(socket.SHUT_WR)
                assert leaver.recv(1) == b""
        assert client.post(URL, content=TEXT, headers=PLAIN).status_code == 200


@pytest.mark.slow
def test_a_service_that_drains_is_not_ready_and_finishes_what_it_has() -> None:
    asked, told_to_stop = threading.Event(), threading.Event()

    def model(_seen: Seen) -> object:
        asked.set()
        told_to_stop.wait(30)
        return PERSON

    with (
        serve(model, like=Endpoint(url="http://127.0.0.1", model="any")) as server,
        running_process(f"{server.url}#any", "--grace=1") as (process, url),
        httpx.Client(base_url=url, timeout=30) as client,
        client.stream("POST", URL, content=TEXT, headers=STREAM) as began,
    ):
        assert client.get("/ready").status_code == 200
        assert asked.wait(30)
        process.send_signal(signal.SIGTERM)
        while (ready := client.get("/ready")).status_code == 200:
            pass
        assert (ready.status_code, ready.text) == (503, "draining")
        told_to_stop.set()
        began.read()
        assert events(began.text)[-1][1]["value"] == PERSON
        assert process.wait(30) == -signal.SIGTERM
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/live")
