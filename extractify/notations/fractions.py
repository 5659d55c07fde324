"""Fractions in a folded text: `½`, `1 1/2`, `three quarters`, `two and a half`."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNS = "\u00bd\u00bc\u00be\u215b\u215c\u215d\u215e\u2155\u2156\u2157\u2158"
_SIGN = re.compile(rf"(?<![\w.,/:-])(?<![0-9] )[{_SIGNS}](?!\w)")
_PLAIN = re.compile(
    r"(?<![\w.,/:-])(?:([0-9]{1,6})[ -])?(1/2|[13]/4|[1357]/8|[1-4]/5|[1-9]/10)"
    r"(?![\w/-]|[.,:][0-9])"
)
_SMALL = "one two three four five six seven eight nine ten eleven twelve"
_NUMBERS = {word: number for number, word in enumerate(_SMALL.split(), start=1)}
_WORDS = re.compile(
    rf"\b(?:(?:({'|'.join(_NUMBERS)}) and )?(?:(?:(?:a|one)[ -])?(half)|(?:a|one)[ -](quarter))"
    r"|(three)[ -]quarters)\b"
)


def fractions(text: str) -> Iterator[tuple[int, int, Decimal, bool]]:
    """Yield start, end and value of each, and whether it can be nothing else, as `1/2` can."""
    for match in _SIGN.finditer(text):
        share = Decimal(str(unicodedata.numeric(match.group())))
        yield match.start(), match.end(), share, True
    for match in _PLAIN.finditer(text):
        part, whole = map(Decimal, match.group(2).split("/"))
        yield match.start(), match.end(), int(match.group(1) or 0) + part / whole, False
    for match in _WORDS.finditer(text):
        number, half, _, three = match.groups()
        share = Decimal("0.75") if three else Decimal("0.5" if half else "0.25")
        yield match.start(), match.end(), _NUMBERS.get(number, 0) + share, bool(number)
