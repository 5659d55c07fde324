"""Strings with the quoting mistakes that models make: where does one end, and what does it say?

A quote ends its string where JSON goes on behind it. It is part of the text where it stands
between letters, or in a pair such as `he said "no" twice`. All else is ambiguous, and no JSON. No
look ahead goes beyond the next string, so all of them together are linear.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import NoReturn

from extractify.messages import Fix, JsonValue, clipped

MAX_MENDS = 30_000
"""Most mends of one text, a wide margin for a large dict of Python."""

# Straight quotes, curly ones, and closing ones on both sides.
QUOTES = {'"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u2018": "\u2019"}
QUOTES |= {"\u201d": "\u201d", "\u2019": "\u2019"}
COMMENT = r"(?://|/\*|\#[\s\#!])"

# A key as it stands ahead, perhaps cut off by the end of the text.
_QUOTED_KEY = r'"(?:[^"\\]|\\.)*+(?:"\s*+(?::|\Z)|\\?\Z)|""[^"\n]{1,100}+(?:""\s*+:|\Z)' + "".join(
    rf"|{a}[^{z}\n]{{0,100}}+(?:{z}\s*+:|\Z)" for a, z in QUOTES.items() if a != '"'
)
_BARE_KEY = r"[\w$][\w $.\-]{0,100}+(?:\s*+:|\Z)"
OPENING = "\"'`\u201c\u2018"
_CLOSED = rf"[}}\])][}}\])\s]*+(?:[,{OPENING}{{\[]|{COMMENT}|\Z)|(?<=\s){COMMENT}|\Z"
_MEMBER = rf",\s*+(?:{_QUOTED_KEY}|{_BARE_KEY}|}}|{COMMENT}|\Z)|{_CLOSED}|{_QUOTED_KEY}"
# What follows a string where it ends.
_AFTER = {
    "key": re.compile(r"\s*+(?::|\Z)"),
    "member": re.compile(rf"\s*+(?:{_MEMBER})|[^\S\n]*+\n\s*+{_BARE_KEY}", re.DOTALL),
    "item": re.compile(rf"\s*+(?:,|{_CLOSED}|(?<=\n)[{OPENING}{{\[]|(?P<gap>(?<=\s)[{OPENING}]))"),
}
_PLAIN = re.compile(r'"([^"\\\x00-\x1f]*+)"')
# Of one line or several. White space at its ends may be its layout or its text, a backslash an
# escape or code.
_TRIPLE = re.compile(r"""("{3}|'{3})([^\s"'\\](?:(?!\1)[^\\])*+)(?<!\s)\1""")
_BODY = {
    end: re.compile(rf"[^{end}\\]*+(?:\\.[^{end}\\]*+)*+", re.DOTALL) for end in QUOTES.values()
}
_KEY_HERE = re.compile(r'"(?=\w)[^"\\\n]{1,100}+(?:"\s*+:|\Z)')
_HALF_KEY = re.compile(r"([\w$][\w $.\-]{0,100}+)\s*+:\s*+")
_COLON_BEHIND = re.compile(r"\s*+:")
_WORD_BEHIND = re.compile(r"\s++[^\W\d_]")
_UNFINISHED = re.compile(r"\A\Z|[{}\[\]()]|[,\\]\Z")

_ESCAPES = re.compile(r'(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))++|\\(.?)', re.DOTALL)


class NotJson(ValueError):
    """The text isn't JSON, however kindly one reads it.

    at: the character where it stops being JSON. truncated: there it ended, inside a container or a
    string, and was JSON so far.
    """

    def __init__(self, at: int, *, truncated: bool = False) -> None:
        super().__init__(at)  # what pickles; the rest travels as its state
        self.at = at
        self.truncated = truncated

    def __str__(self) -> str:
        return f"{'cut off' if self.truncated else 'not JSON'} at character {self.at}"


@dataclass(slots=True)
class Open:
    """A container that is being read. doubled: its key stands in two pairs of quotes."""

    closer: str
    pointer: str
    value: dict[str, JsonValue] | list[JsonValue]
    key: str = ""
    doubled: bool = False
    comma: bool = False


class Strings:
    """Reads the strings of a text; what it mends is noted. fixes: what was mended so far."""

    def __init__(self, text: str) -> None:
        self.fixes: list[Fix] = []
        self._text = text
        self._at = 0
        self._stack: list[Open] = []
        self._noted: list[tuple[str, str]] = []
        self._mends = 0
        self._lone_backslash = False

    def _fail(self, *, truncated: bool = False) -> NoReturn:
        raise NotJson(self._at, truncated=truncated)

    def _note(self, kind: str, got: str = "") -> None:
        self._mends += 1
        if self._mends > MAX_MENDS:
            self._fail()
        self._noted.append((kind, clipped(got)))

    def _string(self, role: str) -> str:
        """Read a string, of plain JSON or not."""
        text, quote = self._text, self._text[self._at]
        plain = _PLAIN.match(text, self._at)
        if plain and _AFTER[role].match(text, plain.end()):
            self._at = plain.end()
            return plain[1]
        triple = _TRIPLE.match(text, self._at) if role != "key" else None
        if triple and _AFTER[role].match(text, triple.end()):
            self._note("quote", triple[1])
            self._at = triple.end()
            return triple[2]
        start = self._at + 1
        doubled = text.startswith(quote, start) and text[start + 1 : start + 2].isalnum()
        if quote != '"' or doubled:
            self._note("quote", text[start - 1 : start + doubled])
        self._at = begin = start + doubled
        end = (self._doubled_end if doubled else self._string_end)(role, QUOTES[quote])
        raw = text[begin:end]
        if any(char < " " for char in raw):
            self._note("control character")
        return _ESCAPES.sub(self._escape, raw) if "\\" in raw else raw

    def _escape(self, match: re.Match[str]) -> str:
        """Read a run of escapes; keep what is none."""
        escape, wrong = match.group(), match[1]
        if wrong is None:
            return str(json.loads(f'"{escape}"'))
        self._note("escape", escape)
        if not "!" <= wrong <= "~":
            self._fail()
        if wrong in "'`":
            return wrong
        self._lone_backslash = True
        return escape

    def _string_end(self, role: str, closer: str) -> int:
        """Find the quote that ends a string, and go on behind it. Returns: where the text ends."""
        text, begin, pair = self._text, self._at, False
        while True:
            match = _BODY[closer].match(text, self._at)
            self._at = quote = match.end() if match else self._at
            if not text.startswith(closer, quote):
                sound = not pair and (closer == '"' or '"' not in text[begin:])
                return self._cut_off(role, begin, sound=sound)
            behind = _AFTER[role].match(text, quote + 1)
            if behind and not pair:
                self._at = quote + 1
                return quote
            self._note("quote", closer)
            early = None if pair or closer != '"' else self._early_end(role, begin, quote)
            if early is not None:
                return early
            pair = self._inner(role, closer, pair=pair, ends=behind)
            self._at = quote + 1

    def _doubled_end(self, role: str, closer: str) -> int:
        """End a string that two quotes open. Two at its end may be its own: then the key tells."""
        after, top = _AFTER[role], self._stack[-1]
        match = _BODY[closer].match(self._text, self._at)
        quote = match.end() if match else self._at
        twice = self._text.startswith(closer, quote + 1) and after.match(self._text, quote + 2)
        once = closer == '"' and not twice and after.match(self._text, quote + 1)
        if not once and not (twice and (role == "key" or top.doubled)):
            self._fail()
        top.doubled = bool(twice)
        self._at = quote + (2 if twice else 1)
        return quote

    def _early_end(self, role: str, begin: int, quote: int) -> int | None:
        """Tell where a string ends whose quote is missing, from the quote that comes next."""
        text = self._text
        if role == "key":
            half = _HALF_KEY.fullmatch(text, begin, quote)
            return half.end(1) if half else None
        before = text[max(begin, quote - 100) : quote].rstrip()
        if role == "item" or not before.endswith(",") or not _KEY_HERE.match(text, quote):
            return None
        self._at = text.rindex(",", begin, quote)
        return self._at

    def _inner(self, role: str, closer: str, *, pair: bool, ends: re.Match[str] | None) -> bool:
        """Take a quote as part of its string, if it can only be that.

        pair: whether a quote before it waits for its partner. Returns: whether one does now.
        """
        here, text = self._at, self._text
        before, behind = text[here - 1], text[here + 1 : here + 2]
        if before.isalnum() and behind.isalnum():
            return pair
        if role == "key" or _COLON_BEHIND.match(text, here + 1):
            self._fail()
        closes = pair and (ends is None or behind == closer or bool(ends.groupdict().get("gap")))
        opens = (
            not pair and not before.isalnum() and (behind.isalnum() or behind in "([{<$€£#@-+.…")
        )
        mark = not pair and (closer in "'\u2019" or (role == "member" and before.isdecimal()))
        if not (closes or opens or (mark and _WORD_BEHIND.match(text, here + 1))):
            self._fail()
        return opens

    def _cut_off(self, role: str, begin: int, *, sound: bool) -> int:
        """End a string that the text doesn't end.

        Where nothing but the closers of all that is open stands at the very end, only its quote was
        forgotten. A bracket in the string might be the partner of one of them: then nobody knows.
        """
        rest = self._text[begin:]
        body = rest.rstrip("]} \t\r\n")
        found = "".join(rest[len(body) :].split())
        expected = "".join(each.closer for each in reversed(self._stack))
        if role == "key" or not sound or found != expected or _UNFINISHED.search(body):
            self._at = len(self._text)
            self._fail(truncated=True)
        self._note("quote")
        self._at = begin + len(body)
        return self._at
