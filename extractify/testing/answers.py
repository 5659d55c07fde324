"""What a scripted model answers, and how that travels: bodies, and frames of a stream."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pydantic_core import to_jsonable_python

from extractify.messages import JsonValue
from extractify.nodes import ENVELOPE, at, has_place
from extractify.patching import PATCH

Part: TypeAlias = bytes | float | Exception
"""Of a body on its way: bytes to send, seconds to wait, or how the connection ends."""
Final: TypeAlias = Literal["message", "usage", "none"]
_JSON = {"content-type": "application/json"}
_EVENTS = {"content-type": "text/event-stream"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came. path: behind the host. headers: names in lower case. body: the JSON."""

    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)

    @property
    def asked(self) -> Mapping[str, Any]:
        """The model's input: the body, or what `/ai/run` has inside it."""
        body = self.body if isinstance(self.body, dict) else {}
        inner = body.get("input")
        return inner if isinstance(inner, dict) and "messages" not in body else body

    @property
    def last_message(self) -> str:
        """The content of the last message."""
        return str(self.asked["messages"][-1]["content"])

    @property
    def tool(self) -> str | None:
        """The name of the tool whose arguments are to be the answer: the first one.

        None where a `response_format` says that the answer is text.
        """
        tools = self.asked.get("tools")
        if not tools or "response_format" in self.asked:
            return None
        return str(tools[0]["function"]["name"])

    @property
    def schema(self) -> Mapping[str, Any]:
        """What the answer should look like, as far as the request says so."""
        if self.tool is None:
            schema = self.asked.get("response_format", {}).get("json_schema", {}).get("schema")
        else:
            schema = self.asked["tools"][0]["function"].get("parameters")
        return schema if isinstance(schema, dict) else {}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer in full.

    body: bytes and text travel as they are, anything else as JSON. headers: beside the content
    type and the length. delay: seconds before the first byte.
    """

    body: JsonValue | bytes = field(default="", repr=False)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else encoded(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer on its way. is_http: whether it is any; then `parts` are all that is sent."""

    parts: tuple[Part, ...] = field(repr=False)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: _JSON)
    is_http: bool = True

    @property
    def content(self) -> bytes:
        """All the bytes of the body."""
        return b"".join(part for part in self.parts if isinstance(part, bytes))

    @property
    def streams(self) -> bool:
        """Whether it is a stream of events."""
        return self.headers.get("content-type") == _EVENTS["content-type"]

    def arriving(self) -> Iterator[bytes | float]:
        """The parts as a client gets them over a socket, with what it notices there.

        Raises: EOFError where the body ends before its length or isn't HTTP.
        """
        length = self.headers.get("content-length", "")
        left = int(length) if length.isdecimal() else None
        if not self.is_http or (length and left is None):
            raise EOFError("The answer isn't HTTP.")
        for part in self.parts:
            if left == 0:
                return
            if isinstance(part, Exception):
                raise part
            if left is None or not isinstance(part, bytes):
                yield part
            else:
                yield part[:left]
                left -= len(part[:left])
        if left:
            raise EOFError("The body ended before its length.")


