"""Which of several places of a value is meant: by its label, by its neighbours, by its turn.

A label is a word of the field's name or description before the value. The neighbours of a leaf are
what else stands in its object, where that stands in one place alone. The items of a list come in
the order of the document where they can.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Pair = tuple[int, int]

_ZONE = 80
"""Characters before a value, on its line, that may label it."""
_MOST_JUDGED = 64
_MOST_ANCHORS = 16
_INDEX = re.compile(r"/[0-9]+(?=/|\Z)")


def chosen(
    places: Mapping[str, Sequence[Pair]],
    document: str,
    words: Callable[[str], tuple[str, ...]],
    quotes: Mapping[str, Sequence[Pair]],
) -> dict[str, int]:
    """For each pointer, which of its places (in the order of the document) is the best one.

    words: the label of a leaf. quotes: the places of the sentence that the model named for it.
    """
    several = [pointer for pointer, spans in places.items() if len(spans) > 1]
    best = dict.fromkeys(places, 0)
    if not several:
        return best
    layout = _Layout(document)
    anchors = _anchors(places)
    in_turn = _in_turn(places)
    for pointer in several:
        spans = places[pointer]
        quoted = [at for at, span in enumerate(spans) if _within(span, quotes.get(pointer, ()))]
        if quoted:
            best[pointer] = quoted[0]
        elif pointer in in_turn:
            best[pointer] = in_turn[pointer]
        else:
            near = _neighbours(pointer, anchors)
            best[pointer] = _nearest(spans, near, layout, words(pointer))
    return best


def _within(span: Pair, wholes: Sequence[Pair]) -> bool:
    return any(start <= span[0] and span[1] <= end for start, end in wholes)


def _anchors(places: Mapping[str, Sequence[Pair]]) -> dict[str, list[Pair]]:
    """The places that are sure, by the pointer of every object and list that they are in."""
    anchors: dict[str, list[Pair]] = defaultdict(list)
    for pointer, spans in places.items():
        if len(spans) == 1:
            above = pointer
            while above:
                above = above.rpartition("/")[0]
                if len(anchors[above]) < _MOST_ANCHORS:
                    anchors[above].append(spans[0])
    return anchors


def _neighbours(pointer: str, anchors: Mapping[str, list[Pair]]) -> Sequence[Pair]:
    """What is sure in the smallest object around a leaf that has anything sure in it."""
    while pointer:
        pointer = pointer.rpartition("/")[0]
        if anchors.get(pointer):
            return anchors[pointer]
    return ()


def _in_turn(places: Mapping[str, Sequence[Pair]]) -> dict[str, int]:
    """Places of list items that the order decides.

    Alike fields of one list with the same places: where there are as many as places, each has its
    turn. Items that are leaves themselves go on from the one before.
    """
    alike: dict[tuple[str, int], list[str]] = defaultdict(list)
    lists: dict[str, list[str]] = defaultdict(list)
    for pointer, spans in places.items():
        above, _, last = pointer.rpartition("/")
        if last.isdecimal():
            lists[above].append(pointer)
        elif len(spans) > 1 and _INDEX.search(pointer):
            alike[_INDEX.sub("/*", pointer), id(spans)].append(pointer)
    turns: dict[str, int] = {}
    for pointers in alike.values():
        if len(pointers) == len(places[pointers[0]]):
            turns.update({pointer: turn for turn, pointer in enumerate(pointers)})
    for pointers in lists.values():
        turns.update(_one_after_another(pointers, places))
    return turns


def _one_after_another(
    pointers: Sequence[str], places: Mapping[str, Sequence[Pair]]
) -> dict[str, int]:
    """Each item's first place behind the one before that no equal item has; else any such."""
    sure = _ascending(
        [places[pointer][0][0] if len(places[pointer]) == 1 else None for pointer in pointers]
    )
    cursor = -1
    turns: dict[str, int] = {}
    taken: dict[int, int] = {}  # by the list of places: the next one that is free
    for index, pointer in enumerate(pointers):
        spans = places[pointer]
        if len(spans) == 1:
            if index in sure:
                cursor = spans[0][0]
            continue
        free = taken.get(id(spans), 0)
        turn = max(free, bisect_left(spans, (cursor, 0)))
        if turn >= len(spans):
            turn = min(free, len(spans) - 1)
        else:
            cursor = spans[turn][0]
        turns[pointer] = turn
        taken[id(spans)] = turn + 1
    return turns


def _ascending(starts: Sequence[int | None]) -> frozenset[int]:
    """The indices of a longest run of starts that ascend, the items that keep the order."""
    ends: list[int] = []
    tails: list[int] = []
    before: dict[int, int] = {}
    for index, start in enumerate(starts):
        if start is None:
            continue
        at = bisect_right(ends, start)
        before[index] = tails[at - 1] if at else -1
        ends[at : at + 1] = [start]
        tails[at : at + 1] = [index]
    kept = set()
    last = tails[-1] if tails else -1
    while last >= 0:
        kept.add(last)
        last = before[last]
    return frozenset(kept)


def _nearest(
    spans: Sequence[Pair], near: Sequence[Pair], layout: _Layout, words: Sequence[str]
) -> int:
    """The place with the best label; of equals the one fewest lines and characters away."""

    def key(at: int) -> tuple[float, int, int, int]:
        lines, characters = min((layout.apart(spans[at], each) for each in near), default=(0, 0))
        return -layout.label(spans[at], words), lines, characters, at

    return min(_judged(spans, near), key=key)


def _judged(spans: Sequence[Pair], near: Sequence[Pair]) -> Sequence[int]:
    """The places worth a closer look: all of a few, else the first and those around neighbours."""
    if len(spans) <= _MOST_JUDGED:
        return range(len(spans))
    around = {
        at
        for start, _ in near
        for middle in [bisect_left(spans, (start, 0))]
        for at in range(max(0, middle - 4), min(len(spans), middle + 4))
    }
    return sorted(around | set(range(_MOST_JUDGED)))


class _Layout:
    """The lines of a document."""

    def __init__(self, document: str) -> None:
        self._document = document
        self._breaks = [match.start() for match in re.finditer("\n", document)]

    def apart(self, one: Pair, other: Pair) -> tuple[int, int]:
        """How many lines and characters are between two places."""
        lines = bisect_left(self._breaks, one[0]) - bisect_left(self._breaks, other[0])
        return abs(lines), max(0, other[0] - one[1], one[0] - other[1])

    def label(self, span: Pair, words: Sequence[str]) -> float:
        """How well words label a place: those close before it on its line, or on the one above."""
        line = bisect_left(self._breaks, span[0])
        start = self._breaks[line - 1] + 1 if line else 0
        zone = self._document[max(start, span[0] - _ZONE) : span[0]]
        score = _said(zone, words)
        if not score and not zone.strip() and line:
            above = self._breaks[line - 2] + 1 if line > 1 else 0
            score = _said(self._document[max(above, start - 1 - _ZONE) : start - 1], words) / 2
        return score


def _said(zone: str, words: Sequence[str]) -> float:
    """Which of the words are said, the first ones (of the name) and the nearest counting most."""
    said = zone.casefold()
    score = 0.0
    for order, word in enumerate(words):
        at = said.rfind(word)
        if at >= 0 and not said[at - 1 : at].isalpha() and not said[at + len(word) :][:1].isalpha():
            distance = min(len(said) - at - len(word), 2 * _ZONE)
            score += (1 - distance / (2 * _ZONE)) / (1 + order / 4)
    return round(score, 3)
