"""Grounding 200 values in 500,000 characters: CPU time, and how many stand where they should.

Exact values, then the same with one character changed, then with one digit changed (which have to
stand nowhere). The text is doubled to see how the cost grows. langextract's aligner gets the same
text and values in the same process where it is installed; it is no dependency. Exits with 1 where
the promise is broken: at most 2.2 times the CPU for twice the text, all values right.
"""

from __future__ import annotations

import argparse
import random
import sys
from importlib.util import find_spec
from statistics import median
from time import process_time
from typing import Any, Protocol

from extractify import ground

VALUES = 200
SIZE = 500_000
GROWTH = 2.2
SYLLABLES = [first + second for first in "bdklmnprst" for second in "aeiou"]
Span = tuple[int, int]


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


def measured(
    find: Find, values: list[str], text: str, *, fuzzy: bool, runs: int
) -> tuple[float, list[Span | None]]:
    times: list[float] = []
    found: list[Span | None] = []
    for _ in range(runs):
        started = process_time()
        found = find(values, text, fuzzy=fuzzy)
        times.append(process_time() - started)
    return median(times), found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    rng = random.Random(7)  # noqa: S311  (a sample, no secret)
    texts = [document(SIZE, rng), document(2 * SIZE, rng)]
    peers: dict[str, Find] = {"extractify": ours}
    if find_spec("langextract"):
        peers["langextract"] = theirs
    broken = False
    print("| | characters | values | CPU s | right |")
    print("|---|---|---|---|---|")
    for kind, typo in (("exact", ""), ("one typo", "q")):
        cost: dict[str, list[float]] = {}
        for text in texts:
            values, spans = planted(text, rng, typo)
            for name, find in peers.items():
                if name != "extractify" and len(text) > SIZE:
                    continue
                runs = arguments.runs if name == "extractify" else 1
                seconds, found = measured(find, values, text, fuzzy=bool(typo), runs=runs)
                right = sum(one == other for one, other in zip(found, spans, strict=True))
                cost.setdefault(name, []).append(seconds)
                print(f"| {name} | {len(text):,} | {kind} | {seconds:.3f} | {right}/{VALUES} |")
                broken |= name == "extractify" and right < VALUES
        growth = cost["extractify"][1] / cost["extractify"][0]
        print(f"| extractify, twice the text | | {kind} | x {growth:.2f} | |")
        broken |= growth > GROWTH
        if "langextract" in cost:
            ratio = cost["langextract"][0] / cost["extractify"][0]
            print(f"| langextract / extractify | | {kind} | x {ratio:.0f} | |")
    sys.exit(broken)


if __name__ == "__main__":
    main()
