"""Parquet files, of which only the columns of the text and the id are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractify.arrow import arrow
from extractify.errors import ConfigurationError
from extractify.feeds.fields import name_of
from extractify.feeds.tables import of_batches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from extractify.feeds.fields import Fields
    from extractify.rows import Row

_AT_ONCE = 128  # rows: of large texts, more would fill the memory
_BUFFER = 1 << 20  # bytes of a column; without it a row group is read whole


def rows(path: Path, fields: Fields) -> Iterator[Row]:
    """The rows of a file. Raises: ConfigurationError without the extra, or if it isn't Parquet."""
    pyarrow, name = arrow(), name_of(path.name)
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER) as file:
            names = file.schema_arrow.names
            fields.check(names, name)
            batches = file.iter_batches(
                batch_size=_AT_ONCE,
                columns=[column for column in (fields.id_name, fields.text) if column in names],
                use_threads=False,
            )
            yield from of_batches(batches, fields, name)
    except pyarrow.ArrowException:
        raise ConfigurationError(
            f"{name} isn't a Parquet file, or is broken. Write it again, or pass another format."
        ) from None


def count(path: Path) -> int | None:
    """How many rows its footer tells of; None where it has none."""
    pyarrow = arrow()
    from pyarrow.parquet import read_metadata

    try:
        total: int = read_metadata(path).num_rows
    except pyarrow.ArrowException:
        return None
    return total
