"""The wire-neutral words of a conversation: what is asked, what came back, what was wrong with it.

Everything here is a frozen value that pickles. Nothing here knows of an endpoint, a schema or HTTP.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from extractify.rates import Rate

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
N = TypeVar("N", int, float)

Strategy: TypeAlias = Literal["ask", "patch", "continue", "regenerate"]
Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
Structure: TypeAlias = Literal["native", "tool", "prompt"]
"""How JSON is asked for: by `response_format`, as a tool's arguments, or in the prompt alone."""
ToolChoice: TypeAlias = Literal["none", "auto", "required"]

GOT_LIMIT = 60
"""Longest `got` of a Problem or a Fix, in characters."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of a message. url: http, https or data; it is passed on and never fetched."""

    url: str = field(repr=False)

    @classmethod
    def of(cls, data: bytes, media_type: str = "image/png") -> Image:
        """Put the picture itself into a data URL."""
        return cls(f"data:{media_type};base64,{b64encode(data).decode('ascii')}")


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation. Its repr leaves out what was said.

    extra: vendor fields that travel with the message as they are, such as the reasoning that an
    endpoint wants replayed. images: shown after the text, where the endpoint takes any.
    """

    role: Role
    content: str = field(repr=False)
    name: str | None = None
    extra: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The JSON Schema an answer is asked to follow, as it travels.

    encoded: `schema` as compact JSON text, made once per target and profile. strict: whether the
    endpoint is told to hold the model to it.
    """

    name: str
    schema: Mapping[str, JsonValue] = field(repr=False)
    encoded: str = field(repr=False)
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call. parameters: a JSON Schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model asks for. arguments: JSON text as the model wrote it, maybe broken."""

    id: str
    name: str
    arguments: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a chat-completions request may say besides its messages, each by its own name.

    None or empty leaves a choice to the endpoint. top_p: 0 to 1. tools, tool_choice: functions of
    your own beside the answer. response_format: sent instead of the one made of the target.
    mask_sensitive_info: lets MiniMax replace names, addresses and numbers by `***`, which spoils
    what is to be extracted. structure: how JSON is asked for; None is as the profile says.
    """

    top_p: float | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    response_format: Mapping[str, JsonValue] | None = None
    mask_sensitive_info: bool = False
    structure: Structure | None = None


DEFAULT_PARAMETERS = Parameters()


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model: messages and parameters, no credentials, no URL.

    temperature and max_tokens: already fitted to the endpoint's profile; None leaves the choice to
    the endpoint. extra: vendor parameters, sent as they are. structure: how `response_format`
    travels. stream: ask for server-sent events; include_usage: with the usage in the last of them.
    """

    model: str
    messages: tuple[Message, ...]
    response_format: ResponseFormat | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    extra: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
    parameters: Parameters = DEFAULT_PARAMETERS
    structure: Structure = "native"
    stream: bool = False
    include_usage: bool | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and money (`cost`, in the currency of the endpoint's prices). None means unknown.

    Reasoning tokens are part of the completion tokens, cached tokens part of the prompt tokens.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None

    @classmethod
    def total(cls, usages: Iterable[Usage]) -> Usage:
        """Sum them field by field; what is unknown in one is unknown in the sum."""
        parts = tuple(usages)
        if len(parts) == 1:  # as nearly always, and many are asked for
            return parts[0]
        return cls(
            prompt_tokens=_sum(part.prompt_tokens for part in parts),
            completion_tokens=_sum(part.completion_tokens for part in parts),
            total_tokens=_sum(part.total_tokens for part in parts),
            cached_tokens=_sum(part.cached_tokens for part in parts),
            reasoning_tokens=_sum(part.reasoning_tokens for part in parts),
            cost=_sum(part.cost for part in parts),
        )


def _sum(numbers: Iterable[N | None]) -> N | None:
    total: N | None = None
    for number in numbers:
        if number is None:
            return None
        total = number if total is None else total + number
    return total


@dataclass(frozen=True, slots=True)
class Prices:
    """What an endpoint charges per million tokens, in one currency. cached: None is as `input`."""

    input: float
    output: float
    cached: float | None = None

    def cost(self, usage: Usage) -> float | None:
        """What the tokens cost; None where the endpoint didn't say how many there were."""
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        hits = usage.cached_tokens or 0
        cached = self.input if self.cached is None else self.cached
        fresh = (usage.prompt_tokens - hits) * self.input
        return (fresh + hits * cached + usage.completion_tokens * self.output) / 1_000_000


