"""Where a text stands but for a typo, or for a few words more or fewer. Needs the extra `fuzzy`.

Digits are never part of the difference: what is taken has the numerals of the value, all of them
and no other. Letters that scanners take for digits are the one exception, where the rest is exact.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from extractify.errors import ConfigurationError
from extractify.graphemes import is_edge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    Pair = tuple[int, int]

_LETTERS_A_TYPO = 14
"""One typo is taken in so many letters, and one at least: more is another word."""
_LEAST_LETTERS = 5
_MOST_TYPOS = 4
_MOST_PLACES = 50
_LONGEST = 2000
_COVERED = 0.75
"""The share of a value's words that have to stand in the text, in their order."""
_DENSE = 0.5
"""The share of the words of a place that have to be the value's."""
_LEAST_WORDS, _MOST_WORDS = 3, 150
_MOST_WINDOWS = 8
_RARE = 6
_COMMON = 2000
_LOOK_ALIKE = str.maketrans({"o": "0", "l": "1", "i": "1", "|": "1"})
_DIGITS = re.compile(r"[0-9]+")
# A word, or one character of a script without spaces.
_TOKEN = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|"
    r"[0-9]+(?:[.,][0-9]+)*|[^\W\d_\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)


class Fuzzy:
    """A folded document to look texts up in. Raises: ConfigurationError without the extra."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._distance = _rapidfuzz()

    def find(self, wanted: str) -> list[Pair]:
        """The places that differ the least from a text, if little enough."""
        if not wanted or len(wanted) > _LONGEST:
            return []
        found = list(islice(self._look_alikes(wanted), _MOST_PLACES))
        if found or not any(char.isalpha() for char in wanted):
            return found
        return self._with_typos(wanted) or self._with_gaps(wanted)

    # --- letters for digits ------------------------------------------------------------------

    def _look_alikes(self, wanted: str) -> Iterator[Pair]:
        """Yield where nothing differs but a letter for a digit that looks like it."""
        if not any(char.isdigit() for char in wanted):
            return
        part = wanted.translate(_LOOK_ALIKE)
        most = (sum(map(str.isalnum, wanted)) - 1) // 2
        for at in _places(self._looked_alike, part):
            end = at + len(part)
            pairs = zip(self._text[at:end], wanted, strict=True)
            differing = [(one, other) for one, other in pairs if one != other]
            mixed = all(one.isdigit() != other.isdigit() for one, other in differing)
            if mixed and 0 < len(differing) <= most and _is_whole(self._text, at, end):
                yield at, end

    @cached_property
    def _looked_alike(self) -> str:
        return self._text.translate(_LOOK_ALIKE)

    # --- typos -------------------------------------------------------------------------------

    def _with_typos(self, wanted: str) -> list[Pair]:
        """The places a few edits away: one of so many pieces and one more is there unchanged."""
        if len(wanted) < _LEAST_LETTERS:
            return []
        typos = min(_MOST_TYPOS, max(1, len(wanted) // _LETTERS_A_TYPO))
        size = len(wanted) // (typos + 1)
        found: dict[Pair, int] = {}
        for piece in range(typos + 1):
            first = piece * size
            last = len(wanted) if piece == typos else first + size
            for at in islice(_places(self._text, wanted[first:last]), _MOST_PLACES):
                close = self._close(at - first, wanted, typos)
                if close:
                    found[close[0], close[1]] = close[2]
        least = min(found.values(), default=0)
        return _apart([span for span, edits in found.items() if edits == least])

    def _close(self, around: int, wanted: str, typos: int) -> tuple[int, int, int] | None:
        """The whole words near an offset that are the fewest edits away, if few enough."""
        text, reach = self._text, range(-typos, typos + 1)
        starts = [around + by for by in reach if _is_cut(text, around + by, -1)]
        behind = around + len(wanted)
        ends = [behind + by for by in reach if _is_cut(text, behind + by, 0)]
        best: tuple[int, int, int] | None = None
        for start in starts:
            for end in ends:
                there = text[start:end]
                edits = self._distance.distance(there, wanted, score_cutoff=typos)
                least = typos if best is None else best[2] - 1
                if there and edits <= least and self._agree(there, wanted):
                    best = start, end, edits
        return best

    def _agree(self, there: str, wanted: str) -> bool:
        """Whether two texts have the same numerals, and no word differs in more than typos."""
        if _DIGITS.findall(there) != _DIGITS.findall(wanted):
            return False
        ours, theirs = _TOKEN.findall(wanted), _TOKEN.findall(there)
        if len(ours) != len(theirs):
            return True  # a space too many or too few
        least = max(2, _LEAST_LETTERS - len(ours))
        return all(self._alike(one, other, least) for one, other in zip(ours, theirs, strict=True))

    def _alike(self, one: str, other: str, least: int = _LEAST_LETTERS - 1) -> bool:
        """Whether two words differ in a typo at most, long ones in two. least: letters of any."""
        if one == other:
            return True
        shorter = min(len(one), len(other))
        if shorter < least or one[0].isdigit() or other[0].isdigit():
            return False
        allowed = 1 if shorter < _LETTERS_A_TYPO else 2
        return bool(self._distance.distance(one, other, score_cutoff=allowed) <= allowed)

    # --- words more or fewer -----------------------------------------------------------------

    def _with_gaps(self, wanted: str) -> list[Pair]:
        """The place that has most of the value's words in their order, and few others."""
        ours = _TOKEN.findall(wanted)
        if not _LEAST_WORDS <= len(ours) <= _MOST_WORDS:
            return []
        words = self._words
        best: tuple[float, Pair] | None = None
        for begin in _candidates(ours, words):
            window = words.words[begin : begin + 2 * len(ours) + 2]
            found = self._aligned(ours, window)
            if found is not None and (best is None or found[0] > best[0]):
                score, first, last = found
                best = score, (words.spans[begin + first][0], words.spans[begin + last][1])
        return [best[1]] if best else []

    @cached_property
    def _words(self) -> _Words:
        return _Words(self._text)

    def _aligned(self, ours: Sequence[str], window: Sequence[str]) -> tuple[float, int, int] | None:
        """How well, from where and to where the words of a window are the value's."""
        pairs = self._common(ours, window)
        numerals = [word for word in ours if word[0].isdigit()]
        best: tuple[float, int, int] | None = None
        # Words at either end that stand apart make a place longer than they are worth.
        for left in range(min(len(pairs), 3)):
            for right in range(len(pairs), max(left, len(pairs) - 3), -1):
                first, last = pairs[left][1], pairs[right - 1][1]
                covered = (right - left) / len(ours)
                dense = (right - left) / (last - first + 1)
                there = [word for word in window[first : last + 1] if word[0].isdigit()]
                if covered < _COVERED or dense < _DENSE or there != numerals:
                    continue
                if best is None or covered + dense > best[0]:
                    best = covered + dense, first, last
        return best

    def _common(self, ours: Sequence[str], window: Sequence[str]) -> list[Pair]:
        """A longest common subsequence, words with a typo included, as pairs of indices."""
        same = [[self._alike(one, other) for other in window] for one in ours]
        sizes = [[0] * (len(window) + 1) for _ in range(len(ours) + 1)]
        for i in range(len(ours) - 1, -1, -1):
            for j in range(len(window) - 1, -1, -1):
                longer = max(sizes[i + 1][j], sizes[i][j + 1])
                sizes[i][j] = sizes[i + 1][j + 1] + 1 if same[i][j] else longer
        pairs, i, j = [], 0, 0
        while i < len(ours) and j < len(window):
            if same[i][j]:
                pairs.append((i, j))
                i, j = i + 1, j + 1
            elif sizes[i + 1][j] >= sizes[i][j + 1]:
                i += 1
            else:
                j += 1
        return pairs


