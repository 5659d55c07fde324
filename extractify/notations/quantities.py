"""Amounts with a unit or a currency in a folded text: `EUR 1.249,50` for `1249.50 €`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from extractify.notations.figures import CODES, CURRENCIES, Found, readings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify.notations.figures import Numerals

_AMOUNT = r"([+-]?)([0-9]+(?:[.,' ][0-9]+)*)"
_SCALE = r"(?: ?(thousand|million|mio\.?|mn|billion|bn|mrd\.?|lakh|crore)(?=[ ]|\Z))?"
_POWERS = {
    "thousand": 3, "million": 6, "mio": 6, "mn": 6, "billion": 9, "bn": 9, "mrd": 9, "lakh": 5,
    "crore": 7,
}  # fmt: skip
_UNIT = r"([^\d\s.,;:'\"()+/-][^\d\s,;:'\"()+-]{0,14})"
_QUANTITY = re.compile(rf"{_UNIT} ?{_AMOUNT}{_SCALE}|{_AMOUNT}{_SCALE} ?{_UNIT}")
_UNIT_BEFORE = re.compile(rf"(?:\A|(?<=[^\w$€£¥₹])|(?<=\())(?:{_UNIT}) ?\Z")
_UNIT_AFTER = re.compile(rf"(?:[.,]-|\.)?[ ]?{_UNIT}")
_SCALE_BEHIND = re.compile(rf"[ -]?(?:{'|'.join(_POWERS)}|[mkb])\b")
_REACH = 18
_SPELLED = {
    "percent": "%", "pct": "%", "prozent": "%", "kilogram": "kg", "kilograms": "kg", "grams": "g",
    "gram": "g", "milligrams": "mg", "milligram": "mg", "meters": "m", "metres": "m", "meter": "m",
    "metre": "m", "kilometers": "km", "kilometres": "km", "litres": "l", "liters": "l",
    "litre": "l", "liter": "l", "stück": "stk", "pieces": "pcs", "hours": "h", "minutes": "min",
}  # fmt: skip


def find_quantity(text: str, numerals: Numerals, leaf: str) -> Iterator[Found]:
    """Yield where an amount stands with the same unit or currency, on either side. leaf: folded."""
    match = _QUANTITY.fullmatch(leaf)
    if match is None:
        return
    unit = _unit(match.group(1) or match.group(8))
    sign, amount = match.group(2) or match.group(5), match.group(3) or match.group(6)
    power = _POWERS.get((match.group(4) or match.group(7) or "").rstrip("."), 0)
    is_currency = unit in CODES
    for number in (meant.scaleb(power) for meant in readings(amount)):
        for found in numerals.find(-number if sign == "-" else number):
            before = text[max(0, found.start - _REACH) : found.start]
            after = text[found.end : found.end + _REACH]
            left, right = _UNIT_BEFORE.search(before), _UNIT_AFTER.match(after)
            if text[found.end - 1 : found.end] == "%" and unit == "%":
                continue  # a fraction that stands there as a percentage
            if is_currency and _SCALE_BEHIND.match(text, found.end):
                continue  # a million times as much
            if right and _unit(right.group(1)) == unit:
                yield Found(
                    found.start, found.end + len(right.group().rstrip(".")), found.ambiguous
                )
            elif left and is_currency and _unit(left.group(1)) == unit:
                yield Found(found.start - len(before) + left.start(), found.end, found.ambiguous)


def _unit(written: str) -> str:
    """A unit by its usual short form, a currency by its code."""
    plain = written.rstrip(".")
    return CURRENCIES.get(plain, _SPELLED.get(plain, plain))
