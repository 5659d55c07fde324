"""extractify.evidence: spans and what they tell."""

from __future__ import annotations

import pytest

from extractify.evidence import Evidence, Span, as_dict
from tests.pickling import pickled

DOCUMENT = "one\ntwo three\n"


def test_a_span_is_the_pair_of_its_offsets() -> None:
    span = Span(8, 13, DOCUMENT)
    assert span == (8, 13) == Span(8, 13)
    assert DOCUMENT[slice(*span)] == "three"
    assert repr(span) == "Span(start=8, end=13)"


def test_lines_and_columns_count_from_one() -> None:
    assert [(s.line, s.column) for s in (Span(0, 3, DOCUMENT), Span(8, 13, DOCUMENT))] == [
        (1, 1),
        (2, 5),
    ]


def test_a_span_made_by_hand_has_no_line() -> None:
    with pytest.raises(ValueError, match="without a document"):
        _ = Span(0, 1).line


def test_a_span_pickles_with_its_line() -> None:
    assert pickled(Span(8, 13, DOCUMENT)).line == 2


def test_evidence_is_plain_data_with_its_best_place() -> None:
    evidence = Evidence("exact", (Span(8, 13, DOCUMENT), Span(0, 3, DOCUMENT)))
    spans = evidence.to_dict()["spans"]
    assert isinstance(spans, list)
    assert len(spans) == 2
    assert as_dict({"/a": evidence, "/b": Evidence("missing")}) == {
        "/a": {
            "status": "exact",
            "spans": [{"start": 8, "end": 13, "line": 2, "column": 5}],
            "ambiguous": False,
        },
        "/b": {"status": "missing", "spans": [], "ambiguous": False},
    }
