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
    "january janvier januar enero gennaio janeiro januari styczen января",
    "february fevrier februar febrero febbraio fevereiro februari luty февраля",
    "march mars marz marzo marco maart marzec марта",
    "april avril abril aprile kwiecien апреля",
    "may mai mayo maggio maio mei maj мая",
    "june juin juni junio giugno junho czerwiec июня",
    "july juillet juli julio luglio julho lipiec июля",
    "august aout agosto augustus augusti sierpien августа",
    "september septembre septiembre settembre setembro wrzesien сентября",
    "october octobre oktober octubre ottobre outubro pazdziernik октября",
    "november novembre noviembre novembro listopad ноября",
    "december decembre dezember diciembre dicembre dezembro grudzien декабря",
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
    r"(?<![0-9a-z])(?<![0-9][-/.])([0-9]{1,4})( ?[-/.] ?|\. | )([0-9]{1,2})\2([0-9]{1,4})"
    r"(?![0-9]|[-/.][0-9])"
)
_COMPACT = re.compile(r"(?<![\w.,:/+-])([12][0-9]{3})([01][0-9])([0-3][0-9])(?![\w:/-]|[.,][0-9])")
_HAN = "〇零一二三四五六七八九"
_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911}
_ASIAN = re.compile(
    rf"(?<![0-9{_HAN}])({'|'.join(_ERAS)})?([0-9]{{1,4}}|[{_HAN}]{{4}}|元) ?[年년] ?"
    rf"([0-9]{{1,2}}|[{_HAN}十]{{1,3}}) ?[月월] ?([0-9]{{1,2}}|[{_HAN}十]{{1,3}}) ?[日일号]"
)
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
_A_WEEKDAY = re.compile(rf"(?<!\w)(?:{_WEEKDAY_NAMES})\.?,?[ \n\t](?:the |den |le )?\Z")
_A_YEAR = re.compile(r"(?<![\w.,])[12][0-9]{3}(?![\w]|[.,][0-9])")
_MONTH_NAME = rf"((?:{_STEMS})[^\W\d_]{{0,9}})"
_DAY_AND_MONTH = re.compile(
    r"(?<![\w])(?<![0-9][.,:/-])(?:"
    r"([0-9]{1,2})(?:st|nd|rd|th|er|º|\.)?[ \n](?:of |de )?" + _MONTH_NAME + r"\b"
    r"|" + _MONTH_NAME + r"\.?[ \n]([0-9]{1,2})(?:st|nd|rd|th)?(?![\w]|[.,:/-][0-9]))"
)
_ENDING = re.compile(r"(?:st|nd|rd|th)?")
_WORD = re.compile(r"[^\W\d_]+")
_DAY_DIGITS, _YEAR_DIGITS = 2, 4
# Of two months that begin alike, the first.
_MONTH_BY_BEGINNING = {
    name[:size]: number for name, number in reversed(_MONTH_OF.items()) for size in (3, 4)
}

Day = tuple[int, int, int]


class Dates:
    """The dates of a folded text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def find(self, day: date) -> list[Found]:
        """Where a day is said; in part only if it is nowhere said whole."""
        return (
            self._whole.get((day.year, day.month, day.day), [])
            or [
                Found(start, end, ambiguous=True)
                for start, end, weekday, number, month in self._partial
                if (weekday, number) == (day.weekday(), day.day) and month in {0, day.month}
            ]
            or (self._yearless.get((day.month, day.day), []) if day.year in self._years else [])
        )

    def find_written(self, leaf: str) -> list[Found]:
        """Where a day is said that a folded leaf says in another notation than ISO's."""
        found: dict[Found, None] = {}
        for start, end, days in _whole_dates(leaf):
            if (start, end) == (0, len(leaf)):
                for each in days:
                    for place in self._whole.get(each, ()):
                        unsure = place.ambiguous or len(days) > 1
                        found[Found(place.start, place.end, unsure)] = None
        return list(found)

    @cached_property
    def _years(self) -> frozenset[int]:
        """The years that stand in the text by themselves or in any date."""
        return frozenset(int(match.group()) for match in _A_YEAR.finditer(self._text))

    @cached_property
    def _yearless(self) -> dict[tuple[int, int], list[Found]]:
        """The places of each month and day that no year and no weekday stands beside."""
        found: dict[tuple[int, int], list[Found]] = defaultdict(list)
        for match in _DAY_AND_MONTH.finditer(self._text):
            first, name, other, last = match.groups()
            month, day = _month(name or other), int(first or last)
            behind = _YEAR_BEHIND.match(self._text, match.end())
            weekday = _A_WEEKDAY.search(self._text, max(0, match.start() - 14), match.start())
            if month and not behind and not weekday:
                found[month, day].append(Found(*match.span(), ambiguous=True))
        return found

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
    for match in (*_COMPACT.finditer(text), *_ASIAN.finditer(text)):
        days = list(_days(*_compact(match)))
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


def _compact(match: re.Match[str]) -> Day:
    """Year, month and day of a date of digits alone, or of one with Chinese or Japanese signs."""
    *eras, year, month, day = match.groups()
    era = eras[0] if eras else None
    if not era and len(year) != _YEAR_DIGITS:
        return 0, 0, 0
    return _ERAS.get(era or "", 0) + _han(year), _han(month), _han(day)


def _han(written: str) -> int:
    """A number of a date in Chinese numerals, or in digits: `二十五`, `二〇二四`, `元` for 1."""
    if written == "元":
        return 1
    if "十" in written:
        tens, _, unit = written.partition("十")
        return 10 * (_han(tens) if tens else 1) + (_han(unit) if unit else 0)
    digits = (str(max(0, _HAN.find(char) - 1)) if char in _HAN else char for char in written)
    number = "".join(digits)
    return int(number) if number.isdecimal() else 0


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
    if plain in _MONTH_OF:
        return _MONTH_OF.get(plain, 0)
    return _MONTH_BY_BEGINNING.get(plain, 0)
