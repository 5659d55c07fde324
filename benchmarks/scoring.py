"""How many fields of an answer are right: exact but for case, spaces and the marks around them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel

_MARKS = " .,;:()[]\"'\u201c\u201d\u2018\u2019*"


@dataclass(frozen=True, slots=True)
class Fields:
    """Fields that were answered, those that there are, and those answered that are right."""

    answered: int = 0
    gold: int = 0
    right: int = 0

    def __add__(self, other: Fields) -> Fields:
        return Fields(
            self.answered + other.answered, self.gold + other.gold, self.right + other.right
        )

    @property
    def f1(self) -> float:
        return 2 * self.right / max(self.answered + self.gold, 1)


def compared(answer: BaseModel | None, right: BaseModel) -> Fields:
    """Compare field by field; null is no answer, and without an answer no field is right."""
    wanted = _told(right)
    given = {} if answer is None else _told(answer)
    same = sum(wanted.get(key) == value for key, value in given.items())
    return Fields(len(given), len(wanted), same)


def _told(value: BaseModel) -> dict[str, object]:
    """The fields that say something, as they are compared."""
    plain = {name: even(getattr(value, name)) for name in type(value).model_fields}
    return {name: each for name, each in plain.items() if each not in (None, "")}


def even(value: object) -> object:
    """A string without what makes no difference here; anything else as it is."""
    if not isinstance(value, str):
        return value
    text = " ".join(unicodedata.normalize("NFKC", value).casefold().split())
    return text.strip(_MARKS)
