"""An answer in chunks: what each adds, and the whole that they come to.

The whole is put together as the body that an answer in one piece would have had, and the dialect
reads that: so both are judged alike, errors too. Facts about the chunks: a final one may carry the
whole message again, with the only true usage; usage may come without choices, or as a placeholder;
texts may come in pieces or whole each time; `[DONE]` may be missing; and the answer to a question
that asked for a stream may be plain JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from extractify.dialects.pieces import Pieces
from extractify.errors import EndpointError, InvalidResponse, TransportError
from extractify.messages import Completion
from extractify.sse import BOM, MAX_EVENT, Decoder, OverlongError, ServerEvent

Read: TypeAlias = Callable[[int, Mapping[str, str], bytes], Completion]
"""A dialect's own reading of an answer in one piece."""

_HEAD = 4096
_FIELDS = (b":", b"data", b"event", b"id", b"retry")
_REASONING = ("reasoning_content", "reasoning")
# What a chunk says of itself alone.
_OF_CHUNKS = frozenset({"choices", "usage", "object", "response", "error"})


@dataclass(frozen=True, slots=True)
class Delta:
    """What bytes added. arguments: of tool calls, by the position of the call."""

    content: str = field(default="", repr=False)
    reasoning: str = field(default="", repr=False)
    arguments: dict[int, str] = field(default_factory=dict, repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was added."""
        return not (self.content or self.reasoning or self.arguments)


class Assembly:
    """One answer, put together from what comes over the wire.

    tail: after the end, what no `feed` has told. Errors name no host: they are the dialect's.
    """

    def __init__(self, status: int, headers: Mapping[str, str], read: Read) -> None:
        self.tail = Delta()
        self._status, self._headers, self._read = status, headers, read
        self._decoder = Decoder()
        self._body: bytearray | None = None  # of an answer in one piece
        self._head = b""
        self._is_known = self._has_events = self._is_done = False
        self._message: dict[str, Any] = {}  # as a final chunk repeats it
        self._fields: dict[str, Any] = {}
        self._usage: Mapping[str, Any] | None = None
        self._finish_reason: str | None = None
        self._content, self._reasoning, self._refusal = Pieces(), Pieces(), ""
        self._details: dict[int, dict[str, Any]] = {}
        self._calls: list[dict[str, Any]] = []
        self._slots: dict[int, int] = {}

    def feed(self, chunk: bytes) -> Delta:
        """Take bytes. Raises: EndpointError that they tell, also in the middle of an answer."""
        if not self._is_known:
            chunk = self._sniffed(chunk)
        if self._body is not None:
            self._body += chunk
            if len(self._body) > MAX_EVENT:
                raise self._failure(bytes(self._body[:_HEAD]))
            return Delta()
        try:
            events = self._decoder.feed(chunk)
        except OverlongError:
            raise self._failure(self._head) from None
        return self._taken(events)

    def end(self) -> Completion:
        """The whole. Raises: TransportError where the answer just stops; EndpointError."""
        if self._body is not None:
            completion = self._read(self._status, self._headers, bytes(self._body))
            calls = getattr(completion, "tool_calls", ())
            arguments = {number: call.arguments for number, call in enumerate(calls)}
            self.tail = Delta(completion.text, completion.reasoning or "", arguments)
            return completion
        try:
            last = self._taken(self._decoder.end())
        except InvalidResponse:
            last = Delta()  # half a chunk
        head = self._head.removeprefix(BOM)
        begins = any(head.startswith(each) or each.startswith(head) for each in _FIELDS)
        if not self._has_events and not (head and begins):
            raise self._failure(self._head)
        if not (self._is_done or self._finish_reason or self._message):
            raise TransportError(
                "The answer broke off: its stream ended without a finish reason or [DONE]. "
                "Try again."
            )
        whole = self._message.get("content")
        rest = Delta(
            self._content.settled(whole if isinstance(whole, str) else ""),
            self._reasoning.settled(_first(self._message, _REASONING)),
        )
        if not self._calls:
            for call in _dicts(self._message.get("tool_calls")):
                self._take_call(call, last.arguments)
        self.tail = Delta(
            last.content + rest.content, last.reasoning + rest.reasoning, last.arguments
        )
        body = json.dumps(self._whole()).encode()
        return self._read(self._status, self._headers, body)

    # -- bytes

    def _sniffed(self, chunk: bytes) -> bytes:
        """See by its first character whether the answer is one piece of JSON, whatever it says."""
        self._head += chunk
        begun = self._head.removeprefix(BOM).lstrip()
        if not begun or BOM.startswith(self._head):
            return b""
        self._is_known = True
        if begun.startswith((b"{", b"[")):
            self._body = bytearray()
        whole, self._head = self._head, self._head[:_HEAD]
        return whole

    def _failure(self, body: bytes) -> EndpointError:
        """What the dialect says of a body that is no answer."""
        try:
            self._read(self._status, self._headers, body[:_HEAD])
        except EndpointError as error:
            return error
        return InvalidResponse(
            "The endpoint sent a stream that isn't a chat completion.", status=self._status
        )

    # -- events

    def _taken(self, events: list[ServerEvent]) -> Delta:
        content: list[str] = []
        reasoning: list[str] = []
        arguments: dict[int, str] = {}
        for event in events:
            self._has_events = True
            if self._is_done or not event.data.strip():
                continue
            if event.data.strip() == "[DONE]":
                self._is_done = True
                continue
            data = self._parsed(event)
            for choice in _dicts(data.get("choices")):
                said = self._said(choice, reasoning, arguments)
                content.append(said)
            if isinstance(data.get("response"), str):
                content.append(self._content.take(data["response"]))
        return Delta("".join(content), "".join(reasoning), arguments)

    def _parsed(self, event: ServerEvent) -> dict[str, Any]:
        """The chunk in an event. Raises: EndpointError where it is an error."""
        try:
            data: Any = json.loads(event.data)
        except (ValueError, RecursionError):
            raise self._failure(event.data.encode()) from None
        if (
            isinstance(data, dict)
            and "choices" not in data
            and isinstance(data.get("result"), dict)
        ):
            data = data["result"]
        if not isinstance(data, dict) or event.event == "error" or _is_suspect(data):
            self._check(event)
        if not isinstance(data, dict):
            return {}
        self._fields |= {k: v for k, v in data.items() if k not in _OF_CHUNKS and v is not None}
        usage = data.get("usage")
        if isinstance(usage, dict) and _counts(usage):
            self._usage = usage
        return data

    def _check(self, event: ServerEvent) -> None:
        """Raise the error that a chunk is, if it is one."""
        try:
            self._read(self._status, self._headers, event.data.encode(errors="replace"))
        except InvalidResponse:
            if event.event == "error":
                raise

    def _said(self, choice: dict[str, Any], reasoning: list[str], arguments: dict[int, str]) -> str:
        """Take what the first choice adds; return its content."""
        if choice.get("index"):
            return ""
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        message = choice.get("message")
        if isinstance(message, dict):
            self._message = message
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return ""
        refusal = delta.get("refusal")
        self._refusal += refusal if isinstance(refusal, str) else ""
        self._take_details(delta.get("reasoning_details"))
        thought = _first(delta, _REASONING) or _texts(delta.get("reasoning_details"))
        reasoning.append(self._reasoning.take(thought))
        for call in _dicts(delta.get("tool_calls")):
            self._take_call(call, arguments)
        content = delta.get("content")
        return self._content.take(_texts(content) if isinstance(content, list) else _str(content))

    def _take_details(self, details: object) -> None:
        for position, detail in enumerate(_dicts(details)):
            index = detail.get("index")
            index = index if isinstance(index, int) else position
            known = self._details.setdefault(index, {"text": Pieces()})
            known["text"].take(_str(detail.get("text")))
            known |= {key: value for key, value in detail.items() if key != "text"}

    def _take_call(self, call: dict[str, Any], arguments: dict[int, str]) -> None:
        """Add to the call that is meant: some servers give every call the same index."""
        index, name = call.get("index"), call.get("id")
        index = index if isinstance(index, int) else len(self._calls) - (not name)
        slot = self._slots.get(index, -1)
        if slot < 0 or (name and self._calls[slot]["id"] not in {"", name}):
            slot = self._slots[index] = len(self._calls)
            function: dict[str, str] = {"name": "", "arguments": ""}
            self._calls.append({"id": "", "type": "function", "function": function})
        known, said = self._calls[slot], call.get("function")
        known["id"] = known["id"] or _str(name)
        if isinstance(said, dict):
            piece = said.get("arguments")
            piece = json.dumps(piece) if isinstance(piece, dict) else _str(piece)
            known["function"]["name"] = known["function"]["name"] or _str(said.get("name"))
            known["function"]["arguments"] += piece
            if piece:
                arguments[slot] = arguments.get(slot, "") + piece

    def _whole(self) -> dict[str, Any]:
        """The body of the same answer in one piece."""
        message = {
            "role": "assistant",
            **self._message,
            "content": self._content.text,
            "reasoning_content": self._reasoning.text,
        }
        if self._details and not self._message.get("reasoning_details"):
            message["reasoning_details"] = [
                {**detail, "text": detail["text"].text} for detail in self._details.values()
            ]
        if self._refusal:
            message["refusal"] = self._refusal
        if self._calls:
            message["tool_calls"] = self._calls
        choice = {"index": 0, "finish_reason": self._finish_reason, "message": message}
        usage = {} if self._usage is None else {"usage": self._usage}
        return {**self._fields, "object": "chat.completion", "choices": [choice], **usage}


def _is_suspect(data: Mapping[str, Any]) -> bool:
    """Whether a chunk may be an error: the dialect tells."""
    base = data.get("base_resp")
    choices = list(_dicts(data.get("choices")))
    return (
        not choices
        or bool(data.get("error"))
        or any(choice.get("error") for choice in choices)
        or (isinstance(base, dict) and base.get("status_code") not in {None, 0, "0"})
        or data.get("success") is False
        or data.get("input_sensitive") is True
        or data.get("output_sensitive") is True
    )


def _counts(usage: Mapping[str, Any]) -> bool:
    """Whether a usage tells anything; some chunks carry an empty one."""
    return any(isinstance(value, int) and value > 0 for value in usage.values())


def _dicts(listed: object) -> list[dict[str, Any]]:
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _texts(parts: object) -> str:
    return "".join(_str(part.get("text")) for part in _dicts(parts))


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := _str(fields.get(name)))), "")


def _str(value: object) -> str:
    return value if isinstance(value, str) else ""
