"""What is valid of a value that isn't: failing fields left out where the target can do without."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from extractify.nodes import at, below, branches, steps
from extractify.support import UNSUPPORTED
from extractify.validation import Verdict, validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from extractify.coercion import Numbers
    from extractify.messages import JsonValue, Problem
    from extractify.schema import Schema

# Each round leaves out at least one field, and at most as many as problems are told at once.
_ROUNDS = 20


def salvaged(
    schema: Schema[Any],
    data: JsonValue,
    context: Mapping[str, object],
    numbers: Numbers | None = None,
    problems: Sequence[Problem] = (),
) -> Verdict[Any] | None:
    """Judge plain data without its failing fields; None if the target needs one of them.

    A field is left out, so that its default holds, or else becomes null. An item of a list is
    never left out. problems: what is known of the data; validation alone doesn't find values that
    aren't in the document.
    """
    data = deepcopy(data)
    emptied: set[str] = set()
    failing = {problem.pointer for problem in problems if problem.kind == UNSUPPORTED}
    for _ in range(_ROUNDS):
        if not _emptied(schema, data, failing):
            return None
        emptied |= failing
        verdict: Verdict[Any] = validate(schema, data, context, numbers)
        if not verdict.problems:
            return verdict
        failing = {problem.pointer for problem in verdict.problems}
        if failing & emptied:
            return None
    return None


def _emptied(schema: Schema[Any], data: JsonValue, pointers: Iterable[str]) -> bool:
    """Leave the fields out of the data; False where that can't be."""
    for pointer in pointers:
        above, _, _ = pointer.rpartition("/")
        parent = at(data, above)
        if not pointer or not isinstance(parent, dict):
            return False
        key = steps(pointer)[-1]
        parent.pop(key, None)
        if _is_needed(schema, above, key):
            parent[key] = None
    return True


def _is_needed(schema: Schema[Any], above: str, key: str) -> bool:
    node = below(schema.canonical, above) if above else schema.canonical
    return any(key in each.get("required", ()) for each in branches(schema.canonical, node or {}))
