"""What a validator has to say, as Problems of one line: where, what was expected, what was got."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from extractify.errors import Invalid
from extractify.messages import JsonValue, Problem, clipped
from extractify.nodes import at, escaped, under, unions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from extractify.nodes import Node

MAX_PROBLEMS = 20
"""The most problems told of one answer; the first ones usually explain the rest."""
_MOST_WORDS = 200
_OWN_WORDS = frozenset({"value_error", "assertion_error"})
_TAGS = frozenset({"literal_error", "enum"})
_INSTEAD = "Input should be"

Error = dict[str, Any]


def problems(errors: Iterable[Error], data: JsonValue, root: Node) -> tuple[Problem, ...]:
    """Tell pydantic's errors. root: the JSON Schema of the target, which knows of unions."""
    return tuple(dict.fromkeys(_told([_located(e, data, root) for e in errors], 0, data)))


def first(found: Iterable[Problem]) -> tuple[Problem, ...]:
    """The first few that differ; the rest isn't even made."""
    distinct: dict[Problem, None] = {}
    for problem in found:
        distinct[problem] = None
        if len(distinct) == MAX_PROBLEMS:
            break
    return tuple(distinct)


def missing(pointer: str) -> Problem:
    """The problem of a key that isn't there."""
    return Problem(pointer, "missing", "expected a value; it is missing")


def shown(value: object) -> str:
    """At most 60 characters of a value, as JSON."""
    return clipped(json.dumps(value, ensure_ascii=False, default=str))


class _Step(NamedTuple):
    """A step of pydantic's location. label: it names a branch or a validator, and is no data."""

    name: str
    label: bool


class _Located(NamedTuple):
    """An error and the way to it."""

    error: Error
    steps: tuple[_Step, ...]

    def pointer(self, end: int | None = None) -> str:
        return "".join(f"/{escaped(step.name)}" for step in self.steps[:end] if not step.label)


def _located(error: Error, data: JsonValue, root: Node) -> _Located:
    location = error["loc"]
    steps: list[_Step] = []
    nodes: list[Node] = [root]
    for index, step in enumerate(location):
        if error["type"] == "missing" and index == len(location) - 1:
            steps.append(_Step(str(step), label=False))
            break
        inner = _inside(data, step)
        label = inner is None or _is_tag(root, nodes, data, step)
        if label or inner is None:
            nodes = _without_unions(root, nodes)
        else:
            nodes = under(_without_unions(root, nodes), step)
            (data,) = inner
        steps.append(_Step(str(step), label=label))
    return _Located(error, tuple(steps))


def _is_tag(root: Node, nodes: Iterable[Node], data: JsonValue, step: int | str) -> bool:
    """Whether a step that is a key of the data, too, is the tag of a union's branch."""
    return isinstance(data, dict) and any(
        data.get(union["discriminator"].get("propertyName")) == step
        for node in nodes
        for union in unions(root, node)
        if "discriminator" in union
    )


def _without_unions(root: Node, nodes: Iterable[Node]) -> list[Node]:
    """The nodes and the branches they stand for, each once, but for unions that have a tag."""
    found = {id(each): each for node in nodes for each in unions(root, node)}
    return [each for each in found.values() if "discriminator" not in each]


def _told(errors: Sequence[_Located], start: int, data: JsonValue) -> Iterator[Problem]:
    """Tell errors in their order. start: how many steps all of them have behind them."""
    groups: dict[tuple[_Step, ...], list[_Located]] = {}
    for number, error in enumerate(errors):
        labels = [i for i, step in enumerate(error.steps) if step.label and i >= start]
        own = (_Step(str(number), label=True),) * (len(error.steps) + 1)  # a group of its own
        groups.setdefault(error.steps[: labels[0]] if labels else own, []).append(error)
    for prefix, group in groups.items():
        depth = len(prefix)
        if len(group[0].steps) < depth:
            yield _problem(group[0], data)
            continue
        branches: dict[_Step, list[_Located]] = {}
        for error in group:
            branches.setdefault(error.steps[depth], []).append(error)
        meant = [b for b in branches.values() if len(branches) == 1 or _is_meant(b, depth)]
        if len(meant) == 1:
            yield from _told(meant[0], depth + 1, data)
        else:
            yield _of_union(branches, depth, data)


def _is_meant(branch: Sequence[_Located], depth: int) -> bool:
    """Whether a branch of a union can have been meant: its kind and its tags are right."""
    lengths = [sum(not step.label for step in error.steps[depth:]) for error in branch]
    return min(lengths) > 0 and not any(
        length == 1 and error.error["type"] in _TAGS
        for length, error in zip(lengths, branch, strict=True)
    )


def _of_union(branches: Mapping[_Step, Sequence[_Located]], depth: int, data: JsonValue) -> Problem:
    """One problem of the whole union, of which no branch is more plausible than another."""
    pointer = next(iter(branches.values()))[0].pointer(depth)
    words: dict[str, str] = {}
    for name, errors in branches.items():
        own = [_problem(error, data) for error in errors if error.pointer() == pointer]
        if own:
            words[own[0].expected] = own[0].kind
        else:
            words[f"expected {name.name}"] = "union"
    texts = [text.removeprefix("expected ") for text in words]
    kind = next(iter(words.values())) if len(words) == 1 else "union"
    expected = clipped(f"expected {' or '.join(texts)}", _MOST_WORDS)
    return Problem(pointer, kind, expected, shown(at(data, pointer)))


def _problem(located: _Located, data: JsonValue) -> Problem:
    error, pointer = located.error, located.pointer()
    kind = str(error["type"])
    if kind == "missing":
        return missing(pointer)
    message = " ".join(str(error["msg"]).split())
    if kind in _OWN_WORDS:
        message = message.partition(", ")[2] or message
        raised = error.get("ctx", {}).get("error")
        if isinstance(raised, Invalid):
            pointer += raised.pointer
            given = at(data, pointer)
            return Problem(pointer, kind, message, "" if given is None else shown(given))
        # A validator of the whole speaks of its fields; the whole is no news to the reader.
        leaf = not isinstance(error["input"], dict | list)
        return Problem(pointer, kind, message, shown(error["input"]) if leaf else "")
    return Problem(pointer, kind, message.replace(_INSTEAD, "expected", 1), shown(error["input"]))


def pointer_of(error: Error, data: JsonValue, root: Node) -> str:
    """Turn pydantic's location into a JSON pointer.

    A location also names branches of unions and validators: a step that isn't in the data is one
    of those, unless it is the last one, a key that should be there.
    """
    return _located(error, data, root).pointer()


def _inside(data: JsonValue, step: int | str) -> tuple[JsonValue] | None:
    """What a step leads to, None if it leads nowhere."""
    if isinstance(data, dict) and isinstance(step, str) and step in data:
        return (data[step],)
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return (data[step],)
    return None
