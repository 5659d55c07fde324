"""Items given out one by one: each when it is complete and valid, none twice, none changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from extractify.errors import ExtractionError, Truncated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify.extraction import Extraction
    from extractify.messages import JsonValue
    from extractify.partials import Partial
    from extractify.task import Task

T = TypeVar("T")


def task_of_items(task: Task[Any]) -> Task[Any]:
    """The task whose value is a list of what this one asks for.

    Its repair keeps what is valid, and ends with what is wrong on the result. Examples hold one
    item each.
    """
    target = task.target
    listed: Any = _array(target) if isinstance(target, Mapping) else GenericAlias(list, (target,))
    repair = replace(task.budget, best_effort=True, regenerate=False)
    examples = [(document, [value]) for document, value in task.examples]
    return replace(task, target=listed, repair=repair, examples=examples)


def _array(target: Mapping[str, Any]) -> dict[str, JsonValue]:
    """A JSON Schema of a list; definitions stay where references look for them."""
    outer = {key: target[key] for key in ("$schema", "$defs", "definitions") if key in target}
    inner = {key: value for key, value in target.items() if key not in outer}
    return {**outer, "type": "array", "items": inner}


class Picker(Generic[T]):
    """Picks the items out of the Partials of a list. in_order: an item waits for those before."""

    def __init__(self, *, in_order: bool) -> None:
        self._in_order = in_order
        self._given: dict[int, T] = {}
        self._ready: dict[int, T] = {}

    def take(self, partial: Partial[list[T]]) -> Iterator[T]:
        """The items that have become complete and valid."""
        for index in {_index(pointer) for pointer in partial.changed if pointer}:
            if index not in self._given and f"/{index}" in partial.model:
                self._ready[index] = partial.model[f"/{index}"]
        while self._ready:
            index = len(self._given) if self._in_order else min(self._ready)
            if index not in self._ready:
                return
            item = self._given[index] = self._ready.pop(index)
            yield item

    def rest(
        self, extraction: Extraction[list[T]], last: Partial[list[T]], *, is_replaced: bool
    ) -> Iterator[T]:
        """The items that only the end told, in their order.

        is_replaced: whether the value at the end isn't the one that was read on the way. Raises:
        Truncated where the answer had more; ExtractionError where it came to say otherwise.
        """
        if extraction.ok:
            items = dict(enumerate(extraction.value))
        else:
            wrong = {_index(each.pointer) for each in extraction.problems if each.pointer}
            valid = {_index(at): item for at, item in last.model.items() if at.count("/") == 1}
            items = {index: item for index, item in valid.items() if index not in wrong}
        for index, item in sorted(items.items()):
            if index not in self._given:
                yield item
            elif is_replaced and self._given[index] != item:
                raise ExtractionError(
                    f"Item {index} was given out already, and the whole answer says otherwise. "
                    "Extract the whole instead.",
                    problems=extraction.problems,
                    partial=extraction.partial,
                )
        cut = [each for each in extraction.problems if each.kind == "truncated"]
        if cut:
            raise Truncated(
                f"The answer was cut off by the output limit after {len(items)} valid items. Set "
                "Task(max_tokens=…) higher, or extract from smaller pieces of the document.",
                problems=extraction.problems,
                partial=extraction.partial,
            )


def _index(pointer: str) -> int:
    """Which item of the list a pointer leads into."""
    return int(pointer.split("/")[1])
