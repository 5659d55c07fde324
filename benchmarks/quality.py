"""Five sets of short documents, read with the embedded model (SmolLM2, 135 million parameters).

One local server answers all ways, at temperature 0 and with at most 200 tokens an answer; every way
reads the same documents for the same pydantic models. They are short texts of four public sets:
US addresses (usaddress), amounts (Recognizers-Text), spoken requests (Snips) and bibliographic
references (AnyStyle), of which only the held-out half is read here; and twelve bills of our own,
with dates and amounts as several countries write them. Without the public sets beside the project
only the bills are read. Documents are taken in turns until there are eight of each set, or the
time for it is up; a document that wasn't read every way by then isn't counted.

- **extractify** as it comes: the profile of this model, three turns at most; *without repair* is
  the first turn of the same calls, *prompt only* sends no `response_format`.
- **instructor** in [JSON_SCHEMA mode](https://python.useinstructor.com/integrations/llama-cpp-python/),
  by `from_openai`.
- **pydantic-ai** with `NativeOutput` and `PromptedOutput`
  ([output](https://ai.pydantic.dev/output/)), by an
  [OpenAI-compatible provider](https://ai.pydantic.dev/models/openai/#openai-compatible-models).

Retries are as each has them; the peers get the document behind one sentence, `Extract the data from
this document:`. extractify's profile sets llama.cpp's DRY sampler, which the peers don't know of.

A field is right where it equals the gold one but for case, white space and marks around it; null is
no answer. F1 counts the right fields against those answered and those there are. Tokens are the
server's own count, over all turns.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import httpx
from measured import Cell, Chart, Part, Table
from quality_sets import Case, sets
from quality_ways import (
    PATIENCE,
    Outcome,
    Spent,
    Way,
    instructors,
    ours,
    pydantic_ais,
    reworded,
    verbatim,
    without_formats,
    without_type,
)
from scoring import Fields, compared

from extractify import Client, Endpoint
from extractify.local import LocalModel, LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MODEL = "smollm2"
MOST = 8  # documents of each set
ENOUGH = 330.0  # seconds, after which nothing further is asked
OURS, UNREPAIRED = "extractify", ", without repair"
DRAWN = (OURS, "instructor, JSON_SCHEMA", "pydantic-ai, NativeOutput")
UNTYPED, COPIED = "without the type in the prompt", "copied, and converted here"


@dataclass(slots=True)
class Score:
    """What came of some documents, one way."""

    documents: int = 0
    valid: int = 0
    fields: Fields = field(default_factory=Fields)
    spent: Spent = field(default_factory=Spent)
    each: list[float] = field(default_factory=list)

    def took(self, case: Case, outcome: Outcome) -> None:
        told = compared(outcome.value, case.right)
        self.documents += 1
        self.valid += outcome.value is not None
        self.fields += told
        self.spent += outcome.spent
        self.each.append(told.f1)


Scores = dict[tuple[str, str], Score]
"""By way and set."""


def measure(*, quick: bool) -> Part:
    if quick:  # no promise hangs on it, and a handful of documents would say nothing
        return Part(tables=())
    model = replace(LocalModel.find(MODEL), parallel=2, context=8192)
    with LocalServer(model) as server:
        scores = read(dict(ways(server.url)), sets("held out", MOST))
    return part(scores)


def ways(url: str) -> Iterator[tuple[str, Way]]:
    client = Client(Endpoint(url=url, model=MODEL, profile=MODEL), timeout=PATIENCE)
    yield OURS, ours(client)
    yield "extractify, prompt only", ours(client, "prompt")
    yield "instructor, JSON_SCHEMA", instructors(url, MODEL, "JSON_SCHEMA")
    yield "pydantic-ai, NativeOutput", pydantic_ais(url, MODEL, "NativeOutput")
    yield "pydantic-ai, PromptedOutput", pydantic_ais(url, MODEL, "PromptedOutput")
    yield UNTYPED, reworded(client, httpx.Client(timeout=PATIENCE), without_type)
    asking = reworded(client, httpx.Client(timeout=PATIENCE), without_formats)
    yield COPIED, verbatim(asking)


def read(each_way: Mapping[str, Way], cases: Mapping[str, list[Case]]) -> Scores:
    """Read document by document, every way, so that all ways have read the same.

    Raises: RuntimeError where the machine is too slow for a single one.
    """
    scores: Scores = defaultdict(Score)
    started = time.monotonic()
    for number in range(MOST):
        for name, of_set in cases.items():
            outcomes = {}
            for way, work in each_way.items() if number < len(of_set) else ():
                if time.monotonic() - started > ENOUGH:
                    break
                outcomes[way] = work(of_set[number].target, of_set[number].text)
            else:
                for way, outcome in outcomes.items():
                    scores[way, name].took(of_set[number], outcome)
                    if outcome.first:
                        scores[f"{way}{UNREPAIRED}", name].took(of_set[number], outcome.first)
    if not scores:
        raise RuntimeError(f"No document was read every way within {ENOUGH:g} s.")
    return scores


# --- as tables ----------------------------------------------------------------------------------


def part(scores: Scores) -> Part:
    ways_read = list(dict.fromkeys(way for way, _ in scores))
    sets_read = list(dict.fromkeys(name for _, name in scores))
    whole = {way: together([scores[way, name] for name in sets_read]) for way in ways_read}
    compared_ways = [way for way in ways_read if way not in {UNTYPED, COPIED}]
    drawn = [way for way in compared_ways if way in DRAWN]
    right = Table(
        "Fields that are right, F1",
        ("set", *compared_ways),
        tuple(
            (name, *(scores[way, name].fields.f1 for way in compared_ways)) for name in sets_read
        ),
        chart=Chart("quality", "bars", tuple(drawn), "F1 of exact fields, more is better"),
    )
    valid = Table(
        "Answers that are valid, and what they cost",
        ("way", "documents", "valid", "F1", "turns", "tokens read", "tokens written", "seconds"),
        tuple((way, *cost(whole[way])) for way in compared_ways),
        note="Turns, tokens and seconds are means per document.",
    )
    told = "".join(f" {name}: {scores[OURS, name].documents}." for name in sets_read)
    return Part(
        tables=(replace(right, note=f"Documents of each set.{told}"), valid, asked(scores)),
        headlines=(headline(whole, compared_ways),),
        raw={way: tuple(score.each) for way, score in whole.items()},
    )


def cost(score: Score) -> tuple[Cell, ...]:
    number, spent = max(score.documents, 1), score.spent
    means = (spent.turns, spent.prompt, spent.written, spent.seconds)
    share = score.valid / number
    return score.documents, f"{share:.0%}", score.fields.f1, *(each / number for each in means)


def together(scores: list[Score]) -> Score:
    whole = Score()
    for score in scores:
        whole.documents += score.documents
        whole.valid += score.valid
        whole.fields += score.fields
        whole.spent += score.spent
        whole.each += score.each
    return whole


def asked(scores: Scores) -> Table:
    """The two experiments: each is one change of the first turn."""
    names = dict.fromkeys(name for _, name in scores)
    columns = (OURS + UNREPAIRED, UNTYPED, COPIED)
    return Table(
        "What the prompt says, F1 of the first turn",
        ("set", "as it is", *columns[1:]),
        tuple((name, *(scores[way, name].fields.f1 for way in columns)) for name in names),
        note="The last column asks for numbers and dates as strings, as they are written; where "
        "one can't be converted, the answer isn't valid.",
    )


def headline(whole: Mapping[str, Score], names: list[str]) -> str:
    """One sentence, whoever comes out ahead."""
    told = [
        f"{way} {whole[way].fields.f1:.2f} ({whole[way].valid / whole[way].documents:.0%} valid)"
        for way in sorted(names, key=lambda way: -whole[way].fields.f1)
        if not way.endswith(UNREPAIRED)
    ]
    return (
        f"On {whole[OURS].documents} short documents, read by the embedded model of 135 million "
        f"parameters, exact fields have an F1 of: {'; '.join(told)}."
    )
