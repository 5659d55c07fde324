"""Numbers in a folded text, whatever their notation.

A number stands on a whole numeral or not at all: 12 isn't in 512, and 18 isn't on `18,40`. What
numeral may mean it is looked up by its digits, which are the same in every notation.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import TYPE_CHECKING

from extractify.notations.fractions import fractions
from extractify.notations.number_words import ordinals, spelled_out

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN = re.compile(r"[+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
"""A number as JSON has it, or with a plus."""
CURRENCIES = {
    "€": "eur", "$": "usd", "£": "gbp", "¥": "jpy", "₹": "inr", "₩": "krw", "₽": "rub",
    "₺": "try", "₫": "vnd", "₪": "ils", "₴": "uah", "₦": "ngn", "฿": "thb", "zł": "pln",
    "元": "cny", "円": "jpy", "kr": "sek", "rs": "inr", "euro": "eur", "euros": "eur",
    "dollar": "usd", "dollars": "usd", "pound": "gbp", "pounds": "gbp", "us$": "usd",
    "a$": "aud", "c$": "cad", "fr": "chf", "yen": "jpy", "sfr": "chf",
}  # fmt: skip
_ISO_CODES = """\
eur usd gbp jpy cny inr chf aud cad nzd sek nok dkk pln czk huf ron bgn try rub uah brl \
mxn ars clp cop pen zar ngn kes egp ils aed sar qar krw twd hkd sgd thb vnd idr myr php \
isk"""
CODES = frozenset(_ISO_CODES.split())
# A space is part of a numeral only where it groups three digits: a table's columns are apart.
_NUMERAL = re.compile(r"[0-9]{1,3}(?: [0-9]{3}(?![0-9]))+(?:[.,][0-9]+)*|[0-9]+(?:[.,'][0-9]+)*")
_GROUPED = re.compile(
    r"[0-9]{1,3}([.,' ])[0-9]{3}(?:\1[0-9]{3})*|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"
)
_NOT_DIGITS = {ord(char): None for char in ".,' "}
_SCALES = {
    "thousand": 3, "tsd": 3, "k": 3, "million": 6, "millions": 6, "millionen": 6, "mio": 6,
    "mn": 6, "mln": 6, "millones": 6, "milioni": 6, "m": 6, "billion": 9, "billions": 9, "bn": 9,
    "mrd": 9, "milliarden": 9, "milliards": 9, "b": 9, "trillion": 12, "tn": 12, "lakh": 5,
    "lakhs": 5, "crore": 7, "crores": 7, "万": 4, "萬": 4, "億": 8, "亿": 8, "hundred": 2,
}  # fmt: skip
_SCALE = re.compile(
    rf"[ -]?({'|'.join(sorted(_SCALES, key=len, reverse=True))})\b\.?|[ ]?([万萬億亿])"
)
_PERCENT = re.compile(r" ?(?:%|percent\b|per cent\b|pct\b|prozent\b|\uff05)")
_RATIO = re.compile(
    rf"(?:{_PERCENT.pattern})|( ?(?:\u2030|per mille\b))|( ?(?:bps|basis points)\b)"
)
_EXPONENT = re.compile(
    r"(?:e([+-]?[0-9]{1,4})|(?: ?[x\u00d7\u00b7] ?10\^([+-]?[0-9]{1,4})))(?![\w.])"
)
# Codes in groups, of which no group is a number: an IBAN, a card, a phone number.
_GROUPS = re.compile(
    r"(?<!\w)(?:[a-z]{2}[0-9]{2} (?:[0-9a-z]{4} ){2,7}[0-9a-z]{1,4}"
    r"|[3-6][0-9]{3}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}"
    r"|\+[0-9]{1,3}[ .-]{0,2}\(?[0-9]{1,5}\)?(?:[ .-][0-9]{2,8}){1,5}"
    r"|\((?!(?:19|20)[0-9]{2}\))[0-9]{3,5}\) ?[0-9]{3,8}(?:[ -][0-9]{2,5}){0,3}"
    r"|(?:tel|phone|fax|mobile|cell)(?:\.:?|:) ?[0-9]{2,5}(?:[ ./-][0-9]{2,8}){1,5})(?![\w])"
)
_LETTERS_BEFORE = re.compile(r"[^\W\d_]+\Z")
_MAY_PRECEDE = CODES | {"no", "nr", "rs", "us", "x", "r", "kr", "rm", "ca", "fr", "sfr"}
_UNSPACED = "\u0e00"
"""From here on are scripts in which a number may follow a letter."""
_COMPOUND_BEFORE, _COMPOUND_AFTER = re.compile(r"[0-9][-/:.]\Z"), re.compile(r"[-/:.][0-9]")
_MINUTES = re.compile(r":[0-9]{2}")
_TWO_BEFORE = re.compile(r"[0-9][-/.][0-9]+[-/.]\Z")
_TWO_AFTER = re.compile(r"[-/.][0-9]+[-/.][0-9]")
# The other end of a range such as 2.5-3.5.
_RANGE_BEFORE = re.compile(r"(?:\A|[^\w/.,-])[0-9]{1,5}[.,][0-9]{1,4}-\Z")
_RANGE_AFTER = re.compile(r"-[0-9]{1,5}[.,][0-9]{1,4}(?![0-9/:-]|[.,][0-9])")
_MINUS = re.compile(
    r"(?:\A|([0-9]) |[^\w] |[^\W\d_] |[\n\t])(?:minus|negative) (?:[$€£¥₹]|[a-z]{3} )?\Z"
)
_SIGN_BEFORE = re.compile(r"(?:\A|[\s(\[:;=|,]|\()([+-]) ?(?:[$€£¥₹]|[a-z]{3} )? ?\Z")
_CREDIT = re.compile(r"\( ?(?:[$€£¥₹]|[a-z]{3})? ?\Z")
_CREDIT_END = re.compile(r" ?(?:[$€£¥₹%]|[a-z]{3})? ?\)")
_LONGEST = 400
"""The most digits of a number that is looked up in other notations."""
_DECIMAL = re.compile(r"[0-9]+[.,][0-9]+")
_REACH = 16
"""Characters beside a numeral that may belong to it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a typed value stands in a folded text. ambiguous: it may mean another value too."""

    start: int
    end: int
    ambiguous: bool = False


class Numerals:
    """The numerals of a folded text, by their digits."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._by_digits: dict[str, list[int]] = {}
        for index, match in enumerate(_NUMERAL.finditer(text)):
            self._starts.append(match.start())
            self._ends.append(match.end())
            key = match.group().translate(_NOT_DIGITS).strip("0")
            self._by_digits.setdefault(key, []).append(index)

    @cached_property
    def _words(self) -> dict[Decimal, list[Found]]:
        """Numbers in words, fractions of characters of their own, and such as 1 1/2."""
        found: dict[Decimal, list[Found]] = {}
        for start, end, whole in spelled_out(self._text):
            found.setdefault(Decimal(whole), []).append(Found(start, end))
            ratio = _PERCENT.match(self._text, end)
            if ratio:
                share = _shifted(Decimal(whole), -2)
                found.setdefault(share, []).append(Found(start, ratio.end()))
        for start, end, number, sure in (*fractions(self._text), *ordinals(self._text)):
            found.setdefault(number, []).append(Found(start, end, not sure))
        return found

    def _in_code(self, index: int) -> bool:
        """Whether a numeral is one group of an IBAN, a card, or a phone number."""
        at = bisect_right(self._codes, (self._starts[index], len(self._text))) - 1
        return at >= 0 and self._codes[at][1] >= self._ends[index]

    def in_code(self, start: int) -> bool:
        """Whether the numeral at an offset is one group of a longer code."""
        index = bisect_right(self._starts, start) - 1
        return index >= 0 and start < self._ends[index] and self._in_code(index)

    @cached_property
    def _codes(self) -> list[tuple[int, int]]:
        return [
            match.span()
            for match in _GROUPS.finditer(self._text)
            if not match.group(1) or _is_card(match.group())
        ]

    def cut_at(self, at: int) -> bool:
        """Whether an offset lies inside a numeral."""
        index = bisect_right(self._starts, at) - 1
        return index >= 0 and self._starts[index] < at < self._ends[index]

    def find(self, number: Decimal) -> Iterator[Found]:
        """Yield where a number stands: on numerals, or else in words."""
        size = number.copy_abs()  # abs() would round
        digits = "".join(map(str, size.as_tuple().digits)).strip("0")
        found = False
        for index in self._by_digits.get(digits, ()):
            if self._in_code(index):
                continue
            for place in self._on(index, size, negative=number < 0):
                found = True
                yield place
        if not found and 0 <= number < 10**15:
            yield from self._words.get(number, ())

    def _on(self, index: int, size: Decimal, *, negative: bool) -> Iterator[Found]:
        start, end = self._starts[index], self._ends[index]
        text = self._text
        if start and text[start - 1] == "." and not text[max(0, start - 2) : start - 1].isalnum():
            start -= 1
        numeral = text[start:end]
        before, after = text[max(0, start - _REACH) : start], text[end : end + _REACH]
        if _is_part(numeral, before, after):
            return
        sign = self._sign(start, before, after)
        if sign is not None and sign != negative:
            return
        meanings = readings(numeral)
        for meaning, length, sure in _meanings(meanings, after, text, end):
            if meaning == size:
                first, last = start, end + length
                if negative:
                    first, last = _with_sign(text, first, last)
                yield Found(first, last, len(meanings) > 1 or not sure)
                return

    def _sign(self, start: int, before: str, after: str) -> bool | None:
        """Whether a numeral is negative; None if it may be either."""
        if _CREDIT.search(before) and _CREDIT_END.match(after):
            return None
        if after.startswith("-") and not after[1:2].strip():
            return None
        minus = _MINUS.search(before)
        if minus:
            return None if minus.group(1) else True
        sign = _SIGN_BEFORE.search(before)
        if sign is None:
            return False
        at = start - len(before) + sign.start(1)
        bullet = at == 0 or self._text[at - 1] == "\n"
        return None if bullet else sign.group(1) == "-"


