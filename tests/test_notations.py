"""Values of every kind in every notation: the text that each stands on, or that it doesn't."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extractify.grounding import ground

if TYPE_CHECKING:
    from extractify.messages import JsonValue

WORDS: list[tuple[JsonValue, str, str | None]] = [
    ("John Smith", "Smith, John", "Smith, John"),
    ("John Smith", "J. Smith", "J. Smith"),
    ("J. Smith", "John Smith", "John Smith"),
    ("John Q. Smith", "John Smith", None),
    ("Dr. John Smith", "Smith, J.", "Smith, J."),
    ("John Smith", "Jane Smith", None),
    ("Maria Garcia Lopez", "Garcia Lopez, Maria", "Garcia Lopez, Maria"),
    ("Smith, John", "Dr John Smith", "John Smith"),
    ("full_time", "a full-time job", "full-time"),
    ("FULL_TIME", "full time", "full time"),
    ("Acme", "**Acme** Corp", "Acme"),
    ("Acme Corp", "**Acme** Corp", "Acme** Corp"),
    ("AT&T", "AT&amp;T", "AT&amp;T"),
    ("information", "infor-\nmation", "infor-\nmation"),
    ("well-known", "well-\nknown", "well-\nknown"),
    ("information", "infor\xadmation", "infor\xadmation"),
    ("office", "oﬃce", "oﬃce"),
    ("ACME", "ＡＣＭＥ", "ＡＣＭＥ"),
    ("café", "cafe\u0301", "cafe\u0301"),
    ("cafe", "café", None),
    ("cafe", "cafe\u0301", None),
    ("it's", "it\u2019s", "it\u2019s"),
    ('say "hi"', "say \u201chi\u201d", "say \u201chi\u201d"),
    ("a-b", "a\u2013b", "a\u2013b"),
    ("Straße", "STRASSE", "STRASSE"),
    ("İstanbul", "istanbul", None),
    ("\U0001f468", "\U0001f468\u200d\U0001f469\u200d\U0001f467", None),
    ("\U0001f44d", "\U0001f44d\U0001f3fd", None),
    ("\u2764", "\u2764\ufe0f", "\u2764\ufe0f"),
    ("\U0001f1e9\U0001f1ea", "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", "\U0001f1e9\U0001f1ea"),
    ("\U0001f1ea\U0001f1eb", "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", None),
    (
        "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
        "\u0e04\u0e33\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e04\u0e23\u0e31\u0e1a",
        "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
    ),
    ("שלום", "אמר שלום לכם", "שלום"),
    ("서울", "서울은 크다", "서울"),
    ("日本航空", "日本\n航空", "日本\n航空"),
    ("กา", "\u0e01\u0e48\u0e32", None),
    ("12", "A12", None),
    ("", "x", None),
    ("NY", "New York", None),
    ("Napro", "Naprosyn", None),
    ("Napro", "Napro-\nsyn", None),
    ("a b", "a  \n b", "a  \n b"),
    ("don't", "dont", None),
    ("C*", "C* and C", "C*"),
    ("snake_case", "snake\\_case", "snake\\_case"),
    ("Q1 2024", "Q1 2024", "Q1 2024"),
    ("Mr. Smith", "Smith", None),
]

NUMBERS: list[tuple[JsonValue, str, str | None]] = [
    (1249.5, "Total: 1,249.50", "1,249.50"),
    (1249.5, "EUR 1.249,50 netto", "1.249,50"),
    (1249.5, "1 249,50 \u20ac", "1 249,50"),
    (12, "12 % off", "12"),
    (0.12, "12 % off", "12 %"),
    (0.125, "12.5%", "12.5%"),
    (42, "\u0664\u0662 items", "\u0664\u0662"),
    (1234, "\u0967\u0968\u0969\u096a", "\u0967\u0968\u0969\u096a"),
    (30, "thirty (30) days", "30"),
    (30, "within thirty days", "thirty"),
    (25, "twenty-five men", "twenty-five"),
    (3200000, "3.2 million people", "3.2 million"),
    (3200000, "$3.2M raised", "3.2M"),
    (-1250, "(1,250.00)", "(1,250.00)"),
    (-1250, "Loss: -1,250", "-1,250"),
    (-5, "\u22125 \xb0C", "\u22125"),
    (5, "at -5 degrees", None),
    (-5, "5 degrees", None),
    (1200, "one thousand two hundred", "one thousand two hundred"),
    (105, "one hundred and five", "one hundred and five"),
    (2000000, "two million", "two million"),
    (18, "18,40", None),
    (12, "512", None),
    (12, "INV-12", None),
    (3, "2024-03-15", None),
    (2024, "2024-03-15", "2024"),
    (10, "at 10:30", None),
    (10, "10\xb2", None),
    (5, "5\xbd", None),
    (100000, "Rs 1,00,000", "1,00,000"),
    (1500, "1.5e3 m", "1.5e3"),
    (1.5, "1.5e3", None),
    (30000, "3万円", "3万"),
    (7, "007", None),
    (0.5, "50%", "50%"),
    (50, "50%", "50"),
    (1.5, "1\xbd", None),
    (1234.5, "1&nbsp;234,50", "1&nbsp;234,50"),
    (5, "5\u2605", "5"),
    (True, "True", None),
    (20, "20-30 people", "20"),
    (30, "20-30 people", "30"),
    (48, "48/92", "48"),
    (12, "12-inch", "12"),
    (1000, "1k", "1k"),
    (1000, "1 km", None),
    (-12.5, "12.50-", "12.50-"),
    (99, "No. 99", "99"),
    (99, "#99", "99"),
    (4, "1.234,56 4", "4"),
]

MOMENTS: list[tuple[JsonValue, str, str | None]] = [
    ("2024-03-05", "5 March 2024", "5 March 2024"),
    ("2024-03-05", "03/05/2024", "03/05/2024"),
    ("2024-03-05", "05.03.24", "05.03.24"),
    ("2024-03-05", "on Tue 5th at", "Tue 5th"),
    ("2024-03-06", "on Tue 5th at", None),
    ("2024-03-05", "Tuesday, 5 March 2023", None),
    ("2024-03-15", "2024-03-14", None),
    ("2024-03-05", "March 5, 2024", "March 5, 2024"),
    ("2024-03-05", "2024年3月5日", "2024年3月5日"),
    ("2024-03-05", "5/III/2024", None),
    ("2024-03-05T14:30:00", "5 March 2024 at 2:30 pm", "5 March 2024 at 2:30 pm"),
    ("14:30:00", "at 2:30 pm today", "2:30 pm"),
    ("14:30", "14h30", "14h30"),
    ("14:30:00", "um 14.30 Uhr", "14.30 Uhr"),
    ("2024-03-05T00:00:00", "on 5.3.2024", "5.3.2024"),
    ("2024-03-05T14:30:00Z", "2024-03-05T14:30:00Z", "2024-03-05T14:30:00Z"),
    ("PT1H30M", "took 1 h 30 min", "1 h 30 min"),
    ("PT90M", "1 hour and 30 minutes", "1 hour and 30 minutes"),
    ("P3D", "three days", "three days"),
    ("P14D", "two weeks", "two weeks"),
    ("P1Y", "12 months", "12 months"),
    ("2024-03", "March 2024", None),
]

CODES: list[tuple[JsonValue, str, str | None]] = [
    ("1249.50 EUR", "\u20ac 1.249,50", "\u20ac 1.249,50"),
    ("\u20ac1,249.50", "1249.50 EUR", "1249.50 EUR"),
    ("$5", "\u20ac5", None),
    ("600 mg", "600mg twice", "600mg"),
    ("12%", "12 percent", "12 percent"),
    ("+49 30 123456", "Tel. 030/123456", "030/123456"),
    ("+1 555 123 4567", "(555) 123-4567", "(555) 123-4567"),
    ("5551234567", "555.123.4567", "555.123.4567"),
    ("+15551234567", "+1 (555) 123-4567", "+1 (555) 123-4567"),
    ("5551234567", "1-555-123-4568", None),
    ("+493012345", "+4930123456", None),
    ("info@acme.example", "INFO@Acme.example", "INFO@Acme.example"),
    ("info@acme.example", "info [at] acme [dot] example", "info [at] acme [dot] example"),
    ("info@acme.example", "mailto:info@acme.example", "info@acme.example"),
    ("info@acme.example", "xinfo@acme.example", None),
    ("info@acme.com", "info@acme.com.au", None),
    ("https://www.acme.example/", "visit acme.example today", "acme.example"),
    ("https://acme.example/a", "www.acme.example/a.", "www.acme.example/a"),
    ("https://acme.example", "acme.example/jobs", None),
    ("acme.example", "info@acme.example", "acme.example"),
    ("DE89 3704 0044 0532 0130 00", "IBAN DE89370400440532013000", "DE89370400440532013000"),
    ("DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 00"),
    ("18", "18,40", None),
    ("260 EUR", "1 260 EUR", None),
    ("1.2.3", "version 1.2.3", "1.2.3"),
    ("1.2.3", "1.2.34", None),
    ("1,249.50", "1.249,50", "1.249,50"),
    ("1,249.50", "1249.50", "1249.50"),
    ("12.5 million", "12.5m", None),
]


@pytest.mark.parametrize(("leaf", "document", "expected"), [*WORDS, *NUMBERS, *MOMENTS, *CODES])
def test_a_value_stands_where_a_reader_would_point(
    leaf: JsonValue, document: str, expected: str | None
) -> None:
    evidence = ground(leaf, document)[""]
    told = document[evidence.spans[0].start : evidence.spans[0].end] if evidence.spans else None
    assert told == expected
    assert (evidence.status == "missing") == (expected is None)


@pytest.mark.parametrize(
    ("leaf", "document"),
    [
        (1, "one two"),
        (1000000, "a million"),
        (100, "a hundred"),
        (20, "twenty zero"),
        (2000, "thousand two"),
        (2002, "two thousand million"),
        (3300, "thirty three hundred"),
        ("2024-02-30", "30 February 2024 or 2024年2月30日"),
        ("PT99999999999999999999H", "1 h"),
        ("25:61:00", "25:61"),
        ("10:75", "10:75"[:2]),
        ("11:00:00", "11.00 or 13:00 pm"),
        ("0.12 %", "12 %"),
        ("12 %", "0.12"),
        ("123456", "12 3456"),
        ("555-123-4567", "555-123-4567-89"),
        ("2024-03-05T10:30:00", "5 March 2024, and at the end of it all 10:30"),
    ],
)
def test_what_only_looks_like_a_value_isnt_one(leaf: JsonValue, document: str) -> None:
    assert ground(leaf, document)[""].spans == ()


def test_a_look_up_that_keeps_failing_is_given_up() -> None:
    assert ground("-11" * 5000 + "-1", "-11" * 40_000)[""].status == "missing"


@pytest.mark.parametrize(
    ("leaf", "document", "ambiguous"),
    [
        ("2024-03-05", "03/05/2024", True),
        ("2024-03-05", "05/05/2024 and 5 March 2024", False),
        ("2024-03-25", "25/03/2024", False),
        ("2024-03-05", "05.03.24", True),
        ("2024-03-05", "Tue 5th", True),
        (1234, "1,234", True),
        (1234, "1,234.00", False),
        (3.2, "3.2 million", True),
        (3200000, "3.2 million", False),
        ("John Smith", "J. Smith", True),
    ],
)
def test_a_notation_that_may_mean_something_else_is_reported(
    leaf: JsonValue, document: str, *, ambiguous: bool
) -> None:
    assert ground(leaf, document)[""].ambiguous == ambiguous
