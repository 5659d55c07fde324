"""Chat completions as the dialects share them: whatever came, read into one Completion.

Facts about the answers come from the vendors' pages and from captured responses: content may be
null or a list, unknown fields come and go, and an HTTP 200 may carry an error.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from extractify.dialects import verdicts
from extractify.dialects.failures import Answer, blocked, failure, named
from extractify.messages import Completion, JsonValue, Message, ToolCall, Usage
from extractify.profiles import REASONING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.dialects.verdicts import Table, Verdict


_UNKNOWN = Usage()


def parsed(answer: Answer) -> dict[str, Any]:
    """The body as a JSON object. Raises: EndpointError where it isn't one."""
    try:
        data: object = from_json(answer.body)
    except ValueError:
        data = _parsed_leniently(answer.text)
    if isinstance(data, list) and len(data) == 1:
        data = data[0]  # some gateways wrap an error in a list
    if isinstance(data, dict):
        return data
    raise failure(verdicts.NO_COMPLETION if answer.is_ok else of_status(answer), answer)


def _parsed_leniently(text: str) -> object:
    """Broken characters, a byte order mark, deep nesting."""
    try:
        data: object = json.loads(text)
        return _whole_characters(data) if "\\ud" in text or "\\uD" in text else data
    except (ValueError, RecursionError):
        return None


def of_status(answer: Answer) -> Verdict:
    """What the status alone stands for."""
    return verdicts.of_status(answer.status)


def _whole_characters(data: object) -> object:
    """Replace halves of surrogate pairs, which JSON can spell and no encoding can carry."""
    text = json.dumps(data, ensure_ascii=False)
    whole: object = json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    return whole


def check_error(
    answer: Answer, data: Mapping[str, Any], table: Table, known: Verdict | None = None
) -> None:
    """Raise what an `error`, or else a status that is none of success, stands for.

    The error may stand in the choice, and in an HTTP 200.
    """
    problem = data.get("error") or _choice(data).get("error")
    if isinstance(problem, dict):
        raise named(answer, problem, table, known)
    if problem or not answer.is_ok:
        detail = problem or data.get("message") or data.get("detail")
        raise failure(known or of_status(answer), answer, detail=detail)


def completion(answer: Answer, data: dict[str, Any]) -> Completion:
    """Read a chat completion that is no error.

    Raises: EndpointError where there is no answer in it, or a filter stopped it. MiniMax's
    sensitive flags come before empty `choices`, since they say why these are empty.
    """
    choice = _choice(data)
    message = choice.get("message")
    input_sensitive, output_sensitive = data.get("input_sensitive"), data.get("output_sensitive")
    if input_sensitive is True or output_sensitive is True:
        side = "input" if input_sensitive is True else "output"
        raise blocked(answer, side, data.get(f"{side}_sensitive_type"))
    if not isinstance(message, dict):
        raise failure(verdicts.NO_COMPLETION, answer)
    finish_reason = _string(choice.get("finish_reason"))
    if finish_reason == "content_filter":
        raise failure(verdicts.BLOCKED, answer, code=finish_reason)
    text = _text(message.get("content"))
    calls = _tool_calls(message.get("tool_calls"))
    base = data.get("base_resp")
    return Completion(
        text=text,
        finish_reason=finish_reason,
        usage=_usage(data.get("usage")),
        message=_replayed(text, message, calls),
        reasoning=_string(message.get("reasoning_content") or message.get("reasoning")),
        refusal=_string(message.get("refusal")),
        id=_string(data.get("id")),
        model=_string(data.get("model")),
        raw=data,
        tool_calls=calls,
        created=_count(data.get("created")),
        object=_string(data.get("object")),
        request_id=answer.request_id,
        input_sensitive=_flag(input_sensitive),
        output_sensitive=_flag(output_sensitive),
        base_resp=base if isinstance(base, dict) else None,
    )


def _choice(data: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    return choice if isinstance(choice, dict) else {}


def _replayed(text: str, message: Mapping[str, Any], calls: tuple[ToolCall, ...]) -> Message:
    """The turn as it may be sent back: content never null, no call that was written badly."""
    extra: dict[str, JsonValue] = {key: message[key] for key in REASONING if message.get(key)}
    whole = [call for call in calls if _is_object(call.arguments)]
    if whole and len(whole) == len(calls):
        extra["tool_calls"] = [_as_sent(call) for call in whole]
    return Message("assistant", text, extra=extra)


def _as_sent(call: ToolCall) -> JsonValue:
    function: dict[str, JsonValue] = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _tool_calls(data: object) -> tuple[ToolCall, ...]:
    if not data or not isinstance(data, list):
        return ()
    return tuple(call for call in map(_tool_call, data) if call is not None)


def _tool_call(data: object) -> ToolCall | None:
    function = data.get("function") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(function, dict):
        return None
    arguments = function.get("arguments")
    if isinstance(arguments, dict):  # some servers don't encode them
        arguments = json.dumps(arguments, ensure_ascii=False)
    name = function.get("name")
    if not isinstance(name, str) or not isinstance(arguments, str):
        return None
    return ToolCall(_string(data.get("id")) or "", name, arguments)


def _usage(data: object) -> Usage:
    if not isinstance(data, dict):
        return _UNKNOWN
    return Usage(
        prompt_tokens=_count(data.get("prompt_tokens")),
        completion_tokens=_count(data.get("completion_tokens")),
        total_tokens=_count(data.get("total_tokens")),
        cached_tokens=_count(_inside(data, "prompt_tokens_details", "cached_tokens")),
        reasoning_tokens=_count(_inside(data, "completion_tokens_details", "reasoning_tokens")),
    )


def _inside(data: Mapping[str, Any], key: str, name: str) -> object:
    details = data.get(key)
    return details.get(name) if isinstance(details, dict) else None


def _count(value: object) -> int | None:
    if value is None or type(value) is int:
        return value
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(content: object) -> str:
    """The text of a message, whether it is a string, null or a list of parts."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
