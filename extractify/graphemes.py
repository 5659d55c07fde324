"""Where a text may be cut: never inside what a reader sees as one character, nor inside a word.

The rules of Unicode's UAX 29 that matter where a span begins or ends, from `unicodedata` alone.
"""

from __future__ import annotations

import re
import unicodedata

_JOINER = "\u200d"
# Thai and Lao vowels that are drawn on the consonant before them, and are letters to Unicode.
_DRAWN_ON = "\u0e33\u0eb3"
_REGIONAL = re.compile("[\U0001f1e6-\U0001f1ff]*\\Z")
_JAMO = re.compile("[\u1100-\u115f\u1160-\u11a7\ua960-\ua97c\ud7b0-\ud7c6\uac00-\ud7a3]")
_JAMO_TAIL = re.compile("[\u1160-\u11ff\ud7b0-\ud7fb]")
_VIRAMA = 9
_MOST_FLAGS = 200
_MOST_MARKS = 32
# A soft hyphen, a word joiner: inside a word, and not seen.
_UNSEEN = "\u00ad\u2060\ufeff"
# Scripts that set no spaces between words, or particles right behind them (Korean).
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3100-\u312f\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
_HAN_NUMERALS = frozenset(
    "\u3007\u96f6\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341\u767e\u5343"
    "\u4e07\u4ebf\u5104\u842c\u5169\u4e24\u58f9\u8d30\u8cb3\u53c1\u53c3\u8086\u4f0d\u9646"
    "\u9678\u67d2\u634c\u7396\u62fe\u4f70\u4edf"
)


def may_cut(text: str, at: int) -> bool:
    """Whether a character ends at an offset, for a reader: no mark, joiner or half flag is cut."""
    if not 0 < at < len(text):
        return True
    before, after = text[at - 1], text[at]
    if after < "\u0300":
        return not (before == "\r" and after == "\n")
    if extends(after) or _JAMO_TAIL.match(after):
        return not (extends(after) or _JAMO.match(before) or _JAMO_TAIL.match(before))
    if before == _JOINER:
        return False
    if "\U0001f1e6" <= after <= "\U0001f1ff":
        flags = _REGIONAL.search(text, max(0, at - _MOST_FLAGS), at)
        return flags is None or (flags.end() - flags.start()) % 2 == 0
    return not (unicodedata.combining(before) == _VIRAMA and after.isalpha())


def extends(character: str) -> bool:
    """Whether a character belongs to the one before it: an accent, a skin tone, a joiner."""
    return (
        (character >= "\u0300" and unicodedata.category(character) in {"Mn", "Mc", "Me"})
        or character in _DRAWN_ON
        or character in "\u200c\u200d"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
    )


def is_edge(text: str, at: int) -> bool:
    """Whether a word may begin or end at an offset, and no character is cut there.

    Between letters and digits there is no edge, but for scripts without spaces.
    """
    if not 0 < at < len(text):
        return True
    if not may_cut(text, at):
        return False
    before, after = _seen_before(text, at), _seen_after(text, at)
    if before.isalnum() and after.isalnum():
        if before.isdigit() and after.isdigit():
            return False
        if not (_UNSPACED.match(before) or _UNSPACED.match(after)):
            return before.isalpha() and unicodedata.category(after) == "No"  # a footnote's mark
        if before in _HAN_NUMERALS and after in _HAN_NUMERALS:
            return False
    return True


def _seen_before(text: str, at: int) -> str:
    """The character before an offset that its marks stand on."""
    for char in reversed(text[max(0, at - _MOST_MARKS) : at].rstrip(_UNSEEN)):
        if char < "\u0080" or not (extends(char) or char in _UNSEEN):
            return char
    return text[at - 1]


def _seen_after(text: str, at: int) -> str:
    if text[at] not in _UNSEEN:
        return text[at]
    return text[at : at + _MOST_MARKS].lstrip(_UNSEEN)[:1] or text[at]
