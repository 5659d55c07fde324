"""Dates in a folded text, however they are written: by numbers, by names of months, in part.

A date stands where a day, a month and a year are said; or a weekday and a day that agree with it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from extractify.notations.figures import Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MONTHS = (
    "january janvier januar enero gennaio janeiro januari styczen",
    "february fevrier februar febrero febbraio fevereiro februari luty",
    "march mars marz marzo marco maart marzec",
    "april avril abril aprile kwiecien",
    "may mai mayo maggio maio mei maj",
    "june juin juni junio giugno junho czerwiec",
    "july juillet juli julio luglio julho lipiec",
    "august aout agosto augustus augusti sierpien",
    "september septembre septiembre settembre setembro wrzesien",
    "october octobre oktober octubre ottobre outubro pazdziernik",
    "november novembre noviembre novembro listopad",
    "december decembre dezember diciembre dicembre dezembro grudzien",
)
_MONTH_OF = {
    name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split()
}
_WEEKDAYS = (
    "monday montag lundi lunes lunedi segunda mon mo",
    "tuesday dienstag mardi martes martedi terca tue tues di",
    "wednesday mittwoch mercredi miercoles mercoledi quarta wed mi",
    "thursday donnerstag jeudi jueves giovedi quinta thu thur thurs do",
    "friday freitag vendredi viernes venerdi sexta fri fr",
    "saturday samstag samedi sabado sabato sat sa",
    "sunday sonntag dimanche domingo domenica sun so",
)
_WEEKDAY_OF = {name: number for number, names in enumerate(_WEEKDAYS) for name in names.split()}

_ORDINAL = r"(?:st|nd|rd|th|er|º|ª|°|\.)?"
_LINK = r"(?:[ \n\t]?,[ \n\t]?|[ \n\t]|-|/|\.[ \n\t]?)?"
_OF = r"(?:of |de |del |d'|the |of the )?"
_NAME = r"([^\W\d_]{3,12})\.?"
_YEAR = r"([0-9]{4}|'?[0-9]{2})(?![0-9]|[.,][0-9]|:[0-9])"
_NUMERIC = re.compile(
    r"(?<![0-9])(?<![0-9][-/.])([0-9]{1,4})( ?[-/.] ?|\. | )([0-9]{1,2})\2([0-9]{1,4})"
    r"(?![0-9]|[-/.][0-9])"
)
_ASIAN = re.compile(r"(?<![0-9])([0-9]{4}) ?[年년] ?([0-9]{1,2}) ?[月월] ?([0-9]{1,2}) ?[日일号]")
_DAY_FIRST = re.compile(
    rf"(?<![0-9])(?<![0-9][.,])([0-9]{{1,2}}){_ORDINAL}{_LINK}{_OF}{_NAME}{_LINK}{_OF}{_YEAR}"
)
_YEAR_FIRST = re.compile(
    rf"(?<![0-9])([0-9]{{4}}){_LINK}{_NAME}{_LINK}([0-9]{{1,2}})(?![0-9]|[.,][0-9]){_ORDINAL}(?!\w)"
)
_STEMS = "|".join(sorted({name[:3] for name in _MONTH_OF} | {"fév", "mär", "aoû", "déc", "jän"}))
_MONTH_FIRST = re.compile(
    rf"(?:{_STEMS})[^\W\d_]{{0,9}}\.?[ \n\t]?{_LINK}(?:the )?"
    rf"([0-9]{{1,2}})(?![0-9]){_ORDINAL}{_LINK}{_OF}{_YEAR}"
)
_WEEKDAY_NAMES = "|".join(sorted(_WEEKDAY_OF, key=len, reverse=True))
_WEEKDAY = re.compile(
    rf"(?<!\w)({_WEEKDAY_NAMES})\.?,?[ \n\t](?:the |den |le )?"
    r"([0-9]{1,2})(?:st|nd|rd|th|\.)?(?![\w.:/-]*[0-9])(?!\w)"
)
_MONTH_BEHIND = re.compile(rf"\.?[ \n\t]{_OF}([^\W\d_]{{3,12}})\b")
_YEAR_BEHIND = re.compile(r"[ ,.]{1,2}'?[0-9]{2,4}\b")
_ENDING = re.compile(r"(?:st|nd|rd|th)?")
_WORD = re.compile(r"[^\W\d_]+")
_DAY_DIGITS, _YEAR_DIGITS = 2, 4
_ABBREVIATED = {3, 4}

Day = tuple[int, int, int]


class Dates:
    """The dates of a folded text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def find(self, day: date) -> list[Found]:
        """Where a day is said; in part only if it is nowhere said whole."""
        return self._whole.get((day.year, day.month, day.day), []) or [
            Found(start, end, ambiguous=True)
            for start, end, weekday, number, month in self._partial
            if (weekday, number) == (day.weekday(), day.day) and month in {0, day.month}
        ]

    @cached_property
    def _whole(self) -> dict[Day, list[Found]]:
        """The places of each day that is said whole; of two that may be meant, of both."""
        found: dict[Day, list[Found]] = defaultdict(list)
        for start, end, days in _whole_dates(self._text):
            unsure = len({day[1:] for day in days}) > 1
            for day in days:
                found[day].append(Found(start, end, unsure))
        return found

    @cached_property
    def _partial(self) -> list[tuple[int, int, int, int, int]]:
        """Start, end, weekday, day and month (0 where it isn't said) of dates without a year."""
        found = []
        for match in _WEEKDAY.finditer(self._text):
            ending = _ENDING.match(self._text, match.end(2))
            end = ending.end() if ending else match.end(2)
            behind = _MONTH_BEHIND.match(self._text, end)
            month = _month(behind.group(1)) if behind else 0
            end = behind.end() if behind and month else end
            if not (month and _YEAR_BEHIND.match(self._text, end)):
                weekday, day = _WEEKDAY_OF[match.group(1)], int(match.group(2))
                found.append((match.start(), end, weekday, day, month))
        return found


