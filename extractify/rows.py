"""What goes into a bulk run: one document under an id, or the reason why it can't be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from extractify.errors import DocumentError
from extractify.messages import JsonValue

RowId: TypeAlias = "str | int"
LARGEST = 4_000_000
"""Characters of a text, where nothing else is said: twenty times what models take."""


@dataclass(frozen=True, slots=True)
class Row:
    """One input. Its repr leaves out the text.

    id: as the input names it, or the number of the row from 1. text: the document; None where it
    can't be read, and then `error` says why. given: the record as it came, so that a dead letter
    can be fed back in.
    """

    id: RowId
    text: str | None = field(repr=False)
    given: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
    error: DocumentError | None = None
