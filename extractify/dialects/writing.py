"""A chat-completions body, as the dialects share it: messages, parameters, the answer's shape."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from extractify.errors import DocumentError
from extractify.messages import Message
from extractify.profiles import REASONING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extractify.messages import Image, JsonValue, Request, ResponseFormat, Tool
    from extractify.profiles import Profile

_IMAGE_URL = re.compile(r"https?://[!-~]+|data:image/[\w.+-]+;base64,[A-Za-z0-9+/]+=*")

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_HOW_IT_ARRIVES = ("stream", "stream_options")


def body(request: Request, profile: Profile) -> bytes:
    """Write a body with the model in it. Raises: DocumentError on a picture nobody would see."""
    return encoded({**request.extra, "model": request.model}, request, profile)


def encoded(first: dict[str, Any], request: Request, profile: Profile) -> bytes:
    """Write a body that begins with `first`; what the request says itself wins over it."""
    data = first
    for name in _HOW_IT_ARRIVES:
        data.pop(name, None)
    data["messages"] = _turns(request.messages, profile)
    if request.temperature is not None:
        data["temperature"] = request.temperature
    if request.max_tokens is not None:
        for name in ("max_tokens", "max_completion_tokens"):
            data.pop(name, None)  # endpoints take one of them
        data[profile.output_tokens_field] = request.max_tokens
    _add_parameters(data, request)
    asked = request.response_format
    if asked is not None and request.structure == "tool":
        _add_answer_tool(data, asked, profile)
    spliced = asked is not None and request.structure == "native"
    if spliced:
        data.pop("response_format", None)
    given = request.parameters.response_format
    if given is not None:
        data["response_format"] = given
    body = _written(data)
    if asked is not None and spliced and given is None:
        return body[:-1] + _spliced(
            asked.name, '"strict":true,' if asked.strict else "", asked.encoded
        )
    return body


@lru_cache(maxsize=64)
def _spliced(name: str, strict: str, schema: str) -> bytes:
    """The end of a body, which is the same for all requests of a target and a profile."""
    form = f'{{"name":{json.dumps(name)},{strict}"schema":{schema}}}'
    end = f',"response_format":{{"type":"json_schema","json_schema":{form}}}}}'
    return end.encode(errors="replace")


def _written(data: dict[str, Any]) -> bytes:
    try:
        return to_json(data)
    except ValueError:
        # A repair turn may quote half a character out of an answer; no encoding takes that.
        return _ENCODER.encode(data).encode(errors="replace")


def _add_parameters(data: dict[str, Any], request: Request) -> None:
    given = request.parameters
    if given.top_p is not None:
        data["top_p"] = given.top_p
    if given.tools:
        data["tools"] = [_function(tool) for tool in given.tools]
    if given.tool_choice is not None:
        data["tool_choice"] = given.tool_choice
    if given.mask_sensitive_info:
        data["mask_sensitive_info"] = True
    if request.stream:
        data["stream"] = True
        if request.include_usage is not None:
            data["stream_options"] = {"include_usage": request.include_usage}


def _add_answer_tool(data: dict[str, Any], asked: ResponseFormat, profile: Profile) -> None:
    """Ask for the answer as the arguments of a tool; insist on it where that is allowed."""
    data.pop("response_format", None)
    function = {
        "name": asked.name,
        "description": "Give the answer. Call this once, with all of it.",
        "parameters": asked.schema,
    }
    data["tools"] = [{"type": "function", "function": function}, *data.get("tools", ())]
    choice = "required" if "required" in profile.tool_choices else "auto"
    data.setdefault("tool_choice", choice)


def _function(tool: Tool) -> JsonValue:
    function: dict[str, JsonValue] = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": function}


def _turns(messages: tuple[Message, ...], profile: Profile) -> list[JsonValue]:
    if profile.single_system and any(message.role == "system" for message in messages[1:]):
        messages = _one_system(messages)
    return [_turn(message, profile) for message in messages]


def _one_system(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Put all that the system messages say into one, which leads."""
    said = [message.content for message in messages if message.role == "system"]
    others = [message for message in messages if message.role != "system"]
    return (Message("system", "\n\n".join(said)), *others)


def _turn(message: Message, profile: Profile) -> JsonValue:
    turn: dict[str, JsonValue] = {"role": message.role, "content": message.content}
    if message.name:
        turn["name"] = message.name
    if message.images:
        turn["content"] = _parts(message, profile)
    for key, value in message.extra.items():
        if key == "tool_calls" and isinstance(value, list):
            turn[key] = list(_without_index(value))
        elif key not in REASONING or key in profile.replayed:
            turn[key] = value
    return turn


def _without_index(calls: Iterable[JsonValue]) -> Iterable[JsonValue]:
    """MiniMax answers with an `index` in each call, and takes none back."""
    for call in calls:
        if isinstance(call, dict):
            yield {key: value for key, value in call.items() if key != "index"}


def _parts(message: Message, profile: Profile) -> list[JsonValue]:
    if not profile.images:
        raise DocumentError(
            f"The endpoint's model looks at no pictures (profile {profile.name!r}), so an answer "
            "would be made up. Send the text, or use an endpoint whose profile has images=True."
        )
    text: list[JsonValue] = [{"type": "text", "text": message.content}] if message.content else []
    return [*text, *(_picture(image) for image in message.images)]


def _picture(image: Image) -> JsonValue:
    if not _IMAGE_URL.fullmatch(image.url):
        raise DocumentError(
            "An Image takes a URL that begins with https://, http:// or data:image/…;base64, and "
            "has no spaces. Image.of(data, media_type) makes one of a picture's bytes."
        )
    return {"type": "image_url", "image_url": {"url": image.url}}
