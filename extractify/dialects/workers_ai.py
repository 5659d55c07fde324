"""Cloudflare's AI gateway: OpenAI's bodies, in Cloudflare's envelopes, with Cloudflare's codes.

A success comes bare or inside `{"result": …}`, once or twice; a failure as `success: false`, as an
OpenAI error, or, from MiniMax behind it, as a `base_resp` in an HTTP 200. The tables say what each
code stands for; codes of one table are never compared with those of another.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from extractify import errors
from extractify.dialects import chat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.messages import Completion, Request
    from extractify.profiles import Profile

CLOUDFLARE: Mapping[int, type[errors.EndpointError]] = {
    **dict.fromkeys((10000, 2009, 3023, 3041, 5016, 5018), errors.AuthenticationError),
    **dict.fromkeys((3007, 3008, 3040, 7013), errors.Overloaded),
    **dict.fromkeys((3036, 2021), errors.QuotaExceeded),
    **dict.fromkeys((2016, 2017), errors.ContentBlocked),
    3006: errors.ContextTooLong,
}
MINIMAX: Mapping[int, type[errors.EndpointError]] = {
    **dict.fromkeys((1000, 1001, 1013, 1024, 1033), errors.Overloaded),
    **dict.fromkeys((1002, 1039, 1041, 2045), errors.RateLimited),
    **dict.fromkeys((1004, 2049), errors.AuthenticationError),
    **dict.fromkeys((1008, 2056), errors.QuotaExceeded),
    **dict.fromkeys((1026, 1027), errors.ContentBlocked),
}
_CODE_AT_THE_END = re.compile(r"\((\d{4})\)\s*\Z", re.ASCII)
_MAX_ENVELOPES = 3


class WorkersAI:
    """`POST {base}/chat/completions` below an account's `/ai/v1`."""

    path = "/chat/completions"

    def write(self, request: Request, profile: Profile) -> bytes:
        """Write the body: model, messages, parameters, response format."""
        return chat.written(request, profile)

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Completion:
        """Read a completion, or raise what the error stands for."""
        answer = chat.Answer(status, headers, body)
        data = chat.parsed(answer)
        for _ in range(_MAX_ENVELOPES):
            _raise_failed(answer, data)
            inner = data.get("result")
            if "choices" in data or not isinstance(inner, dict):
                break
            data = inner
        if data.get("input_sensitive") is True or data.get("output_sensitive") is True:
            side = "input" if data.get("input_sensitive") is True else "output"
            raise chat.failure(errors.ContentBlocked, answer, code=f"{side}_sensitive")
        return chat.completion(answer, data)


def _raise_failed(answer: chat.Answer, data: Mapping[str, Any]) -> None:
    """Raise what Cloudflare's or MiniMax's own fields say went wrong."""
    fields, base, error = _of_cloudflare(data), data.get("base_resp"), data.get("error")
    if fields is not None:
        known = CLOUDFLARE.get(chat.number(fields.get("code")))
    elif isinstance(base, dict) and chat.number(base.get("status_code")):
        fields = {"code": base["status_code"], "message": base.get("status_msg")}
        known = MINIMAX.get(chat.number(base["status_code"]))
    elif isinstance(error, dict):
        fields, message = error, error.get("message")
        stated = _CODE_AT_THE_END.search(message) if isinstance(message, str) else None
        known = MINIMAX.get(int(stated[1])) if stated else None
    else:
        return
    raise chat.told(answer, fields, known)


def _of_cloudflare(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Code and message of a failure that Cloudflare tells itself, None if it tells none."""
    if "internalCode" in data:
        return {"code": data["internalCode"], "message": data.get("message")}
    listed = data.get("errors") or data.get("error")
    if isinstance(listed, list) and listed:
        return listed[0] if isinstance(listed[0], dict) else {}
    return {} if data.get("success") is False and not data.get("error") else None
