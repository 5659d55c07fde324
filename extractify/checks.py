"""What the options of the public classes take: a wrong one is refused where it is written.

Otherwise it would be left out in silence, or fail in the middle of a call that is paid for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

from extractify.errors import ConfigurationError


class Kind(NamedTuple):
    """What an option takes: in words, after "Pass", and as a test."""

    words: str
    takes: Callable[[object], bool]

    @property
    def optional(self) -> Kind:
        """The same, or None."""
        return Kind(f"{self.words}, or None", lambda value: value is None or self.takes(value))


def check(options: object, **kinds: Kind) -> None:
    """Look at the attributes of that name. Raises: ConfigurationError, which quotes no value."""
    for name, kind in kinds.items():
        check_option(f"{type(options).__name__}({name}=…)", getattr(options, name), kind)


def check_option(what: str, value: object, kind: Kind) -> None:
    """Look at one value. Raises: ConfigurationError, which doesn't quote it."""
    if not kind.takes(value):
        raise ConfigurationError(f"{what} can't be this {type(value).__name__}. Pass {kind.words}.")


def instance(*classes: type) -> Kind:
    """Take instances of these classes; a bool is no number here."""
    names = [each.__name__ for each in classes]
    words = " or ".join(f"{'an' if name[0] in 'AEIOU' else 'a'} {name}" for name in names)
    return Kind(words, lambda value: isinstance(value, classes) and not isinstance(value, bool))


def one_of(*values: str) -> Kind:
    """Take one of a few words."""
    words = " or ".join(map(repr, values))
    return Kind(words, lambda value: isinstance(value, str) and value in values)


def many(kind: Kind, example: str) -> Kind:
    """Take a list or a tuple of such; example: how it is written."""
    return Kind(
        example,
        lambda value: (
            isinstance(value, Sequence)
            and not isinstance(value, str | bytes)
            and all(map(kind.takes, value))
        ),
    )


def pair(first: Kind, second: Kind) -> Kind:
    """Take two values in a tuple or a list."""

    def takes(value: object) -> bool:
        match value:
            case [left, right]:
                return first.takes(left) and second.takes(right)
        return False

    return Kind(f"a pair of {first.words} and {second.words}", takes)


def _is_number(value: object, above: float = -math.inf) -> bool:
    """Whether it is a number, no bool, and more than that; nan isn't more than anything."""
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and cast("float", value) > above


def _is_json(value: object) -> bool:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        return False
    try:
        json.dumps(dict(value), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


TEXT = instance(str)
COUNT = Kind("a whole number", instance(int).takes)
NUMBER = Kind("a number, without quotes", _is_number)
POSITIVE = Kind("a number above 0", lambda value: _is_number(value, above=0))
SECONDS = Kind("seconds above 0", lambda value: _is_number(value, above=0))
ANYTHING = Kind("anything", lambda _: True)
FLAG = Kind("True or False", lambda value: isinstance(value, bool))
JSON = Kind("a mapping of what JSON can say, with str as keys", _is_json)
FUNCTION = Kind("a function", callable)
STOP = Kind("a whole number, or a tenacity stop", lambda v: COUNT.takes(v) or callable(v))
