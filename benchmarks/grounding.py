"""Finding values in the text they came from: what it costs, and what is found where.

200 values in 500,000 characters: as they stand there, and with one character changed. The text is
doubled to see how the cost grows. Beside it, langextract's aligner on the same text and values, as
[its code](https://github.com/google/langextract) runs it on a model's answers, word by word, by its
own defaults but `fuzzy`. Then the cases with known places that stand beside the project, where they
do: values as real answers have them, eight of which are nowhere in their text. At last, what
dropping and requiring values is worth with the embedded model.
"""

from __future__ import annotations

import json
import random
from importlib.util import find_spec
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple, Protocol, TypeAlias

import grounding_local
from measured import Part, Promise, Table

from extractify import ground

VALUES = 200
SIZE = 500_000
CASES = Path(__file__).parents[2] / "shared" / "cases" / "grounding_cases.jsonl"
SYLLABLES = [first + second for first in "bdklmnprst" for second in "aeiou"]
Span: TypeAlias = tuple[int, int]


class Find(Protocol):
    def __call__(self, values: list[str], text: str, *, fuzzy: bool) -> list[Span | None]: ...


def document(size: int, rng: random.Random) -> str:
    """Prose of made-up words with amounts and dates."""
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 5))) for _ in range(8000)]
    parts: list[str] = []
    length = 0
    while length < size:
        sentence = " ".join(rng.choices(words, k=rng.randint(6, 14))).capitalize()
        if rng.randrange(2) == 0:
            sentence += f" {rng.randint(1, 99999) / 100:,.2f}"
        if rng.randrange(5) == 0:
            sentence += (
                f" {rng.randint(2000, 2025)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
            )
        sentence += rng.choice([". ", ".\n"])
        parts.append(sentence)
        length += len(sentence)
    return "".join(parts)[:size]


def planted(text: str, rng: random.Random, typo: str) -> tuple[list[str], list[Span]]:
    """Values that stand in the text once, in its order, and where. typo: replaces a character."""
    found: dict[Span, str] = {}
    while len(found) < VALUES:
        start = text.find(" ", rng.randrange(len(text) - 100)) + 1
        end = text.find(" ", start + rng.randint(15, 40))
        value = text[start:end]
        if text.count(value) != 1 or not value.replace(" ", "").isalpha():
            continue
        at = rng.randrange(len(value))
        if typo and value[at] == " ":
            continue
        found[start, end] = value[:at] + typo + value[at + 1 :] if typo else value
    spans = sorted(found)
    return [found[span] for span in spans], spans


def ours(values: list[str], text: str, *, fuzzy: bool) -> list[Span | None]:
    evidence = ground(values, text, fuzzy=fuzzy)
    found = [evidence[f"/{index}"].spans for index in range(len(values))]
    return [(spans[0].start, spans[0].end) if spans else None for spans in found]


def theirs(values: list[str], text: str, *, fuzzy: bool) -> list[Span | None]:
    """Langextract's aligner, as its documentation runs it after the model."""
    from langextract.core.data import Extraction
    from langextract.resolver import Resolver

    extractions = [Extraction(extraction_class="value", extraction_text=value) for value in values]
    options: dict[str, Any] = {"enable_fuzzy_alignment": fuzzy}
    aligned = Resolver().align(extractions, text, 0, 0, **options)
    intervals = [each.char_interval for each in aligned]
    return [(each.start_pos, each.end_pos) if each else None for each in intervals]


class Right(NamedTuple):
    """How many values stand where they should, elsewhere, and somewhere though they are absent."""

    right: int
    elsewhere: int
    invented: int


def judged(find: Find) -> Right:
    right = elsewhere = invented = 0
    for line in CASES.read_text().splitlines():
        case = json.loads(line)
        found = find([item["value"] for item in case["items"]], case["source"], fuzzy=True)
        for item, span in zip(case["items"], found, strict=True):
            expected = item["expect"]
            places = expected if expected and isinstance(expected[0], list) else [expected]
            holds = (list(span) if span else None) in places
            right += holds
            elsewhere += not holds and expected is not None
            invented += not holds and expected is None
    return Right(right, elsewhere, invented)


def located(finders: dict[str, Find]) -> tuple[Table, list[Promise]]:
    """Where the values of a long text are found, and what that costs."""
    rng = random.Random(7)  # noqa: S311  (a sample, no secret)
    rows: list[tuple[str | int | float | None, ...]] = []
    promises = []
    once, twice = document(SIZE, rng), document(2 * SIZE, rng)
    for kind, typo in (("exact", ""), ("one typo", "q")):
        spent = []
        for text in (once, twice):
            values, spans = planted(text, rng, typo)
            for name, find in finders.items():
                if name != "extractify" and text is twice:
                    continue  # a minute, for what one size tells
                started = process_time()
                found = find(values, text, fuzzy=bool(typo))
                seconds = process_time() - started
                right = sum(one == other for one, other in zip(found, spans, strict=True))
                rows.append((name, kind, len(text), seconds, right))
                if name == "extractify":
                    what = f"{VALUES} values in {len(text):,} characters, {kind}: found"
                    promises.append(Promise(what, right, VALUES, VALUES, "at least"))
                    spent.append(seconds)
        what = f"finding values in twice the text, {kind}: times the CPU"
        promises.append(Promise(what, spent[1] / spent[0], 2.2, 3.0))
    columns = ("", "values", "characters", "CPU s", "where they should")
    return Table(f"{VALUES} values in a long text", columns, tuple(rows)), promises


def measure(*, quick: bool) -> Part:
    finders: dict[str, Find] = {"extractify": ours}
    if find_spec("langextract") and not quick:
        finders["langextract"] = theirs
    table, promises = located(finders)
    tables = [table]
    headlines = []
    if CASES.exists() and not quick:
        judgements = {name: judged(find) for name, find in finders.items()}
        columns = ("", "right", "elsewhere, or not found", "found though absent")
        cells = tuple((name, *each) for name, each in judgements.items())
        tables.append(Table("Cases with known places", columns, cells))
        told = ", ".join(f"{name} {each.right}" for name, each in judgements.items())
        count = sum(judgements["extractify"])
        headlines.append(f"Places of values in texts, {count} cases, right: {told}.")
    if not quick and grounding_local.can_run():
        tables.append(grounding_local.table())
    return Part(tuple(tables), tuple(promises), tuple(headlines))
