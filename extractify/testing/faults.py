"""The ways in which an endpoint fails, as a table: what travels, and what becomes of it.

A row is either an answer that says no, or something that happens to a good answer on its way.
`error` is what a call ends with where the fault lasts; where it passes, a fault that is repeated
does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from extractify import errors
from extractify.testing import spoiling
from extractify.testing.answers import Answer, completion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extractify.messages import JsonValue


@dataclass(frozen=True, slots=True)
class Fault:
    """One of them.

    name: of the row. what: in words, shared by rows alike. error: the class a call ends with if
    the fault lasts, None where it does no harm. code: of the error. retries: how often the client
    tries again first, None as often as its Retry says. answer: what is answered, before `spoil`
    had its way with it. stream: whether only a streamed answer can fail like this.
    """

    name: str
    what: str
    error: type[errors.ExtractifyError] | None
    code: str | None = None
    retries: int | None = 0
    answer: object = field(default="{}", repr=False)
    spoil: spoiling.Spoil | None = field(default=None, repr=False)
    stream: bool = False

    def on(self, answer: object) -> Fault:
        """The same happening to another answer; an answer that says no stays as it is."""
        return replace(self, answer=answer) if self.spoil else self


_LOST = "the connection is refused, breaks off, or stays silent"
_HARMLESS = "the answer is whole, however it came"
_RATE = "the rate is limited"
_TOKENS = "the tokens are limited (MiniMax's 1039)"
_BUSY = "out of order or out of capacity"
_KEY = "the credentials are refused"
_QUOTA = "the quota or the balance is used up"
_BAD = "the request isn't taken"
_LONG = "the document doesn't fit"
_FILTER = "a filter stops the question or the answer"
_NONSENSE = "something that isn't a chat completion"
_KINDS: Mapping[str, tuple[type[errors.EndpointError], int | None]] = {
    _RATE: (errors.RateLimited, None),
    _TOKENS: (errors.RateLimited, 1),
    _BUSY: (errors.Overloaded, None),
    _KEY: (errors.AuthenticationError, 0),
    _QUOTA: (errors.QuotaExceeded, 0),
    _BAD: (errors.InvalidRequest, 0),
    _LONG: (errors.ContextTooLong, 0),
    _FILTER: (errors.ContentBlocked, 0),
    _NONSENSE: (errors.InvalidResponse, 0),
}

_LATE: JsonValue = {"code": 502, "message": "Provider disconnected."}
_CLOUDFLARE: tuple[tuple[int, int, str], ...] = (
    (400, 5007, _BAD),
    (404, 3042, _BAD),
    (400, 5004, _BAD),
    (400, 3003, _BAD),
    (400, 3039, _BAD),
    (400, 5006, _BAD),
    (413, 3006, _LONG),
    (408, 3007, _BUSY),
    (408, 3008, _BUSY),
    (429, 3040, _BUSY),
    (429, 3036, _QUOTA),
    (403, 3023, _KEY),
    (403, 3041, _KEY),
    (403, 5016, _KEY),
    (403, 5018, _KEY),
    (400, 5019, _BAD),
    (405, 5005, _BAD),
    (401, 10000, _KEY),
    (401, 2009, _KEY),
    (402, 2021, _QUOTA),
    (404, 7003, _BAD),
    (424, 2016, _FILTER),
    (422, 2017, _FILTER),
    (503, 7013, _BUSY),
)
"""Status and code of Cloudflare's own errors."""

_MINIMAX: tuple[tuple[int, int, str], ...] = (
    (500, 1000, _BUSY),
    (504, 1001, _BUSY),
    (500, 1013, _BUSY),
    (500, 1024, _BUSY),
    (500, 1033, _BUSY),
    (429, 1002, _RATE),
    (429, 1041, _RATE),
    (429, 2045, _RATE),
    (429, 1039, _TOKENS),
    (401, 1004, _KEY),
    (401, 2049, _KEY),
    (402, 1008, _QUOTA),
    (429, 2056, _QUOTA),
    (400, 1026, _FILTER),
    (400, 1027, _FILTER),
    (400, 1042, _BAD),
    (400, 2013, _BAD),
)
"""Codes of MiniMax's `base_resp`, and the status where its chat endpoint tells them by one."""

