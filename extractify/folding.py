"""A text folded to what it says: case, white space, and marks that say nothing are evened out.

Each offset of the folded text leads back to the text as it was. Superscripts, fractions and circled
digits stay as they are, so that no digit is made or lost.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import cached_property
from html import unescape

GAP, BREAK = "\t", "\n"
"""What a wide gap and a line break are in `Folded.text`; in `Folded.spaced` both are spaces."""

_QUOTES = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u02bb\u00b4\uff07", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\uff02\u301d\u301e", '"'),
}
_DASHES = dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u2043", "-")
_ARABIC = {"\u066a": "%", "\u066b": ".", "\u066c": ","}
_ONE_FOR_ONE = {**_QUOTES, **_DASHES, **_ARABIC, "\x1f": " "}
# What NFKC may spell out: full and half width, presentation forms, ligatures, fonts.
_SPELLED_OUT = re.compile(r"<(?:wide|narrow|compat|font|initial|medial|final|isolated|noBreak)>")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
_MARKUP_MARKS = "&<\\*~`_[]"
_MOST_MARKS = 30
_INLINE_TAG = re.compile(
    r"</?(?:b|i|u|s|a|em|strong|span|font|code|mark|small|big|tt)\b", re.IGNORECASE
)
# Quantifiers are bounded, so that nothing unclosed is read again and again.
_MARKUP = (
    r"&(?:\#[0-9]{1,7}|\#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
    r"|<(?![^\s<>]{1,100}(?:@|://))/?[A-Za-z][^<>\n]{0,200}>"
    r"|\\[\\`*_{}\[\]()\#+.!|~>-]"
    r"|(?<![!\w])\[(?=[^\[\]\n]{1,200}\]\([^()\s]{1,300}\))"
    r"|(?<=\S)\]\([^()\s]{1,300}\)"
    r"|\*{1,3}|~~|`{1,3}|(?<![^\W_])_{1,3}|_{1,3}(?![^\W_])"
    r"|\n[ \t]{0,8}(?:>[ \t]?|\#{1,6}[ \t])+"
)
# One class first: that is what the engine of `re` looks for fastest.
_LAYOUT = (
    "[ \n\u00ad\u2010-](?:"
    r"(?<=[ \n])[ \n]+"
    "|(?<=[\u00ad\u2010-]) {0,20}\n {0,20}(?=\\w))"
)

# Chinese and Japanese have no spaces, so a line break is none either.
_UNSPACED_BREAK = re.compile(
    "\n(?<=[\u3040-\u30ff\u3400-\u9fff]\n)(?=[\u3040-\u30ff\u3400-\u9fff])"
)


class Folded:
    """A text, folded. hyphen: what stands for a hyphen at the end of a line: nothing, or itself.

    text: wide gaps and line breaks are told apart (`GAP`, `BREAK`). spaced: of the same length,
    and they aren't.
    """

    def __init__(self, original: str, hyphen: str = "") -> None:
        self.original = original
        self._hyphen = hyphen
        alphabet = {char: _folded(char) for char in set(original)}
        single = {ord(char): to for char, to in alphabet.items() if len(to) == 1}
        single.pop(0x0A, None)
        self._longer = {char: to for char, to in alphabet.items() if len(to) != 1}
        plain = original.translate(single) if any(map(_differs, single.items())) else original
        self._pieces: list[str] = []
        # Where folded and original offsets part: parallel, ascending, each the end of a change.
        self._here: list[int] = [0]
        self._there: list[int] = [0]
        self._change_here: list[int] = [0]
        self._change_there: list[int] = [0]
        self._fold(plain)
        self.text = "".join(self._pieces)
        self._pieces.clear()

    def _fold(self, plain: str) -> None:
        """Copy what is plain, and put what the rest says in its place."""
        position = done = 0
        pieces = self._pieces
        for match in self._pattern().finditer(plain):
            start, end = match.span()
            new = self._replaced(plain, start, end)
            if new is None:
                continue
            pieces.append(plain[done:start])
            position += start - done
            self._change_here.append(position)
            self._change_there.append(start)
            pieces.append(new)
            position += len(new)
            self._here.append(position)
            self._there.append(end)
            done = end
        pieces.append(plain[done:])

    def _pattern(self) -> re.Pattern[str]:
        """What may have to be changed in this text: only that of which it has any."""
        original = self.original
        marks = "".join(re.escape(char) for char in set(original) if unicodedata.combining(char))
        longer = "".join(re.escape(char) for char in self._longer)
        parts = [_LAYOUT]
        if marks:
            parts.insert(0, f".[{marks}]{{1,{_MOST_MARKS}}}")
        if any(mark in original for mark in "&<\\*~`_[#>"):
            parts.append(_MARKUP)
        if _UNSPACED_BREAK.search(original):
            parts.insert(0, _UNSPACED_BREAK.pattern)
        if longer:
            parts.append(f"[{longer}]+")
        return re.compile("|".join(parts))

    def _replaced(self, plain: str, start: int, end: int) -> str | None:
        """What a match says; None if it is to stay as it is."""
        found = plain[start:end]
        first = found[0]
        if first in " \n":
            return _white(plain, start, end)
        if found[-1] in " \n" and first != "<":  # a hyphen at the end of a line
            return _rejoined(plain, start, end, self._hyphen)
        if end - start > 1 and unicodedata.combining(found[-1]):
            return "".join(map(_folded, unicodedata.normalize("NFC", found)))
        if first in _MARKUP_MARKS:
            return _without_markup(plain, start, end)
        return "".join(self._longer.get(char, char) for char in found)

    @cached_property
    def spaced(self) -> str:
        """The folded text with single spaces for gaps and line breaks."""
        return self.text.replace(GAP, " ").replace(BREAK, " ")

    def original_start(self, at: int) -> int:
        """The offset in the original of a folded character."""
        piece = bisect_right(self._here, at) - 1
        if piece + 1 < len(self._here) and at >= self._change_here[piece + 1]:
            return self._change_there[piece + 1]  # inside of what was changed
        return self._there[piece] + at - self._here[piece]

    def folded_start(self, at: int) -> int:
        """The offset of an original character here; of one that was changed, near it."""
        piece = bisect_right(self._there, at) - 1
        return self._here[piece] + at - self._there[piece]

    def original_end(self, at: int) -> int:
        """The offset in the original behind the folded character before `at`."""
        last = at - 1
        piece = bisect_right(self._here, last) - 1
        if piece + 1 < len(self._here) and last >= self._change_here[piece + 1]:
            return self._there[piece + 1]
        return self._there[piece] + at - self._here[piece]


def fold(text: str) -> str:
    """A short text as a document's `spaced` has it, without white space around it."""
    return Folded(text).spaced.strip()


