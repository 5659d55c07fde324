"""The chat-completions language that the dialects share: bodies written, answers and errors read.

Facts about the answers come from the vendors' pages and from captured responses: content may be
null or a list, unknown fields come and go, and an HTTP 200 may carry an error.
"""

from __future__ import annotations

import email.utils
import json
import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from extractify import errors
from extractify.messages import Completion, JsonValue, Message, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.messages import Request
    from extractify.profiles import Profile

_REPLAYED = ("reasoning_content", "reasoning_details")
_CONTEXT_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error"})
_CONTEXT_WORDS = re.compile(r"context (?:window|length|size)", re.IGNORECASE)
_QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_KINDS: dict[int, type[errors.EndpointError]] = {
    HTTPStatus.PAYMENT_REQUIRED: errors.QuotaExceeded,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: errors.ContextTooLong,
    HTTPStatus.TOO_MANY_REQUESTS: errors.RateLimited,
}
_NEXT_STEP: dict[type[errors.EndpointError], str] = {
    errors.AuthenticationError: "refused the credentials. Check the API key and what it may do",
    errors.RateLimited: "limits the rate. Slow down, or raise the limit with the vendor",
    errors.QuotaExceeded: "says the quota is used up. Check the account's balance and limits",
    errors.InvalidRequest: "doesn't take this request. Check the model's name and the parameters",
    errors.ContextTooLong: (
        "says the document doesn't fit into the model's context. Split it, or use a model with "
        "a larger context"
    ),
    errors.Overloaded: "is out of order or out of capacity. Try again later",
    errors.ContentBlocked: "blocked the content. Look at its filter, or leave the passage out",
    errors.InvalidResponse: (
        "sent something that isn't a chat completion. Check the URL and what stands in between"
    ),
}


def fields(request: Request, profile: Profile) -> dict[str, JsonValue]:
    """The body of a request but for the response format, which is encoded already."""
    body: dict[str, JsonValue] = {**request.extra}
    body["messages"] = [_written(message) for message in request.messages]
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.max_tokens is not None:
        body[profile.output_tokens_field] = request.max_tokens
    return body


def encoded(body: Mapping[str, JsonValue], request: Request) -> str:
    """The body as JSON text, the response format spliced in as it was encoded once."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    asked = request.response_format
    if asked is None:
        return text
    schema = f'{{"name":{json.dumps(asked.name)},"schema":{asked.encoded}}}'
    return f'{text[:-1]},"response_format":{{"type":"json_schema","json_schema":{schema}}}}}'


def _written(message: Message) -> JsonValue:
    name: dict[str, JsonValue] = {"name": message.name} if message.name else {}
    return {"role": message.role, "content": message.content, **name, **message.extra}


def parsed(status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The body as a JSON object. Raises: EndpointError where it isn't one."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, list) and len(data) == 1:
        data = data[0]  # some gateways wrap an error in a list
    if isinstance(data, dict):
        return data
    kind = errors.InvalidResponse if _is_ok(status) else kind_of(status)
    raise failure(kind, status, headers)


def completion(status: int, headers: Mapping[str, str], data: dict[str, Any]) -> Completion:
    """Read a chat completion. Raises: EndpointError where the object is an error or has no answer.

    An HTTP 200 with an `error` in it is an error.
    """
    problem = data.get("error")
    if problem or not _is_ok(status):
        raise _told(status, headers, data, problem)
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise failure(errors.InvalidResponse, status, headers)
    if choice.get("finish_reason") == "content_filter":
        raise failure(errors.ContentBlocked, status, headers, code="content_filter")
    text = _text(message.get("content"))
    replayed = {key: message[key] for key in _REPLAYED if message.get(key)}
    return Completion(
        text=text,
        finish_reason=_string(choice.get("finish_reason")),
        usage=_usage(data.get("usage")),
        message=Message("assistant", text, extra=replayed),
        reasoning=_string(message.get("reasoning_content") or message.get("reasoning")),
        refusal=_string(message.get("refusal")),
        id=_string(data.get("id")),
        model=_string(data.get("model")),
        raw=data,
    )


def failure(  # the fields of an error, by keyword
    kind: type[errors.EndpointError],
    status: int,
    headers: Mapping[str, str],
    *,
    code: object = None,
    detail: object = "",
) -> errors.EndpointError:
    """Make a typed error with a message that says what to do and quotes nothing."""
    request_id = headers.get("x-request-id") or headers.get("cf-ray")
    facts = [f"HTTP {status}"]
    if code is not None:
        facts.append(f"code {code}")
    if request_id:
        facts.append(f"request {request_id}")
    hint = " Its own words are in `detail`." if detail else ""
    return kind(
        f"The endpoint {_NEXT_STEP[kind]} ({', '.join(facts)}).{hint}",
        status=status,
        code=None if code is None else str(code),
        detail=str(detail),
        request_id=request_id,
        retry_after=_retry_after(headers),
    )


def kind_of(status: int) -> type[errors.EndpointError]:
    """The error that an HTTP status alone stands for."""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return errors.AuthenticationError
    if status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT}:
        return errors.Overloaded
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return errors.Overloaded
    return _KINDS.get(status, errors.InvalidRequest)


def _told(
    status: int, headers: Mapping[str, str], data: Mapping[str, Any], problem: object
) -> errors.EndpointError:
    """The error that a body in OpenAI's style speaks of."""
    if not isinstance(problem, dict):
        detail = problem or data.get("message") or data.get("detail") or ""
        return failure(kind_of(status), status, headers, detail=detail)
    code, detail = problem.get("code"), str(problem.get("message", ""))
    # In an HTTP 200 the code is all that tells the status.
    stated = code if _is_ok(status) and isinstance(code, int) else status
    kind = kind_of(stated)
    names = {str(code), str(problem.get("type"))}
    if names & _CONTEXT_CODES or _CONTEXT_WORDS.search(detail):
        kind = errors.ContextTooLong
    elif names & _QUOTA_CODES:
        kind = errors.QuotaExceeded
    elif "content_filter" in names:
        kind = errors.ContentBlocked
    return failure(kind, status, headers, code=code or problem.get("type"), detail=detail)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: `retry-after-ms`, or `retry-after` in seconds or as a date."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        if "retry-after" in headers:
            return max(0.0, float(headers["retry-after"]))
    except ValueError:
        date = email.utils.parsedate_tz(headers.get("retry-after", ""))
        if date is not None:
            return max(0.0, email.utils.mktime_tz(date) - time.time())
    return None


def _usage(data: object) -> Usage:
    if not isinstance(data, dict):
        return Usage()
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
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value)


def _text(content: object) -> str:
    """The text of a message, whether it is a string, null or a list of parts."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _is_ok(status: int) -> bool:
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