_OTHERS: tuple[tuple[str, str, str | None, Answer], ...] = (
    ("HTTP 401", _KEY, "invalid_api_key", Answer({"error": {"code": "invalid_api_key"}}, 401)),
    ("HTTP 402", _QUOTA, None, Answer({"error": {"message": "Add credits."}}, 402)),
    ("HTTP 404", _BAD, None, Answer({"error": {"message": "No such model."}}, 404)),
    (
        "HTTP 429",
        _RATE,
        "rate_limit_exceeded",
        Answer({"error": {"code": "rate_limit_exceeded"}}, 429, {"retry-after": "0"}),
    ),
    (
        "HTTP 429, no money",
        _QUOTA,
        "insufficient_quota",
        Answer({"error": {"code": "insufficient_quota"}}, 429),
    ),
    (
        "HTTP 400, too long",
        _LONG,
        "context_length_exceeded",
        Answer({"error": {"code": "context_length_exceeded"}}, 400),
    ),
    (
        "HTTP 400, filtered",
        _FILTER,
        "content_filter",
        Answer({"error": {"code": "content_filter"}}, 400),
    ),
    ("HTTP 529", _BUSY, None, Answer({"error": {"message": "overloaded"}}, 529)),
    ("HTTP 500, empty", _BUSY, None, Answer(b"", 500)),
    ("HTTP 502, HTML", _BUSY, None, Answer("<html>Bad gateway</html>", 502)),
    (
        "gateway guardrails",
        _FILTER,
        "2016",
        Answer({"name": "AiGatewayError", "internalCode": 2016}, 424),
    ),
    ("200 with an error 429", _RATE, "429", Answer({"error": {"code": 429, "message": "Slow."}})),
    ("200 with an error 502", _BUSY, "502", Answer({"error": _LATE})),
    (
        "200 with an error in the choice",
        _BUSY,
        "502",
        Answer({"choices": [{"finish_reason": "error", "error": _LATE}]}),
    ),
    ("list of an error", _BAD, "400", Answer([{"error": {"code": 400, "message": "Bad."}}], 400)),
    ("sensitive input", _FILTER, "input_sensitive", Answer(completion("", input_sensitive=True))),
    (
        "sensitive output",
        _FILTER,
        "output_sensitive",
        Answer(completion("", output_sensitive=True)),
    ),
    (
        "finished by a filter",
        _FILTER,
        "content_filter",
        Answer(completion("", finish_reason="content_filter")),
    ),
    ("200 with HTML", _NONSENSE, None, Answer("<html>Please log in</html>")),
    ("200, empty", _NONSENSE, None, Answer(b"")),
    ("200 with a list", _NONSENSE, None, Answer([])),
    ("200 without choices", _NONSENSE, None, Answer({"id": "1", "choices": []})),
    ("redirect", _NONSENSE, None, Answer(b"", 307, {"location": "http://127.0.0.1:9/"})),
)


def _says_no(name: str, what: str, code: str | None, answer: Answer) -> Fault:
    error, retries = _KINDS[what]
    return Fault(name, what, error, code, retries, answer)


def _on_the_way() -> Iterator[Fault]:
    for spoils, stream in ((spoiling.LOST, False), (spoiling.LOST_STREAMS, True)):
        for name, spoil in spoils.items():
            lost = Fault(name, _LOST, errors.TransportError, retries=None, stream=stream)
            yield replace(lost, spoil=spoil)
    for spoils, stream in ((spoiling.HARMLESS, False), (spoiling.HARMLESS_STREAMS, True)):
        for name, spoil in spoils.items():
            yield Fault(name, _HARMLESS, None, spoil=spoil, stream=stream)
    for spoils, stream in ((spoiling.SPOILT, False), (spoiling.SPOILT_STREAMS, True)):
        for name, spoil in spoils.items():
            spoilt = _says_no(name, _NONSENSE, None, Answer(completion("{}")))
            yield replace(spoilt, spoil=spoil, stream=stream)
    for name, spoil in spoiling.FAILED_STREAMS.items():
        failed = _says_no(name, _BUSY, "502", Answer(completion("{}")))
        yield replace(failed, spoil=spoil, stream=True)


def _rows() -> Iterator[Fault]:
    yield from _on_the_way()
    for status, code, what in _CLOUDFLARE:
        body: JsonValue = {
            "result": None,
            "success": False,
            "errors": [{"code": code, "message": "No."}],
            "messages": [],
        }
        yield _says_no(f"Cloudflare {code}", what, str(code), Answer(body, status))
    for status, code, what in _MINIMAX:
        told: JsonValue = {"base_resp": {"status_code": code, "status_msg": "no"}}
        yield _says_no(f"MiniMax {code} in HTTP 200", what, str(code), Answer(told))
        error: JsonValue = {
            "type": "some_error",
            "message": f"no ({code})",
            "http_code": str(status),
        }
        wrapped: JsonValue = {"type": "error", "error": error, "request_id": "0634f8d2a1"}
        name = f"MiniMax {code} in HTTP {status}"
        yield _says_no(name, what, "some_error", Answer(wrapped, status))
    for row in _OTHERS:
        yield _says_no(*row)


FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _rows()}
"""Every fault by its name."""
