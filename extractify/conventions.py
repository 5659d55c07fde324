"""OpenTelemetry's semantic conventions for generative AI: names, and what stands under them.

They are still in development there, so what they call things stands here and nowhere else. Nothing
here imports OpenTelemetry.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from extractify.errors import EndpointError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from extractify.endpoints import Endpoint
    from extractify.events import RetryScheduled
    from extractify.messages import Completion, Image, JsonValue, Message, Request

Attributes: TypeAlias = "dict[str, str | bool | int | float | Sequence[str]]"

DURATION = "gen_ai.client.operation.duration"
DURATION_BOUNDARIES = [0.01 * 2**step for step in range(14)]  # seconds
TOKENS = "gen_ai.client.token.usage"
TOKENS_BOUNDARIES = [4**step for step in range(14)]
TOKENS_TYPE = "gen_ai.token.type"
INPUT = "gen_ai.input.messages"
OUTPUT = "gen_ai.output.messages"
RESPONSE_MODEL = "gen_ai.response.model"
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"  # seconds
ERROR = "error.type"
CHAT = "chat"

# Of our own, where the conventions have no word.
TARGET = "extractify.target"
ATTEMPTS = "extractify.attempts"
VALID = "extractify.valid"
RETRY = "extractify.retry"

_STATUS = "http.response.status_code"
_PAUSE = "extractify.retry.seconds"
_FINISH_REASONS = {"tool_calls": "tool_call"}
_PROVIDERS_BY_HOST = {
    "api.anthropic.com": "anthropic",
    "api.groq.com": "groq",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "openai.azure.com": "azure.ai.openai",
}
_PROVIDERS_BY_DIALECT = {"workers_ai": "cloudflare", "cloudflare_run": "cloudflare"}


def of_exchange(endpoint: Endpoint, request: Request) -> Attributes:
    """What spans and metrics of an exchange have in common."""
    url = urlsplit(endpoint.url)
    told: Attributes = {
        "gen_ai.operation.name": CHAT,
        "gen_ai.provider.name": _provider(endpoint.dialect, url.hostname),
        "gen_ai.request.model": request.model,
    }
    if url.hostname:
        told["server.address"] = url.hostname
        told["server.port"] = url.port or (443 if url.scheme == "https" else 80)
    return told


def _provider(dialect: str, host: str | None) -> str:
    """Who runs the endpoint, or else whose API it speaks."""
    if host is None:
        return "local"
    for name, provider in _PROVIDERS_BY_HOST.items():
        if f".{host}".endswith(f".{name}"):
            return provider
    return _PROVIDERS_BY_DIALECT.get(dialect, dialect)


def of_request(request: Request) -> Attributes:
    """What a span says of a request, its content left out."""
    return _known(
        {
            "gen_ai.output.type": "json",
            "gen_ai.request.max_tokens": request.max_tokens,
            "gen_ai.request.stream": request.stream or None,
            "gen_ai.request.temperature": request.temperature,
            "gen_ai.request.top_p": request.parameters.top_p,
        }
    )


def of_completion(completion: Completion) -> Attributes:
    """What a span says of an answer, its content left out."""
    usage, reason = completion.usage, completion.finish_reason
    return _known(
        {
            "gen_ai.response.id": completion.id,
            RESPONSE_MODEL: completion.model,
            "gen_ai.response.finish_reasons": None if reason is None else [reason],
            "gen_ai.usage.input_tokens": usage.prompt_tokens,
            "gen_ai.usage.output_tokens": usage.completion_tokens,
            "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
            "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
        }
    )


def of_error(error: BaseException) -> Attributes:
    """What a span says of a failure: its class, and the HTTP status if there was one."""
    status = error.status if isinstance(error, EndpointError) else None
    return _known({ERROR: type(error).__name__, _STATUS: status})


def of_retry(event: RetryScheduled) -> Attributes:
    """What is noted of an exchange that is repeated. The pause is in seconds."""
    return _known({ERROR: event.error, _STATUS: event.status, _PAUSE: event.seconds})


def _known(told: Mapping[str, Any]) -> Attributes:
    return {name: value for name, value in told.items() if value is not None}


def input_messages(request: Request) -> str:
    """What was asked, as the conventions' JSON. It holds the document."""
    return json.dumps([_message(each) for each in request.messages])


def output_messages(completion: Completion) -> str:
    """What was answered, as the conventions' JSON, thoughts and tool calls included."""
    texts = [
        ("reasoning", completion.reasoning),
        ("text", completion.text),
        ("refusal", completion.refusal),
    ]
    parts: list[JsonValue] = [{"type": kind, "content": text} for kind, text in texts if text]
    parts += [
        {"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments}
        for call in completion.tool_calls
    ]
    reason = completion.finish_reason or "unknown"
    reason = _FINISH_REASONS.get(reason, reason)
    return json.dumps([{"role": "assistant", "parts": parts, "finish_reason": reason}])


def _message(message: Message) -> JsonValue:
    parts: list[JsonValue] = [{"type": "text", "content": message.content}]
    return {"role": message.role, "parts": parts + [_picture(each) for each in message.images]}


def _picture(image: Image) -> JsonValue:
    scheme, _, rest = image.url.partition(":")
    if scheme != "data":
        return {"type": "uri", "modality": "image", "uri": image.url}
    kind, _, data = rest.partition(",")
    kind = kind.partition(";")[0]
    return {"type": "blob", "modality": "image", "mime_type": kind, "content": data}
