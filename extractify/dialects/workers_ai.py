"""Cloudflare's AI gateway: OpenAI's bodies, in Cloudflare's envelopes, with Cloudflare's codes.

A success comes bare or inside `{"result": …}`, once or twice; a failure as `success: false`, as an
OpenAI error, or, from MiniMax behind it, as a `base_resp` in an HTTP 200. The tables say what each
code stands for; codes of one table are never compared with those of another.
"""

from __future__ import annotations

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
_MAX_ENVELOPES = 3


class WorkersAI:
    """`POST {base}/chat/completions` below an account's `/ai/v1`."""

    path = "/chat/completions"

    def write(self, request: Request, profile: Profile) -> bytes:
        """Write the body: model, messages, parameters, response format."""
        body = {"model": request.model, **chat.fields(request, profile)}
        return chat.encoded(body, request).encode()

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Completion:
        """Read a completion, or raise what the error stands for."""
        data = chat.parsed(status, headers, body)
        for _ in range(_MAX_ENVELOPES):
            _raise_failed(status, headers, data)
            inner = data.get("result")
            if "choices" in data or not isinstance(inner, dict):
                break
            data = inner
        if data.get("input_sensitive") is True or data.get("output_sensitive") is True:
            side = "input" if data.get("input_sensitive") is True else "output"
            raise chat.failure(errors.ContentBlocked, status, headers, code=f"{side}_sensitive")
        return chat.completion(status, headers, data)


def _raise_failed(status: int, headers: Mapping[str, str], data: Mapping[str, Any]) -> None:
    """Raise what Cloudflare's or MiniMax's own fields say went wrong."""
    if data.get("success") is False:
        told = data.get("errors")
        first = told[0] if isinstance(told, list) and told else None
        fields = first if isinstance(first, dict) else {}
        code, detail = fields.get("code"), fields.get("message", "")
        kind = CLOUDFLARE.get(code if isinstance(code, int) else 0) or chat.kind_of(status)
        raise chat.failure(kind, status, headers, code=code, detail=detail)
    base = data.get("base_resp")
    if isinstance(base, dict) and base.get("status_code"):
        code, detail = base["status_code"], str(base.get("status_msg", ""))
        kind = MINIMAX.get(code, errors.InvalidRequest)
        if "context window" in detail:
            kind = errors.ContextTooLong
        raise chat.failure(kind, status, headers, code=code, detail=detail)
