"""What an endpoint says in its headers of the rate it bears.

Three ways are in use. OpenAI's, and those who copy it: `x-ratelimit-limit-requests`, `-remaining-`
and `-reset-`, for tokens likewise; the reset is a time such as `6m0s` until all is there again.
`x-ratelimit-limit`, `-remaining`, `-reset` for requests alone, the reset being a date. And the
IETF's draft, as Cloudflare sends it: `ratelimit-policy: "burst";q=100;w=60`, a quota and its window
in seconds, with `ratelimit: "burst";r=50;t=30` of what is left.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MINUTE = 60.0
_LONG = 600.0
"""A window in seconds whose quota is for spreading evenly; one of a day may be spent in an hour."""
_LONGEST = 200  # characters of a header that are looked at
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{0,9})?")
_TIME = re.compile(r"(\d{1,12}(?:\.\d{0,9})?)(ms|d|h|m|s)")
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r";\s*([qwr])\s*=\s*(\d{1,15})")
_A_MOMENT, _IN_MILLISECONDS = 1e9, 1e11  # numbers so large count from 1970


@dataclass(frozen=True, slots=True)
class Allowance:
    """per_minute: how many the endpoint bears; remaining: of them, for now. None where unknown."""

    per_minute: float | None
    remaining: float | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """What the endpoint said of requests and of tokens; None where it said nothing."""

    requests: Allowance | None = None
    tokens: Allowance | None = None


def rate_of(headers: Mapping[str, str], clock: Callable[[], float] = time.time) -> Rate | None:
    """Read the headers, their names in lower case; None where they say nothing of a rate.

    clock: seconds since 1970, for resets that are dates.
    """
    requests = (
        _named(headers, "-requests", clock) or _by_policy(headers) or _named(headers, "", clock)
    )
    tokens = _named(headers, "-tokens", clock)
    return None if requests is None and tokens is None else Rate(requests, tokens)


def _named(headers: Mapping[str, str], of: str, clock: Callable[[], float]) -> Allowance | None:
    limit = _number(headers.get(f"x-ratelimit-limit{of}"))
    if limit is None:
        return None
    remaining = _number(headers.get(f"x-ratelimit-remaining{of}"))
    reset = _seconds(headers.get(f"x-ratelimit-reset{of}"), clock)
    # A limit that takes longer to come back isn't one of a minute: Groq's requests are a day's.
    of_a_minute = limit >= 1 and (reset is None or reset <= _MINUTE)
    return Allowance(limit if of_a_minute else None, remaining)


def _by_policy(headers: Mapping[str, str]) -> Allowance | None:
    """The tightest of the policies, over its own window."""
    policies = headers.get("ratelimit-policy")
    if policies is None:
        return None
    rates = [
        _MINUTE * parts["q"] / parts.get("w", _MINUTE)
        for parts in map(_parts, policies[:_LONGEST].split(","))
        if parts.get("q", 0) > 0 and 0 < parts.get("w", _MINUTE) <= _LONG
    ]
    left = [
        parts["r"]
        for parts in map(_parts, headers.get("ratelimit", "")[:_LONGEST].split(","))
        if "r" in parts
    ]
    return Allowance(min(rates, default=None), min(left, default=None))


def _parts(item: str) -> dict[str, int]:
    return {name: int(value) for name, value in _PART.findall(item)}


def _number(text: str | None) -> float | None:
    """The number that a header begins with."""
    found = None if text is None else _NUMBER.match(text.strip()[:_LONGEST])
    return None if found is None else float(found[0])


def _seconds(text: str | None, clock: Callable[[], float]) -> float | None:
    """From now: of `1m30.5s`, a number of seconds, a moment since 1970 or a date."""
    text = (text or "").strip()[:_LONGEST]
    times = _TIME.findall(text)
    if times and not _TIME.sub("", text):
        return sum(float(count) * _SECONDS[unit] for count, unit in times)
    moment = _moment(text)
    return moment if moment is None or moment < _A_MOMENT else moment - clock()


def _moment(text: str) -> float | None:
    if _NUMBER.fullmatch(text):
        number = float(text)
        return number / 1000 if number >= _IN_MILLISECONDS else number
    with suppress(ValueError, OverflowError):
        return datetime.fromisoformat(text).timestamp()
    from email.utils import parsedate_to_datetime  # few endpoints send such dates

    with suppress(ValueError, OverflowError):
        return parsedate_to_datetime(text).timestamp()
    return None
