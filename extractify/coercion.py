"""What a leaf of another type stands for, where there is one way only to read it.

A number, a boolean or an enum member that a model wrote as a string is what it says. What could be
read in two ways isn't read at all: a lone comma (`1,234`), a percentage, a number in words or in
prose. Nothing is rounded, cut or invented.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

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
_SEPARATORS = re.compile(r"[\s_\-]+")
_EXACT = 2**53
_LONGEST = 40
"""Characters of the longest string that can be a number."""


def coerced(branches: Iterable[Node], given: JsonValue) -> tuple[JsonValue] | None:
    """Read a leaf as one of a union's plain schemas asks for it; None if none or several do."""
    readings = {
        (type(value), repr(value)): value for node in branches for value in _readings(node, given)
    }
    return (next(iter(readings.values())),) if len(readings) == 1 else None


def _readings(node: Node, given: JsonValue) -> Iterator[JsonValue]:
    if "enum" in node or "const" in node:
        yield from _members(node.get("enum", [node.get("const")]), given)
        return
    kinds = node.get("type")
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        value = _as(kind, given)
        if value is not None:
            yield value


def _members(members: list[Any], given: JsonValue) -> Iterator[JsonValue]:
    """The member that is written in another case, or with other separators between its words."""
    if isinstance(given, str):
        spelled = _spelling(given)
        yield from (m for m in members if isinstance(m, str) and _spelling(m) == spelled)
        number = _number(given)
        yield from (m for m in members if number is not None and _is_number(m) and m == number)


def _as(kind: object, given: JsonValue) -> JsonValue:
    """The given leaf as a value of a JSON type; None where it is none."""
    if kind == "boolean":
        return _boolean(given)
    if kind in {"number", "integer"}:
        number = _number(given) if isinstance(given, str) else given
        if not _is_number(number) or kind == "number":
            return number if _is_number(number) else None
        return int(number) if _is_whole(number) else None
    if kind in {"object", "array"} and isinstance(given, str):
        return _decoded(given, dict if kind == "object" else list)
    if kind == "string" and isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    return None


def _decoded(text: str, kind: type) -> JsonValue:
    """The container that was encoded twice."""
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, kind) else None


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
    money = _MONEY.fullmatch(text)
    if money:
        text = (money[1] or money[2]).strip()
        if _ONE_GROUP.fullmatch(text):
            return None
    if _POINT_LAST.fullmatch(text) or _MANY_GROUPS.fullmatch(text):
        text = text.replace(",", "") if "," in text else text.replace(".", "")
    elif _COMMA_LAST.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    if not _PLAIN.fullmatch(text):
        return None
    number = float(text)
    if not math.isfinite(number):
        return None
    return int(text) if text.lstrip("+-").isdecimal() else number


def _is_whole(number: float) -> bool:
    """Whether it is an integer, and told with all its digits."""
    return isinstance(number, int) or (number.is_integer() and abs(number) < _EXACT)


def _is_number(value: object) -> TypeIs[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _spelling(word: str) -> str:
    return _SEPARATORS.sub("_", word.strip()).casefold()
