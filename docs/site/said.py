"""Docstrings as lists: what they say of each parameter, and what is raised, on lines of their own.

A docstring of the package is prose, `timeout: seconds, per read. Raises: EndpointError on …`, which
reads well in an editor. On a page, each name begins a line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator

_RAISES = "Raises"


class Said(griffe.Extension):
    """Rewrites the docstrings of classes and functions, once their package is loaded."""

    def on_package(self, *, pkg: griffe.Module, **_: object) -> None:
        """Give each of them its docstring as Markdown."""
        for each in _objects(pkg):
            if isinstance(each, griffe.Class) and _is_dataclass(each):
                # One that is written out is for type checkers; the fields say more.
                each.members.pop("__init__", None)
            if each.docstring:
                each.docstring.value = listed(each.docstring.value, _names(each))
        for each in _objects(pkg):
            inherited = each.inherited_members.get("__init__")
            if each.docstring and inherited and inherited.docstring:
                each.docstring.value += f"\n\n{inherited.docstring.value}"


def listed(text: str, names: set[str]) -> str:
    """The text with a line for each of the names that it explains; at the end, what is raised."""
    name = "|".join(sorted({_RAISES, *names}, key=len, reverse=True))
    head = re.compile(rf"(?:^|(?<=[.;):])\s+|\n\n\s*)((?:{name})(?:(?:, | and )(?:{name}))*):\s+")
    begin, *rest = head.split(text)
    pairs = list(zip(rest[::2], rest[1::2], strict=True))
    items = [
        f"- {_code(names)}: {_joined(said).removesuffix(';')}"
        for names, said in pairs
        if names != _RAISES
    ]
    raised = [f"**{_RAISES}** {_joined(said)}" for names, said in pairs if names == _RAISES]
    return "\n\n".join(filter(None, (begin.strip(), "\n".join(items), *raised)))


def _joined(said: str) -> str:
    return " ".join(said.split())


def _code(names: str) -> str:
    return re.sub(r"\w+", lambda found: found[0] if found[0] == "and" else f"`{found[0]}`", names)


def _names(obj: griffe.Object) -> set[str]:
    """The parameters or the fields of an object."""
    if isinstance(obj, griffe.Function):
        return {each.name for each in obj.parameters} - {"self", "cls"}
    if not isinstance(obj, griffe.Class):
        return set()
    inner = obj.members.get("__init__")
    return set(obj.attributes) | (_names(inner) if isinstance(inner, griffe.Function) else set())


def _objects(module: griffe.Module) -> Iterator[griffe.Class | griffe.Function]:
    """The classes and functions that are defined in a package, and their methods."""
    left: list[griffe.Object | griffe.Alias] = [module]
    while left:
        each = left.pop()
        if isinstance(each, griffe.Alias):
            continue
        left += each.members.values()
        if isinstance(each, griffe.Class | griffe.Function):
            yield each


def _is_dataclass(obj: griffe.Class) -> bool:
    return any(each.callable_path.endswith("dataclass") for each in obj.decorators)
