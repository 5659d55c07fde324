"""The rows that gave no value, as JSON lines that can be fed back in."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, BinaryIO

from extractify.plain import json_text, plain_data
from extractify.sinks.part import Part

if TYPE_CHECKING:
    from pathlib import Path

    from extractify.entries import Entry
    from extractify.rows import Row


class DeadLetters:
    """A file of the records as they came, each with what became of it.

    A record has its id, and `_error` (an object, as an entry's failure), `_status`, `_attempts` and
    `_usage`. Where there are none there is no file; what an earlier run left is emptied. Raises:
    ConfigurationError if nothing can be written there.
    """

    def __init__(self, path: Path) -> None:
        self._part = Part(path)
        self._file: BinaryIO | None = None

    def write(self, row: Row, entry: Entry) -> None:
        """Add a letter. Raises: OutputError."""
        given = plain_data(dict(row.given)) if row.given else {"text": row.text}
        letter = {
            "id": row.id,
            **(given if isinstance(given, dict) else {}),
            "_error": entry.failure,
            "_status": entry.status,
            "_attempts": entry.attempts,
            "_usage": asdict(entry.usage),
        }
        if self._file is None:
            self._file = self._part.opened()
        with self._part.written():
            self._file.write(json_text(letter).encode() + b"\n")

    def close(self, *, complete: bool) -> None:
        """Put the file in its place, or leave it as `.part`. Raises: OutputError."""
        if complete and self._file is None and self._part.output.exists():
            self._file = self._part.opened()
        if self._file is None:
            return
        if complete:
            self._part.complete(self._file)
        else:
            self._part.abandon(self._file)
