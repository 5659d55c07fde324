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
_HAN_CLOCK = re.compile(r"(?<![0-9])([0-9]{1,2})[時时点] ?(?:([0-9]{1,2})分)?")
_UHR_BETWEEN = re.compile(r"(?<![0-9:.,])([0-9]{1,2}) uhr ([0-9]{2})(?![0-9]|[.,:][0-9])")
_NAMED_CLOCK = re.compile(r"\b(noon|midday|midnight)\b")
_RUNNING = re.compile(
    r"(?<![\w:.,-])([0-9]{1,3}):([0-5][0-9])(?::([0-5][0-9])|(?= ?(?:hrs?|hours?|h|std)\b))"
    r"( ?(?:hrs?|hours?|h|std)\b)?(?![0-9:]| ?[ap]\.?m\b| ?uhr)"
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
_SMALL = """\
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen \
sixteen seventeen eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_AMOUNT_OF: dict[str, float] = {word: number for number, word in enumerate(_SMALL.split())}
_AMOUNT_OF |= {word: 10 * number for number, word in enumerate(_TENS.split(), start=2)}
_AMOUNT_OF |= {
    f"{ten}{link}{unit}": _AMOUNT_OF[ten] + number
    for ten in _TENS.split()
    for number, unit in enumerate(_SMALL.split()[1:10], start=1)
    for link in " -"
}
_AMOUNT_OF |= {"an": 1, "half an": 0.5, "half a": 0.5}
_SPELLED = "|".join(sorted(_AMOUNT_OF, key=len, reverse=True))
_AMOUNT = rf"[0-9]{{1,6}}(?:[.,][0-9]{{1,2}})?|(?:{_SPELLED})\b"
_AGAIN = r"(?: \([0-9]{1,6}\))?"
_PART = rf"(?:{_AMOUNT}){_AGAIN}[ \n-]?(?:{_UNIT})(?![^\W\d_])\.?"
_DURATION = re.compile(
    rf"(?<![\w.,:/-])(?:{_PART})(?:(?:,? (?:and |und |et |y )?|,)?(?:{_PART})){{0,5}}"
    r"(?: and a half\b|(?<=[0-9]h)[0-5][0-9](?![\w]|[.,:][0-9]))?"
)
_SHORT = re.compile(r"(?<![\w.,:/-])([0-9]{1,3})h([0-5][0-9])(?!\w|[.,:][0-9])")
_ONE_PART = re.compile(rf"({_AMOUNT})(?: \(([0-9]{{1,6}})\))?[ \n-]?({_UNIT})(?![^\W\d_])")
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
            yield from self._lasting(_length(leaf) or (0, 0))

    def find_written(self, leaf: str) -> Iterator[Found]:
        """Yield where a date, a time or a duration stands that a folded leaf says in words."""
        clock = _CLOCK.fullmatch(leaf)
        said = Moments(leaf)
        if clock and clock.group(5):
            for hour, minute, second in said._times:
                yield from self._at(time(hour, minute, second))
        elif _DURATION.fullmatch(leaf):
            for length in said._durations:
                yield from self._lasting(length)
        else:
            yield from self._dates.find_written(leaf)

    def _lasting(self, length: tuple[int, int]) -> list[Found]:
        return self._durations.get(length, []) or self._running.get(length, [])

    @cached_property
    def _running(self) -> dict[tuple[int, int], list[Found]]:
        """The places of each length that is written as a clock, which may be a time of day."""
        found: dict[tuple[int, int], list[Found]] = defaultdict(list)
        for match in _RUNNING.finditer(self._text):
            hours, minutes, seconds = (int(match.group(at) or 0) for at in (1, 2, 3))
            length = 3600 * hours + 60 * minutes + seconds
            found[0, length].append(Found(*match.span(), ambiguous=not match.group(4)))
        for match in _SHORT.finditer(self._text):
            length = 3600 * int(match.group(1)) + 60 * int(match.group(2))
            found[0, length].append(Found(*match.span(), ambiguous=True))
        return found

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
        for pattern in (_HAN_CLOCK, _UHR_BETWEEN):
            for match in pattern.finditer(self._text):
                hour, minute = int(match.group(1)), int(match.group(2) or 0)
                if hour < _DAY and minute < _SIXTY:
                    found[hour, minute, 0].append(Found(*match.span()))
        for match in _NAMED_CLOCK.finditer(self._text):
            hour = 0 if match.group() == "midnight" else _HALF_DAY
            found[hour, 0, 0].append(Found(*match.span()))
        return found

    @cached_property
    def _durations(self) -> dict[tuple[int, int], list[Found]]:
        """The places of each length, in months and seconds."""
        found: dict[tuple[int, int], list[Found]] = defaultdict(list)
        for match in _DURATION.finditer(self._text):
            length = _said_length(match.group())
            if length is not None:
                found[length].append(Found(*match.span()))
        return found


def _said_length(said: str) -> tuple[int, int] | None:
    """A duration in words, in months and seconds; None if it isn't one."""
    seconds = months = 0.0
    unit = ""
    for amount, again, word in _ONE_PART.findall(said):
        plain = amount.replace(",", ".")
        count = _AMOUNT_OF[amount] if amount in _AMOUNT_OF else float(plain)
        if again and int(again) != count:
            return None
        unit = _UNIT_OF[word]
        seconds += count * _SECONDS.get(unit, 0)
        months += count * _MONTHS.get(unit, 0)
    if said.endswith(" and a half"):
        seconds += _SECONDS.get(unit, 0) / 2
        months += _MONTHS.get(unit, 0) / 2
    elif said[-1].isdigit():
        seconds += 60 * int(said[-2:])
    whole = int(months), int(seconds)
    return whole if whole == (months, seconds) else None


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
