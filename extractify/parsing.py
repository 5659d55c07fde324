"""An answer's text and the JSON values that may be meant in it: candidates, not yet judged.

The scan is linear in the text. A draft inside a thought is never a candidate, and neither is
anything inside a container that was opened and not closed: that answer was cut off.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from extractify.messages import Fix, JsonValue

MAX_DEPTH = 200
"""Deepest nesting read, in containers; what lies deeper isn't a candidate."""
MAX_RESTARTS = 16
"""How often the scan starts again behind a bracket that turned out to be prose."""

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n]*$", re.MULTILINE)
_TOKEN = re.compile(r"[\[\]{}\"]|</?think(?:ing)?>")
_CLOSER = re.compile(r"</think(?:ing)?>")
_OPENER = {"]": "[", "}": "{"}
_STRING_END = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_OPENS_JSON = re.compile(
    r'\{\s*(?:["}]|\Z|[A-Za-z_]\w*\s*:)|\[\s*(?:["{\[\]\-0-9]|\Z|true\b|false\b|null\b)'
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A JSON value that stands in an answer. text: its source. fixes: what was left around it."""

    text: str
    value: JsonValue
    fixes: tuple[Fix, ...]


@dataclass(frozen=True, slots=True)
class Candidates:
    """What an answer's text holds. truncated: a value was begun and not finished."""

    found: tuple[Candidate, ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class _Scan:
    """What one pass over a text saw. start: where the last thought ended."""

    spans: tuple[tuple[int, int], ...]
    unclosed: tuple[int, ...]
    start: int
    end: int


def candidates(text: str) -> Candidates:
    """Find the JSON values in an answer: the whole, or those within prose, or in fences."""
    whole = _loaded(text.strip().removeprefix("\ufeff"), ())
    if whole is not None:
        return Candidates((whole,), truncated=False)
    scan = _scan(text)
    fixes = (Fix("", "thought"),) if scan.start or scan.end < len(text) else ()
    answer = text[scan.start : scan.end]
    whole = _loaded(answer.strip(), fixes)
    if whole is not None:
        return Candidates((whole,), truncated=False)
    if any(_OPENS_JSON.match(text, opener) for opener in scan.unclosed):
        return Candidates((), truncated=True)
    found = [_loaded(text[start:end], (*fixes, Fix("", "prose"))) for start, end in scan.spans]
    if not any(found):
        found = [_loaded(block.strip(), (*fixes, Fix("", "fence"))) for block in _fenced(answer)]
    return Candidates(_distinct(found), truncated=False)


def _loaded(text: str, fixes: tuple[Fix, ...]) -> Candidate | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return None if _too_deep(value) else Candidate(text, value, fixes)


def _too_deep(value: JsonValue) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        containers = [each for each in level if isinstance(each, dict | list)]
        if not containers:
            return False
        level = [
            inner
            for each in containers
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return True


def _distinct(found: list[Candidate | None]) -> tuple[Candidate, ...]:
    """Keep one of those that say the same."""
    return tuple({json.dumps(each.value, sort_keys=True): each for each in found if each}.values())


def _scan(text: str) -> _Scan:
    """Find the outermost closed containers, each thought left out."""
    start = 0
    for _ in range(MAX_RESTARTS):
        scan = _pass(text, start)
        if not scan.unclosed:
            return scan
        outermost = scan.unclosed[0]
        closer = _last_closer(text)
        if closer > outermost:
            # An unbalanced thought hid the tag that ends it.
            start = closer
        elif scan.spans or _OPENS_JSON.match(text, outermost):
            return scan
        else:
            start = outermost + 1
    return scan


def _pass(text: str, start: int) -> _Scan:
    spans: list[tuple[int, int]] = []
    stack: list[int] = []
    position, answer, end = start, start, len(text)
    while token := _TOKEN.search(text, position):
        word, here, position = token.group(), token.start(), token.end()
        if word == '"':
            if stack:
                position = _string_end(text, position)
        elif word in "[{":
            stack.append(here)
        elif word in "]}":
            if stack and text[stack[-1]] == _OPENER[word]:
                opener = stack.pop()
                while spans and spans[-1][0] > opener:
                    spans.pop()
                spans.append((opener, position))
        elif word.startswith("</"):
            answer = position
            spans, stack = [], []
        else:
            closer = _CLOSER.search(text, position)
            if closer is None:
                end = here
                break
            position = closer.start()
    return _Scan(tuple(spans), tuple(stack), answer, end)


def _string_end(text: str, position: int) -> int:
    match = _STRING_END.match(text, position)
    return match.end() if match else len(text)


def _last_closer(text: str) -> int:
    """Where the last `</think>` ends; -1 if there is none."""
    last = max(text.rfind("</think>"), text.rfind("</thinking>"))
    return text.index(">", last) + 1 if last >= 0 else -1


def _fenced(text: str) -> list[str]:
    """What stands between pairs of fence lines; an open one runs to the end."""
    marks = list(_FENCE.finditer(text))
    ends = [mark.start() for mark in marks[1::2]] + [len(text)]
    return [text[mark.end() : end] for mark, end in zip(marks[::2], ends, strict=False)]
