"""OpenAI's chat completions, and every server that speaks them as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractify.dialects import answers, writing
from extractify.dialects.failures import Answer
from extractify.dialects.verdicts import OPENAI

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.messages import Completion, Request
    from extractify.profiles import Profile


class OpenAI:
    """`POST {base}/chat/completions`."""

    path = "/chat/completions"

    def write(self, request: Request, profile: Profile) -> bytes:
        """Write the body: model, messages, parameters, response format."""
        return writing.body(request, profile)

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Completion:
        """Read a completion, or raise what the error stands for."""
        answer = Answer(status, headers, body)
        data = answers.parsed(answer)
        answers.check_error(answer, data, OPENAI)
        return answers.completion(answer, data)