def _differs(pair: tuple[int, str]) -> bool:
    return chr(pair[0]) != pair[1]


def _folded(char: str) -> str:
    """One character folded: "" if it isn't seen."""
    if char in _ONE_FOR_ONE:
        return _ONE_FOR_ONE[char]
    if char.isspace():
        return char if char == "\n" else " "
    if _INVISIBLE.match(char):
        return ""
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    parts = unicodedata.decomposition(char)
    if parts.startswith("<"):
        plain = unicodedata.normalize("NFKC", char)
        makes_digits = any(map(str.isdigit, plain))
        char = plain if _SPELLED_OUT.match(parts) and not makes_digits else char
    else:
        char = unicodedata.normalize("NFC", char)
    return "".join(_ONE_FOR_ONE.get(letter, letter) for letter in char.casefold())


def _white(plain: str, start: int, end: int) -> str:
    """What stands for white space: a gap, a line break, or nothing where there are no spaces."""
    if end == start + 1 and _UNSPACED_BREAK.match(plain, start):
        return ""
    return BREAK if "\n" in plain[start:end] else GAP


def _without_markup(plain: str, start: int, end: int) -> str | None:
    """What an entity, a tag, or a mark of Markdown says; None if it may be none."""
    found = plain[start:end]
    first = found[0]
    if first == "&":
        said = unescape(found)
        return None if said == found else "".join(map(_folded, said))
    if first == "<":
        digits = plain[start - 1 : start].isdigit() and plain[end : end + 1].isdigit()
        return "" if _INLINE_TAG.match(found) and not digits else " "
    if first == "\\":
        return found[1:]
    return "" if first in "[]" else _unmarked(plain, start, end)


def _rejoined(plain: str, start: int, end: int, hyphen: str) -> str:
    """What stands for a hyphen and the line break behind it."""
    before, after = plain[start - 1 : start], plain[end : end + 1]
    if before.isalpha() and after.isalpha():
        return hyphen
    if before.isalnum() and after.isdigit() and plain[start] != "\u00ad":
        return "-"
    return f"-{BREAK}"


def _unmarked(plain: str, start: int, end: int) -> str | None:
    """Drop emphasis, but not between two letters or digits, where it may be anything."""
    before, after = plain[start - 1 : start], plain[end : end + 1]
    if before.isalnum() and after.isalnum():
        letters = before.isalpha() and after.isalpha() and plain[start] == "*"
        return "" if letters and plain[start:end] == "**" else None
    if before.isspace() and after.isspace():
        return None  # a bullet, or a sign for times
    return ""
