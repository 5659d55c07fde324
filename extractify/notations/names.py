"""Names of people in a folded text: with initials, in another order, with or without a title."""

from __future__ import annotations

import re
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from extractify.notations.figures import Found

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TITLE_WORDS = """\
dr mr mrs ms miss prof professor sir dame herr frau mme m mlle sr sra dott dipl ing phd \
md jr sr ii iii"""
_TITLES = frozenset(_TITLE_WORDS.split())
_PART = r"[^\W\d_]++(?:\.?['-][^\W\d_]++)*+\.?"
_NAME = re.compile(rf"{_PART}(?:(?:, ?| |(?<=\.)){_PART}){{1,4}}")
_WORD = re.compile(_PART)
_SENTENCE_END = re.compile(r"[^\W\d_]{2,}\.\Z")
_JOINT = re.compile(r"\.?-")
_PARTICLES = frozenset(
    {"van", "von", "de", "der", "den", "di", "da", "la", "le", "el", "al", "bin"}
)
_MOST_WORDS = 4
_REACH = 60
_MOST_PLACES = 200
# What may stand between the parts of a name.
_BETWEEN = re.compile(r",? |, ?|\n|(?<=\.)")


def find_name(text: str, leaf: str, folded: str) -> Iterator[Found]:
    """Yield where a name stands in another form. leaf: as written, for its capitals.

    One part at least stands whole; another may be its first letter, on either side.
    """
    if not _NAME.fullmatch(folded) or not _has_capitals(leaf):
        return
    parts = [word for word in _words(folded) if word not in _TITLES]
    if not 1 < len(parts) <= _MOST_WORDS:
        return
    orders = [parts[turn:] + parts[:turn] for turn in range(len(parts))]
    seen: set[tuple[int, int]] = set()
    for family in _families(parts, folded):
        for found in _around(text, family, orders):
            if (found.start, found.end) not in seen:
                seen.add((found.start, found.end))
                yield found


def _families(parts: Sequence[str], folded: str) -> list[str]:
    """Which parts may be the one that is never an initial: the family name, and the longest."""
    whole = [part for part in parts if len(part) > 1]
    first = _words(folded.partition(",")[0]) if "," in folded else whole
    last = [part for part in first if part in whole][-1:]
    return list(dict.fromkeys([*last, *sorted(whole, key=len)[-1:]]))


def _around(text: str, family: str, orders: Sequence[list[str]]) -> Iterator[Found]:
    """Yield where the parts stand around one of them, in one of the orders."""
    places = re.finditer(rf"(?<![\w'-]){re.escape(family)}(?![\w-])", text)
    for match in islice(places, _MOST_PLACES):
        before = list(_WORD.finditer(text, max(0, match.start() - _REACH), match.start()))
        after = list(_WORD.finditer(text, match.end(), match.end() + _REACH))
        for order in orders:
            at = order.index(family)
            words = [*before[len(before) - at :], match, *after[: len(order) - at - 1]]
            said = [word.group().rstrip(".") for word in words]
            if _same(said, order) and _adjacent(text, [word.span() for word in words]):
                yield Found(words[0].start(), words[-1].end(), ambiguous=said != order)
                break


def _adjacent(text: str, spans: Sequence[tuple[int, int]]) -> bool:
    return all(
        _BETWEEN.fullmatch(text, left[1], right[0]) and not _SENTENCE_END.search(text[slice(*left)])
        for left, right in pairwise(spans)
    )


def _same(said: Sequence[str], order: Sequence[str]) -> bool:
    """Whether these are the same words in their order, each whole or by its first letter."""
    return len(said) == len(order) and all(map(_agree, said, order))


def _agree(one: str, other: str) -> bool:
    """Whether two parts are the same, whole or as initials: `j.-l` and `j` for `jean-luc`."""
    if one == other or (1 in {len(one), len(other)} and one[0] == other[0]):
        return True
    ours, theirs = _JOINT.split(one), _JOINT.split(other)
    return len(ours) == len(theirs) > 1 and all(map(_agree, ours, theirs))


def _words(folded: str) -> list[str]:
    return [word.rstrip(".") for word in _WORD.findall(folded)]


def _has_capitals(leaf: str) -> bool:
    """Whether each word begins with a capital, as names do; a particle such as `van` needn't."""
    words = [word for word in re.findall(r"[^\W\d_]+", leaf) if word not in _PARTICLES]
    return bool(words) and not any(word[0].islower() for word in words)
