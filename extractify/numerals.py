"""Numbers of JSON with all the digits that stand in its text."""

from __future__ import annotations

import math
import re
from decimal import Decimal

_FAR = re.compile(r"[eE][+-]?0*[1-9][0-9]{3}")  # exponents that no float, and few decimals, can say
MOST_EXACT = 15
"""Characters of a number up to which a float says the same."""


class Digits(float):
    """A float of more digits than a float can say. text: the number as it stood."""

    text: str

    @property
    def is_rounded(self) -> bool:
        """Whether the float is another number than the text."""
        return Decimal(self.text) != Decimal(repr(float(self)))


def fraction(text: str) -> float:
    """Read a number with a fraction or an exponent, as a JSON parser hands it over."""
    if len(text) <= MOST_EXACT or not math.isfinite(float(text)) or _FAR.search(text):
        return float(text)
    digits = Digits(text)
    digits.text = text
    return digits if digits.is_rounded else float(text)
