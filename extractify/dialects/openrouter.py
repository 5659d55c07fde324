"""OpenRouter: OpenAI's bodies; errors of the routes behind it arrive inside an HTTP 200 as well."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from extractify.dialects import answers, writing
from extractify.dialects.failures import Answer, number
from extractify.dialects.verdicts import BLOCKED, OPENAI, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.messages import Completion, Request
    from extractify.profiles import Profile


class OpenRouter:
    """`POST {base}/chat/completions`."""

    path = "/chat/completions"

    def write(self, request: Request, profile: Profile) -> bytes:
        """Write the body: model, messages, parameters, response format."""
        return writing.body(request, profile)

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Completion:
        """Read a completion, or raise what the error stands for, its code an HTTP status."""
        answer = Answer(status, headers, body)
        data = answers.parsed(answer)
        answers.check_error(answer, data, OPENAI, _moderated(data))
        return answers.completion(answer, data)


def _moderated(data: Mapping[str, Any]) -> Verdict | None:
    """A 403 that names reasons is the moderation's, and not about the credentials."""
    error = data.get("error")
    if not isinstance(error, dict) or number(error.get("code")) != HTTPStatus.FORBIDDEN:
        return None
    metadata = error.get("metadata")
    return BLOCKED if isinstance(metadata, dict) and metadata.get("reasons") else None
