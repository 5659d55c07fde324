"""Answers that come as the arguments of a tool, and how such a turn is replied to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from extractify.messages import Message

if TYPE_CHECKING:
    from extractify.messages import Completion, JsonValue, Request, ToolCall


def unpacked(completion: Completion, request: Request) -> Completion:
    """Take the answer out of the call that was asked for; prose instead of a call stays as it is.

    Only that call goes back in a repair turn, and none whose arguments are broken.
    """
    call = _answering(completion, request)
    if call is None:
        return completion
    extra = dict(completion.message.extra)
    replayable = extra.pop("tool_calls", None)
    sent_back = replayable if isinstance(replayable, list) else []
    ours = [each for each in sent_back if _id(each) == call.id]
    if ours and call.id:
        extra["tool_calls"] = ours[:1]
    message = replace(completion.message, extra=extra)
    return replace(completion, text=call.arguments, message=message)


def reply(answer: Message, text: str) -> Message:
    """What is said about an answer: to the tool call, if it was one, else as the user."""
    calls = answer.extra.get("tool_calls")
    if isinstance(calls, list) and calls:
        return Message("tool", text, extra={"tool_call_id": _id(calls[0])})
    return Message("user", text)


def _answering(completion: Completion, request: Request) -> ToolCall | None:
    asked, calls = request.response_format, completion.tool_calls
    if request.structure != "tool" or asked is None or not calls:
        return None
    named = next((call for call in calls if call.name == asked.name), None)
    # Where ours is the only tool, a call under another name can mean no other.
    return named or (None if request.parameters.tools else calls[0])


def _id(call: JsonValue) -> JsonValue:
    return call.get("id") if isinstance(call, dict) else None
