"""JSON lines: an object a line, in a file or on standard input."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from io import BufferedReader, FileIO
from typing import TYPE_CHECKING, BinaryIO

from extractify.documents import decoded
from extractify.errors import ConfigurationError, DocumentError
from extractify.feeds.fields import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from extractify.feeds.fields import Fields
    from extractify.messages import JsonValue
    from extractify.rows import Row

_PIECE = 1 << 20
_KEPT = 1000
_PER_CHARACTER = 6  # bytes: JSON may write any as \u1234
_BESIDE = 1_000_000  # bytes, for the other fields of a record


def rows(path: Path, fields: Fields) -> Iterator[Row]:
    """The rows of a file. Lines with nothing in them are no rows."""
    with path.open("rb") as stream:
        yield from _rows(stream, fields, name_of(path.name))


def standard_input(fields: Fields) -> Iterator[Row]:
    """The rows on standard input. Raises: ConfigurationError if it is closed."""
    if sys.stdin is None:
        raise ConfigurationError("There is no standard input to read: it is closed.")
    stream: BinaryIO = sys.stdin.buffer
    with suppress(OSError):  # one of our own, which the interpreter's end leaves to its reader
        stream = BufferedReader(FileIO(sys.stdin.fileno(), closefd=False))
    return _rows(stream, fields, "standard input")


def count(path: Path) -> int:
    """How many lines there are, blank ones too."""
    total, last = 0, b"\n"
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            total += piece.count(b"\n")
            last = piece[-1:]
    return total + (last != b"\n")


def _rows(stream: BinaryIO, fields: Fields, where: str) -> Iterator[Row]:
    limit = fields.largest * _PER_CHARACTER + _BESIDE
    number = 0
    while line := stream.readline(limit + 1):
        if len(line) > limit and not line.endswith(b"\n"):
            while (rest := stream.readline(_PIECE)) and not rest.endswith(b"\n"):
                pass
        if line.isspace():
            continue
        number += 1
        what = f"{where}, row {number}"
        try:
            record = _record(line, limit, what)
        except DocumentError as error:
            kept = line if len(line) <= limit else line[:_KEPT]
            yield fields.unread(number, error, kept.decode("utf-8-sig", "backslashreplace"))
        else:
            yield fields.row(number, record, what)


def _record(line: bytes, limit: int, what: str) -> dict[str, JsonValue]:
    if len(line) > limit:
        raise DocumentError(
            f"{what} has a line of more than {limit:,} bytes. Split the document, or allow more "
            "with largest."
        )
    text = decoded(line, what)
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        cut = "" if text.endswith("\n") else " It is the last line, and may have been cut off."
        raise DocumentError(
            f"{what} isn't JSON: {error.msg} at character {error.pos} of its line.{cut}"
        ) from None
    except (ValueError, RecursionError):
        raise DocumentError(
            f"{what} isn't JSON that can be read: it has a number of thousands of digits, or "
            "hundreds of lists in each other."
        ) from None
    if not isinstance(record, dict):
        raise DocumentError(
            f"{what} is a {type(record).__name__}. Write an object a line, such as "
            '{"id": 1, "text": "…"}.'
        )
    return record
