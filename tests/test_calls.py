"""extractify.calls: answers that come as a tool's arguments, and how they are replied to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extractify import Completion, Message, Parameters, Request, Tool, ToolCall
from extractify.calls import reply, unpacked
from extractify.messages import ResponseFormat

if TYPE_CHECKING:
    from extractify.messages import JsonValue

FORMAT = ResponseFormat("Order", {"type": "object"}, '{"type":"object"}')
ASKED = Request("m", (Message("user", "hi"),), FORMAT, structure="tool")


def sent(identity: str, name: str = "Order", arguments: str = "{}") -> JsonValue:
    function: JsonValue = {"name": name, "arguments": arguments}
    return {"id": identity, "type": "function", "function": function}


def answer(*calls: ToolCall, text: str = "", replayed: bool = True) -> Completion:
    extra: dict[str, JsonValue] = {"reasoning_content": "hm"}
    if replayed:
        extra["tool_calls"] = [sent(call.id, call.name, call.arguments) for call in calls]
    return Completion(text, tool_calls=calls, message=Message("assistant", text, extra=extra))


def test_the_arguments_are_the_answer_and_only_that_call_goes_back() -> None:
    calls = (ToolCall("c0", "look_up", "{}"), ToolCall("c1", "Order", '{"a": 1}'))
    got = unpacked(answer(*calls), ASKED)
    assert got.text == '{"a": 1}'
    assert got.tool_calls == calls
    assert got.message.extra == {
        "reasoning_content": "hm",
        "tool_calls": [sent("c1", "Order", '{"a": 1}')],
    }


def test_broken_arguments_are_read_but_never_go_back() -> None:
    got = unpacked(answer(ToolCall("c1", "Order", '{"a": '), replayed=False), ASKED)
    assert got.text == '{"a": '
    assert got.message == Message("assistant", "", extra={"reasoning_content": "hm"})
    assert reply(got.message, "Again.") == Message("user", "Again.")


def test_a_call_without_an_id_can_not_be_replied_to_and_stays_behind() -> None:
    got = unpacked(answer(ToolCall("", "Order", "{}")), ASKED)
    assert "tool_calls" not in got.message.extra


def test_prose_instead_of_a_call_is_read_as_prose() -> None:
    prose = answer(text='{"a": 1}', replayed=False)
    assert unpacked(prose, ASKED) is prose


def test_a_call_under_another_name_is_the_answer_where_ours_is_the_only_tool() -> None:
    other = answer(ToolCall("c1", "order", '{"a": 1}'))
    assert unpacked(other, ASKED).text == '{"a": 1}'
    tools = Parameters(tools=(Tool("look_up", "Look it up.", {}),))
    with_tools = Request("m", ASKED.messages, FORMAT, structure="tool", parameters=tools)
    assert unpacked(other, with_tools) is other


@pytest.mark.parametrize("structure", ["native", "prompt"])
def test_where_no_tool_was_asked_for_a_call_is_none_of_ours(structure: str) -> None:
    called = answer(ToolCall("c1", "Order", "{}"))
    request = Request("m", ASKED.messages, FORMAT)
    assert structure != request.structure or unpacked(called, request) is called


def test_a_reply_names_the_call_it_is_about() -> None:
    turn = Message("assistant", "", extra={"tool_calls": [sent("c7")]})
    assert reply(turn, "Wrong.") == Message("tool", "Wrong.", extra={"tool_call_id": "c7"})
    odd = Message("assistant", "", extra={"tool_calls": ["c7"]})
    assert reply(odd, "Wrong.").extra == {"tool_call_id": None}
    assert reply(Message("assistant", "{}"), "Wrong.") == Message("user", "Wrong.")
