"""Tables in memory: frames of pandas and polars, and whatever speaks Arrow."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, Protocol

from extractify.arrow import arrow
from extractify.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from extractify.feeds.fields import Fields
    from extractify.rows import Row


class Frame(Protocol):
    """What the frames of pandas and polars have in common."""

    @property
    def columns(self) -> Iterable[object]:
        """Their names."""

    def __getitem__(self, name: str, /) -> Iterable[object]: ...


class Scalar(Protocol):
    """A value of an Arrow column."""

    def as_py(self) -> object:
        """The value as Python's."""

    @property
    def value(self) -> Scalar:
        """The value of one that stands for another."""

    def as_buffer(self) -> Iterable[int]:
        """The bytes of a text."""


def is_frame(source: object) -> bool:
    """Whether it is a DataFrame of pandas or polars, neither of which is imported for that."""
    return any(
        base.__name__ == "DataFrame" and base.__module__.partition(".")[0] in ("pandas", "polars")
        for base in type(source).__mro__
    )


def is_arrow(source: object) -> bool:
    """Whether it gives its rows by Arrow's interface; a single column, which does too, is given."""
    return hasattr(source, "__arrow_c_stream__") and type(source).__name__ != "Series"


def of_frame(frame: Frame, fields: Fields) -> Iterator[Row]:
    """The rows of a frame."""
    names = list(frame.columns)
    fields.check(names, "The frame")
    ids: Iterable[object] = frame[fields.id_name] if fields.id_name in names else repeat(None)
    for number, (row_id, text) in enumerate(zip(ids, frame[fields.text], strict=False), start=1):
        yield fields.pair(number, row_id, text, f"The frame's row {number}")


def of_arrow(source: object, fields: Fields) -> Iterator[Row]:
    """The rows of a table, or of a reader of batches, which is used up."""
    pyarrow = arrow()
    try:
        reader = pyarrow.RecordBatchReader.from_stream(source)
    except pyarrow.ArrowException:
        kind = type(source).__name__
        raise ConfigurationError(f"A {kind} has no columns. Pass a table, or texts.") from None
    fields.check(reader.schema.names, "The table")
    yield from of_batches(reader, fields, "The table")


def of_batches(batches: Iterable[Any], fields: Fields, where: str) -> Iterator[Row]:
    """The rows of Arrow's record batches, in which the columns are known to be."""
    number = 0
    for batch in batches:
        names = batch.schema.names
        ids = batch[fields.id_name] if fields.id_name in names else repeat(None)
        for row_id, text in zip(ids, batch[fields.text], strict=False):
            number += 1
            yield fields.pair(number, _plain(row_id), _plain(text), f"{where}, row {number}")


def _plain(scalar: Scalar | None) -> object:
    """An Arrow value as Python's; Arrow lets text in that isn't UTF-8, and that stays bytes."""
    if scalar is None:
        return None
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        if not hasattr(scalar, "as_buffer"):  # it stands for one of a dictionary
            scalar = scalar.value
        return bytes(scalar.as_buffer())
