"""extractify.testing: scripts in this process and over a socket, and what they take for answers."""

from __future__ import annotations

import asyncio
import json
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import BaseModel, Field

from extractify import (
    AsyncClient,
    Client,
    Endpoint,
    InvalidRequest,
    Task,
    TransportError,
    testing,
)
from extractify.testing import (
    FAULTS,
    Answer,
    ContractBroken,
    ScriptedEndpoint,
    Seen,
    anything,
    completion,
    serve,
)
from extractify.testing.__main__ import main as serve_command
from extractify.testing.answers import frames

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.messages import JsonValue


class Line(BaseModel):
    text: str
    price: Decimal = Field(ge=0)
    unit: str = "piece"


class Order(BaseModel):
    number: int
    lines: list[Line]


@dataclass
class Point:
    x: int
    result: int


LINES = [Line(text=f"line {number}", price=Decimal(number)) for number in range(8)]
ORDER = Order(number=7, lines=LINES)
WRONG = {
    "number": 7,
    "lines": [{"text": "a", "price": "?"}, *ORDER.model_dump(mode="json")["lines"][1:]],
}
PLAIN = Endpoint(url="http://127.0.0.1:9/v1", model="m", api_key="sk-of-somebody")


@pytest.mark.parametrize(
    ("target", "answer"),
    [
        (Order, ORDER),
        (Order, ORDER.model_dump()),
        (Order, ORDER.model_dump_json()),
        (Order, Answer(completion(ORDER.model_dump_json()))),
        (list[int], [1, 2]),
        (int, 3),
        (bool, False),
        (Point, Point(1, 2)),
        (Point, {"x": 1, "result": 2}),
        (dict[str, int], {"result": 2}),
    ],
)
@pytest.mark.parametrize("like", [None, PLAIN], ids=["M2.7", "plain"])
def test_an_answer_is_given_as_the_request_asks_for_it(
    target: Any, answer: object, like: Endpoint | None
) -> None:
    endpoint = ScriptedEndpoint([answer], like=like)
    with Client(endpoint) as client:
        result = client.extract(target, "Zyxomma")
    given = getattr(answer, "body", answer)
    expected = ORDER if target is Order else Point(1, 2) if target is Point else given
    assert result.value == expected
    assert len(result.attempts) == 1


def test_a_value_in_the_place_of_a_patch_gives_the_values_that_are_asked_for() -> None:
    endpoint = ScriptedEndpoint([WRONG, ORDER])
    with Client(endpoint) as client:
        result = client.extract(Order, "Zyxomma")
    assert result.value.lines[1:] == LINES[1:]
    assert result.value.lines[0].price == LINES[0].price
    assert [attempt.strategy for attempt in result.attempts] == ["ask", "patch"]
    assert '"/lines/0/price"' in result.attempts[1].completion.text
    assert "line 1" not in result.attempts[1].completion.text


def test_a_patch_may_be_given_as_it_is() -> None:
    endpoint = ScriptedEndpoint([WRONG, {"patch": {"/lines/0/price": 3}}])
    with Client(endpoint) as client:
        assert client.extract(Order, "Zyxomma").value.lines[0].price == 3


def test_a_function_answers_by_the_request() -> None:
    def count(seen: Seen) -> int:
        return len(seen.last_message)

    async def both(endpoint: Endpoint) -> list[int]:
        async with AsyncClient(endpoint) as client:
            calls = [client.extract(int, "a" * size) for size in (1, 2)]
            return [result.value for result in await asyncio.gather(*calls)]

    endpoint = ScriptedEndpoint(count)
    first, second = asyncio.run(both(endpoint))
    assert second == first + 1
    assert {seen.path for seen in endpoint.requests} == {"/v1/chat/completions"}
    assert "authorization" in endpoint.requests[0].headers
    assert "authorization" not in repr(endpoint.requests)


def test_a_wrong_request_fails_the_test_with_its_json_path() -> None:
    endpoint = ScriptedEndpoint([1])
    with Client(endpoint) as client:
        task = Task(int, extra={"tool_choice": "required"})
        with pytest.raises(
            ContractBroken, match=r"Request 1 isn't taken: \$\.tool_choice: expected"
        ):
            client.extract(task, "Zyxomma")


def test_another_contract_may_be_given_and_none_holds_for_another_endpoint() -> None:
    strict = ScriptedEndpoint([1], contract=lambda _body: "$: never")
    with Client(strict) as client, pytest.raises(ContractBroken, match=r"\$: never"):
        client.extract(int, "Zyxomma")
    with Client(ScriptedEndpoint([1], like=PLAIN)) as client:
        assert client.extract(int, "Zyxomma").value == 1


