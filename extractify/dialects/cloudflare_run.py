"""Cloudflare's run route: the model beside the body, `{"model": …, "input": {…}}`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from extractify.dialects import cloudflare, writing
from extractify.dialects.failures import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.messages import Completion, Request
    from extractify.profiles import Profile


class CloudflareRun:
    """`POST {base}/run` below an account's `/ai`."""

    path = "/run"

    def write(self, request: Request, profile: Profile) -> bytes:
        """Write the body: the model, and as its input what a chat completion holds."""
        model = json.dumps(request.model, ensure_ascii=False).encode(errors="replace")
        told = {key: value for key, value in request.extra.items() if key != "model"}
        chat = writing.encoded(told, request, profile)
        return b'{"model":' + model + b',"input":' + chat + b"}"

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Completion:
        """Read a completion out of its envelopes, or raise what the error stands for."""
        return cloudflare.read(Answer(status, headers, body))
