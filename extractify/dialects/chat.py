"""The chat-completions language that the dialects share: bodies written, answers and errors read.

Facts about the answers come from the vendors' pages and from captured responses: content may be
null or a list, unknown fields come and go, and an HTTP 200 may carry an error.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from extractify import errors
from extractify.messages import Completion, JsonValue, Message, Usage, clipped

if TYPE_CHECKING:
    from extractify.messages import Request
    from extractify.profiles import Profile

DETAIL_LIMIT = 2000
"""Longest `detail` of an error, in characters: an endpoint may send back the whole request."""

_REPLAYED = ("reasoning_content", "reasoning_details")
_CONTEXT_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error"})
_CONTEXT_WORDS = re.compile(r"context (?:window|length|size)", re.IGNORECASE)
_QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_STATUSES = range(400, 600)
_LONGEST_CODE = 9
_PLAIN = re.compile(r"[\w.:-]{1,64}")
_KINDS: dict[int, type[errors.EndpointError]] = {
    HTTPStatus.PAYMENT_REQUIRED: errors.QuotaExceeded,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: errors.ContextTooLong,
    HTTPStatus.TOO_MANY_REQUESTS: errors.RateLimited,
}
_NEXT_STEP: dict[type[errors.EndpointError], str] = {
    errors.AuthenticationError: "refused the credentials. Check the API key and what it may do",
    errors.RateLimited: "limits the rate. Slow down, or raise the limit with the vendor",
    errors.QuotaExceeded: "says the quota is used up. Check the account's balance and limits",
    errors.InvalidRequest: (
        "doesn't take this request. Check the URL, the model's name and the parameters"
    ),
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


def written(request: Request, profile: Profile) -> bytes:
    """Write a body. What the request says itself wins over a vendor parameter of that name."""
    body = {**request.extra, "model": request.model}
    body["messages"] = [_turn(message) for message in request.messages]
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.max_tokens is not None:
        body[profile.output_tokens_field] = request.max_tokens
    asked = request.response_format
    if asked is not None:
        body.pop("response_format", None)
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    if asked is not None:
        # Spliced in as it was encoded once, for a target and a profile.
        strict = '"strict":true,' if asked.strict else ""
        schema = f'{{"name":{json.dumps(asked.name)},{strict}"schema":{asked.encoded}}}'
        text = f'{text[:-1]},"response_format":{{"type":"json_schema","json_schema":{schema}}}}}'
    # A repair turn may quote half a character out of an answer; no encoding takes that.
    return text.encode(errors="replace")


def _turn(message: Message) -> JsonValue:
    name: dict[str, JsonValue] = {"name": message.name} if message.name else {}
    return {"role": message.role, "content": message.content, **name, **message.extra}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, whatever is in it."""
        return self.body.decode("utf-8-sig", "replace")

    @property
    def is_ok(self) -> bool:
        """Whether the status is a success; the body may still tell an error."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


def parsed(answer: Answer) -> dict[str, Any]:
    """The body as a JSON object. Raises: EndpointError where it isn't one."""
    text = answer.text
    try:
        data: object = json.loads(text)
        if "\\ud" in text or "\\uD" in text:
            data = _whole_characters(data)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, list) and len(data) == 1:
        data = data[0]  # some gateways wrap an error in a list
    if isinstance(data, dict):
        return data
    kind = errors.InvalidResponse if answer.is_ok else kind_of(answer.status)
    raise failure(kind, answer)


def _whole_characters(data: object) -> object:
    """Replace halves of surrogate pairs, which JSON can spell and no encoding can carry."""
    text = json.dumps(data, ensure_ascii=False)
    whole: object = json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    return whole


def completion(answer: Answer, data: dict[str, Any]) -> Completion:
    """Read a chat completion. Raises: EndpointError where the object is an error or has no answer.

    An HTTP 200 with an `error` in it is an error.
    """
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    choice = choice if isinstance(choice, dict) else {}
    problem = data.get("error") or choice.get("error")
    if isinstance(problem, dict):
        raise told(answer, problem)
    if problem or not answer.is_ok:
        detail = problem or data.get("message") or data.get("detail")
        raise failure(kind_of(answer.status), answer, detail=detail)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise failure(errors.InvalidResponse, answer)
    if choice.get("finish_reason") == "content_filter":
        raise failure(errors.ContentBlocked, answer, code="content_filter")
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


def failure(
    kind: type[errors.EndpointError], answer: Answer, *, code: object = None, detail: object = None
) -> errors.EndpointError:
    """Make a typed error with a message that says what to do and quotes nothing.

    detail: the endpoint's own words, or else its whole body.
    """
    headers = answer.headers
    request_id = headers.get("x-request-id") or headers.get("cf-ray")
    own_code = str(code) if isinstance(code, str | int) else None
    words = detail if isinstance(detail, str) else answer.text
    facts = [f"HTTP {answer.status}"]
    # Only what looks like an identifier: some endpoints quote the request even in a code.
    if own_code and _PLAIN.fullmatch(own_code):
        facts.append(f"code {own_code}")
    if request_id and _PLAIN.fullmatch(request_id):
        facts.append(f"request {request_id}")
    hint = " Its own words are in `detail`." if words else ""
    return kind(
        f"The endpoint {_NEXT_STEP[kind]} ({', '.join(facts)}).{hint}",
        status=answer.status,
        code=clipped(own_code, DETAIL_LIMIT) if own_code else None,
        detail=clipped(words, DETAIL_LIMIT),
        request_id=request_id,
        retry_after=_retry_after(headers),
    )


def kind_of(status: int) -> type[errors.EndpointError]:
    """The error that an HTTP status alone stands for."""
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return errors.InvalidResponse
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return errors.AuthenticationError
    if status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT}:
        return errors.Overloaded
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return errors.Overloaded
    return _KINDS.get(status, errors.InvalidRequest)


def told(
    answer: Answer, fields: Mapping[str, Any], known: type[errors.EndpointError] | None = None
) -> errors.EndpointError:
    """The error that `code`, `type` and `message` speak of. known: what a vendor's table says."""
    code, detail = fields.get("code") or fields.get("type"), fields.get("message")
    # In an HTTP 200 the code is all that tells the status.
    stated = number(code) if answer.is_ok and number(code) in _STATUSES else answer.status
    kind = known or kind_of(stated)
    names = {name for name in (fields.get("code"), fields.get("type")) if isinstance(name, str)}
    words = detail if kind in {errors.InvalidRequest, errors.Overloaded} else None
    if names & _CONTEXT_CODES or (isinstance(words, str) and _CONTEXT_WORDS.search(words)):
        kind = errors.ContextTooLong
    elif names & _QUOTA_CODES:
        kind = errors.QuotaExceeded
    elif "content_filter" in names:
        kind = errors.ContentBlocked
    return failure(kind, answer, code=code, detail=detail)


def number(value: object) -> int:
    """A code as a number, whether it came as one or as text; 0 for anything else."""
    if isinstance(value, str) and value.isdecimal() and len(value) <= _LONGEST_CODE:
        return int(value)
    return value if isinstance(value, int) else 0


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: `retry-after-ms`, or `retry-after` in seconds or as a date."""
    asked = headers.get("retry-after", "")
    with suppress(ValueError):
        return max(0.0, float(headers.get("retry-after-ms", "")) / 1000)
    with suppress(ValueError):
        return max(0.0, float(asked))
    with suppress(ValueError, OverflowError):
        return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
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
    return int(value) if math.isfinite(value) else None


def _text(content: object) -> str:
    """The text of a message, whether it is a string, null or a list of parts."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
