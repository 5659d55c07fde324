"""What each status and each vendor's code stands for: the error, and whether asking again helps.

One table a vendor. A code is looked up in the table of whoever said it and in no other: a MiniMax
1008 is no HTTP status, and a Cloudflare 3006 no MiniMax code. Most rows come from the vendors' own
pages; the others were seen by third parties.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias

from extractify import errors

Code: TypeAlias = "int | str"


@dataclass(frozen=True, slots=True)
class Verdict:
    """retries: how often the same request may be repeated; None is as often as the policy says."""

    error: type[errors.EndpointError]
    retries: int | None = 0


Table: TypeAlias = Mapping[tuple[int | None, Code], Verdict]
"""By HTTP status and code; a status of None stands for any."""

AUTHENTICATION = Verdict(errors.AuthenticationError)
BLOCKED = Verdict(errors.ContentBlocked)
INVALID = Verdict(errors.InvalidRequest)
NO_COMPLETION = Verdict(errors.InvalidResponse)
OUT_OF_ORDER = Verdict(errors.Overloaded, None)
QUOTA = Verdict(errors.QuotaExceeded)
SLOW_DOWN = Verdict(errors.RateLimited, None)
SLOW_DOWN_ONCE = Verdict(errors.RateLimited, 1)
TOO_LONG = Verdict(errors.ContextTooLong)

STATUSES: Mapping[int, Verdict] = {
    HTTPStatus.UNAUTHORIZED: AUTHENTICATION,
    HTTPStatus.FORBIDDEN: AUTHENTICATION,
    HTTPStatus.PAYMENT_REQUIRED: QUOTA,
    HTTPStatus.REQUEST_TIMEOUT: OUT_OF_ORDER,
    HTTPStatus.CONFLICT: OUT_OF_ORDER,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: TOO_LONG,
    HTTPStatus.TOO_MANY_REQUESTS: SLOW_DOWN,
}


def of_status(status: int) -> Verdict:
    """What a status alone stands for, where no code says more."""
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return NO_COMPLETION
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return OUT_OF_ORDER
    return STATUSES.get(status, INVALID)


def of_code(table: Table, status: int, code: Code) -> Verdict | None:
    """What a vendor's table says of a code, None where it doesn't list it."""
    return table.get((status, code)) or table.get((None, code))


def _rows(verdict: Verdict, *codes: Code) -> Table:
    return {(None, code): verdict for code in codes}


OPENAI: Table = {
    **_rows(TOO_LONG, "context_length_exceeded", "exceed_context_size_error"),
    **_rows(QUOTA, "insufficient_quota", "billing_hard_limit_reached"),
    **_rows(BLOCKED, "content_filter", "content_policy_violation"),
    # Groq: the model wrote something that its own check refused.
    **_rows(NO_COMPLETION, "json_validate_failed"),
}
"""OpenAI's, and those of the servers that speak its language. They give names, not numbers."""

CLOUDFLARE: Table = {
    **_rows(AUTHENTICATION, 10000, 2009, 3023, 3041, 5016, 5018),
    **_rows(OUT_OF_ORDER, 3007, 3008, 3040, 7013),
    **_rows(QUOTA, 3036),
    **_rows(BLOCKED, 2016, 2017),
    **_rows(TOO_LONG, 3006),
    **_rows(INVALID, 2021, 3003, 3039, 3042, 5004, 5005, 5006, 5007, 5019, 7003),
    (HTTPStatus.PAYMENT_REQUIRED, 2021): QUOTA,
}

MINIMAX: Table = {
    **_rows(OUT_OF_ORDER, 1000, 1001, 1013, 1024, 1033),
    **_rows(SLOW_DOWN, 1002, 1041, 2045),
    **_rows(SLOW_DOWN_ONCE, 1039),
    **_rows(AUTHENTICATION, 1004, 2049),
    **_rows(QUOTA, 1008, 2056),
    **_rows(BLOCKED, 1026, 1027),
    **_rows(INVALID, 1042, 2013),
}

SENSITIVE: Mapping[int, str] = {
    1: "severe",
    2: "pornography",
    3: "advertising",
    4: "prohibited",
    5: "abuse",
    6: "violence",
    7: "other",
}
"""MiniMax's `input_sensitive_type` and `output_sensitive_type`."""
