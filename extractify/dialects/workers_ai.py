"""Cloudflare's chat-completions route: OpenAI's bodies, answers bare or in an envelope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractify.dialects import cloudflare, writing
from extractify.dialects.failures import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.messages import Completion, Request
    from extractify.profiles import Profile


class WorkersAI:
    """`POST {base}/chat/completions` below an account's `/ai/v1`."""

    path = "/chat/completions"

    def write(self, request: Request, profile: Profile) -> bytes:
        """Write the body: model, messages, parameters, response format."""
        return writing.body(request, profile)

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Completion:
        """Read a completion, or raise what the error stands for."""
        return cloudflare.read(Answer(status, headers, body))
