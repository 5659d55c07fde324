"""What a leaf of another type stands for, where there is one way only to read it.

A number, a boolean or an enum member that a model wrote as a string is what it says. What could be
read in two ways isn't read at all: a lone comma (`1,234`), a percentage, a number in words or in
prose. Nothing is rounded, cut or invented.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from extractify.errors import ConfigurationError
from extractify.numerals import Digits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from typing_extensions import TypeIs

    from extractify.messages import JsonValue
    from extractify.nodes import Node

_TRUE = frozenset({"true", "yes", "y", "on"})
_FALSE = frozenset({"false", "no", "n", "off"})
_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?")
_POINT_LAST = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+\.\d+")
_COMMA_LAST = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+,\d+")
_MANY_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?:(?:,\d{3}){2,}|(?:\.\d{3}){2,})")
_ONE_GROUP = re.compile(r"[+-]?\d{1,3}\.\d{3}")
# Any three capitals may be a word: 3 MRD are three billion in German.
_CURRENCY = (
    r"(?:[$€£¥₹₽₩₺]|AED|ARS|AUD|BGN|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS|INR"
    r"|ISK|JPY|KRW|MAD|MXN|MYR|NGN|NOK|NZD|PEN|PHP|PKR|PLN|RON|RSD|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH"
    r"|USD|VND|ZAR)"
)
_MONEY = re.compile(rf"{_CURRENCY}\s*(.+)|(.+?)\s*{_CURRENCY}")
_AROUND = ("**", '"', "'", "`")
_SEPARATORS = re.compile(r"[\s_\-]+")
_PERCENT = re.compile(r"(.+?)\s*%")
_WORDED = re.compile(r"(.+?)\s*([A-Za-z]+)")
_SCALES = {"k": 3, "thousand": 3, "m": 6, "mn": 6, "million": 6, "b": 9, "bn": 9, "billion": 9}
_SCALES |= {"trillion": 12}
# Grouped by a stated locale: points or commas, spaces of any width, apostrophes.
_SPACES = "\u2019' \u00a0\u202f\u2009"
_GROUPS = {
    ".": re.compile(rf"[+-]?\d{{1,3}}([,{_SPACES}])\d{{3}}(?:\1\d{{3}})*(?:\.\d+)?"),
    ",": re.compile(rf"[+-]?\d{{1,3}}([.{_SPACES}])\d{{3}}(?:\1\d{{3}})*(?:,\d+)?"),
}
_LONE_COMMA = re.compile(r"[+-]?\d+,\d+")
_EXACT = 2**53
_LONGEST = 40
"""Characters of the longest string that can be a number."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """How the documents of a task write numbers, which settles what else has two readings.

    decimal: the separator of decimals; the other one, spaces and apostrophes group thousands.
    percent: what `"12 %"` stands for, 0.12 ("fraction") or 12 ("number"); None leaves it a problem.
    words: whether `"1.5k"` and `"3 million"` are numbers, in English. A number that JSON knows is
    itself all the same; with a decimal comma, `"1.234"` stays a problem. Raises: ConfigurationError
    on any other value.
    """

    decimal: Literal[".", ","] = "."
    percent: Literal["fraction", "number"] | None = None
    words: bool = False

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.decimal not in {".", ","}:
            raise ConfigurationError(f"Numbers(decimal={self.decimal!r}): pass '.' or ','.")
        if self.percent not in {None, "fraction", "number"}:
            message = f"Numbers(percent={self.percent!r}): pass 'fraction', 'number' or None."
            raise ConfigurationError(message)

    def read(self, text: str) -> int | float | None:
        """The number that a text stands for, a currency around it left out; None if none."""
        text = _without_currency(text.strip()) if len(text) <= _LONGEST else ""
        scale = Decimal(1)
        percent = _PERCENT.fullmatch(text) if self.percent else None
        if percent:
            text, scale = percent[1], Decimal("0.01") if self.percent == "fraction" else scale
        worded = _WORDED.fullmatch(text) if self.words and not percent else None
        if worded and worded[2].casefold() in _SCALES:
            text, scale = worded[1], Decimal(10) ** _SCALES[worded[2].casefold()]
        if self.decimal == "," and _ONE_GROUP.fullmatch(text):
            return None  # JSON's 1.234, or a thousand of the document
        if _GROUPS[self.decimal].fullmatch(text):
            text = re.sub(rf"[^\d+\-{self.decimal}]", "", text)
        if self.decimal == "," and _LONE_COMMA.fullmatch(text):
            text = text.replace(",", ".")
        return _plain_number(text, scale)


def coerced(
    branches: Iterable[Node], given: JsonValue, numbers: Numbers | None = None
) -> tuple[JsonValue] | None:
    """Read a leaf as one of a union's plain schemas asks for it; None if none or several do."""
    found = readings(branches, given, numbers)
    return (found[0],) if len(found) == 1 else None