def _whole_dates(text: str) -> Iterator[tuple[int, int, list[Day]]]:
    """Yield start, end and the days that may be meant."""
    for match in _NUMERIC.finditer(text):
        first, mark, second, third = match.groups()
        days = list(dict.fromkeys(_numeric(first, mark.strip(), second, third)))
        if days:
            yield match.start(), match.end(), days
    for match in _ASIAN.finditer(text):
        days = list(_days(*map(int, match.groups())))
        if days:
            yield match.start(), match.end(), days
    for pattern, order in ((_DAY_FIRST, "dmy"), (_YEAR_FIRST, "ymd")):
        for match in pattern.finditer(text):
            parts = dict(zip(order, match.groups(), strict=True))
            yield from _named(match, parts)
    for match in _MONTH_FIRST.finditer(text):
        name = _WORD.match(match.group())
        if name and not text[match.start() - 1 : match.start()].isalnum():
            parts = {"m": name.group(), "d": match.group(1), "y": match.group(2)}
            yield from _named(match, parts)


def _numeric(first: str, mark: str, second: str, third: str) -> Iterator[Day]:
    """Yield what three numbers may mean: the year is the one of four digits, or the last."""
    if len(first) == _YEAR_DIGITS and len(third) <= _DAY_DIGITS:
        yield from _days(int(first), int(second), int(third))
    elif len(first) <= _DAY_DIGITS and len(third) in {_DAY_DIGITS, _YEAR_DIGITS}:
        for year in _years(third):
            yield from _days(year, int(second), int(first))
            yield from _days(year, int(first), int(second))
        if len(first) == len(third) == _DAY_DIGITS and mark == "-":
            for year in _years(first):
                yield from _days(year, int(second), int(third))


def _named(match: re.Match[str], parts: dict[str, str]) -> Iterator[tuple[int, int, list[Day]]]:
    month, day = _month(parts["m"]), int(parts["d"])
    days = [each for year in _years(parts["y"]) for each in _days(year, month, day)]
    if days:
        yield match.start(), match.end(), days


def _days(year: int, month: int, day: int) -> Iterator[Day]:
    """Yield the day if the calendar has it."""
    try:
        date(year, month, day)
    except ValueError:
        return
    yield year, month, day


def _years(written: str) -> Iterable[int]:
    """The years that four digits or two may mean."""
    digits = written.lstrip("'")
    year = int(digits)
    return (2000 + year, 1900 + year) if len(digits) == _DAY_DIGITS else (year,)


def _month(word: str) -> int:
    """The number of a month by its name or the beginning of it; 0 for any other word."""
    plain = unicodedata.normalize("NFKD", word)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    if plain in _MONTH_OF or len(plain) not in _ABBREVIATED:
        return _MONTH_OF.get(plain, 0)
    return next((number for name, number in _MONTH_OF.items() if name.startswith(plain)), 0)
