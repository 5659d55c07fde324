"""Numbers in English words: `thirty`, `one hundred and five`, `two million`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_UNIT_WORDS = """\
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen \
fifteen sixteen seventeen eighteen nineteen"""
_UNITS = _UNIT_WORDS.split()
_TEN_WORDS = """\
twenty thirty forty fifty sixty seventy eighty ninety"""
_TENS = _TEN_WORDS.split()
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_VALUES = {
    **{word: number for number, word in enumerate(_UNITS)},
    **{word: 10 * number for number, word in enumerate(_TENS, start=2)},
}
_HUNDRED = "hundred"
_ORDINAL_WORDS = """\
first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth \
fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"""
_ORDINALS = {word: number for number, word in enumerate(_ORDINAL_WORDS.split(), start=1)}
_ORDINAL = re.compile(
    rf"\b(?:({'|'.join(_TENS)})[ -])?({'|'.join(_ORDINALS)})\b"
    rf"|\b({'|'.join(ten[:-1] for ten in _TENS)})ieth\b"
)
_TEN, _TWENTY, _HUNDREDS = 10, 20, 100
_WORD = "|".join(sorted([*_VALUES, *_SCALES, _HUNDRED], key=len, reverse=True))
_RUN = re.compile(rf"\b(?:{_WORD})\b(?:[ \n-](?:and[ \n])?(?:{_WORD})\b)*")
_STEP = re.compile(_WORD)


def spelled_out(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and value of each number in words of a folded text."""
    for match in _RUN.finditer(text):
        words = _STEP.findall(match.group())
        number = _number(words)
        if number is not None:
            yield match.start(), match.end(), number


def ordinals(text: str) -> Iterator[tuple[int, int, Decimal, bool]]:
    """Yield start, end and value of each `third` and `twenty-second`; none is sure."""
    for match in _ORDINAL.finditer(text):
        tens, unit, whole = match.groups()
        value = _VALUES[f"{whole}y"] if whole else _ORDINALS[unit]
        if not tens or value < _TEN:
            yield match.start(), match.end(), Decimal(value + (_VALUES[tens] if tens else 0)), False


def _number(words: Sequence[str]) -> int | None:
    """The value of words that make one number; None for such as `one two` or `million`."""
    total = group = 0
    limit, room = 10**15, 100
    if words[0] in _SCALES or words[0] == _HUNDRED:
        return None
    for word in words:
        if word in _SCALES:
            scale = _SCALES[word]
            if not group or scale >= limit:
                return None
            total, group, limit, room = total + group * scale, 0, scale, 100
        elif word == _HUNDRED:
            if not 0 < group < _TEN:
                return None
            group, room = group * 100, 100
        else:
            value = _VALUES[word]
            if not _fits(value, room):
                return None
            group += value
            room = 10 if value >= _TWENTY else 0
    return total + group


def _fits(value: int, room: int) -> bool:
    """Whether a word may follow: a unit after a ten, anything below a hundred after that."""
    return value < room and (value > 0 or room == _HUNDREDS)
