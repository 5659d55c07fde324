"""JSON lines: an object with the id and the value for each row."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from extractify.errors import ConfigurationError
from extractify.plain import json_text
from extractify.sinks.part import Part, unwritable

if TYPE_CHECKING:
    from pathlib import Path

    from extractify.entries import Entry
    from extractify.rows import RowId


class JsonLines:
    """A file of lines `{"id": …, "value": …}`, each of them JSON that every reader takes."""

    def __init__(self, output: Path) -> None:
        self._part = Part(output)
        self._file = self._part.opened()

    def write(self, row_id: RowId, entry: Entry) -> None:
        """Add a line. Raises: OutputError."""
        with self._part.written():
            self._file.write(line(row_id, entry))

    def close(self, *, complete: bool) -> None:
        """Put the file in its place, or leave it as `.part`. Raises: OutputError."""
        if complete:
            self._part.complete(self._file)
        else:
            self._part.abandon(self._file)


class StandardOutput:
    """The same lines on standard output, each as soon as it is there, in UTF-8.

    A reader that leaves is a BrokenPipeError, as it is for any other command. Raises:
    ConfigurationError if there is no standard output.
    """

    def __init__(self) -> None:
        if sys.stdout is None:
            raise ConfigurationError("There is no standard output: it is closed. Name a file.")

    def write(self, row_id: RowId, entry: Entry) -> None:
        """Print a line. Raises: OutputError, BrokenPipeError."""
        text = line(row_id, entry)
        try:
            sys.stdout.flush()
            if hasattr(sys.stdout, "buffer"):
                sys.stdout.buffer.write(text)
            else:
                sys.stdout.write(text.decode())
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise unwritable("standard output", error) from error

    def close(self, *, complete: bool) -> None:
        """Nothing is left to do."""


def line(row_id: RowId, entry: Entry) -> bytes:
    """One row, with the value as the entry has it."""
    value = entry.value
    if "NaN" in value or "Infinity" in value:  # a number of that kind, or a text with the word
        value = json_text(entry.data)
    text = f'{{"id":{json_text(row_id)},"value":{value}}}\n'
    return text.encode("utf-8", "backslashreplace")  # as JSON escapes a lone surrogate
