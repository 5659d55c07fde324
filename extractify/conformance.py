"""Plain data and a JSON Schema: what doesn't conform, as Problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extractify.messages import JsonValue, Problem, clipped
from extractify.nodes import escaped
from extractify.problems import missing, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    import jsonschema
    from jsonschema.protocols import Validator

MOST_WORDS = 200
"""Longest `expected` of a union, in characters."""
_TAGS = frozenset({"const", "enum"})


def conform(validator: Validator, data: JsonValue) -> tuple[Problem, ...]:
    """The problems of plain data, in its order; none if it conforms.

    validator: of the JSON Schema, as `extractify.drafts` makes it.
    """
    try:
        errors = [telling for error in validator.iter_errors(data) for telling in _telling(error)]
    except RecursionError:
        return (Problem("", "too_deep", "expected fewer levels of nesting"),)
    errors.sort(key=lambda error: [(isinstance(s, str), s) for s in error.absolute_path])
    return tuple(dict.fromkeys(each for error in errors for each in _violations(error)))


def _telling(error: jsonschema.ValidationError) -> Iterator[jsonschema.ValidationError]:
    """What is wrong inside the one branch of a union that can be meant; else the union itself."""
    branches: dict[object, list[jsonschema.ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    meant = [branch for branch in branches.values() if _is_meant(branch, error)]
    if len(meant) == 1:
        for inner in meant[0]:
            yield from _telling(inner)
    else:
        yield error


def _is_meant(branch: list[jsonschema.ValidationError], union: jsonschema.ValidationError) -> bool:
    """Whether a branch's kind and its tags are right."""
    depth = len(union.absolute_path)
    return not any(
        (error.validator == "type" and len(error.absolute_path) == depth)
        or (error.validator in _TAGS and len(error.absolute_path) <= depth + 1)
        for error in branch
    )


def _violations(error: jsonschema.ValidationError) -> Iterator[Problem]:
    pointer = "".join(f"/{escaped(str(step))}" for step in error.absolute_path)
    wanted: Any = error.validator_value
    given: Any = error.instance
    if error.validator == "required":
        absent = [key for key in wanted if key not in given]
        yield from (missing(f"{pointer}/{escaped(key)}") for key in absent)
    else:
        yield Problem(pointer, str(error.validator), _expected(error), shown(given))


def _expected(error: jsonschema.ValidationError) -> str:
    own = [
        _expected(inner).removeprefix("expected ")
        for inner in error.context or ()
        if len(inner.relative_path) == 0 and inner.validator != "required"
    ]
    if own:
        return clipped(f"expected {' or '.join(dict.fromkeys(own))}", MOST_WORDS)
    return f"expected {error.validator} {shown(error.validator_value)}"
