"""extractify.fuzzy: typos, missing words, and the digits that are never part of a difference."""

from __future__ import annotations

import sys
from itertools import product
from typing import TYPE_CHECKING

import pytest

from extractify import ConfigurationError
from extractify.grounding import ground

if TYPE_CHECKING:
    from extractify.messages import JsonValue


def nearly(leaf: JsonValue, document: str) -> str | None:
    evidence = ground(leaf, document, fuzzy=True)[""]
    if not evidence.spans:
        return None
    assert evidence.status == "fuzzy"
    return document[evidence.spans[0].start : evidence.spans[0].end]


@pytest.mark.parametrize(
    ("leaf", "document", "found"),
    [
        ("Naprosin", "takes Naprosyn daily", "Naprosyn"),
        ("Acme Corporation", "the Acme Corpration of Berlin", "Acme Corpration"),
        ("heart attack", "a heartattack", "heartattack"),
        ("a plan of the house", "is a plan ot the house.", "a plan ot the house"),
        ("the old red house", "the very old red house", "the very old red house"),
        (
            "a mild degenerative disease",
            "has mild degenerative disease",
            "mild degenerative disease",
        ),
        ("INV-2024-7", "no. INV-2O24-7", "INV-2O24-7"),
        ("日本航空株式会社東京", "日本航空株式会杜東京", "日本航空株式会杜東京"),
    ],
)
def test_a_text_stands_but_for_a_typo_or_a_word(
    leaf: JsonValue, document: str, found: str | None
) -> None:
    assert nearly(leaf, document) == found


@pytest.mark.parametrize(
    ("leaf", "document"),
    [
        ("INV-2024", "INV-2025"),
        ("2024-03-15", "2024-03-14"),
        ("1,260.00", "1"),
        ("10 mg aspirin", "20 mg aspirin"),
        ("l0", "10"),
        ("lO", "10"),
        ("1O4", "51049"),
        ("1O4", "1.104"),
        ("hypertension", "hypotension"),
        ("prednisone", "prednisolone"),
        ("high blood pressure", "high glucose"),
        ("Jon", "Jan"),
        ("Napro", "Naprosyn"),
        ("alpha beta gamma", "alpha one two three four beta five six seven gamma"),
        ("take 20 mg of it daily", "take 30 mg of it daily"),
        ("???", "!!!"),
        ("x" * 3000, "y"),
        ("one two three four five " * 60, "one"),
    ],
)
def test_a_wrong_digit_or_another_word_is_no_typo(leaf: str, document: str) -> None:
    assert nearly(leaf, document) is None


def test_a_typo_anywhere_in_a_long_text_is_found_at_its_place() -> None:
    words = ["".join(parts) for parts in product(("be", "ka", "mul"), ("ton", "rin", "s"))]
    words += ["".join(parts) for parts in product(("de", "fi", "gor"), ("la", "mo"), ("nt", "x"))]
    document = " ".join(words[(n * n * 7 + n // 5) % len(words)] + str(n % 9) for n in range(4000))
    document = "".join(char for char in document if not char.isdigit()) + " and the end of it all"
    for begin in range(0, 20000, 500):
        start = document.find(" ", begin) + 1
        end = document.find(" ", start + 60)
        value = document[start:end]
        at = (begin // 7) % len(value)
        typo = value[:at] + "w" + value[at + 1 :]
        spans = ground(typo, document, fuzzy=True)[""].spans
        assert (start, end) in spans


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidfuzz.distance", None)
    with pytest.raises(ConfigurationError, match=r"extractify\[fuzzy\]"):
        ground("Naprosin", "Naprosyn", fuzzy=True)
    assert ground("Naprosyn", "Naprosyn", fuzzy=True)[""].status == "exact"
