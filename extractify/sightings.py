"""Where one leaf stands in a document: the first of ever looser comparisons that finds it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from extractify.evidence import MOST_JUDGED, Span, Status
from extractify.folding import Folded, fold
from extractify.fuzzy import Fuzzy
from extractify.graphemes import extends, is_edge, may_cut
from extractify.notations.figures import PLAIN, Numerals, number_of, written_number
from extractify.notations.identifiers import Identifiers, goes_on, is_address, is_chained
from extractify.notations.names import find_name
from extractify.notations.quantities import find_quantity
from extractify.notations.times import Moments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from extractify.messages import JsonValue
    from extractify.notations.figures import Found

_MARKED = frozenset("*_`~[]<>&\\#")
_LONGEST_TYPED = 400
_LONGEST = 1_000_000
_REST_OF_WORD = re.compile(r"[^\W_]*")
# What a look-up may cost that keeps failing, in characters compared, for each of the document.
_PATIENCE = 20


@dataclass(frozen=True, slots=True)
class Sighting:
    """How a leaf stands in the document. spans: in the order of the document."""

    status: Status = "missing"
    spans: tuple[Span, ...] = ()
    ambiguous: frozenset[Span] = frozenset()


NOWHERE = Sighting()


class Text:
    """A document, indexed when a leaf needs it, with what was looked up in it."""

    def __init__(self, document: str, *, fuzzy: bool = False) -> None:
        self.document = document
        self._fuzzy = fuzzy
        self._known: dict[tuple[object, ...], Sighting] = {}

    def sighting(self, leaf: JsonValue, others: tuple[str, ...] = ()) -> Sighting:
        """Look a leaf up. others: words that say the same, such as declared aliases."""
        key = (type(leaf), str(leaf) if isinstance(leaf, float) else leaf, others)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._looked_up(leaf, others)
        return found

    def _looked_up(self, leaf: JsonValue, others: tuple[str, ...]) -> Sighting:
        found = NOWHERE if isinstance(leaf, bool) else self._own(leaf)
        if not found.spans and others:
            said = sorted({span for word in others for span in self._words(word).spans})
            found = _sighting("typed", said)
        if not found.spans and self._fuzzy and isinstance(leaf, str) and leaf.strip():
            found = self._nearly(leaf)
        return found

    def _own(self, leaf: JsonValue) -> Sighting:
        number = number_of(leaf)
        if isinstance(leaf, str):
            if not leaf.strip() or len(leaf) > min(_LONGEST, 4 * len(self.document)):
                return NOWHERE
            if number is None or not PLAIN.fullmatch(leaf):
                return self._string(leaf)
            found = self._words(leaf, numeral=True)
            if found.spans:
                return found
        if number is None:
            return NOWHERE
        written = leaf if isinstance(leaf, str) else str(leaf)
        found = self._typed(self._numerals.find(number), written)
        if isinstance(leaf, str) and not found.spans:  # a phone number, or a code of digits
            return self._typed(self._identifiers.find(leaf), leaf)
        return found

    def _string(self, leaf: str) -> Sighting:
        found = self._words(leaf)
        if found.spans or len(leaf) > _LONGEST_TYPED:
            return found
        return self._typed(self._in_another_notation(leaf), leaf)

    def _in_another_notation(self, leaf: str) -> Iterator[Found]:
        """Yield where the first notation stands that the leaf may be written in."""
        folded = fold(leaf)
        text = self._folded.text
        found = list(self._moments.find(leaf.strip()))
        found = found or list(self._moments.find_written(folded))
        number = written_number(folded)
        found = found or list(self._numerals.find(number) if number is not None else ())
        found = found or list(find_quantity(text, self._numerals, folded))
        found = found or list(self._identifiers.find(folded))
        yield from found or find_name(text, leaf, folded)

    # --- in words ----------------------------------------------------------------------------

    def _words(self, leaf: str, *, numeral: bool = False) -> Sighting:
        """Look words up as they are, else but for what folding evens out."""
        wanted = fold(leaf)
        spans = list(self._folded_spans(self._folded, wanted)) if wanted else []
        if is_address(wanted) or is_chained(wanted):
            spans = [span for span in spans if not goes_on(self.document, span, wanted)]
        exact = [span for span in spans if self.document[span.start : span.end] == leaf]
        if not exact and (not wanted or not _MARKED.isdisjoint(leaf)):
            exact = list(self._raw_spans(leaf))
        if not (exact or spans) and is_address(wanted):  # perhaps it is what a link leads to
            raw = self._raw_spans(leaf)
            exact = [span for span in raw if not goes_on(self.document, span, wanted)]
        if numeral:  # a number has notations of its own
            found = [span for span in exact if not self._in_code(span)]
            return _sighting("exact", found)
        if exact:
            return _sighting("exact", exact)
        if not spans and "-" in wanted and self._hyphenated is not None:
            spans = list(self._folded_spans(self._hyphenated, fold_with_hyphens(leaf)))
        if not spans and "_" in leaf and not re.search(r"[0-9]", leaf):
            return _sighting(
                "typed", self._folded_spans(self._unjoined, re.sub("[_-]", " ", wanted))
            )
        return _sighting("normalised", spans)

    def _in_code(self, span: Span) -> bool:
        return self._numerals.in_code(self._folded.folded_start(span.start))

    def _raw_spans(self, leaf: str) -> Iterator[Span]:
        """Yield where a text stands that folding takes for marks."""
        for start in islice(_occurrences(self.document, leaf, is_edge), MOST_JUDGED):
            yield Span(start, start + len(leaf), self.document)

    def _folded_spans(self, folded: Folded, wanted: str) -> Iterator[Span]:
        """Yield where a folded text stands: on whole words and whole numerals."""
        document, numerals = self.document, self._numerals if _has_digit_edge(wanted) else None

        def edge(text: str, at: int) -> bool:
            return is_edge(text, at) and not (numerals is not None and numerals.cut_at(at))

        for at in islice(_occurrences(folded.spaced, wanted, edge), MOST_JUDGED):
            start = folded.original_start(at)
            end = _with_marks(document, folded.original_end(at + len(wanted)))
            if is_edge(document, start) and is_edge(document, end):
                yield Span(start, end, document)

    # --- in another notation -----------------------------------------------------------------

    def _typed(self, found: Iterable[Found], written: str) -> Sighting:
        folded = self._folded
        spans: dict[Span, bool] = {}
        for each in islice(found, MOST_JUDGED):
            start = folded.original_start(each.start)
            end = folded.original_end(each.end)
            if may_cut(self.document, start) and may_cut(self.document, end):
                span = Span(start, end, self.document)
                spans[span] = spans.get(span, False) or each.ambiguous
        exact = [self.document[span.start : span.end] == written for span in spans]
        status: Status = "exact" if exact and all(exact) else "typed"
        unsure = [span for span, ambiguous in spans.items() if ambiguous]
        return _sighting(status, sorted(spans), unsure)

    def _nearly(self, leaf: str) -> Sighting:
        folded = self._folded
        spans = []
        for start, end in self._nearby.find(fold(leaf)):
            first, last = folded.original_start(start), folded.original_end(end)
            last = _with_marks(self.document, last)
            if is_edge(self.document, first) and is_edge(self.document, last):
                spans.append(Span(first, last, self.document))
        return _sighting("fuzzy", sorted(spans))

    # --- indexes -----------------------------------------------------------------------------

    @cached_property
    def _nearby(self) -> Fuzzy:
        return Fuzzy(self._folded.spaced)

    @cached_property
    def _folded(self) -> Folded:
        return Folded(self.document)

    @cached_property
    def _hyphenated(self) -> Folded | None:
        """Folded with the hyphens at the ends of lines, where that makes a difference."""
        if not re.search("[-\u2010][ \t]*\r?\n", self.document):
            return None
        return Folded(self.document, hyphen="-")

    @cached_property
    def _unjoined(self) -> Folded:
        """Folded, with spaces for hyphens and underscores: the offsets are the same."""
        return Folded(re.sub("(?<=[^\\W_])[-_](?=[^\\W_])", " ", self.document))

    @cached_property
    def _numerals(self) -> Numerals:
        return Numerals(self._folded.text)

    @cached_property
    def _moments(self) -> Moments:
        return Moments(self._folded.text)

    @cached_property
    def _identifiers(self) -> Identifiers:
        return Identifiers(self._folded.text)


def fold_with_hyphens(leaf: str) -> str:
    """A value folded as a document is whose hyphens at the ends of lines stay."""
    return Folded(leaf, hyphen="-").spaced.strip()


def _sighting(status: Status, spans: Iterable[Span], unsure: Iterable[Span] = ()) -> Sighting:
    found = tuple(dict.fromkeys(spans))
    return Sighting(status, found, frozenset(unsure)) if found else NOWHERE


def _has_digit_edge(wanted: str) -> bool:
    return wanted[:1].isdigit() or wanted[-1:].isdigit()


def _with_marks(text: str, end: int) -> int:
    """Take in what changes how a character looks and not what it says (a variation selector)."""
    while end < len(text) and "\ufe00" <= text[end] <= "\ufe0f" and extends(text[end]):
        end += 1
    return end


def _occurrences(text: str, part: str, is_free: Callable[[str, int], bool]) -> Iterator[int]:
    """Yield where a part stands between two edges, and doesn't overlap with the one before."""
    at = text.find(part)
    work = _PATIENCE * (len(text) + 1000)
    while at >= 0:
        if is_free(text, at) and is_free(text, at + len(part)):
            yield at
            following = at + len(part)
        else:
            work -= len(part)
            if work < 0:
                return
            word = _REST_OF_WORD.match(text, at + 1)
            following = word.end() if word else at + 1
        at = text.find(part, following)
