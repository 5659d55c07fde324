"""Tool calls that an answer writes as XML: `<invoke name="…"><parameter name="x">…</parameter>`.

Such a call holds its arguments as texts, each of them JSON or not. Calls with JSON in them aren't
read here: that JSON stands in the answer like any other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CALL = re.compile(
    r"<(?P<tag>invoke|function)(?:\s+name\s*=\s*|\s*=\s*)(?P<quote>[\"']?)[^\"'<>\n]{1,200}(?P=quote)"
    r"\s*>(?=\s*<(?:parameter|arg)\b)"
)
_ARGUMENT = re.compile(
    r"\s*<(?P<tag>parameter|arg)(?:\s+name\s*=\s*|\s*=\s*)(?P<quote>[\"']?)(?P<name>[^\"'<>\n]{1,200})"
    r"(?P=quote)(?:\s+[\w:]+\s*=\s*\"[^\"\n]{0,200}\")*\s*>"
)


@dataclass(frozen=True, slots=True)
class Calls:
    """The arguments of each call, in pairs. truncated: one was begun and not finished.

    beside: the text without the calls.
    """

    arguments: tuple[tuple[tuple[str, str], ...], ...]
    truncated: bool
    beside: str = ""


def calls(text: str) -> Calls:
    """Find the calls in an answer. Linear: each character is passed once."""
    found: list[tuple[tuple[str, str], ...]] = []
    beside: list[str] = []
    position = 0
    while opening := _CALL.search(text, position):
        pairs: list[tuple[str, str]] = []
        beside.append(text[position : opening.start()])
        position = opening.end()
        while argument := _ARGUMENT.match(text, position):
            end = text.find(f"</{argument['tag']}>", argument.end())
            if end < 0:
                return Calls(tuple(found), truncated=True)
            pairs.append((argument["name"], text[argument.end() : end].strip("\r\n")))
            position = end + len(argument["tag"]) + 3
        closing = re.compile(rf"\s*</{opening['tag']}>").match(text, position)
        if closing is None:
            return Calls(tuple(found), truncated=True)
        position = closing.end()
        found.append(tuple(pairs))
    return Calls(tuple(found), truncated=False, beside="".join((*beside, text[position:])))
