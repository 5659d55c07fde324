"""What was made of a target, kept for as long as the target is there, and no longer.

A schema holds the class that it was compiled from, so a table beside the two would keep both for
ever. Held by the class itself, it goes when the class goes.
"""

from __future__ import annotations

import sys
from functools import lru_cache, wraps
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    NewType,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
    cast,
    get_origin,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Memory: TypeAlias = dict[object, Any]


class Remembering(Protocol):
    """What keeps the results of `remembered` functions."""

    memory: Memory


T = TypeVar("T")
S = TypeVar("S", bound=Remembering)
P = ParamSpec("P")
KEPT = "__extractify_schemas__"
"""The attribute of a class that holds the schemas it is part of."""

_NAMED = (type, NewType)
_NOTHING = object()
_MOST_KEPT = 64
_MOST_WITHOUT_A_CLASS = 512


def remembered(function: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Keep what a function makes of a schema with the schema."""

    def recall(schema: S, /, *rest: P.args, **named: P.kwargs) -> T:
        key = (function, rest, *named.items()) if named else (function, rest)
        made = schema.memory.get(key, _NOTHING)
        if made is _NOTHING:
            made = schema.memory[key] = function(schema, *rest, **named)
        return cast("T", made)

    return cast("Callable[Concatenate[S, P], T]", wraps(function)(recall))


def kept_with(target: type) -> object:
    """What was built of a class itself before; None if nothing was."""
    table = target.__dict__.get(KEPT)
    return None if table is None else table.get((target, ""))


def kept(target: object, build: Callable[[object], T]) -> T:
    """What was built of a target, kept with a class that it is made of."""
    is_class = isinstance(target, type) and get_origin(target) is None
    key = (target, "" if is_class else _order(target))
    try:
        hash(key)
    except TypeError:
        return build(target)  # its annotations can't be hashed
    table = next(_tables(target), None)
    if table is None:
        made: T = _table(key, build)
        return made
    if key not in table:
        made = build(target)
        while len(table) >= _MOST_KEPT:
            del table[next(iter(table))]
        return cast("T", table.setdefault(key, made))  # another thread may have been faster
    return cast("T", table[key])


def _order(target: object) -> object:
    """What tells `A | B` from `B | A`, which are equal: pydantic prefers the first that fits."""
    if isinstance(target, type):
        return target
    parts = getattr(target, "__args__", ())
    told = map(repr, getattr(target, "__metadata__", ()))
    return (*map(_order, parts), *told) if parts else repr(target)


@lru_cache(maxsize=_MOST_WITHOUT_A_CLASS)
def _table(key: tuple[object, object], build: Callable[[object], T]) -> T:
    return build(key[0])


def _tables(target: object) -> Iterator[Memory]:
    """Yield the tables of the classes and new types of the user that a target is made of."""
    for owner in _owners(target):
        if KEPT not in owner.__dict__:
            try:
                setattr(owner, KEPT, {})
            except (AttributeError, TypeError):
                continue
        yield owner.__dict__[KEPT]


def _owners(target: object) -> Iterator[Any]:
    """Yield the classes and new types of the user that a target is made of."""
    if isinstance(target, _NAMED) and get_origin(target) is None:
        if _is_of_the_user(target):
            yield target
        return
    for part in getattr(target, "__args__", ()):
        yield from _owners(part)


def _is_of_the_user(kind: object) -> bool:
    home = str(getattr(kind, "__module__", "")).partition(".")[0]
    return home not in sys.stdlib_module_names and hasattr(kind, "__dict__")
