"""What is complete in an answer that was cut off, and which containers were still open.

Complete are the items of the deepest open list that has any, and what stands before them; where no
list is open, the members of the deepest open object. What was begun behind that is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from extractify.messages import JsonValue
from extractify.nodes import escaped
from extractify.parsing import candidates, without_thoughts

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+("?)|[\[\]{},:]', re.DOTALL)
_CLOSER = {"[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Prefix:
    """The complete part of an answer.

    open: JSON pointers of the containers that were not closed, outermost first, each one inside
    the one before.
    """

    value: JsonValue
    open: tuple[str, ...]


@dataclass(slots=True)
class _Container:
    """One that is open. end: where the last complete thing in it ends; None if there is none."""

    bracket: str
    start: int
    end: int | None = None
    holds_value: bool = False  # behind a colon, or in a list


def complete_prefix(text: str) -> Prefix | None:
    """Read the complete part of an answer; None if nothing is open in it, or nothing complete."""
    answer = without_thoughts(text)
    containers = _open_containers(answer)
    lists = [n for n, each in enumerate(containers) if each.bracket == "[" and each.end]
    begun = lists or [n for n, each in enumerate(containers) if each.end]
    if not begun:
        return None
    kept = containers[: begun[-1] + 1]
    closers = "".join(_CLOSER[each.bracket] for each in reversed(kept))
    found = candidates(answer[kept[0].start : kept[-1].end] + closers).found
    if len(found) != 1 or found[0].conflicts:
        return None
    value = found[0].value
    pointers = _last_in_each(value, len(kept))
    return None if pointers is None else Prefix(value, pointers)


def _open_containers(text: str) -> list[_Container]:
    """The containers of the last outermost value that are open at the end of the text."""
    stack: list[_Container] = []
    for match in _TOKEN.finditer(text):
        mark = match.group()[0]
        if mark in "[{":
            stack.append(_Container(mark, match.start(), holds_value=mark == "["))
        elif not stack:
            continue
        elif mark in "]}":
            if _CLOSER[stack.pop().bracket] != mark:
                return []
            if stack:
                stack[-1].end = match.end()
        elif mark == '"':
            if stack[-1].holds_value and match[1]:
                stack[-1].end = match.end()
        elif mark == ":":
            stack[-1].holds_value = True
        else:
            stack[-1].end = match.start()
            stack[-1].holds_value = stack[-1].bracket == "["
    return stack


def _last_in_each(value: JsonValue, depth: int) -> tuple[str, ...] | None:
    """The pointers of the last container in each, `depth` of them; None if there are fewer."""
    pointers, pointer = [""], ""
    while len(pointers) < depth:
        if isinstance(value, dict) and value:
            key, value = next(reversed(value.items()))
            pointer += f"/{escaped(key)}"
        elif isinstance(value, list) and value:
            pointer += f"/{len(value) - 1}"
            value = value[-1]
        else:
            return None
        pointers.append(pointer)
    return tuple(pointers) if isinstance(value, dict | list) else None
