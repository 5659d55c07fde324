"""Where the leaves of a value stand in the document, found from the two alone. No model is asked.

A digit never matches another digit, and a number stands on a whole numeral or not at all: 12 isn't
in 512, and 18 isn't on `18,40`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from extractify.nodes import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify.messages import JsonValue

Status: TypeAlias = Literal["exact", "normalised", "typed", "missing"]
Span: TypeAlias = tuple[int, int]

# A space is part of a numeral only where it groups three digits: a table's columns are apart.
_NUMERAL = re.compile(
    r"(?<!\w)\.\d+"
    r"|\d{1,3}(?:[\u00a0\u202f ]\d{3}(?!\d))+(?:[.,]\d+)*"
    r"|\d+(?:[.,'\u2019]\d+)*"
)
_GROUPED = re.compile(r"\d{1,3}([.,'\u2019\u00a0\u202f ])\d{3}(?:\1\d{3})*")
_PLAIN = re.compile(r"[+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SEPARATOR = re.compile(r"[.,'\u2019\u00a0\u202f ]")
_DATE_WORD = re.compile(
    r"(?<!\d)(?:\d{4}|\d{1,2}(?:st|nd|rd|th|er|º)?)(?:(?!\w)|(?=T\d))|[^\W\d_]+", re.IGNORECASE
)
_DATE_WINDOW = 5
"""Words that the parts of a date may be spread over, such as `le 5 mars de 2024`."""
_MONTHS = (
    "january janvier januar enero gennaio janeiro",
    "february fevrier februar febrero febbraio fevereiro",
    "march mars marz marzo marco",
    "april avril abril aprile",
    "may mai mayo maggio maio",
    "june juin juni junio giugno junho",
    "july juillet juli julio luglio julho",
    "august aout agosto",
    "september septembre septiembre settembre setembro",
    "october octobre oktober octubre ottobre outubro",
    "november novembre noviembre novembro",
    "december decembre dezember diciembre dicembre dezembro",
)
_MONTH_OF = {
    name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split()
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a leaf stands in the document, and where.

    status: as written, but for case and white space, in another notation, or not at all. spans:
    (start, end) offsets in the document, in Python's string indices.
    """

    status: Status
    spans: tuple[Span, ...] = ()


def ground(value: JsonValue, document: str) -> dict[str, Evidence]:
    """Look up every leaf of a value, as plain data, by JSON pointer. Nulls have no evidence."""
    text = _Text(document)
    return {pointer: text.evidence(leaf) for pointer, leaf in _leaves(value) if leaf is not None}


def _leaves(value: JsonValue, pointer: str = "") -> Iterator[tuple[str, JsonValue]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{pointer}/{escaped(key)}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{pointer}/{index}")
    else:
        yield pointer, value


class _Text:
    """A document, with what look-ups share."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._numerals = [
            (match.span(), _readings(match.group())) for match in _NUMERAL.finditer(text)
        ]

    @cached_property
    def _date_words(self) -> tuple[list[Span], list[int | str]]:
        words = list(_DATE_WORD.finditer(self._text))
        return [word.span() for word in words], [_date_part(word.group()) for word in words]

    def evidence(self, leaf: JsonValue) -> Evidence:
        if isinstance(leaf, bool):
            return Evidence("missing")
        if isinstance(leaf, int | float):
            return self._number(Decimal(str(leaf)))
        if not isinstance(leaf, str) or not leaf.strip():
            return Evidence("missing")
        return self._string(leaf)

    def _string(self, leaf: str) -> Evidence:
        exact = self._found(re.escape(leaf), 0)
        if _PLAIN.fullmatch(leaf):
            wholes = {span for span, _ in self._numerals}
            sign = len(leaf) - len(leaf.lstrip("+-"))
            exact = tuple((start, end) for start, end in exact if (start + sign, end) in wholes)
            return Evidence("exact", exact) if exact else self._number(Decimal(leaf))
        if exact:
            return Evidence("exact", exact)
        loose = r"\s+".join(re.escape(word) for word in leaf.split())
        normalised = self._found(loose, re.IGNORECASE)
        if normalised:
            return Evidence("normalised", normalised)
        day = _day(leaf)
        return self._date(day) if day else Evidence("missing")

    def _found(self, pattern: str, flags: int) -> tuple[Span, ...]:
        """Occurrences that don't begin or end inside a word or a numeral."""
        whole = rf"(?<![^\W_])(?<!\d[.,])(?:{pattern})(?![^\W_])(?![.,]\d)"
        return tuple(match.span() for match in re.finditer(whole, self._text, flags))

    def _number(self, number: Decimal) -> Evidence:
        size = number.copy_abs()  # abs() would round
        spans = tuple(span for span, readings in self._numerals if size in readings)
        if not spans:
            return Evidence("missing")
        exact = {self._text[start:end] for start, end in spans} == {str(size)}
        return Evidence("exact" if exact else "typed", spans)

    def _date(self, day: date) -> Evidence:
        """Day, month and year in any order within a few words, the month by name or number."""
        places, parts = self._date_words
        spans: list[Span] = []
        for first in range(len(places)):
            window = parts[first : first + _DATE_WINDOW]
            for size in range(3, len(window) + 1):
                if _spells(window[:size], day):
                    spans.append((places[first][0], places[first + size - 1][1]))
                    break
        shortest = [
            span for span in spans if not any(o != span and _within(o, span) for o in spans)
        ]
        return Evidence("typed", tuple(shortest)) if shortest else Evidence("missing")


def _within(inner: Span, outer: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _readings(numeral: str) -> frozenset[Decimal]:
    """What a numeral may mean: its last separator is a decimal point, or all of them group."""
    if numeral.startswith("."):
        return frozenset({Decimal(numeral)})
    plain = _SEPARATOR.sub("", numeral)
    readings = set()
    separators = _SEPARATOR.findall(numeral)
    if not separators or _GROUPED.fullmatch(numeral):
        readings.add(Decimal(plain))
    if separators and separators[-1] in ".,":
        whole, _, fraction = numeral.rpartition(separators[-1])
        if fraction == "000":  # nobody writes 48 as 48,000
            return frozenset(readings)
        if separators[-1] not in whole and (not separators[:-1] or _GROUPED.fullmatch(whole)):
            readings.add(Decimal(f"{_SEPARATOR.sub('', whole)}.{fraction}"))
    return frozenset(readings)


def _day(text: str) -> date | None:
    """Read a date as JSON has it."""
    try:
        return date.fromisoformat(text) if _ISO_DATE.fullmatch(text) else None
    except ValueError:
        return None


def _date_part(word: str) -> int | str:
    """A number for what can be a day, a month or a year; "" for a word that is none."""
    digits = re.match(r"\d+", word)
    if digits:
        return int(digits.group())
    plain = unicodedata.normalize("NFKD", word.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    for name, number in _MONTH_OF.items():
        if plain == name or (len(plain) in {3, 4} and name.startswith(plain)):
            return f"month {number}"
    return ""


def _spells(parts: list[int | str], day: date) -> bool:
    """Whether the first and the last of these words, and one between, are the day's parts."""
    if parts[0] == "" or parts[-1] == "":
        return False
    said = [part for part in parts if part != ""]
    years = {day.year, day.year % 100}
    months = {day.month, f"month {day.month}"}
    if len(said) != 3:  # noqa: PLR2004  (a day, a month and a year)
        return False
    return any(
        said[i] == day.day and said[j] in months and said[k] in years
        for i, j, k in ((0, 1, 2), (1, 0, 2), (2, 1, 0))
    )
