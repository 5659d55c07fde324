"""Errors as endpoints tell them: a code, a message, headers. One typed error comes of it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from extractify import errors
from extractify.dialects import verdicts
from extractify.messages import clipped

if TYPE_CHECKING:
    from extractify.dialects.verdicts import Table, Verdict

DETAIL_LIMIT = 2000
"""Longest `detail` of an error, in characters: an endpoint may send back the whole request."""

_REQUEST_IDS = ("x-request-id", "cf-aig-log-id", "cf-aig-run-id", "request-id", "cf-ray")
_CONTEXT_WORDS = re.compile(r"context (?:window|length|size)", re.IGNORECASE)
_STATED = range(400, 600)
_SUCCESS = range(200, 300)
_LONGEST_CODE = 9
_PLAIN = re.compile(r"[\w.:-]{1,64}")
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


@dataclass(frozen=True, slots=True)
class Answer:
    """What came over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, whatever is in it."""
        return self.body.decode(errors="replace").removeprefix("\ufeff")

    @property
    def is_ok(self) -> bool:
        """Whether the status is a success; the body may still tell an error."""
        return self.status in _SUCCESS

    @property
    def request_id(self) -> str | None:
        """What the vendor's support wants to know."""
        if self.headers.keys().isdisjoint(_REQUEST_IDS):
            return None
        return next(self.headers[name] for name in _REQUEST_IDS if name in self.headers)


def failure(
    verdict: Verdict, answer: Answer, *, code: object = None, detail: object = None
) -> errors.EndpointError:
    """Make a typed error with a message that says what to do and quotes nothing.

    detail: the endpoint's own words, or else its whole body.
    """
    request_id, kind = answer.request_id, verdict.error
    own_code = str(code) if isinstance(code, str | int) else None
    words = detail if isinstance(detail, str) else answer.text
    facts = [f"HTTP {answer.status}"]
    # Only what looks like an identifier: some endpoints quote the request even in a code.
    if own_code and _PLAIN.fullmatch(own_code):
        facts.append(f"code {own_code}")
    if request_id and _PLAIN.fullmatch(request_id):
        facts.append(f"request {request_id}")
    hint = " Its own words are in `detail`." if words else ""
    error = kind(
        f"The endpoint {_NEXT_STEP[kind]} ({', '.join(facts)}).{hint}",
        status=answer.status,
        code=clipped(own_code, DETAIL_LIMIT) if own_code else None,
        detail=clipped(words, DETAIL_LIMIT),
        request_id=request_id,
        retry_after=_retry_after(answer),
    )
    error.retries = verdict.retries
    return error


def told(
    answer: Answer, fields: Mapping[str, Any], known: Verdict | None = None
) -> errors.EndpointError:
    """The error that numbered fields speak of: `code`, `message`. known: what the table says."""
    code, detail = fields.get("code") or fields.get("type"), fields.get("message")
    verdict = known or verdicts.of_status(answer.status)
    return failure(_about_context(verdict, detail), answer, code=code, detail=detail)


def named(
    answer: Answer, fields: Mapping[str, Any], table: Table, known: Verdict | None = None
) -> errors.EndpointError:
    """The error that `code`, `type` and `message` in OpenAI's style speak of.

    known: what the vendor's own table says. In an HTTP 200 the code is all that tells the status.
    """
    code, detail = fields.get("code") or fields.get("type"), fields.get("message")
    status = number(code) if answer.is_ok and number(code) in _STATED else answer.status
    names = [fields.get("code"), fields.get("type")]
    listed = [verdicts.of_code(table, status, name) for name in names if isinstance(name, str)]
    verdict = known or next((row for row in listed if row), None) or verdicts.of_status(status)
    return failure(_about_context(verdict, detail), answer, code=code, detail=detail)


def blocked(answer: Answer, side: str, number_of_it: object) -> errors.EndpointError:
    """What MiniMax found too sensitive, on which side."""
    error = cast(
        "errors.ContentBlocked", failure(verdicts.BLOCKED, answer, code=f"{side}_sensitive")
    )
    error.side = side
    error.sensitive_type = number(number_of_it) or None
    error.category = verdicts.SENSITIVE.get(number(number_of_it))
    return error


def number(value: object) -> int:
    """A code as a number, whether it came as one or as text; 0 for anything else."""
    if isinstance(value, str) and value.isdecimal() and len(value) <= _LONGEST_CODE:
        return int(value)
    return value if isinstance(value, int) else 0


def _about_context(verdict: Verdict, words: object) -> Verdict:
    """Some endpoints have no code for a document that doesn't fit, only words."""
    vague = verdict.error in {errors.InvalidRequest, errors.Overloaded}
    found = vague and isinstance(words, str) and _CONTEXT_WORDS.search(words)
    return verdicts.TOO_LONG if found else verdict


def _retry_after(answer: Answer) -> float | None:
    """Seconds to wait: `retry-after-ms`, `retry-after` in seconds or as a date, or a reset date."""
    headers = answer.headers
    asked = headers.get("retry-after", "")
    with suppress(ValueError):
        return max(0.0, float(headers.get("retry-after-ms", "")) / 1000)
    with suppress(ValueError):
        return max(0.0, float(asked))
    resets = answer.status == HTTPStatus.TOO_MANY_REQUESTS and not asked
    with suppress(ValueError, OverflowError):
        date = headers.get("x-ratelimit-reset", "") if resets else asked
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    return None
