"""extractify.streams: Partials and items while the answer arrives, sync and async."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import BaseModel

from extractify import (
    AsyncClient,
    Client,
    ConfigurationError,
    Endpoint,
    ExtractionError,
    Grounding,
    Hold,
    Limits,
    Parameters,
    Quote,
    Task,
    Truncated,
    with_state,
)
from extractify.events import Event, Thought
from extractify.profiles import FULL
from extractify.testing import Answer, ScriptedEndpoint, completion, serve
from extractify.testing.answers import frames

if TYPE_CHECKING:
    from collections.abc import Iterator


class Line(BaseModel):
    sku: str
    count: int


class Order(BaseModel):
    buyer: str
    lines: list[Line]


LINES: list[Any] = [{"sku": f"A-{n}", "count": n} for n in range(6)]
ORDER: dict[str, Any] = {"buyer": "Zyxomma plc", "lines": LINES}
TEXT = "Zyxomma plc orders a lot."
EVENTS = {"content-type": "text/event-stream"}


def streaming(body: dict[str, Any], **options: Any) -> Answer:
    return Answer(b"".join(frames(body, **options)), headers=EVENTS)


def partials(endpoint: Endpoint, target: Any = Order, **options: Any) -> list[tuple[Any, ...]]:
    found = []
    with Client(endpoint) as client, client.stream(target, TEXT, **options) as stream:
        for partial in stream:
            copied = json.loads(json.dumps(partial.value))
            found.append((partial.attempt, partial.changed, copied, dict(partial.model)))
    return found


def test_the_last_partial_is_the_value_and_has_the_instance() -> None:
    with Client(ScriptedEndpoint([ORDER])) as client, client.stream(Order, TEXT) as stream:
        last = list(stream)[-1]
        result = stream.result()
    assert last.value == ORDER
    assert last.model[""] is result.value
    assert result.value == Order.model_validate(ORDER)
    assert last.state("") == last.state("/lines/5/count") == "complete"
    assert type(result.value) is Order


def test_the_result_is_that_of_a_call_that_does_not_stream() -> None:
    with Client(ScriptedEndpoint([ORDER, ORDER])) as client:
        plain = client.extract(Order, TEXT)
        with client.stream(Order, TEXT) as stream:
            streamed = stream.result()
    assert streamed.value == plain.value
    assert streamed.usage == plain.usage
    assert streamed.attempts[0].completion.text == plain.attempts[0].completion.text
    assert streamed.attempts[0].request == plain.attempts[0].request


def test_the_request_asks_for_a_stream_with_its_usage() -> None:
    endpoint = ScriptedEndpoint([ORDER])
    partials(endpoint)
    assert endpoint.requests[0].body["stream"] is True
    assert endpoint.requests[0].body["stream_options"] == {"include_usage": True}


def watched(text: str, size: int = 8, **fields: Any) -> tuple[list[bytes], Endpoint]:
    """An endpoint, and what of its answer has been asked for so far."""
    sent: list[bytes] = []

    class Watched(Endpoint):
        def exchange(self, _path: str, _headers: object, _body: bytes) -> tuple[int, Any, Any]:
            def arriving() -> Iterator[bytes]:
                for piece in frames(completion(text, **fields), size=size):
                    sent.append(piece)
                    yield piece

            return 200, EVENTS, arriving()

    return sent, Watched(url="http://watched.invalid/v1", model="m", profile=FULL)


def test_a_partial_comes_with_the_read_that_completes_its_field_and_nothing_is_read_ahead() -> None:
    sent, endpoint = watched(json.dumps(ORDER))
    with Client(endpoint) as client, client.stream(Order, TEXT) as stream:
        assert sent == []
        for partial in stream:
            if partial.state("/buyer") == "complete":
                break
        said = b"".join(sent).decode()
        assert "lines" in said
        assert "A-0" not in said
        assert partial.model == {"/buyer": "Zyxomma plc"}


def test_there_is_one_partial_a_read_at_most() -> None:
    sent, endpoint = watched(json.dumps(ORDER), size=40)
    assert len(partials(endpoint)) <= len(sent)


def test_partials_can_be_slowed_down_and_the_last_one_still_comes() -> None:
    _, endpoint = watched(json.dumps(ORDER))
    found = partials(endpoint, min_interval=60.0)
    assert len(found) == 2
    assert found[-1][2] == ORDER


def test_leaving_early_hangs_up_and_the_client_goes_on() -> None:
    with serve([ORDER, ORDER]) as server, Client(server.endpoint) as client:
        with client.stream(Order, TEXT) as stream:
            assert next(iter(stream)).value is not None
        with pytest.raises(ConfigurationError, match="closed before its end"):
            stream.result()
        assert client.extract(Order, TEXT).value.buyer == "Zyxomma plc"
        assert server.connections <= 2


def test_leaving_early_frees_the_connection_for_others() -> None:
    endpoint = ScriptedEndpoint(lambda _seen: ORDER)
    with Client(endpoint, limits=Limits(connections=1, total=5.0)) as client:
        for _ in range(3):
            with client.stream(Order, TEXT) as stream:
                next(iter(stream))
        assert client.extract(Order, TEXT).value.buyer == "Zyxomma plc"


def test_a_stream_that_is_never_read_sends_nothing() -> None:
    endpoint = ScriptedEndpoint([])
    with Client(endpoint) as client, client.stream(Order, TEXT):
        pass
    assert endpoint.requests == []


def test_a_repair_turn_streams_too_and_its_partials_say_so() -> None:
    wrong = {**ORDER, "lines": [*LINES[:3], {"sku": "A-3", "count": "three"}, *LINES[4:]]}
    found = partials(ScriptedEndpoint([wrong, {"patch": {"/lines/3/count": 3}}]))
    assert {attempt for attempt, *_ in found} == {1, 2}
    assert next(value for attempt, _, value, _ in found if attempt == 2) == wrong
    assert "/lines/3" not in next(model for attempt, *_, model in reversed(found) if attempt == 1)
    attempt, changed, value, model = found[-1]
    assert (attempt, value) == (2, ORDER)
    assert changed == ("",)
    assert model["/lines/3"] == Line(sku="A-3", count=3)
    assert model["/lines/0"] == Line(sku="A-0", count=0)


def test_what_is_asked_for_again_is_incomplete_until_it_is_there() -> None:
    wrong = {**ORDER, "lines": [{"sku": "A-0", "count": "no"}, *LINES[1:]]}
    endpoint = ScriptedEndpoint([wrong, {"patch": {"/lines/0/count": 0}}])
    with Client(endpoint) as client, client.stream(Order, TEXT) as stream:
        seen = [[partial.state(at) for at in ("/buyer", "/lines/0/count")] for partial in stream]
    assert seen[-1] == ["complete", "complete"]


def test_an_answer_that_is_no_use_is_asked_for_again_as_a_whole() -> None:
    found = partials(ScriptedEndpoint(["I can't read that.", ORDER]))
    assert {attempt for attempt, *_ in found} == {2}
    assert found[-1][2] == ORDER


@pytest.mark.parametrize(
    "before", ["Here it is:\n", "```json\n", '<think>{"buyer": "x"}</think>\n']
)
def test_what_stands_around_the_value_is_never_shown(before: str) -> None:
    found = partials(ScriptedEndpoint([f"{before}{json.dumps(ORDER)}\n```"]))
    assert all(value["buyer"] in ORDER["buyer"] for *_, value, _ in found if "buyer" in value)
    assert found[-1][2] == ORDER


def test_two_values_wait_for_the_whole_text() -> None:
    wrong = json.dumps({"buyer": 1, "lines": 2})
    found = partials(ScriptedEndpoint([f"{wrong}\n\nRather:\n{json.dumps(ORDER)}"]))
    assert found[-1][2] == ORDER
    assert found[-1][3]["/lines/5"] == Line(sku="A-5", count=5)


def test_thoughts_are_events_and_no_part_of_the_value() -> None:
    events: list[Event] = []
    thought: dict[str, Any] = {"reasoning_content": "Let me see."}
    thinking = completion(json.dumps({"result": ORDER}), message=thought)
    endpoint = ScriptedEndpoint([streaming(thinking)])
    with Client(endpoint, on_event=events.append) as client, client.stream(Order, TEXT) as stream:
        result = stream.result()
    said = [event for event in events if isinstance(event, Thought)]
    assert "".join(event.text for event in said) == "Let me see."
    assert {event.attempt for event in said} == {1}
    assert "Let me" not in repr(said)
    assert result.attempts[0].completion.reasoning == "Let me see."


def test_the_arguments_of_a_tool_stream_in_the_same_way() -> None:
    task = Task(Order, parameters=Parameters(structure="tool"))
    found = partials(ScriptedEndpoint([ORDER]), task)
    assert len(found) > 3
    assert found[-1][2] == ORDER


def test_times_are_on_the_attempt() -> None:
    with Client(ScriptedEndpoint([ORDER, ORDER])) as client:
        with client.stream(Order, TEXT) as stream:
            attempt = stream.result().attempts[0]
        plain = client.extract(Order, TEXT).attempts[0]
    assert attempt.first_token is not None
    assert attempt.first_field is not None
    assert attempt.first_token <= attempt.first_field <= attempt.seconds
    assert attempt.tokens_per_second is None or attempt.tokens_per_second > 0
    assert (plain.first_token, plain.first_field, plain.tokens_per_second) == (None, None, None)


def test_an_answer_that_was_cut_off_is_an_error_with_what_was_complete() -> None:
    text = json.dumps({"result": ORDER})[:110]
    cut = streaming(completion(text, finish_reason="length"))
    endpoint = ScriptedEndpoint([cut])
    with Client(endpoint) as client, client.stream(Task(Order, repair=1), TEXT) as stream:
        with pytest.raises(Truncated) as caught:
            list(stream)
        with pytest.raises(Truncated):
            stream.result()
    assert caught.value.partial == {"buyer": "Zyxomma plc", "lines": LINES[:2]}


def test_markers_hold_back_and_show_states() -> None:
    class Marked(BaseModel):
        buyer: Annotated[str, with_state]
        lines: Annotated[list[Line], Hold.until_complete]

    found = partials(ScriptedEndpoint([ORDER]), Marked)
    assert found[0][2]["buyer"]["state"] == "incomplete"
    assert all("lines" not in value or value["lines"] == LINES for *_, value, _ in found)
    assert found[-1][2] == {"buyer": {"value": "Zyxomma plc", "state": "complete"}, "lines": LINES}


def test_a_plain_json_answer_to_a_stream_is_taken() -> None:
    body = completion(json.dumps({"result": ORDER}))
    assert partials(ScriptedEndpoint([Answer(body)]))[-1][2] == ORDER


def test_the_async_stream_is_the_same() -> None:
    async def run() -> None:
        endpoint = ScriptedEndpoint(lambda _seen: ORDER)
        async with AsyncClient(endpoint) as client:
            async with client.stream(Order, TEXT) as stream:
                found = [(partial.changed, partial.attempt) async for partial in stream]
                assert (await stream.result()).value == Order.model_validate(ORDER)
            async with client.stream(Order, TEXT) as left:
                async for _ in left:
                    break
            with pytest.raises(ConfigurationError):
                await left.result()
            streams = [client.stream(Order, TEXT) for _ in range(8)]
            results = await asyncio.gather(*(each.result() for each in streams))
            assert {result.value.buyer for result in results} == {"Zyxomma plc"}
        assert [each[:2] for each in found] == [
            (changed, attempt) for attempt, changed, *_ in partials(ScriptedEndpoint([ORDER]))
        ]

    asyncio.run(run())


# -- items


def bad(index: int) -> list[Any]:
    return [*LINES[:index], {"sku": f"A-{index}", "count": "none"}, *LINES[index + 1 :]]


def test_each_item_comes_when_it_is_complete() -> None:
    sent, endpoint = watched(json.dumps({"result": LINES}))
    with Client(endpoint) as client, client.items(Line, TEXT) as items:
        for item in items:
            assert item == Line(sku="A-0", count=0)
            break
        assert "A-2" not in b"".join(sent).decode()


def test_an_item_that_is_wrong_is_mended_at_the_end_and_given_then() -> None:
    endpoint = ScriptedEndpoint([bad(2), {"patch": {"/2/count": 2}}])
    with Client(endpoint) as client:
        items = client.items(Line, TEXT)
        assert [item.count for item in items] == [0, 1, 3, 4, 5, 2]
        result = items.result()
    assert result.ok
    assert [item.count for item in result.value] == [0, 1, 2, 3, 4, 5]
    assert [attempt.strategy for attempt in result.attempts] == ["ask", "patch"]


def test_in_order_an_item_waits_for_those_before_it() -> None:
    endpoint = ScriptedEndpoint([bad(2), {"patch": {"/2/count": 2}}])
    with Client(endpoint) as client:
        assert [item.count for item in client.items(Line, TEXT, in_order=True)] == list(range(6))


def test_an_item_that_cannot_be_mended_is_told_on_the_result() -> None:
    task = Task(Line, repair=2)
    for in_order in (False, True):
        with Client(ScriptedEndpoint([bad(2), bad(2)])) as client:
            items = client.items(task, TEXT, in_order=in_order)
            assert [item.count for item in items] == [0, 1, 3, 4, 5]
            result = items.result()
        assert not result.ok
        assert [problem.pointer for problem in result.problems] == ["/2/count"]
        assert result.partial == bad(2)


def test_items_that_are_mostly_wrong_are_asked_for_one_by_one_not_all_again() -> None:
    wrong = [{"sku": 1, "count": "x"}, *LINES[1:2], *({"sku": 1, "count": "x"} for _ in range(4))]
    endpoint = ScriptedEndpoint([wrong, LINES])
    with Client(endpoint) as client:
        assert [item.count for item in client.items(Line, TEXT)] == [1, 0, 2, 3, 4, 5]
    assert "/1" not in json.dumps(endpoint.requests[1].schema)


def test_an_answer_that_breaks_behind_its_items_is_not_asked_for_again() -> None:
    text = json.dumps({"result": LINES}).replace('{"sku": "A-4"', '{"sku": , , "A-4"')
    endpoint = ScriptedEndpoint([text, LINES])
    with Client(endpoint) as client:
        items = client.items(Line, TEXT)
        given: list[int] = []
        with pytest.raises(ExtractionError, match="broke after 4 valid items"):
            given.extend(item.count for item in items)
        with pytest.raises(ExtractionError):
            items.result()


def test_items_that_were_cut_off_are_continued() -> None:
    text = json.dumps({"result": LINES})
    cut = streaming(completion(text[: text.index('"A-4"')], finish_reason="length"))
    rest = {"patch": {"/-": LINES[4:]}}
    with Client(ScriptedEndpoint([cut, rest])) as client:
        items = client.items(Line, TEXT)
        assert [item.count for item in items] == list(range(6))
        assert [attempt.strategy for attempt in items.result().attempts] == ["ask", "continue"]


def test_items_that_stay_cut_off_are_an_error_after_those_there_are() -> None:
    text = json.dumps({"result": LINES})
    cut = streaming(completion(text[: text.index('"A-4"')], finish_reason="length"))
    given: list[Line] = []
    with Client(ScriptedEndpoint([cut])) as client:
        items = client.items(Task(Line, repair=1), TEXT)
        with pytest.raises(Truncated, match="after 4 valid items"):
            given.extend(items)
        assert len(given) in {0, 4}


def test_items_hold_items_of_their_own_and_may_be_null() -> None:
    class Box(BaseModel):
        lines: list[Line]

    boxes = [{"lines": LINES[:2]}, {"lines": "none"}, {"lines": LINES[2:]}]
    with Client(ScriptedEndpoint([boxes, boxes])) as client:
        items = client.items(Task(Box, repair=2), TEXT)
        assert [len(item.lines) for item in items] == [2, 4]
        assert {problem.pointer for problem in items.result().problems} == {"/1/lines"}
    with Client(ScriptedEndpoint([[1, None, 3]])) as client:
        optional = client.items(int | None, TEXT)
        assert list(optional) == [1, None, 3]


def test_items_of_json_schemas_and_with_examples() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"sku": {"$ref": "#/$defs/Sku"}},
        "$defs": {"Sku": {"type": "string"}},
    }
    with Client(ScriptedEndpoint([[{"sku": "a"}, {"sku": "b"}]])) as client:
        assert list(client.items(schema, TEXT)) == [{"sku": "a"}, {"sku": "b"}]
    task = Task(Line, examples=[("one A-1", Line(sku="A-1", count=1))])
    endpoint = ScriptedEndpoint([LINES])
    with Client(endpoint) as client:
        assert len(list(client.items(task, TEXT))) == 6
    assert "A-1" in json.dumps(endpoint.requests[0].body)


def test_async_items_are_the_same() -> None:
    async def run() -> None:
        script = [bad(2), {"patch": {"/2/count": 2}}, LINES, LINES]
        async with AsyncClient(ScriptedEndpoint(script)) as client:
            items = client.items(Line, TEXT)
            assert [item.count async for item in items] == [0, 1, 3, 4, 5, 2]
            assert (await items.result()).ok
            async with client.items(Line, TEXT) as left:
                async for item in left:
                    assert item.count == 0
                    break
            assert len((await client.items(Line, TEXT).result()).value) == 6

    asyncio.run(run())


# -- beside what else a task may ask for


def test_quotes_are_no_part_of_a_partial() -> None:
    class Quoted(BaseModel):
        buyer: Annotated[str, Quote]
        total: int

    answer = {"buyer": "Zyxomma plc", "buyer_quote": "Zyxomma plc orders a lot.", "total": 3}
    found = partials(ScriptedEndpoint([json.dumps({"result": answer})]), Quoted)
    assert all("buyer_quote" not in value for *_, value, _ in found)
    assert found[-1][2] == {"buyer": "Zyxomma plc", "total": 3}


def test_what_has_to_stand_in_the_document_is_valid_only_at_the_end() -> None:
    task = Task(Line, grounding=Grounding.required, on_missing="error", repair=1)
    lines = [{"sku": "Zyxomma", "count": 1}, {"sku": "nowhere", "count": 1}]
    with Client(ScriptedEndpoint([lines])) as client:
        items = client.items(task, "Zyxomma plc orders 1.")
        assert list(items) == [Line(sku="Zyxomma", count=1)]
        assert [problem.pointer for problem in items.result().problems] == ["/1/sku"]


@pytest.mark.local_model
def test_the_embedded_model_streams_what_it_answers() -> None:
    class Person(BaseModel):
        name: str
        city: str

    text = "Ada Lovelace lives in London."
    with Client("local:smollm2") as client:
        plain = client.extract(Person, text)
        with client.stream(Person, text) as stream:
            seen = [json.loads(json.dumps(partial.value)) for partial in stream]
            result = stream.result()
    assert len(seen) > 3
    assert seen[-1] == result.value.model_dump()
    assert result.value == plain.value
    assert result.usage.completion_tokens == plain.usage.completion_tokens
    assert result.attempts[0].first_token is not None
