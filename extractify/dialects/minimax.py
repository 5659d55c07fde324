"""MiniMax's own chat completions: OpenAI's bodies, errors in two styles of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractify.dialects import answers, writing
from extractify.dialects.base_resp import check_base_resp, stated
from extractify.dialects.failures import Answer
from extractify.dialects.verdicts import OPENAI

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.messages import Completion, Request
    from extractify.profiles import Profile


class MiniMax:
    """`POST {base}/chat/completions`."""

    path = "/chat/completions"

    def write(self, request: Request, profile: Profile) -> bytes:
        """Write the body: model, messages, parameters, response format."""
        return writing.body(request, profile)

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Completion:
        """Read a completion, or raise what `error`, else `base_resp`, else the status says."""
        answer = Answer(status, headers, body)
        data = answers.parsed(answer)
        if isinstance(data.get("error"), dict):
            answers.check_error(answer, data, OPENAI, stated(data, answer))
        check_base_resp(answer, data)
        answers.check_error(answer, data, OPENAI)
        return answers.completion(answer, data)
