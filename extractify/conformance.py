"""Plain data and a JSON Schema: what doesn't conform, in bounded time.

jsonschema compares items pairwise and leaves patterns to Python's backtracking; here both are
linear.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic_core import SchemaError, SchemaValidator, ValidationError

from extractify.messages import JsonValue, Problem, clipped
from extractify.nodes import escaped
from extractify.problems import missing, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import jsonschema

    from extractify.nodes import Node

MOST_BACKTRACKED = 200
"""Characters of the longest text that is held against a pattern which only Python can read."""
SHORT, FEW = 20, 3
"""Characters of a text, and repetitions in a pattern, that backtracking can't make much of."""
MOST_WORDS = 200
"""Longest `expected` of a union, in characters."""
_TAGS = frozenset({"const", "enum"})


def conform(root: Node, data: JsonValue) -> tuple[Problem, ...]:
    """The problems of plain data, in its order; none if it conforms."""
    try:
        errors = [
            telling
            for error in _compiled(json.dumps(root)).iter_errors(data)
            for telling in _telling(error)
        ]
    except RecursionError:
        return (Problem("", "too_deep", "expected fewer levels of nesting"),)
    errors.sort(key=lambda error: [(isinstance(s, str), s) for s in error.absolute_path])
    return tuple(dict.fromkeys(each for error in errors for each in _violations(error)))


@lru_cache(maxsize=64)
def _compiled(text: str) -> jsonschema.protocols.Validator:
    import jsonschema  # slow to import, and only this kind of target needs it

    root = json.loads(text)
    kind = jsonschema.validators.validator_for(root, default=jsonschema.Draft202012Validator)
    extend: Callable[..., Any] = jsonschema.validators.extend
    bounded: jsonschema.protocols.Validator = extend(
        kind, {"uniqueItems": _unique_items, "pattern": _pattern}
    )(root)
    return bounded


def _unique_items(
    _validator: object, wanted: object, data: JsonValue, _schema: Node
) -> Iterator[Any]:
    from jsonschema import ValidationError as Violation

    if wanted and isinstance(data, list):
        seen = {json.dumps(_normal(item), sort_keys=True) for item in data}
        if len(seen) < len(data):
            yield Violation("has non-unique elements")


def _normal(data: JsonValue) -> JsonValue:
    """Data in which equal numbers are written alike."""
    if isinstance(data, dict):
        return {key: _normal(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_normal(item) for item in data]
    return int(data) if isinstance(data, float) and data.is_integer() else data


def _pattern(_validator: object, pattern: str, data: JsonValue, _schema: Node) -> Iterator[Any]:
    from jsonschema import ValidationError as Violation

    if isinstance(data, str) and not _matches(pattern, data):
        yield Violation(f"{shown(data)} does not match {shown(pattern)}")


def _matches(pattern: str, text: str) -> bool:
    """Whether a pattern is found in a text; False too where that can't be seen in bounded time."""
    linear = _linear(pattern)
    if linear is not None:
        try:
            linear.validate_python(text)
        except ValidationError:
            return False
        return True
    return _is_bounded(pattern, len(text)) and re.search(pattern, text) is not None


@lru_cache(maxsize=256)
def _linear(pattern: str) -> SchemaValidator | None:
    """A matcher that never backtracks; None where a pattern looks around or refers back."""
    try:
        return SchemaValidator({"type": "str", "pattern": pattern})
    except SchemaError:
        return None


def _is_bounded(pattern: str, length: int) -> bool:
    """Whether backtracking ends soon: a short text, or few repetitions and none of a group."""
    repeats = len(re.findall(r"[*+{]", pattern))
    nested = re.search(r"\)[*+{]", pattern) is not None
    return length <= SHORT or (length <= MOST_BACKTRACKED and repeats <= FEW and not nested)


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