def readings(
    branches: Iterable[Node], given: JsonValue, numbers: Numbers | None = None
) -> list[JsonValue]:
    """All that a leaf can stand for, as a union's plain schemas ask for it, each once."""
    found = {
        (type(value), repr(value)): value
        for node in branches
        for value in _readings(node, given, numbers)
    }
    return list(found.values())


def _readings(node: Node, given: JsonValue, numbers: Numbers | None) -> Iterator[JsonValue]:
    if "enum" in node or "const" in node:
        yield from _members(node.get("enum", [node.get("const")]), given)
        return
    kinds = node.get("type")
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        value = _as(kind, given, numbers)
        if value is not None:
            yield value


def _members(members: list[Any], given: JsonValue) -> Iterator[JsonValue]:
    """The member that is written in another case, or with other separators between its words."""
    if isinstance(given, str):
        spelled = _spelling(given)
        yield from (m for m in members if isinstance(m, str) and _spelling(m) == spelled)
        number = _number(given)
        yield from (m for m in members if number is not None and _is_number(m) and m == number)


def _as(kind: object, given: JsonValue, numbers: Numbers | None) -> JsonValue:
    """The given leaf as a value of a JSON type; None where it is none."""
    if kind == "boolean":
        return _boolean(given)
    if kind in {"number", "integer"}:
        number: JsonValue = given
        if isinstance(given, str):
            number = numbers.read(given) if numbers else _number(given)
        if not _is_number(number) or kind == "number":
            return number if _is_number(number) else None
        return int(number) if _is_whole(number) else None
    if kind == "string" and isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    return None


def _boolean(given: JsonValue) -> bool | None:
    word = given.strip().casefold() if isinstance(given, str) else given
    if word in _TRUE or (_is_number(word) and word == 1):
        return True
    if word in _FALSE or (_is_number(word) and word == 0):
        return False
    return None


def _number(text: str) -> int | float | None:
    """The number that a string is, a currency around it left out."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    bare = _without_currency(text)
    if bare != text and _ONE_GROUP.fullmatch(bare):
        return None
    if _POINT_LAST.fullmatch(bare) or _MANY_GROUPS.fullmatch(bare):
        bare = bare.replace(",", "") if "," in bare else bare.replace(".", "")
    elif _COMMA_LAST.fullmatch(bare):
        bare = bare.replace(".", "").replace(",", ".")
    return _plain_number(bare)


def _without_currency(text: str) -> str:
    money = _MONEY.fullmatch(text)
    return (money[1] or money[2]).strip() if money else text


def _plain_number(text: str, scale: Decimal = Decimal(1)) -> int | float | None:
    if not _PLAIN.fullmatch(text):
        return None
    if scale == 1 and text.lstrip("+-").isdecimal():
        return int(text)
    number = float(text) if scale == 1 else _scaled(text, scale)
    if not math.isfinite(number):
        return None
    return int(number) if scale > 1 and number.is_integer() else number


def _scaled(text: str, scale: Decimal) -> float:
    try:
        return float(Decimal(text) * scale)
    except ArithmeticError:  # an exponent beyond all numbers
        return math.inf


def _is_whole(number: float) -> bool:
    """Whether it is an integer, and told with all its digits."""
    if isinstance(number, Digits):
        return False
    return isinstance(number, int) or (number.is_integer() and abs(number) < _EXACT)


def _is_number(value: object) -> TypeIs[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _spelling(word: str) -> str:
    """A word without its case, quotes or emphasis around it, and the full stop behind it."""
    word = word.strip()
    for mark in _AROUND:
        if len(word) > 2 * len(mark) and word.startswith(mark) and word.endswith(mark):
            word = word[len(mark) : -len(mark)].strip()
    return _SEPARATORS.sub("_", word.removesuffix(".")).casefold()
