"""A record becomes a row: its id and its text, or what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import isnan
from operator import index
from typing import TYPE_CHECKING, SupportsIndex, cast
from uuid import UUID

from extractify.documents import check_encodable, decoded
from extractify.errors import ConfigurationError, DocumentError
from extractify.messages import clipped
from extractify.rows import LARGEST, Row, RowId

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from extractify.messages import JsonValue

_NAMES = (UUID, date, Decimal)
_WIDEST = 2**63  # what Parquet and SQLite hold as a number
_SHOWN_COLUMNS = 300


@dataclass(frozen=True, slots=True)
class Fields:
    """Which fields of a record are read. largest: characters of a text.

    id: None takes "id" where there is one, and the number of the row where there isn't.
    """

    id: str | None = None
    text: str = "text"
    largest: int = LARGEST

    @property
    def id_name(self) -> str:
        """Under which name an id is looked for, and kept."""
        return "id" if self.id is None else self.id

    def row(self, number: int, record: Mapping[str, JsonValue], what: str) -> Row:
        """The row of a record as JSON has it. number: from 1. what: names it in messages."""
        raw_id = record.get(self.id_name)
        row_id, text, error = self._read(number, raw_id, record.get(self.text), what)
        if row_id is None:
            return Row(number, None, record, error)
        if _is_missing(raw_id):
            record = {**record, self.id_name: row_id}
        return Row(row_id, text, record, error)

    def pair(self, number: int, raw_id: object, raw_text: object, what: str) -> Row:
        """The row of an id and a text of any type; None where there is none."""
        row_id, text, error = self._read(number, raw_id, raw_text, what)
        given: dict[str, JsonValue] = {} if row_id is None else {self.id_name: row_id}
        kept = raw_text if text is None else text
        if isinstance(kept, str):
            given[self.text] = kept
        return Row(number if row_id is None else row_id, text, given, error)

    def unread(self, number: int, error: DocumentError, line: str) -> Row:
        """The row of a record that can't be read at all. line: what is kept of it."""
        return Row(number, None, {self.id_name: number, "_line": line}, error)

    def check(self, columns: Iterable[object], what: str) -> None:
        """Refuse a table in which no row can have a text, or an id that was named."""
        names = list(columns)
        for name in (self.text, self.id_name):
            times = names.count(name)
            if times > 1:
                raise ConfigurationError(
                    f"{what} has {times} columns {name!r}: which one is meant? Rename them."
                )
            if not times and (name == self.text or self.id is not None):
                there = clipped(", ".join(map(repr, names)), _SHOWN_COLUMNS)
                raise ConfigurationError(
                    f"{what} has no column {name!r}; it has {there}. Name the columns of the text "
                    "and the id with text_field and id_field."
                )

    def _read(
        self, number: int, raw_id: object, raw_text: object, what: str
    ) -> tuple[RowId | None, str | None, DocumentError | None]:
        row_id: RowId | None = None
        try:
            row_id = self._id(raw_id, number, what)
            return row_id, self._text(raw_text, what), None
        except DocumentError as error:
            return row_id, None, error

    def _id(self, value: object, number: int, what: str) -> RowId:
        if isinstance(value, str) and value:
            check_encodable(value, f"{what}: its id")
            return str(value)
        if _is_missing(value) or isinstance(value, str):
            if self.id is None:
                return number
            raise DocumentError(f"{what} has no id: its field {self.id!r} is missing or empty.")
        if isinstance(value, _NAMES):
            return str(value)
        if isinstance(value, float) and value.is_integer():  # a table's, beside missing ones
            value = int(value)
        try:
            whole = index(cast("SupportsIndex", None if isinstance(value, bool) else value))
        except TypeError:
            raise DocumentError(
                f"{what}: its id is a {type(value).__name__}. Make it a text or a whole number."
            ) from None
        if -_WIDEST <= whole < _WIDEST:
            return whole
        try:
            return str(whole)
        except ValueError:  # Python's own limit on digits
            raise DocumentError(f"{what}: its id has too many digits. Make it a text.") from None

    def _text(self, value: object, what: str) -> str:
        if isinstance(value, bytes):
            value = decoded(value, what)
        if not isinstance(value, str):
            fault = "missing" if _is_missing(value) else f"a {type(value).__name__}, not a text"
            raise DocumentError(f"{what} can't be read: its field {self.text!r} is {fault}.")
        if not value or value.isspace():
            raise DocumentError(f"{what} has nothing in it: its text is empty.")
        if len(value) > self.largest:
            raise DocumentError(
                f"{what} has {len(value):,} characters, and {self.largest:,} are the most. Split "
                "the document, or allow more with largest."
            )
        if "\0" in value:
            raise DocumentError(f"{what} isn't text: it has NUL characters, as binary files have.")
        check_encodable(value, what)
        return str(value)  # numpy's texts are str, too


def name_of(path: str) -> str:
    """A path as text that can be written down, also where it isn't UTF-8."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _is_missing(value: object) -> bool:
    """Whether it is None, or what tables write for it: NaN, NaT or NA."""
    is_nan = isinstance(value, float) and isnan(value)
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")
