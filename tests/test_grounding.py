"""extractify.grounding: where a value's leaves stand in a document, and that nothing else does."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractify.evidence import Evidence, Span
from extractify.grounding import ground

if TYPE_CHECKING:
    from extractify.messages import JsonValue

quick = settings(max_examples=40, deadline=None)


def found(leaf: JsonValue, document: str) -> list[str]:
    """The texts that a leaf stands on."""
    (evidence,) = ground({"leaf": leaf}, document).values()
    assert (evidence.status == "missing") == (not evidence.spans)
    return [document[start:end] for start, end in evidence.spans]


def status(leaf: JsonValue, document: str) -> str:
    return ground(leaf, document)[""].status


# --- leaves ----------------------------------------------------------------------------------


def test_every_leaf_has_evidence_under_its_pointer() -> None:
    value: JsonValue = {"name": "Ada", "lines": [{"price": 5}, {"a/b~": "x"}], "none": {}, "l": []}
    evidence = ground(value, "Ada paid 5.")
    assert evidence == {
        "/name": Evidence("exact", (Span(0, 3),)),
        "/lines/0/price": Evidence("exact", (Span(9, 10),)),
        "/lines/1/a~1b~0": Evidence("missing"),
    }


def test_a_value_that_is_one_leaf_has_the_empty_pointer() -> None:
    assert ground("Ada", "I am Ada.") == {"": Evidence("exact", (Span(5, 8),))}


def test_nulls_are_skipped() -> None:
    assert ground({"a": None, "b": [None]}, "null None") == {}
    assert ground(None, "null") == {}


@pytest.mark.parametrize("leaf", ["", "  ", True, False])
def test_what_says_nothing_stands_nowhere(leaf: JsonValue) -> None:
    assert status(leaf, "True, or  False") == "missing"


def test_all_occurrences_are_given_in_the_order_of_the_document() -> None:
    assert ground("a b", "a b, A B, a b")[""].spans == ((0, 3), (10, 13))
    assert found(7, "7 of 7 (7.0)") == ["7", "7", "7.0"]


# --- words -----------------------------------------------------------------------------------


def test_text_stands_as_written_or_but_for_case_and_white_space() -> None:
    document = "The  Analytical\n Engine; the analytical engine."
    assert found("the analytical engine", document) == ["the analytical engine"]
    assert status("the analytical engine", document) == "exact"
    assert found("THE ANALYTICAL engine", document) == [document[:23], document[25:46]]
    assert status("THE ANALYTICAL engine", document) == "normalised"


@pytest.mark.parametrize("document", ["Adage", "Granada", "ADA1", "1Ada", "Éada", "Adaé"])
def test_a_word_never_stands_inside_another(document: str) -> None:
    assert found("Ada", document) == []


@pytest.mark.parametrize("document", ["(Ada)", "Ada's", "Ada-Lovelace", "_Ada_", "«Ada».", "Ada\n"])
def test_a_word_ends_where_punctuation_begins(document: str) -> None:
    assert found("Ada", document) == ["Ada"]


def test_text_is_looked_up_as_it_is_and_never_as_a_pattern() -> None:
    assert found("a.c (x*)", "abc xx, a.c (x*)!") == ["a.c (x*)"]
    assert found("C++", "C and C++.") == ["C++"]


@pytest.mark.parametrize(
    ("leaf", "document"),
    [
        ("12", "512"),
        ("12", "12.5"),
        ("12", "3.12"),
        ("12", "12,50"),
        ("A1", "A12"),
        ("B-1", "B-12"),
    ],
)
def test_digits_in_text_are_whole_numerals_too(leaf: str, document: str) -> None:
    assert found(leaf, document) == []


@pytest.mark.parametrize(
    ("leaf", "document"),
    [("0012", "12"), ("1e3x", "1000"), ("1_000", "1000"), ("20240305", "5 March 2024")],
)
def test_an_identifier_is_no_number_and_no_date(leaf: str, document: str) -> None:
    assert found(leaf, document) == []


# --- numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "numeral"),
    [
        (12, "12"),
        (12.5, "12.5"),
        (12.5, "12.50"),
        (12.5, "12,50"),
        (0.5, ".5"),
        (1234.5, "1,234.50"),
        (1234.5, "1.234,50"),
        (1234.5, "1 234,50"),
        (1234.5, "1\u00a0234,50"),
        (1234.5, "1\u202f234,50"),
        (1234.5, "1'234.50"),
        (1234.5, "1’234.50"),
        (1234567, "1,234,567"),
        (1234567, "1.234.567"),
        (1234567, "1 234 567"),
        (1234567.89, "1.234.567,89"),
        (1234, "1,234"),
        (1.234, "1,234"),
        (1000, "1000"),
        (0.1, "0.1"),
        (1e22, "10000000000000000000000"),
        (123456789012345678901234567890, "123456789012345678901234567890"),
        ("12.50", "12,5"),
        ("1E+3", "1,000"),
        ("260.00", "260.00"),
    ],
)
@pytest.mark.parametrize("around", ["{}", "EUR {} net", "({})", "${}.", "-{}%", "{}kg, {}"])
def test_a_number_stands_in_every_notation(number: JsonValue, numeral: str, around: str) -> None:
    document = around.replace("{}", numeral)
    assert set(found(number, document)) == {numeral}


@pytest.mark.parametrize(
    ("number", "document"),
    [
        (12, "512"),
        (12, "123"),
        (18, "18,40"),
        (40, "18,40"),
        (5, ".5"),
        (1, "1,260.00"),
        (260, "1,260.00"),
        (260, "1 260"),
        (126, "1,260"),
        (1234567, "1,234.567"),
        (1234567, "1.234,567"),
        (1234, "1.2.34"),
        (12, "12.05.2024"),
        (3, "1.2.3"),
        (10000, "1,00,00"),
        (123456789012345678901234567891, "123456789012345678901234567890"),
        ("1e9999999", "1"),
        ("260.00", "1 260.00"),
        ("-260", "-1 260"),
        (1e-7, "1"),
    ],
)
def test_a_number_never_stands_on_a_part_of_a_numeral(number: JsonValue, document: str) -> None:
    assert found(number, document) == []


def test_the_columns_of_a_table_are_numbers_of_their_own() -> None:
    document = "Widget 4 12.50 50.00\nGadget 2 7 14\n"
    for number, numeral in (
        (4, "4"),
        (12.5, "12.50"),
        (50, "50.00"),
        (2, "2"),
        (7, "7"),
        (14, "14"),
    ):
        assert found(number, document) == [numeral]
    assert found(412.5, document) == []


def test_a_number_is_exact_only_as_it_would_be_written() -> None:
    assert status(12.5, "12.5") == "exact"
    assert status(12.5, "12.50") == "typed"
    assert status("12.5", "12.5") == "exact"
    assert status("12.50", "12,5") == "typed"


# --- dates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "2024-03-05",
        "2024/03/05",
        "2024.3.5",
        "05.03.2024",
        "5.3.24",
        "03/05/2024",
        "5/3/2024",
        "5 March 2024",
        "March 5, 2024",
        "March 5th, 2024",
        "5th of March, 2024",
        "Mar 5 2024",
        "5-MAR-2024",
        "5. März 2024",
        "5 mars 2024",
        "le 5 mars de 2024",
        "5 de marzo de 2024",
        "5 marzo 2024",
        "5 de março de 2024",
        "2024, March 5",
    ],
)
def test_a_date_stands_in_every_notation(written: str) -> None:
    document = f"Nr. 17, Berlin, {written}: received 4 items."
    (text,) = found("2024-03-05", document)
    assert text == written.removeprefix("le ")


@pytest.mark.parametrize(
    ("day", "written"),
    [
        ("2024-01-01", "1er janvier 2024"),
        ("2024-02-29", "29 févr. 2024"),
        ("2024-04-30", "30 aprile 2024"),
        ("2024-05-02", "2. Mai 2024"),
        ("2024-06-03", "3 juin 2024"),
        ("2024-07-04", "July 4th 2024"),
        ("2024-08-15", "15 août 2024"),
        ("2024-09-09", "9 Sept 2024"),
        ("2024-10-31", "31. Oktober 2024"),
        ("2024-11-11", "11 novembro 2024"),
        ("2024-12-24", "24. Dez. 2024"),
    ],
)
def test_months_are_known_in_several_languages(day: str, written: str) -> None:
    assert found(day, f"am {written}") == [written]


def test_a_date_stands_in_a_timestamp() -> None:
    assert found("2024-03-05", "at 2024-03-05T10:30:00Z") == ["2024-03-05"]


def test_a_date_as_written_is_exact() -> None:
    assert status("2024-03-05", "on 2024-03-05.") == "exact"
    assert status("2024-03-05", "on 5.3.2024.") == "typed"


@pytest.mark.parametrize(
    "document",
    [
        "2024-03-06",
        "15 March 2024",
        "5 March 20245",
        "5 March 2023",
        "5 April 2024",
        "25.03.2024",
        "5 March",
        "March 2024",
        "5 items in March, and then a lot more in 2024",
        "2024-03-051",
        "5 3 of 12 2024",
    ],
)
def test_a_date_never_stands_on_another(document: str) -> None:
    assert found("2024-03-05", document) == []


def test_what_is_no_date_of_the_calendar_stands_only_as_written() -> None:
    assert found("2024-02-30", "30 February 2024") == []
    assert found("2024-02-30", "on 2024-02-30") == ["2024-02-30"]


# --- a wrong digit ---------------------------------------------------------------------------

NOTATIONS = ("{:.2f}", "{:,.2f}", "{:_.2f}")


@quick
@given(st.integers(1, 10**11), st.sampled_from(NOTATIONS), st.data())
def test_a_number_with_one_wrong_digit_stands_nowhere(
    cents: int, notation: str, data: st.DataObject
) -> None:
    document = f"Sum of all: EUR {notation.format(cents / 100).replace('_', ' ')} due"
    digits = str(cents)
    at = data.draw(st.integers(0, len(digits) - 1))
    other = data.draw(st.sampled_from("0123456789").filter(lambda digit: digit != digits[at]))
    wrong = int(digits[:at] + other + digits[at + 1 :])
    assert found(cents / 100, document)
    assert not found(wrong / 100, document)
    assert not found(f"{wrong / 100:.2f}", document)


DATES = st.dates(date(1950, 1, 1), date(2049, 12, 31))


@quick
@given(DATES, DATES | st.integers(1, 400), st.sampled_from(["%Y-%m-%d", "%d %B %Y", "%B %d, %Y"]))
def test_another_date_stands_nowhere(day: date, other: date | int, notation: str) -> None:
    wrong = other if isinstance(other, date) else day + timedelta(days=other)
    document = f"Nr. 17, {day.strftime(notation)}, page two"
    assert found(day.isoformat(), document)
    assert bool(found(wrong.isoformat(), document)) == (wrong == day)


@quick
@given(st.text(max_size=30), st.one_of(st.text(max_size=8), st.integers(), st.floats(), st.dates()))
def test_every_span_holds_text_of_the_document(document: str, leaf: object) -> None:
    plain = leaf.isoformat() if isinstance(leaf, date) else leaf
    assert isinstance(plain, str | int | float)
    for evidence in ground([plain], document).values():
        for start, end in evidence.spans:
            assert 0 <= start < end <= len(document)
