"""MiniMax's own way to say no, wherever its answers pass through: `base_resp`, or `… (2013)`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from extractify.dialects.failures import Answer, number, told
from extractify.dialects.verdicts import MINIMAX, Verdict, of_code

if TYPE_CHECKING:
    from collections.abc import Mapping

_CODE_AT_THE_END = re.compile(r"\((\d{4})\)[\s.]*\Z", re.ASCII)


def stated(data: Mapping[str, Any], answer: Answer) -> Verdict | None:
    """The verdict on an error in OpenAI's style whose message ends with MiniMax's code."""
    error = data.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    found = _CODE_AT_THE_END.search(message) if isinstance(message, str) else None
    return of_code(MINIMAX, answer.status, int(found[1])) if found else None


def check_base_resp(answer: Answer, data: Mapping[str, Any]) -> None:
    """Raise what a `base_resp` stands for that isn't 0, in an HTTP 200 or any other."""
    base = data.get("base_resp")
    code = number(base.get("status_code")) if isinstance(base, dict) else 0
    if isinstance(base, dict) and code:
        fields = {"code": base["status_code"], "message": base.get("status_msg")}
        raise told(answer, fields, of_code(MINIMAX, answer.status, code))
