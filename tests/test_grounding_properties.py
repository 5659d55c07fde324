"""What holds for any value in any text: planted, it is found; with another digit, it never is."""

from __future__ import annotations

import json
import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractify.folding import fold
from extractify.grounding import ground

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CASES = Path(__file__).parents[2] / "shared" / "cases" / "grounding_cases.jsonl"

# No digits, no names of months or units: nothing that goes on from a planted value.
FILLER = st.lists(
    st.sampled_from(["the", "Zebra", "quux,", "naïve", "(sic)", "«où»", "日本", "ab&amp;cd", "– "]),
    max_size=6,
).map(" ".join)
WRITTEN: dict[str, Callable[[Decimal], str]] = {
    "plain": lambda number: f"{number:.2f}",
    "english": lambda number: f"{number:,.2f}",
    "german": lambda number: f"{number:,.2f}".translate(str.maketrans(",.", ".,")),
    "french": lambda number: f"{number:,.2f}".replace(",", "\u202f").replace(".", ","),
    "swiss": lambda number: f"{number:,.2f}".replace(",", "’"),
    "wide": lambda number: f"{number:.2f}".translate({48 + n: 0xFF10 + n for n in range(10)}),
    "arabic": lambda number: f"{number:.2f}".translate({48 + n: 0x660 + n for n in range(10)}),
    "entity": lambda number: f"{number:,.2f}".replace(",", "&nbsp;").replace(".", ","),
}
DATES: dict[str, Callable[[date], str]] = {
    "iso": date.isoformat,
    "english": lambda day: f"{day.day} {day:%B} {day.year}",
    "american": lambda day: f"{day:%B} {day.day}, {day.year}",
    "short": lambda day: f"{day.day:02}-{day:%b}-{day.year}",
    "german": lambda day: f"{day.day}.{day.month}.{day.year}",
    "slashes": lambda day: f"{day.month:02}/{day.day:02}/{day.year}",
    "japanese": lambda day: f"{day.year}年{day.month}月{day.day}日",
}
WORDS = st.lists(
    st.text(st.sampled_from("abcdefgÉößﬁ'日本ñ"), min_size=2, max_size=8).filter(str.isalpha),
    min_size=1,
    max_size=4,
).map(" ".join)
NOISE: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper": str.upper,
    "lines": lambda text: text.replace(" ", "\n  "),
    "spaces": lambda text: text.replace(" ", "\u00a0 "),
    "soft": lambda text: "\u00ad".join(text) if text.isascii() else text,
    "bold": lambda text: f"**{text}**",
    "quoted": lambda text: f"“{text}”",
}


def there(leaf: Any, document: str) -> list[str]:
    return [document[start:end] for start, end in ground(leaf, document)[""].spans]


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 10**11), st.sampled_from(sorted(WRITTEN)), FILLER, FILLER)
def test_a_number_is_found_where_it_was_planted(
    cents: int, notation: str, before: str, after: str
) -> None:
    number = Decimal(cents) / 100
    written = WRITTEN[notation](number)
    document = f"{before} {written} {after}"
    for leaf in (float(number), f"{number:.2f}"):
        assert there(leaf, document) == [written]


@settings(max_examples=200, deadline=None)
@given(
    st.dates(date(1950, 1, 1), date(2049, 12, 31)), st.sampled_from(sorted(DATES)), FILLER, FILLER
)
def test_a_date_is_found_where_it_was_planted(
    day: date, notation: str, before: str, after: str
) -> None:
    written = DATES[notation](day)
    assert there(day.isoformat(), f"{before} {written} {after}") == [written]


@settings(max_examples=300, deadline=None)
@given(WORDS, st.sampled_from(sorted(NOISE)), FILLER, FILLER)
def test_words_are_found_where_they_were_planted_and_say_the_same(
    words: str, noise: str, before: str, after: str
) -> None:
    planted = NOISE[noise](words)
    document = f"{before} | {planted} | {after}"
    start = len(before) + 3
    spans = ground(words, document)[""].spans
    assert any(start <= span.start and span.end <= start + len(planted) for span in spans)
    for span in spans:
        assert fold(document[span.start : span.end]) == fold(words)


