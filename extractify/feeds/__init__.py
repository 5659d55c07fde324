"""Where the documents of a bulk run come from: files, directories, tables and iterables.

All are read as they are asked for, and each record becomes a Row. One that can't be read is a Row
with an error, since one bad record of a million must not end the run.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable, Mapping, Sized
from io import IOBase
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from extractify.checks import COUNT, TEXT, check_option
from extractify.errors import ConfigurationError
from extractify.feeds import comma_separated, folder, given, jsonl, parquet, tables
from extractify.feeds.fields import Fields, name_of
from extractify.messages import clipped
from extractify.rows import LARGEST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from extractify.rows import Row


class Feed(Protocol):
    """One kind of path."""

    def rows(self, path: Path, fields: Fields) -> Iterator[Row]:
        """Its rows, as they are asked for."""

    def count(self, path: Path) -> int | None:
        """How many there are, or about as many; None where nothing tells."""


_SHOWN_PATH = 160
_FAMILY: dict[str, Feed] = {
    ".jsonl": jsonl,
    ".ndjson": jsonl,
    ".csv": comma_separated,
    ".parquet": parquet,
}
_TAKEN = (
    "a path that ends in .jsonl, .ndjson, .csv or .parquet, a directory of text files, '-' for "
    "JSONL on standard input, an iterable of (id, text), or a pandas, polars or Arrow table"
)


def rows(
    source: object,
    *,
    id_field: str | None = None,
    text_field: str = "text",
    largest: int = LARGEST,
) -> Iterator[Row] | AsyncIterator[Row]:
    """Read a source row by row, in its order; an async iterable makes an async iterator.

    source: the path of a JSONL, CSV or Parquet file or of a directory of text files, whose ids are
    the relative paths; "-" is JSONL on standard input; an iterable or async iterable of (id, text)
    or (id, Document), of Documents by their names, of texts, or of mappings; a mapping of ids to
    texts; a pandas or polars frame, or anything that speaks Arrow. id_field: None takes "id" where
    a record has it, else the number of the row from 1; a name makes it required. largest:
    characters of a text.

    An iterable's own exceptions go through. Raises: ConfigurationError if the source isn't there,
    isn't what its name says, has no such columns, or fails in the middle; that may come with the
    first row.
    """
    check_option("rows(id_field=…)", id_field, TEXT.optional)
    check_option("rows(text_field=…)", text_field, TEXT)
    check_option("rows(largest=…)", largest, COUNT)
    if largest < 1:
        raise ConfigurationError(f"rows(largest={largest}) leaves no text. Pass characters.")
    fields = Fields(id_field, text_field, largest)
    path = _path(source)
    if path is not None:
        feed = _feed(path)
        return _guarded(feed.rows(path, fields), path)
    if isinstance(source, str):
        return jsonl.standard_input(fields)
    return _in_memory(source, fields)


def count(source: object) -> int | None:
    """How many rows a source has, as far as that is cheap to know; for showing, not for proofs.

    None where it would have to be read up. Raises: ConfigurationError if the source isn't there.
    """
    path = _path(source)
    if path is not None:
        feed = _feed(path)
        if not (path.is_file() or path.is_dir()):  # to count a pipe is to empty it
            return None
        try:
            return feed.count(path)
        except OSError as error:
            raise _unreadable(path, error) from None
    return len(source) if isinstance(source, Sized) and not isinstance(source, str) else None


def _path(source: object) -> Path | None:
    """The path that a source is; None for anything else, and for standard input."""
    if not isinstance(source, str | os.PathLike) or source == "-":
        return None
    path = Path(source)
    if source == "":  # pathlib takes it for the directory we are in
        raise ConfigurationError(f"The path of the source is empty. Pass {_TAKEN}.")
    try:
        path.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    return path


def _feed(path: Path) -> Feed:
    feed = _FAMILY.get(path.suffix.lower())
    if path.is_dir() and feed is None:
        return folder
    if path.is_dir():
        raise ConfigurationError(
            f"{name_of(path.name)} is a directory, as engines write them. Pass one of its files, "
            "or the reader of a pyarrow.dataset: dataset(path).scanner().to_reader()."
        )
    if feed is None:
        raise ConfigurationError(f"{name_of(path.name)} is no source of rows. Pass {_TAKEN}.")
    return feed


def _in_memory(source: object, fields: Fields) -> Iterator[Row] | AsyncIterator[Row]:
    if tables.is_frame(source):
        return tables.of_frame(cast("tables.Frame", source), fields)
    if tables.is_arrow(source):
        return tables.of_arrow(source, fields)
    if isinstance(source, Mapping):
        return given.rows(source.items(), fields)
    if isinstance(source, AsyncIterable):
        return given.arows(source, fields)
    if isinstance(source, Iterable) and not isinstance(source, bytes | bytearray | IOBase):
        return given.rows(source, fields)
    raise ConfigurationError(f"A {type(source).__name__} is no source of rows. Pass {_TAKEN}.")


def _guarded(rows: Iterator[Row], path: Path) -> Iterator[Row]:
    """Tell the end of a file from a file that can't be read any further."""
    try:
        yield from rows
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError | ValueError) -> ConfigurationError:
    reason = getattr(error, "strerror", None) or "no such path can be"
    name = clipped(name_of(str(path)), _SHOWN_PATH)
    return ConfigurationError(f"{name} can't be read: {reason}. Check the path and its rights.")