def test_a_request_too_many_fails_the_test() -> None:
    endpoint = ScriptedEndpoint([{"number": "?"}])
    with (
        Client(endpoint) as client,
        pytest.raises(ContractBroken, match="has 1 answer, and this is request 2"),
    ):
        client.extract(Order, "Zyxomma")


def test_a_script_is_a_list_a_function_or_a_path() -> None:
    with pytest.raises(TypeError, match="put the text into one"):
        ScriptedEndpoint("hello")
    alone: list[Any] = [{"shop": "A"}, ORDER, Order, b"x", 5, None]
    for script in alone:
        with pytest.raises(TypeError, match=r"put the .* into a list"):
            ScriptedEndpoint(script)


def test_what_code_under_test_caught_is_raised_at_the_end() -> None:
    endpoint = ScriptedEndpoint([{"number": "?"}])
    with Client(endpoint) as client, suppress(Exception):
        client.extract(Order, "Zyxomma")
    with pytest.raises(ContractBroken, match="has 1 answer, and this is request 2"):
        endpoint.close()
    with pytest.raises(ContractBroken, match="2 of the script's answers weren't asked for"):
        ScriptedEndpoint([1, 2]).close()
    ScriptedEndpoint(lambda _seen: 1).close()


def test_an_exception_is_what_the_network_does() -> None:
    for fault in (ConnectionResetError(), ConnectionRefusedError(), TimeoutError(), EOFError()):
        endpoint = ScriptedEndpoint([fault])
        with Client(endpoint, retry=False) as client, pytest.raises(TransportError):
            client.extract(int, "Zyxomma")


def test_an_exception_of_the_script_itself_comes_out_as_it_is() -> None:
    def broken(_seen: Seen) -> int:
        raise ZeroDivisionError

    with Client(ScriptedEndpoint(broken)) as client, pytest.raises(ZeroDivisionError):
        client.extract(int, "Zyxomma")
    with (
        pytest.raises(ZeroDivisionError),
        serve(broken) as server,
        Client(server.endpoint, retry=False) as client,
        pytest.raises(TransportError),
    ):
        client.extract(int, "Zyxomma")


def test_a_silence_beyond_the_timeout_is_not_slept_through() -> None:
    started = time.monotonic()
    endpoint = ScriptedEndpoint([Answer(completion("1"), delay=500.0)])
    with (
        Client(endpoint, timeout=300, retry=False) as client,
        pytest.raises(TransportError, match="in time"),
    ):
        client.extract(int, "Zyxomma")
    assert time.monotonic() - started < 60


def test_a_scripted_endpoint_tells_its_own_name_and_no_key() -> None:
    endpoint = ScriptedEndpoint([], like=PLAIN)
    assert repr(endpoint).startswith("ScriptedEndpoint(url='http://scripted.invalid/v1'")
    assert "sk-of-somebody" not in repr(endpoint)
    with pytest.raises(TypeError, match=r"serve\(\)"):
        pickle.dumps(endpoint)


def test_two_scripts_are_two_endpoints() -> None:
    one, other = ScriptedEndpoint([1]), ScriptedEndpoint([2])
    assert one != other
    assert len({one, other, one}) == 2


def test_threads_share_a_script() -> None:
    endpoint = ScriptedEndpoint(lambda seen: len(seen.last_message))
    with Client(endpoint) as client, ThreadPoolExecutor(8) as pool:
        sizes = list(pool.map(lambda size: client.extract(int, "a" * size).value, range(1, 41)))
    assert sizes == list(range(sizes[0], sizes[0] + 40))
    assert len(endpoint.requests) == 40


def test_the_public_names_are_there_and_are_all() -> None:
    for name in testing.__all__:
        assert getattr(testing, name) is not None
    with pytest.raises(AttributeError, match="'scripted'"):
        attrgetter("scripted")(testing)


# Over a socket


def posted(server: testing.Server, body: object, **options: Any) -> httpx.Response:
    return httpx.post(f"{server.url}/chat/completions", json=body, trust_env=False, **options)


MESSAGES: JsonValue = [{"role": "user", "content": "Zyxomma"}]


