"""An answer's text and the JSON values that may be meant in it: candidates, not yet judged.

The scan is linear in the text. A draft inside a thought is never a candidate, and neither is
anything inside a container that was opened and not closed: that answer was cut off.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from extractify.messages import Fix, JsonValue
from extractify.nodes import escaped
from extractify.numerals import fraction

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_DEPTH = 200
"""Deepest nesting read, in containers; what lies deeper isn't a candidate."""
MAX_RESTARTS = 8
"""How often the scan starts again behind a bracket that turned out to be prose."""

_SORTED = json.JSONEncoder(sort_keys=True)
_FENCE = re.compile(r"^[ \t]*(?:(`{3,})([^`\n]*)|(~{3,})([^\n]*))$", re.MULTILINE)
_THOUGHT = r"(?:think(?:ing)?|thoughts?|reasoning|reflection|scratchpad)>"
_TOKEN = re.compile(rf"[\[\]{{}}\"]|</?{_THOUGHT}", re.IGNORECASE)
_CLOSER = re.compile(rf"</{_THOUGHT}", re.IGNORECASE)
# No JSON string holds a line break, so this tag ends a thought, whatever quotes stand before it.
_LINE_CLOSER = re.compile(rf"</{_THOUGHT}(?=[ \t]*\r?\n)|(?<=\n)</{_THOUGHT}", re.IGNORECASE)
# Members behind a container: it was closed too early, and isn't all that was said.
_CONTINUES = re.compile(r'\s*,\s*"')
_BEGINS_MEMBERS = re.compile(r"""[{\[][{\[\s]*(?:["'`\\\u201c\u2018/#]|[\w$]+\s*:)""")
# Numbers and commas too many or too few; in prose as in JSON, it may be the answer.
_NUMBERS = re.compile(r"\[[\s,]*-?\d+(?:\.\d+)?(?:[\s,]+-?\d+(?:\.\d+)?)*+[\s,]*\]")
_OPENER = {"]": "[", "}": "{"}
_STRING_END = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
# A lone brace is JSON, well formed or not; a lone square bracket may be prose, as in `[sic`.
_OPENS_JSON = re.compile(r"""\{|\[\s*(?:["'\\\u201c\u2018`{\[\]/#,\-0-9]|[A-Za-z]*\s*(?:,|\Z))""")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A JSON value that stands in an answer.

    text: its source. fixes: what was left around it, and mended in it. conflicts: pointers of keys
    that are given twice, with different values. in_words: it is an object of texts as they stood in
    markup, each of them JSON or not.
    """

    text: str
    value: JsonValue
    fixes: tuple[Fix, ...]
    conflicts: tuple[str, ...] = ()
    in_words: bool = False


@dataclass(frozen=True, slots=True)
class Candidates:
    """What an answer's text holds.

    found: one of those that say the same. truncated: a value was begun and not finished. sequence:
    all of them in the order of the text, where there are several.
    """

    found: tuple[Candidate, ...]
    truncated: bool
    sequence: tuple[JsonValue, ...] = ()


@dataclass(frozen=True, slots=True)
class _Scan:
    """What one pass over a text saw.

    unclosed: the open containers. in_string: whether a string in there runs to the end. start, end:
    the answer, without the thoughts around it. torn: a container was opened before the end of a
    thought and closed behind it, so that the tag may be a word of the answer's own.
    """

    spans: tuple[tuple[int, int], ...]
    unclosed: tuple[int, ...]
    in_string: bool
    start: int
    end: int
    torn: bool


def candidates(text: str) -> Candidates:
    """Find the JSON values in an answer: the whole, or those within prose, or in fences."""
    whole = _loaded(text.strip().removeprefix("\ufeff"), ())
    if whole is not None:
        return Candidates((whole,), truncated=False)
    scan = _scan(text)
    thought = not scan.torn and (scan.start or scan.end < len(text))
    fixes = (Fix("", "thought"),) if thought else ()
    answer = text if scan.torn else text[scan.start : scan.end]
    whole = _loaded(answer.strip(), fixes) or _mended(answer.strip(), fixes)
    if whole is not None or scan.torn:
        return Candidates((whole,) if whole else (), truncated=False)
    called = _called(answer, fixes)
    if called is not None:
        return called
    if any(_OPENS_JSON.match(text, opener) for opener in scan.unclosed):
        # Quotes of another kind may hide where a container ends.
        whole = _mended(_widest(answer), (*fixes, Fix("", "prose")))
        return Candidates((whole,) if whole else (), truncated=whole is None)
    blocks, rest = _fenced(answer)
    fenced, prose = (*fixes, Fix("", "fence")), (*fixes, Fix("", "prose"))
    around = dict.fromkeys(blocks, fenced)
    sources = [(text[start:end], end) for start, end in scan.spans if _is_apart(text, start)]
    loaded = {
        source: _loaded(source, where) or _mended_in_prose(source, where)
        for source in dict(sources)
        for where in (around.get(source, prose),)
    }
    if any(_is_broken(source, loaded[source], text, end) for source, end in sources):
        return Candidates((), truncated=False)
    found = list(loaded.values())
    if not any(found):
        found = [_loaded(block, fenced) or _mended(block, fenced) for block in blocks]
    sequence = tuple(each.value for source, _ in sources if (each := loaded[source]))
    # What stands alone in a fence that nobody closed may go on: `4` may be the start of `42`.
    begun = not any(found) and _loaded(rest, ()) is not None
    return Candidates(_distinct(found), begun, sequence if len(sequence) > 1 else ())


def _is_apart(text: str, start: int) -> bool:
    """Whether a bracket opens a value: behind a word, as in `string[]`, it is that word's own."""
    return text[start] == "{" or not text[max(0, start - 1) : start].isalnum()


