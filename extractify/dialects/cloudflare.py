"""What Cloudflare's two routes share: its envelopes, its codes, and MiniMax behind them.

A success comes bare or inside `{"result": …}`, once or twice; a failure as `success: false`, as an
OpenAI error, or, from MiniMax, as a `base_resp` in an HTTP 200.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extractify.dialects import answers
from extractify.dialects.base_resp import check_base_resp, stated
from extractify.dialects.failures import Answer, number, told
from extractify.dialects.verdicts import CLOUDFLARE, OPENAI, of_code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.messages import Completion

_MAX_ENVELOPES = 3


def read(answer: Answer) -> Completion:
    """Read a completion out of its envelopes, or raise what the error stands for.

    Checked in each envelope, in this order: `success: false`, `error`, `base_resp`.
    """
    data = answers.parsed(answer)
    for _ in range(_MAX_ENVELOPES):
        _check_failed(answer, data)
        inner = data.get("result")
        if "choices" in data or not isinstance(inner, dict):
            break
        data = inner
    answers.check_error(answer, data, OPENAI)
    return answers.completion(answer, data)


def _check_failed(answer: Answer, data: Mapping[str, Any]) -> None:
    fields = _own_failure(data)
    if fields is not None:
        raise told(answer, fields, of_code(CLOUDFLARE, answer.status, number(fields.get("code"))))
    if isinstance(data.get("error"), dict):
        answers.check_error(answer, data, OPENAI, stated(data, answer))
    check_base_resp(answer, data)


def _own_failure(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Code and message of a failure that Cloudflare tells itself, None if it tells none."""
    if "internalCode" in data:
        return {"code": data["internalCode"], "message": data.get("message")}
    listed = data.get("errors") or data.get("error")
    if isinstance(listed, list) and listed:
        return listed[0] if isinstance(listed[0], dict) else {}
    return {} if data.get("success") is False and not data.get("error") else None
