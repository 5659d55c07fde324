"""Whether the document supports a value as its task demands, and what becomes of one it doesn't."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from extractify.markers import Grounding
from extractify.messages import Fix, Problem
from extractify.nodes import ENVELOPE, at, below, branches, leaves, put
from extractify.parsing import candidates
from extractify.problems import shown
from extractify.schema import Schema, compile_schema
from extractify.validation import Verdict, validate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from extractify.evidence import Evidence
    from extractify.markers import Marks
    from extractify.messages import JsonValue
    from extractify.nodes import Node

T = TypeVar("T")
UNSUPPORTED = "not_in_document"
"""The kind of the problem with a value that has to stand in the document and doesn't."""
MAX_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: its document, and what its task says of the places of its leaves.

    answers: the texts that the model answered with, oldest first, for the quotes in them.
    """

    document: str = field(repr=False)
    target: Any
    policy: Grounding = Grounding.reported
    answers: tuple[str, ...] = field(default=(), repr=False)

    @property
    def schema(self) -> Schema[Any]:
        """The compiled target, from the cache."""
        return compile_schema(self.target)

    def evidence(self, data: JsonValue) -> dict[str, Evidence]:
        """The evidence for the value as plain data."""
        from extractify.grounding import evidence_of  # few calls ask where their values stand
        from extractify.sightings import Text

        marks = self.schema.marks
        quotes = quotes_in(self.answers, marks)
        return evidence_of(
            data, Text(self.document), marks=marks, policy=self.policy, quotes=quotes
        )


def demands(policy: Grounding, marks: Marks) -> bool:
    """Whether any value has to stand in the document."""
    return policy is Grounding.required or marks.requires


def quotes_in(answers: Sequence[str], marks: Marks) -> dict[str, str]:
    """The sentences that a model named for fields that ask for one, by the fields' pointers."""
    found: dict[str, str] = {}
    for text in answers if marks.has_quotes else ():
        for candidate in candidates(text).found:
            data = candidate.value
            if isinstance(data, dict) and data.keys() == {ENVELOPE}:
                data = data[ENVELOPE]
            for pointer, (_, said) in marks.quotes(data).items():
                if isinstance(said, str) and said.strip():
                    found[pointer] = said
    return found


def unsupported(
    origin: Origin, data: JsonValue, examples: Sequence[JsonValue] = ()
) -> tuple[Problem, ...]:
    """The values that have to stand in the document and don't.

    data: the value as plain data. examples: the values of the task's examples, to name one that
    leaked. What the task alone asks for leaves out booleans, members of enums and defaults: they
    needn't be in the document's words.
    """
    schema = origin.schema
    if not demands(origin.policy, schema.marks):
        return ()
    shared = {_key(leaf) for example in examples for _, leaf in leaves(example)}
    problems: list[Problem] = []
    for pointer, evidence in origin.evidence(data).items():
        if evidence.status != "missing" or len(problems) == MAX_PROBLEMS:
            continue
        mark, leaf = schema.marks.at(pointer), at(data, pointer)
        if (mark.policy or origin.policy) is not Grounding.required:
            continue
        if mark.policy is not None or not _says_itself(schema, pointer, leaf):
            leaked = _key(leaf) in shared
            expected = "not in the document, but in an example" if leaked else "not in the document"
            problems.append(Problem(pointer, UNSUPPORTED, expected, shown(leaf)))
    return tuple(problems)


def nulled(
    schema: Schema[T],
    data: JsonValue,
    problems: Sequence[Problem],
    context: Mapping[str, object] | None = None,
) -> Verdict[T] | None:
    """Judge a value with null where it isn't in the document; None if null can't stand there."""
    pointers = [problem.pointer for problem in problems if problem.kind == UNSUPPORTED]
    if not pointers or len(pointers) < len(problems):
        return None
    for pointer in pointers:
        node = below(schema.canonical, pointer) if pointer else schema.canonical
        if node is None or not any(map(_takes_null, branches(schema.canonical, node))):
            return None
    verdict: Verdict[T] = validate(schema, put(data, dict.fromkeys(pointers)), context)
    if verdict.problems:
        return None
    fixes = tuple(Fix(pointer, UNSUPPORTED, shown(at(data, pointer))) for pointer in pointers)
    return Verdict(verdict.value, (*fixes, *verdict.fixes))


def _says_itself(schema: Schema[Any], pointer: str, leaf: JsonValue) -> bool:
    """Whether a leaf needn't be in the document's words: it is chosen from the target's own."""
    if isinstance(leaf, bool):
        return True
    node = below(schema.canonical, pointer) if pointer else schema.canonical
    plain = list(branches(schema.canonical, node or {}))
    if "default" in (node or {}) and (node or {})["default"] == leaf:
        return True
    return any(leaf in each.get("enum", [each.get("const")]) for each in plain)


def _takes_null(node: Node) -> bool:
    kinds = node.get("type")
    if "enum" in node or "const" in node:
        return None in node.get("enum", [node.get("const", 0)])
    return kinds is None or kinds == "null" or (isinstance(kinds, list) and "null" in kinds)


def _key(leaf: JsonValue) -> tuple[str, str]:
    return type(leaf).__name__, str(leaf).casefold()