def _with_sign(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a numeral to what says that it is negative."""
    before = text[max(0, start - _REACH) : start]
    credit, closing = _CREDIT.search(before), _CREDIT_END.match(text, end)
    if credit and closing:
        return start - len(before) + credit.start(), closing.end()
    minus = _MINUS.search(before)
    if minus:
        at = max(before.rfind("minus"), before.rfind("negative"))
        return start - len(before) + at, end
    sign = _SIGN_BEFORE.search(before)
    if sign:
        return start - len(before) + sign.start(1), end
    return start, end + 1


def _is_card(written: str) -> bool:
    """Whether the last digit checks the others, as on cards; four columns of a table don't."""
    digits = [int(char) for char in reversed(written) if char.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_part(numeral: str, before: str, after: str) -> bool:
    """Whether a numeral is part of something else: a power, a code, a time, a date."""
    following = after[:1]
    power = following.isnumeric() and not (following.isdecimal() or following.isalpha())
    return power or _is_in_code(before) or _is_in_compound(numeral, before, after)


def _is_in_code(before: str) -> bool:
    """Whether a numeral goes on from letters: `A12`, `B-12`, `file_12`."""
    letters = _LETTERS_BEFORE.search(before)
    if letters:
        return letters.group() not in _MAY_PRECEDE and letters.group()[-1] < _UNSPACED
    last, earlier = before[-1:], before[-2:-1]
    if last in {"_", "^"}:
        return earlier.isalnum()
    return last == "-" and earlier.isalpha() and earlier < _UNSPACED


def _is_in_compound(numeral: str, before: str, after: str) -> bool:
    """Whether a numeral is part of a time, a code, or of a date whose year it isn't."""
    left, right = _COMPOUND_BEFORE.search(before), _COMPOUND_AFTER.match(after)
    if (left and left.group()[1] == ":") or (right and _MINUTES.match(after)):
        return True
    if len(numeral) > 1 and numeral[0] == "0" and numeral[1].isdigit():
        return bool(left or right) or len(numeral) > len("05")
    if _DECIMAL.fullmatch(numeral) and (
        _RANGE_BEFORE.search(before) or (not left and _RANGE_AFTER.match(after))
    ):
        return bool(_RANGE_BEFORE.search(before) and right)
    three = (left and right) or _TWO_BEFORE.search(before) or _TWO_AFTER.match(after)
    return bool(three) and len(numeral) != len("2024")


def _meanings(
    meanings: frozenset[Decimal], after: str, text: str, end: int
) -> Iterator[tuple[Decimal, int, bool]]:
    """Yield what a numeral may mean with what is behind it, its length, and whether it is sure."""
    exponent = _EXPONENT.match(after)
    if exponent:
        power = int(exponent.group(1) or exponent.group(2))
        yield from ((_shifted(meaning, power), exponent.end(), True) for meaning in meanings)
        return
    scale = _SCALE.match(text, end)
    yield from ((meaning, 0, scale is None) for meaning in meanings)
    if scale:
        word = scale.group(1) or scale.group(2)
        if len(word) > 1 or not word.isascii() or scale.group()[0] not in " -":
            length = len(scale.group().rstrip("."))
            yield from ((_shifted(meaning, _SCALES[word]), length, True) for meaning in meanings)
    ratio = _RATIO.match(text, end)
    if ratio:
        power, length = -2 - (ratio.lastindex or 0), ratio.end() - end
        yield from ((_shifted(meaning, power), length, True) for meaning in meanings)


def _shifted(number: Decimal, power: int) -> Decimal:
    """A power of ten times a number; Decimal's own way rounds to 28 digits."""
    sign, digits, exponent = number.as_tuple()
    return Decimal((sign, digits, int(exponent) + power))


def readings(numeral: str) -> frozenset[Decimal]:
    """What a numeral may mean: its last separator is a decimal point, or all of them group."""
    try:
        return frozenset(_readings(numeral))
    except InvalidOperation:  # longer than any Decimal
        return frozenset()


def _readings(numeral: str) -> Iterator[Decimal]:
    separators = [char for char in numeral if char in ".,' "]
    if numeral.startswith("."):
        if len(separators) == 1:
            yield Decimal(numeral)
        return
    if not separators or _GROUPED.fullmatch(numeral):
        yield Decimal(numeral.translate(_NOT_DIGITS))
    if separators and separators[-1] in ".,":
        whole, _, fraction = numeral.rpartition(separators[-1])
        if fraction == "000":  # nobody writes 48 as 48,000
            return
        if separators[-1] not in whole and (len(separators) == 1 or _GROUPED.fullmatch(whole)):
            yield Decimal(f"{whole.translate(_NOT_DIGITS)}.{fraction}")


def written_number(folded: str) -> Decimal | None:
    """A folded numeral with separators as a number, where it can mean one alone."""
    sign, numeral = folded[:1] in {"+", "-"}, folded.lstrip("+-")
    meant = readings(numeral) if _NUMERAL.fullmatch(numeral) and len(folded) < _LONGEST else ()
    if len(meant) != 1 or numeral.isdigit():
        return None
    (number,) = meant
    return -number if sign and folded[0] == "-" else number


def number_of(leaf: object) -> Decimal | None:
    """A leaf as a number: it is one, or a string that is one as JSON has it."""
    if isinstance(leaf, bool):
        return None
    if isinstance(leaf, int):
        return Decimal(leaf) if leaf.bit_length() < _LONGEST else None
    text = str(leaf) if isinstance(leaf, float | Decimal) else leaf
    if not isinstance(text, str) or len(text) > _LONGEST or not PLAIN.fullmatch(text):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < _LONGEST else None