def _called(text: str, fixes: tuple[Fix, ...]) -> Candidates | None:
    """What the tool calls of an answer were given, None if it calls none in markup."""
    if "</" not in text and "name=" not in text:
        return None
    from extractify.markup import calls

    made = calls(text)
    if not made.arguments and not made.truncated:
        return None
    found = [
        Candidate(
            "",
            dict(pairs),
            (*fixes, Fix("", "call")),
            tuple(f"/{escaped(key)}" for key, value in pairs if dict(pairs)[key] != value),
            in_words=True,
        )
        for pairs in made.arguments
    ]
    if made.truncated:
        return Candidates((), truncated=True)
    around = (*fixes, Fix("", "prose"))
    beside = candidates(made.beside).found
    found += [replace(each, fixes=(*around, *each.fixes)) for each in beside]
    return Candidates(_distinct(found), truncated=False)


def single(text: str) -> Candidate | None:
    """A text as one JSON value and nothing else, mended if need be."""
    return _loaded(text.strip(), ()) or _mended(text.strip(), ())


def encoded(text: str) -> dict[str, JsonValue] | list[JsonValue] | None:
    """The container that a text is, in plain JSON and with each key once; None if it is none."""
    read = _loaded(text.strip(), ()) if text.lstrip().startswith(("{", "[")) else None
    if read is None or read.conflicts or not isinstance(read.value, dict | list):
        return None
    return read.value


def _mended(text: str, fixes: tuple[Fix, ...]) -> Candidate | None:
    """Read a container with mistakes in it, if they can be mended in one way only."""
    if not text.startswith(("{", "[")):
        return None
    from extractify.lenient import mend  # few answers need it, and its patterns are slow to make
    from extractify.quoting import NotJson

    try:
        mended = mend(text, sets=True)
    except NotJson:
        return None
    return Candidate(text, mended.value, (*fixes, *mended.fixes), mended.conflicts)


def _mended_in_prose(text: str, fixes: tuple[Fix, ...]) -> Candidate | None:
    """Mend what begins as JSON does: brackets of prose, such as `[a, b]`, would be strings."""
    return _mended(text, fixes) if _BEGINS_MEMBERS.match(text) else None


