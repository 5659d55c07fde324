"""A JSON value read while it arrives: linear in the text, and never wrong about what it tells.

Thoughts and a fence before the value are passed over. What the reader mends is mended on the way
where it can be told on the spot: comments, other quotes, bare keys, commas, literals of
Python. What only the whole text tells (behind prose, a quote in a string) is left to the reader.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Protocol

from extractify.lenient import MAX_DEPTH
from extractify.quoting import QUOTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from extractify.messages import JsonValue

LONGEST_TOKEN = 400
"""Characters of the longest number, or key without quotes, that is read on the way."""

_CLOSERS = {"{": "}", "[": "]"}
_LITERALS: dict[str, JsonValue] = {"true": True, "True": True, "TRUE": True}
_LITERALS |= {"false": False, "False": False, "FALSE": False}
_LITERALS |= dict.fromkeys(("null", "None", "Null", "NULL", "undefined"))
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "'": "'", "`": "`"}
_ESCAPED |= {char: char for char in '"\\/'}

_SPACE = re.compile(r"[\s\ufeff\u200b\u2060]*+")
_BODY = {closer: re.compile(rf"[^{closer}\\]*+") for closer in QUOTES.values()}
_WORD = re.compile(r"[\w+\-.]++")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")
_BARE_KEY = re.compile(r"[A-Za-z_$][\w$]*+")
_UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})")
_HALF_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")
_LOW_HALF = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_HALF_LOW_HALF = re.compile(r"(?:\\(?:u(?:[dD](?:[c-fC-F][0-9a-fA-F]{0,2})?)?)?)?\Z")
_HIGH_HALVES, _LOW_HALVES = range(0xD800, 0xDC00), 0xDC00

_THOUGHT = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_THOUGHT_END = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_TAG_LENGTH = len("</thinking>")
_FENCE = re.compile(r"[`~]{3,}[^\n{\[]*+(\n|\Z)")

# Of a second value, and of the end of a thought that all before it was.
_BEGINNINGS = ("{", "[", "</")

_MORE = -1  # a step needs more text to go on


class Builder(Protocol):
    """Takes what is read, in the order of the text."""

    def open(self, opener: str) -> None:
        """A container begins: "{" or "["."""

    def close(self) -> None:
        """The innermost container is complete."""

    def key(self, key: str) -> bool:
        """The key of the member that follows. Returns: whether the object takes it."""

    def begin(self) -> None:
        """A string begins, empty as yet."""

    def text(self, piece: str) -> None:
        """The string goes on."""

    def end(self) -> None:
        """The string is complete."""

    def leaf(self, value: JsonValue) -> None:
        """A number, a boolean or null, complete."""


class Parser:
    """Reads one answer. done: the value is complete. waits: only the whole text tells more.

    has_more: whether something stands behind the value that may be the answer instead.
    """

    def __init__(self, builder: Builder) -> None:
        self.done = False
        self.waits = False
        self.has_more = False
        self._builder = builder
        self._rest = ""
        self._step: Callable[[str, int], int] = self._before
        self._stack: list[str] = []  # the closers of what is open
        self._key = ""
        self._is_key = False  # whether the string being read is one
        self._closer = ""
        self._body = _BODY['"']
        self._leaf: tuple[JsonValue] | None = None
        self._comment_end = ""
        self._then: Callable[[str, int], int] = self._before

    def feed(self, chunk: str) -> None:
        """Read what came."""
        if self.done:
            self._look_behind(chunk)
        elif not self.waits:
            self._read(self._rest + chunk if self._rest else chunk)

    def _read(self, text: str) -> None:
        at, length = 0, len(text)
        while at < length:
            reached = self._step(text, at)
            if reached == _MORE:
                break
            at = reached
        self._rest = "" if self.done or self.waits else text[at:]
        if self.done:
            self._look_behind(text[at + 1 :])

    def _look_behind(self, text: str) -> None:
        self.has_more = self.has_more or any(each in text for each in _BEGINNINGS)

    def _wait(self) -> int:
        self.waits = True
        return _MORE

    def _hold(self, text: str, at: int) -> int:
        """Wait for the rest of something short."""
        return self._wait() if len(text) - at > LONGEST_TOKEN else _MORE

    # -- before the value

    def _before(self, text: str, at: int) -> int:
        at = _passed(text, at)
        if at == len(text):
            return at
        char = text[at]
        if char in _CLOSERS:
            self._step = self._value
            return at
        if char in "`~":
            fence = _FENCE.match(text, at)
            if fence and fence[1] and fence.end() - at <= LONGEST_TOKEN:
                return fence.end()
            if fence or len(text) - at < len("```"):
                return self._hold(text, at)
        if _THOUGHT.match(text, at):
            self._step = self._thought
        elif char == "<" and len(text) - at < _TAG_LENGTH - 1 and ">" not in text[at:]:
            return _MORE
        else:  # prose, or a thought that was opened elsewhere: its end can be told
            self._step = self._thought
        return at

    def _thought(self, text: str, at: int) -> int:
        end = _THOUGHT_END.search(text, at)
        if end is None:
            return _all_but(text, at, _TAG_LENGTH - 1)
        self._step = self._before
        return end.end()

    # -- values

    def _value(self, text: str, at: int) -> int:
        at = _passed(text, at)
        if at == len(text):
            return at
        char = text[at]
        if char in QUOTES:
            return self._quoted(char, at, is_key=False)
        if char in _CLOSERS:
            return self._opened(char, at)
        if char in "/#":
            return self._comment(text, at, self._value)
        if char == "]" and self._stack[-1] == "]":
            return self._closed(at)
        return self._word(text, at)

    def _opened(self, char: str, at: int) -> int:
        if len(self._stack) >= MAX_DEPTH:
            return self._wait()
        self._builder.open(char)
        self._stack.append(_CLOSERS[char])
        self._step = self._member if char == "{" else self._value
        return at + 1

    def _closed(self, at: int) -> int:
        self._stack.pop()
        self._builder.close()
        self._step = self._behind
        if not self._stack:
            self.done = True
            return _MORE
        return at + 1

    def _word(self, text: str, at: int) -> int:
        """Read a number or a literal; it is told when what follows shows that it is one."""
        match = _WORD.match(text, at)
        if match is None:
            return self._wait()
        if match.end() == len(text):
            return self._hold(text, at)
        word = match.group()
        if word in _LITERALS:
            self._leaf = (_LITERALS[word],)
        elif len(word) > LONGEST_TOKEN or not _NUMBER.fullmatch(word):
            return self._wait()
        else:
            number = int(word) if word.lstrip("-").isdecimal() else float(word)
            if not math.isfinite(number):
                return self._wait()
            self._leaf = (number,)
        self._step = self._ended
        return match.end()

    # -- members

    def _member(self, text: str, at: int) -> int:
        at = _passed(text, at)
        if at == len(text):
            return at
        char = text[at]
        if char in QUOTES:
            return self._quoted(char, at, is_key=True)
        if char == "}":
            return self._closed(at)
        if char in "/#":
            return self._comment(text, at, self._member)
        return self._bare_key(text, at)

    def _bare_key(self, text: str, at: int) -> int:
        match = _BARE_KEY.match(text, at)
        if match is None:
            return self._wait()
        if match.end() == len(text) or match.end() - at > LONGEST_TOKEN:
            return self._hold(text, at)
        self._key = match.group()
        self._step = self._colon
        return match.end()

    def _colon(self, text: str, at: int) -> int:
        at = _passed(text, at)
        if at == len(text):
            return at
        if text[at] != ":" or not self._builder.key(self._key):
            return self._wait()
        self._step = self._value
        return at + 1

    # -- strings

    def _quoted(self, quote: str, at: int, *, is_key: bool) -> int:
        self._is_key = is_key
        self._closer = QUOTES[quote]
        self._body = _BODY[self._closer]
        self._step = self._string
        if is_key:
            self._key = ""
        else:
            self._builder.begin()
        return at + 1

    def _string(self, text: str, at: int) -> int:
        match = self._body.match(text, at)
        end = match.end() if match else at
        if end > at:
            self._say(text[at:end])
        if end == len(text):
            return end
        if text[end] == "\\":
            self._step = self._escape
            return end
        self._step = self._colon if self._is_key else self._ended
        return end + 1

    def _say(self, piece: str) -> None:
        if self._is_key:
            self._key += piece
        else:
            self._builder.text(piece)

    def _escape(self, text: str, at: int) -> int:
        match = _UNICODE.match(text, at)
        if match is None:
            if _HALF_ESCAPE.match(text, at):
                return _MORE
            plain = _ESCAPED.get(text[at + 1])
            if plain is None:
                return self._wait()
            self._say(plain)
            self._step = self._string
            return at + 2
        code, end = int(match[1], 16), match.end()
        if code in _HIGH_HALVES:
            if low := _LOW_HALF.match(text, end):
                code = 0x10000 + ((code - _HIGH_HALVES[0]) << 10) + int(low[1], 16) - _LOW_HALVES
                end = low.end()
            elif _HALF_LOW_HALF.match(text, end):
                return _MORE
        self._say(chr(code))
        self._step = self._string
        return end

    # -- behind a value

    def _behind(self, text: str, at: int) -> int:
        """Pass a comma, or close; after a container, a comma that was forgotten is no riddle."""
        at = _passed(text, at)
        if at == len(text):
            return at
        char = text[at]
        if char == ",":
            self._next()
            return at + 1
        if char == self._stack[-1]:
            return self._closed(at)
        if char in "/#":
            return self._comment(text, at, self._behind)
        if char == ('"' if self._stack[-1] == "}" else "{"):
            self._next()
            return at
        return self._wait()

    def _next(self) -> None:
        self._step = self._member if self._stack[-1] == "}" else self._value

    def _ended(self, text: str, at: int) -> int:
        """See whether JSON goes on behind a leaf: else a quote or a digit may be only a part."""
        at = _passed(text, at)
        if at == len(text):
            return at
        char = text[at]
        if char == "," and self._stack[-1] == "}":
            self._step = self._behind_comma
            return at + 1
        if char in "/#" and self._leaf is not None:
            if len(text) - at < len("//"):
                return self._hold(text, at)
            return self._told(at, self._behind) if _is_comment(text, at) else self._wait()
        ends = char in (",", self._stack[-1])
        return self._told(at, self._behind) if ends else self._wait()

    def _behind_comma(self, text: str, at: int) -> int:
        """See whether a member, or the end, follows: `1,234` is one number."""
        at = _passed(text, at)
        if at == len(text):
            return at
        if text[at] in "}/#" or text[at] in QUOTES:
            return self._told(at, self._member)
        key = _BARE_KEY.match(text, at)
        if key is None:
            return self._wait()
        behind = _passed(text, key.end())
        if behind == len(text) or behind - at > LONGEST_TOKEN:
            return self._hold(text, at)
        return self._told(at, self._member) if text[behind] == ":" else self._wait()

    def _told(self, at: int, then: Callable[[str, int], int]) -> int:
        if self._leaf is None:
            self._builder.end()
        else:
            self._builder.leaf(*self._leaf)
            self._leaf = None
        self._step = then
        return at

    # -- comments

    def _comment(self, text: str, at: int, then: Callable[[str, int], int]) -> int:
        """Begin to pass a comment, and go on with `then` behind it."""
        if len(text) - at < len("//"):
            return _MORE
        if not _is_comment(text, at):
            return self._wait()
        is_block = text.startswith("/*", at)
        self._comment_end, self._then = "*/" if is_block else "\n", then
        self._step = self._in_comment
        return at + (2 if is_block else 1)

    def _in_comment(self, text: str, at: int) -> int:
        end = text.find(self._comment_end, at)
        if end < 0:
            return _all_but(text, at, len(self._comment_end) - 1)
        self._step = self._then
        return end + len(self._comment_end)


def _passed(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _is_comment(text: str, at: int) -> bool:
    mark = text[at : at + 2]
    return mark in {"//", "/*", "##", "#!"} or (mark[0] == "#" and mark[1].isspace())


def _all_but(text: str, at: int, count: int) -> int:
    """Pass what comes, but keep `count` characters: they may be the beginning of something."""
    kept = len(text) - count
    return kept if kept > at else _MORE