def test_a_served_script_answers_any_client() -> None:
    with serve(["Hello", FAULTS["HTTP 429"]]) as server:
        answer = posted(server, {"messages": MESSAGES})
        assert answer.json()["choices"][0]["message"]["content"] == "Hello"
        assert answer.headers["content-type"] == "application/json"
        assert posted(server, {"messages": MESSAGES}).status_code == 429
        assert [seen.last_message for seen in server.requests] == ["Zyxomma"] * 2


def test_a_wrong_request_is_answered_with_the_reason_and_fails_at_the_end() -> None:
    answers: list[httpx.Response] = []
    with pytest.raises(ContractBroken, match=r"\$ lacks messages"), serve(["Hello"]) as server:
        answers.append(posted(server, {}))
    assert answers[0].status_code == 400
    assert "$ lacks messages" in answers[0].json()["error"]["message"]
    with pytest.raises(ContractBroken, match="isn't JSON"), serve(["Hello"]) as server:
        httpx.post(server.url, content=b"\xff", trust_env=False)
    with (
        pytest.raises(ContractBroken, match="has 0 answers"),
        serve() as server,
        Client(server.endpoint) as client,
        pytest.raises(InvalidRequest),
    ):
        client.extract(int, "Zyxomma")


def test_over_a_socket_an_exception_is_what_the_network_does() -> None:
    for fault in (ConnectionResetError(), EOFError(), TimeoutError()):
        with (
            serve([fault]) as server,
            Client(server.endpoint, retry=False, timeout=0.1) as client,
            pytest.raises(TransportError),
        ):
            client.extract(int, "Zyxomma")


def test_a_stream_may_be_reset_after_its_end() -> None:
    fault = FAULTS["reset after the body"].on("Hello")
    with serve([fault, fault]) as server:
        streams = posted(server, {"messages": MESSAGES, "stream": True})
        assert streams.text.endswith("data: [DONE]\n\n")
        assert posted(server, {"messages": MESSAGES}).json()["object"] == "chat.completion"


def test_a_header_of_an_answer_takes_the_place_of_the_usual_one() -> None:
    page = Answer("<p>Hello</p>", headers={"Content-Type": "text/html"})
    with serve([page]) as server:
        told = posted(server, {"messages": MESSAGES}).headers
    assert told.get_list("content-type") == ["text/html"]


def test_a_request_in_chunks_is_taken() -> None:
    def chunks() -> Any:
        yield b'{"messages": [{"role": "user",'
        yield b' "content": "Zyxomma"}]}'

    with serve(["Hello"]) as server:
        answer = httpx.post(server.url, content=chunks(), trust_env=False)
        assert answer.status_code == 200
        assert server.requests[0].last_message == "Zyxomma"


def test_latency_is_before_each_answer() -> None:
    with serve(["a", Answer("b", delay=0.05)], latency=0.05) as server:
        assert posted(server, {"messages": MESSAGES}).elapsed.total_seconds() >= 0.05
        assert posted(server, {"messages": MESSAGES}).elapsed.total_seconds() >= 0.1


def test_a_server_closes_while_a_client_waits() -> None:
    errors: list[Exception] = []

    def wait(server: testing.Server) -> None:
        try:
            posted(server, {"messages": MESSAGES}, timeout=30)
        except httpx.HTTPError as error:
            errors.append(error)

    with serve([FAULTS["silent"]]) as server:
        waiting = threading.Thread(target=wait, args=(server,))
        waiting.start()
        while not server.requests:
            time.sleep(0.001)
    waiting.join(timeout=10)
    assert [type(error) for error in errors] == [httpx.RemoteProtocolError]


def test_an_old_client_gets_the_length_or_the_end() -> None:
    body = json.dumps({"messages": MESSAGES, "stream": True}).encode()
    head = f"POST / HTTP/1.0\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    with serve(["Hello"]) as server:
        address = ("127.0.0.1", int(server.host.split(":")[1]))
        with socket.create_connection(address) as client:
            client.sendall(head + body)
            answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.endswith(b"data: [DONE]\n\n")
    assert b"chunked" not in answer


# Streams


def events(text: str) -> list[Any]:
    told = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    assert told.pop() == "[DONE]"
    return [json.loads(each) for each in told]


def streamed(answer: object, **more: Any) -> list[Any]:
    with serve([answer], contract=anything) as server:
        told = posted(server, {"messages": MESSAGES, "stream": True, **more})
    assert told.headers["content-type"] == "text/event-stream"
    assert told.headers["transfer-encoding"] == "chunked"
    return events(told.text)