class _Words:
    """The words of a text and where they stand."""

    def __init__(self, text: str) -> None:
        self.spans = [match.span() for match in _TOKEN.finditer(text)]
        self.words = [text[start:end] for start, end in self.spans]
        self.places: dict[str, list[int]] = defaultdict(list)
        for index, word in enumerate(self.words):
            self.places[word].append(index)


def _candidates(ours: Sequence[str], words: _Words) -> list[int]:
    """Where the value may begin, by the votes of its rarest words."""
    counts = {word: len(words.places.get(word, ())) for word in ours}
    rare = sorted((count, word) for word, count in counts.items() if 0 < count <= _COMMON)
    votes: Counter[int] = Counter()
    width = max(1, len(ours) // 2)
    for _, word in rare[:_RARE]:
        order = ours.index(word)
        for place in words.places[word]:
            begin = (place - order) // width
            votes[begin] += 1
            votes[begin - 1] += 1
    return sorted({max(0, begin * width) for begin, _ in votes.most_common(_MOST_WINDOWS)})


def _rapidfuzz() -> ModuleType:
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError:
        raise ConfigurationError(
            "ground(fuzzy=True) needs an extra. Run: pip install 'extractify[fuzzy]'"
        ) from None
    return Levenshtein


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether a place takes in its numerals whole."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return not (
        before[-1:].isalnum()
        or re.search(r"[0-9][.,]\Z", before)
        or after[:1].isalnum()
        or re.match(r"[.,][0-9]", after)
    )


def _is_cut(text: str, at: int, before: int) -> bool:
    """Whether a place may begin (before: -1) or end (before: 0) at an offset."""
    if not 0 <= at <= len(text):
        return False
    inner = text[at : at + 1] if before else text[max(0, at - 1) : at]
    return bool(inner.strip()) and is_edge(text, at)


def _places(text: str, part: str) -> Iterator[int]:
    """Yield where a part stands; one place in each overlap of a part with itself."""
    at = text.find(part) if part else -1
    while at >= 0:
        yield at
        at = text.find(part, at + len(part))


def _apart(spans: list[Pair]) -> list[Pair]:
    """Leave out what overlaps with the place before."""
    kept: list[Pair] = []
    for span in sorted(spans):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept
