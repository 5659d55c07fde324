"""What is known of where a leaf stands in its document: spans, and how it stands there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from extractify.messages import JsonValue

Status: TypeAlias = Literal["exact", "normalised", "typed", "fuzzy", "inferred", "missing"]


class _Offsets(NamedTuple):
    start: int
    end: int


class Span(_Offsets):
    """A piece of a document: start and end, in Python's string indices. Equals the plain pair.

    line and column count from 1, and are known where the span came from a document.
    """

    _document: str | None

    def __new__(cls, start: int, end: int, document: str | None = None) -> Self:
        """Keep the document beside the offsets: it is no part of the pair, nor of the repr."""
        span = super().__new__(cls, start, end)
        span._document = document
        return span

    def __repr__(self) -> str:
        return f"Span(start={self.start}, end={self.end})"

    @property
    def line(self) -> int:
        """The line that the span begins on. Raises: ValueError on a span made by hand."""
        return self._text().count("\n", 0, self.start) + 1

    @property
    def column(self) -> int:
        """The character of its line that the span begins at. Raises: as `line`."""
        return self.start - (self._text().rfind("\n", 0, self.start) + 1) + 1

    def _text(self) -> str:
        if self._document is None:
            raise ValueError("This span was made without a document, so it has no line or column.")
        return self._document


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a leaf stands in the document, and where.

    status: `exact` as it is; `normalised` but for case, white space and marks that say nothing;
    `typed` in another notation of the same; `fuzzy` but for a letter or a few words; `inferred`
    nowhere, and the task says that it needn't; `missing` nowhere. spans: all places, best first
    (see `MOST_SPANS`). ambiguous: what stands there may as well mean another value, such as
    `03/05/2024`.
    """

    status: Status
    spans: tuple[Span, ...] = ()
    ambiguous: bool = False

    def to_dict(self) -> dict[str, JsonValue]:
        """As plain data: spans as objects of start, end, line and column."""
        spans: list[JsonValue] = [
            {"start": span.start, "end": span.end, "line": span.line, "column": span.column}
            for span in self.spans
        ]
        return {"status": self.status, "spans": spans, "ambiguous": self.ambiguous}


MOST_SPANS = 1000
"""The most places told of one leaf; the best of the first `MOST_JUDGED` is among them."""
MOST_JUDGED = 20_000
"""The most places of one leaf that are looked for."""


def as_dict(evidence: Mapping[str, Evidence]) -> dict[str, JsonValue]:
    """Evidence by pointer, as plain data; of each leaf the best span alone is told."""
    return {
        pointer: Evidence(found.status, found.spans[:1], found.ambiguous).to_dict()
        for pointer, found in evidence.items()
    }