class Draws:
    """Numbers that look drawn, the same in every run."""

    def __init__(self) -> None:
        self._state = 12345

    def randrange(self, limit: int) -> int:
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self._state >> 20) % limit

    def randint(self, least: int, most: int) -> int:
        return least + self.randrange(most - least + 1)

    def choice(self, items: list[Any]) -> Any:
        return items[self.randrange(len(items))]


def wrong_digits(count: int) -> Iterator[tuple[str, str]]:
    """Yield a value with one digit changed, and a document with what it was."""
    rng = Draws()
    for number in range(count):
        cents = rng.randrange(10 ** rng.randint(3, 9))
        day = date.fromordinal(rng.randint(711858, 748000))
        kinds = [
            (f"{cents / 100:.2f}", rng.choice(list(WRITTEN.values()))(Decimal(cents) / 100)),
            (day.isoformat(), rng.choice(list(DATES.values()))(day)),
            (f"INV-{cents:06}", f"inv–{cents:06}"),
            (f"+49 30 {cents + 10**6}", f"030/{cents + 10**6}"),
        ]
        value, written = kinds[number % len(kinds)]
        places = [at for at, char in enumerate(value) if char.isdigit()]
        if value.startswith("+"):
            places = places[4:]
        at = rng.choice(places)
        other = rng.choice([digit for digit in "0123456789" if digit != value[at]])
        yield value[:at] + other + value[at + 1 :], f"Nr. {written} due"


@pytest.mark.slow
@pytest.mark.no_cover
def test_a_value_with_another_digit_is_never_found_10000_times() -> None:
    swapped = 0
    for value, document in wrong_digits(10_000):
        spans = ground(value, document)[""].spans
        if spans and "/" in document and value.count("-") == 2:
            swapped += 1  # 03/05/2024 may mean both days, and says so
            assert ground(value, document)[""].ambiguous
            continue
        assert not spans, (value, document)
    assert swapped < 10


KINDS: dict[str, Any] = {
    "number": 1249.5, "count": 12, "name": "John Smith", "day": "2024-03-05", "time": "14:30:00",
    "moment": "2024-03-05T14:30:00", "length": "PT1H30M", "money": "1249.50 EUR",
    "mail": "info@acme.example", "url": "https://acme.example/a", "phone": "+49 30 123456",
    "kind": "FULL_TIME", "face": "\U0001f468",
}  # fmt: skip
HOSTILE = [
    "1234567890", "1,", "1h ", "\u0301", "e\u0301\u0323", "(", "&", "&#", "&amp;", "*", "<a ",
    "\xad", "03/05/", "thirty ", "สวัสดี", "\U0001f468\u200d", "@", "http://", "+1 ", "mon 5 ",
    "may ", "[", "1-",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.no_cover
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_text_of_anything_costs_twice_its_half(piece: str) -> None:
    costs = []
    for size in (50_000, 100_000):
        document = piece * (size // len(piece))
        started = time.process_time()
        ground({**KINDS, "same": piece * 3, "longer": piece * 1000 + "x"}, document)
        costs.append(time.process_time() - started)
    assert costs[1] < 3 * costs[0] + 1
    assert costs[1] < 10


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases aren't here")
def test_the_shared_cases_stand_where_they_should() -> None:
    for line in CASES.read_text().splitlines():
        case = json.loads(line)
        values = [item["value"] for item in case["items"]]
        evidence = ground(values, case["source"], fuzzy=True)
        for index, item in enumerate(case["items"]):
            spans = evidence[f"/{index}"].spans
            expected = item["expect"]
            if expected is None:
                assert not spans, (case["id"], item["value"])
            else:
                places = expected if isinstance(expected[0], list) else [expected]
                assert list(spans[0]) in places, (case["id"], item["value"])
