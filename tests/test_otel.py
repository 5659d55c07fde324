"""extractify.otel: spans and metrics, in memory, over scripted endpoints."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import BaseModel, field_validator
from tenacity import wait_none

from extractify import (
    AsyncClient,
    AuthenticationError,
    Client,
    ConfigurationError,
    DocumentError,
    Endpoint,
    ExtractifyError,
    ExtractionError,
    Pace,
    Plan,
    Repair,
    Retry,
    Task,
    TransportError,
)
from extractify.conventions import DURATION_BOUNDARIES, TOKENS_BOUNDARIES
from extractify.events import Event, RetryScheduled
from extractify.otel import Telemetry, by_environment
from extractify.testing import FAULTS, Answer, ScriptedEndpoint, Seen, completion
from extractify.testing.script import CLOUDFLARE
from tests.loopback import KEY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Span

    from extractify.testing.script import Script

DOCUMENT = "Zyxomma plc owes 36 florins."


class Debt(BaseModel):
    debtor: str
    florins: int


GOOD = {"debtor": "Zyxomma plc", "florins": 36}
BAD = {"debtor": "Zyxomma plc", "florins": "a quobble"}


@dataclass
class Seeing:
    """Telemetry that stays in memory."""

    telemetry: Telemetry
    tracer: trace.Tracer
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    @property
    def extractions(self) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name.startswith("extract ")]

    @property
    def chats(self) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name.startswith("chat ")]

    def points(self, metric: str) -> list[HistogramDataPoint]:
        data = self.reader.get_metrics_data()
        return [
            cast("HistogramDataPoint", point)
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for each in scope.metrics
            if each.name == metric
            for point in each.data.data_points
        ]

    @property
    def all(self) -> str:
        """All that was told."""
        data = self.reader.get_metrics_data()
        spans = [span.to_json() for span in self.spans]
        return json.dumps([*spans, data.to_json() if data else ""])


def seeing(*, content: bool = False) -> Seeing:
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider([reader], shutdown_on_exit=False)
    telemetry = Telemetry(tracers, meters, content=content)
    return Seeing(telemetry, tracers.get_tracer("the user's"), exporter, reader)


def extract(
    seen: Seeing, script: Script, task: Any = Debt, *, how: str = "sync", **options: Any
) -> None:
    """Extract from the document; errors of ours are left to the spans to tell."""
    with suppress(ExtractifyError):
        if how == "sync":
            with Client(scripted(script), telemetry=seen.telemetry, **options) as client:
                client.extract(task, DOCUMENT)
        elif how == "stream":
            with (
                Client(scripted(script), telemetry=seen.telemetry, **options) as client,
                client.stream(task, DOCUMENT) as stream,
            ):
                stream.result()
        else:
            asyncio.run(extract_async(seen, script, task, how, options))


async def extract_async(
    seen: Seeing, script: Script, task: Any, how: str, options: dict[str, Any]
) -> None:
    async with AsyncClient(scripted(script), telemetry=seen.telemetry, **options) as client:
        if how == "async":
            await client.extract(task, DOCUMENT)
        else:
            async with client.stream(task, DOCUMENT) as stream:
                await stream.result()


def scripted(script: Script) -> ScriptedEndpoint:
    return ScriptedEndpoint(script, like=replace(CLOUDFLARE, api_key=KEY))


def told(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def parent(span: ReadableSpan) -> int | None:
    return None if span.parent is None else span.parent.span_id


def identity(span: ReadableSpan | Span) -> int:
    context = span.get_span_context()
    assert context is not None
    return context.span_id


EVERY_WAY = pytest.mark.parametrize("how", ["sync", "async", "stream", "async stream"])
FAST = Retry(stop=3, wait=wait_none())


# --- what is told ------------------------------------------------------------------------------


@EVERY_WAY
def test_an_extraction_is_a_span_and_each_exchange_one_within(how: str) -> None:
    seen = seeing()
    extract(seen, [BAD, GOOD], Task(Debt, temperature=0.5, max_tokens=900), how=how)
    [extraction], chats = seen.extractions, seen.chats
    assert extraction.name == "extract Debt"
    assert extraction.kind is SpanKind.INTERNAL
    assert extraction.parent is None
    assert told(extraction) == {
        "extractify.target": "Debt",
        "extractify.attempts": 2,
        "extractify.valid": True,
    }
    assert [parent(chat) for chat in chats] == [identity(extraction)] * 2
    for chat in chats:
        assert (chat.name, chat.kind) == ("chat minimax/m2.7", SpanKind.CLIENT)
        assert chat.status.status_code is StatusCode.UNSET
        attributes = told(chat)
        first = attributes.pop("gen_ai.response.time_to_first_chunk", None)
        assert (first is not None) is ("stream" in how)
        assert attributes.pop("gen_ai.request.stream", False) is ("stream" in how)
        assert attributes == {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "cloudflare",
            "gen_ai.request.model": "minimax/m2.7",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.max_tokens": 900,
            "gen_ai.output.type": "json",
            "server.address": "scripted.invalid",
            "server.port": 80,
            "gen_ai.response.id": attributes["gen_ai.response.id"],
            "gen_ai.response.model": "MiniMax-M2.7",
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": 120,
            "gen_ai.usage.output_tokens": 40,
            "gen_ai.usage.cache_read.input_tokens": 64,
            "gen_ai.usage.reasoning.output_tokens": 15,
        }


@EVERY_WAY
def test_the_metrics_have_the_boundaries_of_the_conventions(how: str) -> None:
    seen = seeing()
    extract(seen, [BAD, GOOD], how=how)
    common = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "cloudflare",
        "gen_ai.request.model": "minimax/m2.7",
        "gen_ai.response.model": "MiniMax-M2.7",
        "server.address": "scripted.invalid",
        "server.port": 80,
    }
    [duration] = seen.points("gen_ai.client.operation.duration")
    assert dict(duration.attributes or {}) == common
    assert duration.count == 2
    assert list(duration.explicit_bounds) == DURATION_BOUNDARIES
    input_, output = seen.points("gen_ai.client.token.usage")
    assert dict(input_.attributes or {}) == {**common, "gen_ai.token.type": "input"}
    assert dict(output.attributes or {}) == {**common, "gen_ai.token.type": "output"}
    assert (input_.sum, output.sum) == (240, 80)
    assert list(input_.explicit_bounds) == TOKENS_BOUNDARIES


@EVERY_WAY
def test_what_the_transport_repeats_is_one_span_with_an_event_for_each_time(how: str) -> None:
    seen = seeing()
    events: list[Event] = []
    script = [Answer("", 429), ConnectionResetError(), GOOD]
    extract(seen, script, how=how, retry=FAST, on_event=events.append)
    [chat], [extraction] = seen.chats, seen.extractions
    assert [event.name for event in chat.events] == ["extractify.retry"] * 2
    limited, reset = (dict(event.attributes or {}) for event in chat.events)
    assert limited == {
        "error.type": "RateLimited",
        "http.response.status_code": 429,
        "extractify.retry.seconds": 0.0,
    }
    assert reset == {"error.type": "TransportError", "extractify.retry.seconds": 0.0}
    assert told(extraction)["extractify.attempts"] == 1
    assert "error.type" not in told(chat)
    assert sum(isinstance(event, RetryScheduled) for event in events) == 2


@EVERY_WAY
def test_an_exchange_that_fails_tells_the_class_and_the_status(how: str) -> None:
    seen = seeing()
    extract(seen, [BAD, Answer({"error": {"message": KEY + DOCUMENT}}, 401)], how=how)
    [good, chat], [extraction] = seen.chats, seen.extractions
    assert "error.type" not in told(good)
    for span in (chat, extraction):
        assert told(span)["error.type"] == AuthenticationError.__name__
        assert told(span)["http.response.status_code"] == 401
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description
        assert span.events == ()
    assert told(extraction)["extractify.attempts"] == 1
    assert told(extraction)["extractify.valid"] is False
    kinds = [
        dict(point.attributes or {}).get("error.type")
        for point in seen.points("gen_ai.client.operation.duration")
    ]
    assert sorted(kinds, key=str) == ["AuthenticationError", None]
    assert sum(point.sum for point in seen.points("gen_ai.client.token.usage")) == 160


@EVERY_WAY
def test_an_exchange_without_an_answer_is_a_failure(how: str) -> None:
    seen = seeing()
    extract(seen, [ConnectionRefusedError()], how=how, retry=False)
    [chat], [extraction] = seen.chats, seen.extractions
    assert told(chat)["error.type"] == TransportError.__name__
    assert "http.response.status_code" not in told(chat)
    assert told(extraction)["extractify.attempts"] == 0


@EVERY_WAY
def test_invalid_answers_are_no_failure_of_their_exchanges(how: str) -> None:
    seen = seeing()
    extract(seen, [BAD, BAD], Task(Debt, repair=2), how=how)
    [extraction] = seen.extractions
    assert told(extraction) == {
        "extractify.target": "Debt",
        "extractify.attempts": 2,
        "extractify.valid": False,
        "error.type": ExtractionError.__name__,
    }
    assert [chat.status.status_code for chat in seen.chats] == [StatusCode.UNSET] * 2


@EVERY_WAY
def test_the_best_effort_is_not_valid_and_no_failure(how: str) -> None:
    seen = seeing()
    extract(seen, [BAD], Task(Debt, repair=Repair(1, best_effort=True)), how=how)
    [extraction] = seen.extractions
    assert told(extraction)["extractify.valid"] is False
    assert extraction.status.status_code is StatusCode.UNSET


def test_a_document_that_cannot_be_sent_is_a_failure_without_an_exchange() -> None:
    seen = seeing()
    with (
        Client(scripted([]), telemetry=seen.telemetry) as client,
        pytest.raises(DocumentError),
    ):
        client.extract(Debt, "  ")
    [extraction] = seen.spans
    assert told(extraction)["error.type"] == "DocumentError"


@EVERY_WAY
def test_an_endpoint_to_fall_back_on_is_asked_within_the_same_extraction(how: str) -> None:
    seen = seeing()
    other = ScriptedEndpoint([GOOD], like=Endpoint("http://other.invalid/v1", "other"))
    extract(seen, [Answer("", 503)], how=how, retry=False, fallback=[other])
    [first, second], [extraction] = seen.chats, seen.extractions
    assert [first.name, second.name] == ["chat minimax/m2.7", "chat other"]
    assert told(first)["error.type"] == "Overloaded"
    assert parent(first) == parent(second) == identity(extraction)
    assert told(extraction)["extractify.valid"] is True


@EVERY_WAY
def test_tokens_that_no_endpoint_counted_are_in_no_metric(how: str) -> None:
    seen = seeing()
    turn: Any = {"role": "assistant", "content": json.dumps({"result": GOOD})}
    extract(seen, [Answer({"choices": [{"message": turn, "finish_reason": "stop"}]})], how=how)
    assert seen.points("gen_ai.client.token.usage") == []
    [duration] = seen.points("gen_ai.client.operation.duration")
    assert "gen_ai.response.model" not in dict(duration.attributes or {})
    assert told(seen.extractions[0])["extractify.valid"] is True


# --- what isn't told ---------------------------------------------------------------------------


class Mindful(BaseModel):
    debtor: str
    florins: int

    @field_validator("florins")
    @classmethod
    def check_florins(cls, florins: int) -> int:
        if florins == 36:
            raise ValueError(f"Zyxomma has no {florins} florins")
        raise RuntimeError(f"Zyxomma has {florins} florins")


@EVERY_WAY
@pytest.mark.parametrize("target", [Debt, Mindful])
def test_neither_the_key_nor_a_word_of_the_document_is_told(how: str, target: type) -> None:
    echo: Any = {"error": {"message": f"{KEY}: {DOCUMENT}", "code": KEY}}
    answers: list[object] = [
        GOOD,
        BAD,
        {"debtor": "Zyxomma", "florins": 7},
        {"Zyxomma": {"36": "quobble"}},
        "No debts of Zyxomma in florins.",
        Answer(echo, 400),
        Answer(f"{KEY} {DOCUMENT}", 500),
    ]
    for answer in answers:
        seen = seeing()
        extract(seen, [answer] * 2, Task(target, repair=2), how=how, retry=False)
        assert len(seen.extractions) == 1
        for secret in (KEY, "Zyxomma", "florins.", "36 florins", "quobble"):
            assert secret not in seen.all


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_no_fault_tells_a_word_of_the_document(name: str) -> None:
    seen = seeing()
    with suppress(Exception):
        extract(seen, [FAULTS[name]], Task(Debt, repair=1), retry=False)
    assert len(seen.extractions) == 1
    assert len(seen.chats) == 1
    assert KEY not in seen.all
    assert "Zyxomma" not in seen.all


@EVERY_WAY
def test_content_is_told_where_it_is_asked_for(how: str) -> None:
    seen = seeing(content=True)
    extract(seen, [GOOD], how=how)
    [chat] = seen.chats
    asked = json.loads(told(chat)["gen_ai.input.messages"])
    assert [message["role"] for message in asked] == ["system", "user"]
    assert DOCUMENT in asked[1]["parts"][0]["content"]
    [answered] = json.loads(told(chat)["gen_ai.output.messages"])
    assert answered["role"] == "assistant"
    assert answered["finish_reason"] == "stop"
    assert "Zyxomma plc" in answered["parts"][-1]["content"]
    assert KEY not in seen.all


def test_a_failure_of_the_users_own_code_is_told_by_its_class_alone() -> None:
    def fail(_problems: object) -> str:
        raise KeyboardInterrupt(DOCUMENT)

    seen = seeing()
    task = Task(Debt, repair=Repair(2, on_problems=fail))
    with (
        Client(scripted([BAD]), telemetry=seen.telemetry) as client,
        pytest.raises(KeyboardInterrupt),
    ):
        client.extract(task, DOCUMENT)
    [extraction] = seen.extractions
    assert "extractify.valid" not in told(extraction)

    def broken(_event: Event) -> None:
        raise RuntimeError(DOCUMENT)

    with (
        Client(scripted([GOOD]), telemetry=seen.telemetry, on_event=broken) as client,
        pytest.raises(RuntimeError),
    ):
        client.extract(Debt, DOCUMENT)
    extraction = seen.extractions[-1]
    assert told(extraction)["error.type"] == "RuntimeError"
    assert extraction.status.description is None
    assert "Zyxomma" not in seen.all


# --- whose spans they are ----------------------------------------------------------------------


def number_in(seen: Seen) -> int:
    first = next(turn for turn in seen.asked["messages"] if turn["role"] == "user")
    return int(first["content"].split()[2])


def families(seen: Seeing) -> None:
    """Look that each extraction has the two exchanges of its own document, in the same trace."""
    for extraction in seen.extractions:
        children = [chat for chat in seen.chats if parent(chat) == identity(extraction)]
        assert len(children) == 2
        asked = [told(chat)["gen_ai.input.messages"] for chat in children]
        numbers = {json.loads(text)[1]["parts"][0]["content"].split()[2] for text in asked}
        assert len(numbers) == 1
        traces = {span.context.trace_id for span in (extraction, *children) if span.context}
        assert len(traces) == 1


def wrong_first(answered: set[int]) -> Callable[[Seen], object]:
    def answer(seen: Seen) -> object:
        number = number_in(seen)
        value = {"debtor": "A", "florins": number}
        if number in answered:
            return Answer(_body(value), delay=0.001 * (number % 3))
        answered.add(number)
        return Answer(_body({**value, "florins": "x"}), delay=0.001 * (number % 5))

    return answer


def _body(value: object) -> Any:
    return completion(json.dumps({"result": value}))


def test_tasks_at_the_same_time_have_spans_of_their_own() -> None:
    async def all_at_once() -> None:
        endpoint = scripted(wrong_first(set()))
        async with AsyncClient(endpoint, telemetry=seen.telemetry) as client:
            calls = [client.extract(Debt, f"Debt {n} of A") for n in range(20)]
            await asyncio.gather(*calls)

    seen = seeing(content=True)
    asyncio.run(all_at_once())
    assert (len(seen.extractions), len(seen.chats)) == (20, 40)
    families(seen)


def test_threads_have_spans_of_their_own() -> None:
    seen = seeing(content=True)
    with (
        Client(scripted(wrong_first(set())), telemetry=seen.telemetry) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        list(pool.map(lambda n: client.extract(Debt, f"Debt {n} of A"), range(20)))
    assert (len(seen.extractions), len(seen.chats)) == (20, 40)
    families(seen)


def test_streams_that_are_read_in_turns_have_spans_of_their_own() -> None:
    seen = seeing(content=True)
    with Client(scripted(wrong_first(set())), telemetry=seen.telemetry) as client:
        streams = [client.stream(Debt, f"Debt {n} of A") for n in range(3)]
        left = [iter(stream) for stream in streams]
        while left:
            for each in list(left):
                if next(each, None) is None:
                    left.remove(each)
                assert trace.get_current_span() is trace.INVALID_SPAN
        for stream in streams:
            stream.close()
    assert (len(seen.extractions), len(seen.chats)) == (3, 6)
    assert len({span.context.trace_id for span in seen.extractions if span.context}) == 3
    families(seen)


@EVERY_WAY
def test_an_extraction_is_a_child_of_the_callers_span(how: str) -> None:
    seen = seeing()
    with seen.tracer.start_as_current_span("the caller's") as caller:
        extract(seen, [GOOD], how=how)
        assert trace.get_current_span() is caller
    [extraction] = seen.extractions
    assert parent(extraction) == identity(caller)


@EVERY_WAY
def test_code_of_the_users_runs_in_the_span_that_it_is_about(how: str) -> None:
    current: dict[str, int] = {}

    class Watching(BaseModel):
        florins: int

        @field_validator("florins")
        @classmethod
        def see(cls, florins: int) -> int:
            current["validator"] = identity(trace.get_current_span())
            return florins

    def answer(_seen: Seen) -> object:
        current["wire"] = identity(trace.get_current_span())
        return {"florins": 36}

    seen = seeing()
    extract(seen, answer, Watching, how=how)
    assert current == {
        "validator": identity(seen.extractions[0]),
        "wire": identity(seen.chats[0]),
    }
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_an_extraction_inside_another_is_a_child_of_the_exchange_that_waits_for_it() -> None:
    seen = seeing()

    def answer(_seen: Seen) -> object:
        extract(seen, [Answer("", 429), GOOD], retry=FAST)
        return GOOD

    extract(seen, answer)
    inner, outer = seen.extractions
    waiting = seen.chats[-1]
    assert parent(inner) == identity(waiting)
    assert parent(waiting) == identity(outer)
    assert [len(chat.events) for chat in seen.chats] == [1, 0]


# --- streams -----------------------------------------------------------------------------------


def test_a_stream_that_is_left_early_ends_its_spans_without_a_failure() -> None:
    async def leave_async() -> None:
        async with (
            AsyncClient(scripted([GOOD]), telemetry=seen.telemetry) as client,
            client.stream(Debt, DOCUMENT) as stream,
        ):
            async for _ in stream:
                break

    seen = seeing()
    with Client(scripted([GOOD]), telemetry=seen.telemetry) as client:
        with client.stream(Debt, DOCUMENT) as stream:
            next(iter(stream))
        assert len(seen.spans) == 2
    asyncio.run(leave_async())
    assert (len(seen.extractions), len(seen.chats)) == (2, 2)
    for span in seen.spans:
        assert span.status.status_code is StatusCode.UNSET
        assert "extractify.valid" not in told(span)
        assert "gen_ai.response.id" not in told(span)


def test_a_stream_that_nobody_reads_is_no_span() -> None:
    seen = seeing()
    with (
        Client(scripted([]), telemetry=seen.telemetry) as client,
        client.stream(Debt, DOCUMENT),
    ):
        pass
    assert seen.spans == []


@pytest.mark.parametrize("how", ["stream", "async stream"])
def test_an_answer_that_breaks_off_in_its_middle_is_a_failure(how: str) -> None:
    seen = seeing()
    extract(seen, [FAULTS["reset in the body"]], how=how)
    [chat], [extraction] = seen.chats, seen.extractions
    assert told(chat)["error.type"] == told(extraction)["error.type"]


def test_items_have_spans_too() -> None:
    seen = seeing()
    with Client(scripted([[GOOD, GOOD]]), telemetry=seen.telemetry) as client:
        assert len(list(client.items(Debt, DOCUMENT))) == 2
    assert (len(seen.extractions), len(seen.chats)) == (1, 1)
    assert told(seen.extractions[0])["extractify.valid"] is True


@pytest.mark.parametrize("how", ["async", "async stream"])
def test_a_task_that_is_cancelled_ends_its_spans(how: str) -> None:
    async def cancel() -> None:
        waiting = asyncio.Event()
        body = json.dumps(completion(json.dumps({"result": GOOD}))).encode()
        silent = Answer(body, delay=60.0)

        def answer(_seen: Seen) -> object:
            waiting.set()
            return silent

        task = asyncio.create_task(extract_async(seen, answer, Debt, how, {}))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    seen = seeing()
    asyncio.run(cancel())
    [chat], [extraction] = seen.chats, seen.extractions
    assert told(chat)["error.type"] == "CancelledError"
    assert "extractify.valid" not in told(extraction)


# --- bulk runs ---------------------------------------------------------------------------------


def test_each_row_of_a_run_is_an_extraction_and_each_try_an_exchange(tmp_path: Path) -> None:
    limited: set[int] = set()

    def answer(seen: Seen) -> object:
        number = number_in(seen)
        if number == 5:
            return {"debtor": "A"}
        if number == 3 and not limited:
            limited.add(number)
            return Answer("", 500)
        return {"debtor": "A", "florins": number}

    seen = seeing()
    with (
        Client(scripted(answer), telemetry=seen.telemetry) as client,
        seen.tracer.start_as_current_span("the caller's") as caller,
    ):
        rows = [(number, f"Debt {number} of A") for number in range(8)]
        plan = Plan(pace=Pace(4))
        report = client.run(Task(Debt, repair=1), rows, tmp_path / "out.jsonl", plan)
    assert (report.progress.done, report.progress.failed) == (7, 1)
    assert len(seen.extractions) == 8
    assert len(seen.chats) == 9
    assert {parent(extraction) for extraction in seen.extractions} == {identity(caller)}
    assert sum(told(each)["extractify.valid"] for each in seen.extractions) == 7
    assert [told(chat)["error.type"] for chat in seen.chats if "error.type" in told(chat)] == [
        "Overloaded"
    ]


# --- what it takes -----------------------------------------------------------------------------


def test_what_is_no_telemetry_is_refused_where_it_is_written() -> None:
    wrong: Any = True
    with pytest.raises(ConfigurationError, match="Pass a Telemetry"):
        Client(scripted([]), telemetry=wrong)
    with pytest.raises(ConfigurationError, match="TracerProvider"):
        Telemetry(wrong)
    with pytest.raises(ConfigurationError, match="MeterProvider"):
        Telemetry(None, wrong)
    wrong = "yes"
    with pytest.raises(ConfigurationError, match="content"):
        Telemetry(content=wrong)


def test_without_an_sdk_nothing_is_told_and_nothing_fails() -> None:
    with Client(scripted([BAD, GOOD]), telemetry=Telemetry(content=True)) as client:
        assert client.extract(Debt, DOCUMENT).value.florins == 36


def python(code: str) -> str:
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return ran.stdout.decode().strip()


def test_opentelemetry_is_imported_only_by_who_uses_it() -> None:
    code = (
        "import sys\n"
        "from extractify import Client\n"
        "from extractify.testing import ScriptedEndpoint\n"
        "with Client(ScriptedEndpoint([1])) as client: client.extract(int, 'One.')\n"
        "print([name for name in sys.modules if 'opentelemetry' in name])"
    )
    assert python(code) == "[]"


def test_without_opentelemetry_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from extractify import ConfigurationError\n"
        "try: import extractify.otel\n"
        "except ConfigurationError as error: print(error)"
    )
    told_ = "Telemetry needs OpenTelemetry. Run: pip install 'extractify[otel]'"
    assert python(code) == told_


CONSOLE = {"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "console"}


def test_telemetry_by_the_environment_goes_where_its_variables_say(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = (
        "import os\n"
        "from extractify import Client\n"
        "from extractify.otel import by_environment\n"
        "from extractify.testing import ScriptedEndpoint\n"
        "with by_environment(os.environ) as telemetry:\n"
        "    with Client(ScriptedEndpoint(['7']), telemetry=telemetry) as client:\n"
        "        client.extract(int, 'seven')\n"
    )
    environment = {**os.environ, **CONSOLE, "OTEL_SERVICE_NAME": "orders"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    told = capfd.readouterr().out
    assert '"name": "extract int"' in told
    assert '"name": "gen_ai.client.operation.duration"' in told
    assert '"service.name": "orders"' in told


def test_it_goes_to_the_providers_that_the_process_has() -> None:
    code = (
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor\n"
        "from extractify.otel import by_environment\n"
        "provider = TracerProvider()\n"
        "provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))\n"
        "trace.set_tracer_provider(provider)\n"
        "with by_environment({}) as telemetry:\n"
        "    telemetry.tracer.start_span('mine').end()\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert b'"name": "mine"' in ran.stdout


def test_nothing_is_sent_where_the_variables_say_none(capfd: pytest.CaptureFixture[str]) -> None:
    nowhere = dict.fromkeys(CONSOLE, "none")
    with by_environment(nowhere) as telemetry:
        telemetry.tracer.start_span("mine").end()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "zipkin-of-old"},
        {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        {"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "carrier pigeon"},
    ],
)
def test_an_exporter_that_is_not_installed_is_named_with_the_way_out(
    environ: dict[str, str],
) -> None:
    with (
        pytest.raises(ConfigurationError, match=r"OTEL_.*_EXPORTER=.* pip install") as raised,
        by_environment(environ),
    ):
        pass
    assert "none" in str(raised.value)


def test_without_the_sdk_its_install_command_is_told() -> None:
    code = (
        "import sys; sys.modules['opentelemetry.sdk.metrics'] = None\n"
        "from extractify.otel import by_environment\n"
        "by_environment({}).__enter__()\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert b"pip install opentelemetry-sdk" in ran.stderr
