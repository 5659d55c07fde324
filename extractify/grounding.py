"""Where the leaves of a value stand in the document, found from the two alone. No model is asked.

A digit never matches another digit, and a number stands on a whole numeral or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extractify.choice import chosen
from extractify.documents import Document
from extractify.errors import DocumentError
from extractify.evidence import MOST_SPANS, Evidence, Span
from extractify.markers import Grounding, Mark, Marks, label_words
from extractify.nodes import leaves, steps
from extractify.plain import member_names, plain_data
from extractify.sightings import Sighting, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from extractify.messages import JsonValue

_NO_QUOTES: dict[str, str] = {}


def ground(value: object, document: str | Document, *, fuzzy: bool = False) -> dict[str, Evidence]:
    """Look up every leaf of a value in a text, by JSON pointer (`""` for a value that is one leaf).

    value: an instance of a model or a dataclass, whose markers hold, or plain data. Nulls and empty
    lists have no evidence. fuzzy: take a text with a typo, or with a few words more or fewer, too;
    that needs the extra `fuzzy`. Raises: DocumentError if the document is no text,
    ConfigurationError without the extra.
    """
    given: object = document.text if isinstance(document, Document) else document
    if not isinstance(given, str):
        kind = type(given).__name__
        raise DocumentError(f"A {kind} is no document to look values up in. Pass a str.")
    data = plain_data(value)
    names = {} if data is value else member_names(value)
    return evidence_of(data, Text(given, fuzzy=fuzzy), marks=_marks_of(value), names=names)


def evidence_of(
    data: JsonValue,
    text: Text,
    *,
    marks: Marks | None = None,
    policy: Grounding = Grounding.reported,
    names: Mapping[str, str] | None = None,
    quotes: Mapping[str, str] = _NO_QUOTES,
) -> dict[str, Evidence]:
    """The evidence for plain data, under what its schema and its task say.

    names: of enum members, by pointer. quotes: the sentences that a model named, by pointer; they
    are looked up themselves, and one that isn't in the document tells nothing.
    """
    found: dict[str, Sighting] = {}
    policies: dict[str, Grounding] = {}
    sentences: dict[str, tuple[Span, ...]] = {}
    mark_of = _mark_of(marks)
    for pointer, leaf in leaves(data):
        mark = mark_of(pointer)
        policies[pointer] = mark.policy or policy
        if leaf is None or isinstance(leaf, dict | list) or policies[pointer] is Grounding.off:
            continue
        name = (names or {}).get(pointer)
        others = (*mark.other_words(leaf), *([name] if name else ()))
        found[pointer] = text.sighting(leaf, others)
        if pointer in quotes:
            sentences[pointer] = text.sighting(quotes[pointer]).spans
            if not found[pointer].spans and sentences[pointer] and _has_no_words(leaf):
                found[pointer] = Sighting("typed", sentences[pointer])
    places = {pointer: sighting.spans for pointer, sighting in found.items() if sighting.spans}
    best = chosen(places, text.document, lambda pointer: mark_of(pointer).words, sentences)
    evidence: dict[str, Evidence] = {}
    ordered: dict[tuple[int, int], tuple[Span, ...]] = {}
    for pointer, sighting in found.items():
        if not sighting.spans:
            inferred = policies[pointer] is Grounding.inferred
            evidence[pointer] = Evidence("inferred" if inferred else "missing")
            continue
        key = id(sighting.spans), best[pointer]
        if key not in ordered:
            ordered[key] = _best_first(sighting.spans, best[pointer])
        spans = ordered[key]
        evidence[pointer] = Evidence(sighting.status, spans, spans[0] in sighting.ambiguous)
    return evidence


def _has_no_words(leaf: JsonValue) -> bool:
    """Whether a leaf can't stand in a text by itself, so that the model's quote has to do."""
    return isinstance(leaf, bool)


def _best_first(spans: tuple[Span, ...], best: int) -> tuple[Span, ...]:
    if best == 0:
        return spans[:MOST_SPANS]
    return (spans[best], *(span for at, span in enumerate(spans[:MOST_SPANS]) if at != best))


def _mark_of(marks: Marks | None) -> Callable[[str], Mark]:
    """What is said of a leaf: by its schema, or by its own name where there is none."""
    if marks is not None:
        return marks.at

    def by_name(pointer: str) -> Mark:
        named = [step for step in steps(pointer) if not step.isdecimal()]
        return Mark(words=tuple(label_words(named[-1]))) if named else Mark()

    return by_name


def _marks_of(value: object) -> Marks | None:
    """The markers of an instance's class."""
    kind: Any = type(value)
    if not hasattr(kind, "__pydantic_fields__") and not hasattr(kind, "__dataclass_fields__"):
        return None
    from extractify.schema import compile_schema

    return Marks(compile_schema(kind).canonical)
