"""Times of day and durations in a folded text, and ISO values of all kinds with their dates."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from extractify.notations.dates import Dates
from extractify.notations.figures import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

_ISO_MOMENT = re.compile(r"[0-9]{2,4}[-:][0-9T:.+ Z-]{2,29}")
_ISO_DURATION = re.compile(
    r"P(?=.{1,38}\Z)(?!.*T\Z)(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)W)?(?:([0-9]+)D)?"
    r"(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:[.,]0+)?S)?)?"
)
_CLOCK = re.compile(
    r"(?<![0-9])(?<![0-9][:.,-])([0-9]{1,2})"
    r"(?:(?:[:.]|h )([0-9]{2})(?:[:.]([0-9]{2})(?:[.,][0-9]{1,6})?)?"
    r"|h([0-9]{2})|(?=h\b| ?uhr\b| ?[ap]\.?m\b))(?![0-9]|[.,][0-9])"
    r"( ?[ap]\.?m\b\.?| ?uhr\b|h\b)?"
)
_SIXTY, _HALF_DAY, _DAY = 60, 12, 24
_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_MONTHS = {"y": 12, "o": 1}
_UNIT_WORDS = {
    "y": "years year yrs yr jahre jahren jahr ans an años año anni anno anos ano",
    "o": "months month monate monaten monat mois meses mes mesi mese",
    "w": "weeks week wks wk w wochen woche semaines semaine semanas semana settimane settimana",
    "d": "days day d tage tagen tag jours jour días día dias dia giorni giorno",
    "h": "hours hour hrs hr h stunden stunde std heures heure horas hora ore ora",
    "m": "minutes minute mins min m minuten minutos minuto minuti",
    "s": "seconds second secs sec s sekunden sekunde secondes seconde segundos segundo",
}
_UNIT_OF = {word: unit for unit, words in _UNIT_WORDS.items() for word in words.split()}
_UNIT = "|".join(sorted(_UNIT_OF, key=len, reverse=True))
_SMALL = "zero one two three four five six seven eight nine ten eleven twelve"
_AMOUNT_OF = {word: number for number, word in enumerate(_SMALL.split())}
_AMOUNT = rf"[0-9]{{1,6}}|{'|'.join(_AMOUNT_OF)}"
_PART = rf"(?:{_AMOUNT})[ \n-]?(?:{_UNIT})(?![^\W\d_])\.?"
_DURATION = re.compile(
    rf"(?<![\w.,:/-])(?:{_PART})(?:(?:,? (?:and |und |et |y )?|,)?(?:{_PART})){{0,5}}"
)
_ONE_PART = re.compile(rf"({_AMOUNT})[ \n-]?({_UNIT})(?![^\W\d_])")
_APART = 8
"""The most characters between a date and the time of day that belongs to it."""


class Moments:
    """The dates, times and durations of a folded text; each kind is looked for when first asked."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._dates = Dates(text)

    def find(self, leaf: str) -> Iterator[Found]:
        """Yield where an ISO date, date and time, time or duration stands."""
        moment = _moment(leaf)
        if isinstance(moment, datetime):
            yield from self._together(moment)
        elif isinstance(moment, date):
            yield from self._dates.find(moment)
        elif isinstance(moment, time):
            yield from self._at(moment)
        elif _ISO_DURATION.fullmatch(leaf):
            yield from self._durations.get(_length(leaf) or (0, 0), ())

    def _at(self, moment: time) -> list[Found]:
        return self._times.get((moment.hour, moment.minute, moment.second), [])

    def _together(self, moment: datetime) -> Iterator[Found]:
        """A date and the time of day close behind or before it; midnight needn't be said."""
        clocks = self._at(moment.time())
        for day in self._dates.find(moment.date()):
            near = [clock for clock in clocks if _gap(day, clock) <= _APART]
            if near:
                clock = min(near, key=lambda each: (each.start < day.end, _gap(day, each)))
                start, end = min(day.start, clock.start), max(day.end, clock.end)
                yield Found(start, end, day.ambiguous)
            elif moment.time() == time():
                yield day

    @cached_property
    def _times(self) -> dict[tuple[int, int, int], list[Found]]:
        found: dict[tuple[int, int, int], list[Found]] = defaultdict(list)
        for match in _CLOCK.finditer(self._text):
            minute, second = int(match.group(2) or match.group(4) or 0), int(match.group(3) or 0)
            mark = (match.group(5) or "").strip()
            if ":" not in match.group() and not mark and not match.group(4):
                continue  # 12.30 alone is a number
            hour = _hour(int(match.group(1)), mark[:1])
            if hour is not None and minute < _SIXTY and second < _SIXTY:
                found[hour, minute, second].append(Found(*match.span()))
        return found

    @cached_property
    def _durations(self) -> dict[tuple[int, int], list[Found]]:
        """The places of each length, in months and seconds."""
        found: dict[tuple[int, int], list[Found]] = defaultdict(list)
        for match in _DURATION.finditer(self._text):
            seconds = months = 0
            for amount, word in _ONE_PART.findall(match.group()):
                count = int(amount) if amount.isdigit() else _AMOUNT_OF[amount]
                unit = _UNIT_OF[word]
                seconds += count * _SECONDS.get(unit, 0)
                months += count * _MONTHS.get(unit, 0)
            found[months, seconds].append(Found(*match.span()))
        return found


def _gap(day: Found, clock: Found) -> int:
    """How many characters are between two places."""
    return max(clock.start - day.end, day.start - clock.end)


def _moment(leaf: str) -> date | time | None:
    """Read a date, a time or both as JSON has them; a datetime is a date too."""
    readers = (date.fromisoformat, datetime.fromisoformat, time.fromisoformat)
    for read in readers if _ISO_MOMENT.fullmatch(leaf) else ():
        try:
            return read(leaf)
        except ValueError:
            continue
    return None


def _length(leaf: str) -> tuple[int, int] | None:
    """An ISO duration in months and seconds."""
    match = _ISO_DURATION.fullmatch(leaf)
    parts = [int(part or 0) for part in match.groups()] if match else []
    years, months, weeks, days, hours, minutes, seconds = parts
    try:
        length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return None
    return 12 * years + months, length.days * _SECONDS["d"] + length.seconds


def _hour(hour: int, half: str) -> int | None:
    """The hour of a day that a clock says. half: `a` or `p`, where it says that."""
    if half in {"a", "p"}:
        return hour % _HALF_DAY + (_HALF_DAY if half == "p" else 0) if hour <= _HALF_DAY else None
    return hour % _DAY if hour <= _DAY else None