def encoded(value: object) -> bytes:
    """JSON as it travels: compact, and not only ASCII."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def completion(
    content: JsonValue,
    *,
    finish_reason: str | None = "stop",
    message: Mapping[str, JsonValue] | None = None,
    **fields: JsonValue,
) -> dict[str, JsonValue]:
    """A body as M2.7 sends it. message: further fields of the message. fields: of the body."""
    turn: dict[str, JsonValue] = {
        "role": "assistant",
        "content": content,
        "name": "MiniMax AI",
        "audio_content": "",
        **(message or {}),
    }
    body: dict[str, JsonValue] = {
        "id": "0634f8d2a1",
        "object": "chat.completion",
        "created": 1774000000,
        "model": "MiniMax-M2.7",
        "choices": [{"index": 0, "finish_reason": finish_reason, "message": turn}],
        "usage": {
            "prompt_tokens": 120,
            "completion_tokens": 40,
            "total_tokens": 160,
            "prompt_tokens_details": {"cached_tokens": 64},
            "completion_tokens_details": {"reasoning_tokens": 15},
        },
        "input_sensitive": False,
        "output_sensitive": False,
        "input_sensitive_type": 0,
        "output_sensitive_type": 0,
        "base_resp": {"status_code": 0, "status_msg": ""},
    }
    return {**body, **fields}


def reply_to(seen: Seen, answer: object) -> Reply:
    """Write an answer as the request asked for it: in an envelope, as a tool call, as a stream."""
    if isinstance(answer, Exception):
        return Reply((answer,))
    if isinstance(answer, Answer):
        content = answer.content
        headers = {**_JSON, **{name.lower(): value for name, value in answer.headers.items()}}
        parts: tuple[Part, ...] = (answer.delay, content) if answer.delay else (content,)
        return Reply(parts, answer.status, headers)
    body = _completed(seen, answer)
    if seen.asked.get("stream") is True:
        return Reply(tuple(frames(body)), headers=_EVENTS)
    return Reply((encoded(body),))


def _completed(seen: Seen, answer: object) -> dict[str, JsonValue]:
    if isinstance(answer, str):
        return completion(answer)
    text = encoded(_as_asked(seen.schema, to_jsonable_python(answer, by_alias=True))).decode()
    if seen.tool is None:
        return completion(text)
    call: JsonValue = {
        "id": "call_0634f8d2a1",
        "type": "function",
        "function": {"name": seen.tool, "arguments": text},
    }
    return completion("", finish_reason="tool_calls", message={"tool_calls": [call]})


def _as_asked(schema: Mapping[str, Any], value: JsonValue) -> JsonValue:
    """Put the value in the envelope that the request asks for, or pick the values of a patch."""
    properties = schema.get("properties") or {}
    keys = list(properties)
    if keys == [PATCH] and not (isinstance(value, dict) and list(value) == [PATCH]):
        pointers = properties[PATCH].get("properties", {})
        return {PATCH: {each: at(value, each) for each in pointers if has_place(value, each)}}
    if keys != [ENVELOPE] or (isinstance(value, dict) and _fits(schema, value)):
        return value
    return {ENVELOPE: value}


def _fits(schema: Mapping[str, Any], value: dict[str, JsonValue]) -> bool:
    """Whether a value that looks enveloped is what the schema asks for: it may have such a key."""
    if list(value) != [ENVELOPE]:
        return False
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema).is_valid(value)


def frames(body: Mapping[str, Any], *, final: Final = "message", size: int = 24) -> Iterator[bytes]:
    """A completion as the server-sent events of M2.7, each with what is odd about it there.

    final: how the last one tells the usage: with the whole message once more, alone, or not at
    all. size: characters of a chunk.
    """
    choice = body["choices"][0]
    message = choice["message"]
    base = {key: body[key] for key in ("id", "created", "model")} | {
        "object": "chat.completion.chunk"
    }

    def chunk(delta: Mapping[str, Any], finish_reason: str | None = None) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
        # The usage is a placeholder, and the role is empty, until the end.
        return event({**base, "choices": choices, "usage": {"total_tokens": 0}})

    yield chunk({"role": "assistant", "content": ""})
    for key in ("reasoning_content", "content"):
        for piece in _pieces(message.get(key) or "", size):
            yield chunk({"role": "", key: piece})
    for index, call in enumerate(message.get("tool_calls") or ()):
        function = call["function"]
        opened = {**call, "index": index, "function": {**function, "arguments": ""}}
        yield chunk({"role": "", "tool_calls": [opened]})
        for piece in _pieces(function["arguments"], size):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, choice["finish_reason"])
    if final == "message":
        yield event(body)
    elif final == "usage":
        yield event({**base, "choices": [], "usage": body["usage"]})
    yield b"data: [DONE]\n\n"


def event(data: object) -> bytes:
    """One server-sent event."""
    return b"data: " + encoded(data) + b"\n\n"


def _pieces(text: str, size: int) -> Iterable[str]:
    return (text[start : start + size] for start in range(0, len(text), size))