def test_an_answer_streams_as_m2_7_does_it() -> None:
    told = streamed("Ω is the last letter of the Greek alphabet")
    deltas = [each["choices"][0].get("delta", {}) for each in told]
    assert "".join(delta.get("content", "") for delta in deltas).endswith("alphabet")
    assert len(deltas) > 3
    assert deltas[1]["role"] == ""
    assert told[1]["usage"] == {"total_tokens": 0}
    assert told[-2]["choices"][0]["finish_reason"] == "stop"
    final = told[-1]
    assert final["object"] == "chat.completion"
    assert final["usage"]["total_tokens"] == 160
    assert final["choices"][0]["message"]["content"].startswith("Ω")


def test_a_tool_call_streams_in_pieces() -> None:
    parameters = {"type": "object", "properties": {"result": {"type": "array"}}}
    function: Mapping[str, Any] = {"name": "f", "description": "", "parameters": parameters}
    told = streamed(list(range(20)), tools=[{"type": "function", "function": function}])
    calls = [
        each["choices"][0]["delta"]["tool_calls"][0]
        for each in told[:-1]
        if "tool_calls" in each["choices"][0]["delta"]
    ]
    assert calls[0]["function"] == {"name": "f", "arguments": ""}
    arguments = "".join(call["function"]["arguments"] for call in calls)
    assert json.loads(arguments) == {"result": list(range(20))}
    assert told[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_response_format_is_what_the_answer_follows_beside_tools() -> None:
    function = {"name": "f", "description": "", "parameters": {}}
    schema = {"type": "object", "properties": {"result": {"type": "integer"}}}
    asked = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    tools = [{"type": "function", "function": function}]
    with serve([3, 4]) as server:
        body = {"messages": MESSAGES, "tools": tools}
        told = posted(server, {**body, "response_format": asked}).json()["choices"][0]
        called = posted(server, body).json()["choices"][0]
    assert json.loads(told["message"]["content"]) == {"result": 3}
    assert called["message"]["tool_calls"][0]["function"]["arguments"] == "4"


@pytest.mark.parametrize(("final", "last"), [("usage", []), ("none", None)])
def test_the_usage_may_come_alone_or_not_at_all(final: Any, last: object) -> None:
    told = events(b"".join(frames(completion("Hello"), final=final)).decode())
    assert (told[-1]["choices"] == last) == (final == "usage")
    assert ("prompt_tokens" in told[-1]["usage"]) == (final == "usage")


@pytest.mark.parametrize("name", [fault.name for fault in FAULTS.values() if fault.stream])
def test_a_fault_of_streams_changes_a_stream_and_nothing_else(name: str) -> None:
    fault, asked = FAULTS[name].on("Hello " * 9), {"messages": MESSAGES, "stream": True}
    with serve(["Hello " * 9, fault, fault]) as server:
        good, bad = (posted(server, asked).content for _ in range(2))
        plain = posted(server, {"messages": MESSAGES})
    assert good != bad
    assert plain.json()["choices"][0]["message"]["content"] == "Hello " * 9


def test_a_request_by_the_run_route_is_looked_into() -> None:
    schema = {"type": "object", "properties": {"result": {"type": "integer"}}}
    asked = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    body = {"model": "m", "input": {"messages": MESSAGES, "response_format": asked}}
    with serve([3]) as server:
        answer = posted(server, body).json()
    assert json.loads(answer["choices"][0]["message"]["content"]) == {"result": 3}


@pytest.mark.slow
@pytest.mark.parametrize(("options", "first"), [([], 400), (["--any-request"], 200)])
def test_a_script_can_be_served_by_hand(options: list[str], first: int) -> None:
    answers = ['{"number": 7, "lines": []}', "HTTP 402", "Hello"]
    words = ["-m", "extractify.testing", "serve", *answers, *options]
    with subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        told = [
            httpx.post(url, json={"messages": messages}, trust_env=False)
            for messages in ([], *[MESSAGES] * (3 if first == 400 else 2))
        ]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    assert told[0].status_code == first
    assert [answer.status_code for answer in told[-2:]] == [402, 200]
    assert told[-1].json()["choices"][0]["message"]["content"] == "Hello"


@pytest.mark.parametrize(
    ("text", "said"),
    [("HTTP 42", "429"), ("minimax 77", "no fault"), ("rediret", "redirect")],
)
def test_serve_takes_no_misspelt_fault_for_the_models_words(
    text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        serve_command(["serve", text])
    assert raised.value.code == 2
    told = capsys.readouterr().err
    assert said in told
    assert "If the model is to say it" in told