@dataclass(frozen=True, slots=True)
class Timing:
    """When an answer that streamed came, in seconds since its request; None where it never did.

    first_token: of the answer or the thoughts before it. first_field: the first complete one.
    """

    first_token: float | None = None
    first_field: float | None = None
    last_token: float | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer: its text and all that came with it.

    text: the content, "" where there was none. refusal: the model's own words when it declined.
    message: the assistant's turn as it has to be replayed. raw: the body as it came. request_id:
    of the exchange, from the headers, for the vendor's support. input_sensitive, output_sensitive,
    base_resp: as MiniMax says them. timing: of an answer that streamed. rate: what the headers say
    that the endpoint bears, where they do.
    """

    text: str = field(repr=False)
    finish_reason: str | None = None
    usage: Usage = Usage()
    message: Message = Message("assistant", "")
    reasoning: str | None = field(default=None, repr=False)
    refusal: str | None = field(default=None, repr=False)
    id: str | None = None
    model: str | None = None
    raw: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
    tool_calls: tuple[ToolCall, ...] = ()
    created: int | None = None
    object: str | None = None
    request_id: str | None = None
    input_sensitive: bool | None = None
    output_sensitive: bool | None = None
    base_resp: Mapping[str, JsonValue] | None = field(default=None, repr=False)
    timing: Timing | None = None
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an answer, and where.

    pointer: JSON pointer into the value ("" is the whole). kind: a stable word for programs, such
    as "missing" or pydantic's error type. expected: for the reader. got: at most 60 characters of
    the offending value, as JSON; "" where nothing was there.
    """

    pointer: str
    kind: str
    expected: str
    got: str = field(default="", repr=False)

    def __str__(self) -> str:
        """`/items/3/price: expected a number; got "twelve"`."""
        got = f"; got {self.got}" if self.got else ""
        return f"{self.pointer or '/'}: {self.expected}{got}"


@dataclass(frozen=True, slots=True)
class Fix:
    """What reading had to mend to get at the value, and where; `got` is what stood there."""

    pointer: str
    kind: str
    got: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One Request, its Completion and what reading it showed. seconds: wall time of the exchange.

    problems: empty exactly when this attempt gave the value. strategy: what was asked for, the
    whole for the first time or again, a patch of what was wrong, or what was missing of an answer
    that was cut off. endpoint: the name of who answered.
    """

    request: Request
    completion: Completion
    problems: tuple[Problem, ...]
    fixes: tuple[Fix, ...]
    seconds: float
    strategy: Strategy = "ask"
    endpoint: str = ""

    @property
    def usage(self) -> Usage:
        """What this attempt cost."""
        return self.completion.usage

    @property
    def first_token(self) -> float | None:
        """Seconds until the answer, or the thought before it, began; None if it didn't stream."""
        timing = self.completion.timing
        return None if timing is None else timing.first_token

    @property
    def first_field(self) -> float | None:
        """Seconds until the first complete field of the value; None if it didn't stream."""
        timing = self.completion.timing
        return None if timing is None else timing.first_field

    @property
    def tokens_per_second(self) -> float | None:
        """Completion tokens a second from the first one on; None where that isn't known."""
        timing, tokens = self.completion.timing, self.usage.completion_tokens
        if timing is None or timing.first_token is None or tokens is None:
            return None
        seconds = (timing.last_token or 0.0) - timing.first_token
        return tokens / seconds if seconds > 0 else None


def clipped(text: str, limit: int = GOT_LIMIT) -> str:
    """Cut a text to `limit` characters, the last one an ellipsis if anything was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