def _widest(text: str) -> str:
    """From the first bracket that opens JSON to the last that closes any."""
    first = _OPENS_JSON.search(text)
    last = max(text.rfind("}"), text.rfind("]"))
    begun_behind = max(text.rfind("{"), text.rfind("[")) > last
    return text[first.start() : last + 1] if first and not begun_behind else ""


def without_thoughts(text: str) -> str:
    """The answer without what was thought before it."""
    scan = _scan(text)
    return text[scan.start : scan.end]


def _is_broken(source: str, candidate: Candidate | None, text: str, end: int) -> bool:
    """Whether a container is JSON that can't be read, or goes on behind its end in the text.

    It may have been the answer, so no other container of the text is taken for it.
    """
    if candidate is None:
        return bool(_BEGINS_MEMBERS.match(source) or _NUMBERS.fullmatch(source))
    return _CONTINUES.match(text, end) is not None


def _loaded(text: str, fixes: tuple[Fix, ...]) -> Candidate | None:
    conflicts: tuple[str, ...] = ()
    try:
        try:
            value: JsonValue = _DECODER.decode(text)
        except _GivenTwiceError:
            value, conflicts = json.loads(text, parse_float=fraction), ("",)
    except (ValueError, RecursionError):
        return None
    return None if _too_deep(value) else Candidate(text, value, fixes, conflicts)


class _GivenTwiceError(Exception):
    """An object has a key twice, with different values."""


def _members(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) < len(pairs) and any(found[key] != value for key, value in pairs):
        raise _GivenTwiceError
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_float=fraction)


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


def _distinct(found: Sequence[Candidate | None]) -> tuple[Candidate, ...]:
    """Keep one of those that say the same."""
    return tuple({_SORTED.encode(each.value): each for each in found if each}.values())


def _scan(text: str) -> _Scan:
    """Find the outermost closed containers, each thought left out."""
    start = position = max((match.end() for match in _LINE_CLOSER.finditer(text)), default=0)
    for _ in range(MAX_RESTARTS):
        scan = _pass(text, start, position)
        if not scan.unclosed or scan.spans or not scan.in_string:
            return scan
        outermost = scan.unclosed[0]
        if _OPENS_JSON.match(text, outermost):
            return scan
        # A quote behind a bracket of prose may have swallowed the answer.
        start, position = scan.start, outermost + 1
    return scan


def _pass(text: str, start: int, position: int) -> _Scan:
    """Scan from `position`; the answer begins at `start`, or behind the next thought."""
    spans: list[tuple[int, int]] = []
    stack: list[int] = []
    in_string, end = False, len(text)
    parted = torn = False
    while token := _TOKEN.search(text, position):
        word, here, position = token.group(), token.start(), token.end()
        if word == '"':
            if stack:
                position = _string_end(text, position)
                in_string = position == len(text)
        elif word in "[{":
            stack.append(here)
        elif word in "]}":
            if stack and text[stack[-1]] == _OPENER[word]:
                opener = stack.pop()
                while spans and spans[-1][0] > opener:
                    spans.pop()
                spans.append((opener, position))
            else:
                torn |= parted
        elif word.startswith("</"):
            start, parted = position, parted or bool(stack)
            spans, stack = [], []
        else:
            closer = _CLOSER.search(text, position)
            if closer is None:
                end = here
                break
            position = closer.start()
    return _Scan(tuple(spans), tuple(stack), in_string, start, end, torn)


def _string_end(text: str, position: int) -> int:
    match = _STRING_END.match(text, position)
    return match.end() if match else len(text)


def _fenced(text: str) -> tuple[list[str], str]:
    """What stands in fences, and what stands in the one that is open at the end."""
    blocks: list[str] = []
    mark, begin = "", 0
    for match in _FENCE.finditer(text):
        line = match[1] or match[3]
        if not mark:
            mark, begin = line, match.end()
        elif line.startswith(mark) and not (match[2] or match[4] or "").strip():
            blocks.append(text[begin : match.start()].strip())
            mark = ""
    return blocks, text[begin:].strip() if mark else ""
