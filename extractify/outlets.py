"""Where entries go: values to the sink, dead letters to their file, in the order asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractify.entries import Entry
    from extractify.rows import Row
    from extractify.sinks import Sink
    from extractify.sinks.dead import DeadLetters


class Outlet:
    """Puts entries out as they come, or in the order of the input.

    dead: None gives the dead letters to the sink, too. In order, what is finished waits for those
    before it: a window's worth at most. is_broken: whether something couldn't be put out.
    """

    def __init__(self, sink: Sink, dead: DeadLetters | None, *, ordered: bool) -> None:
        self._sink, self._dead, self._ordered = sink, dead, ordered
        self._waiting: dict[int, tuple[Row, Entry] | None] = {}
        self._next = 0
        self.is_broken = False

    def put(self, position: int, row: Row, entry: Entry) -> int:
        """Take an entry. Gives how many were put out because of it. Raises: OutputError.

        After an error nothing is put out any more: there would be a gap before it.
        """
        if not self._ordered:
            self._write((row, entry))
            return 1
        self._waiting[position] = row, entry
        return self._move_on()

    def skip(self, position: int) -> int:
        """Put nothing out for a row. Gives how many places in the window came free."""
        if not self._ordered:
            return 1
        self._waiting[position] = None
        return self._move_on()

    def _move_on(self) -> int:
        first = self._next
        while self._next in self._waiting:
            self._write(self._waiting.pop(self._next))
            self._next += 1
        return self._next - first

    def close(self, *, complete: bool) -> None:
        """Close both; if the run isn't complete, what waits behind a gap is put out too."""
        try:
            for position in sorted(self._waiting):
                self._write(self._waiting.pop(position))
        finally:
            try:
                self._sink.close(complete=complete)
            finally:
                if self._dead is not None:
                    self._dead.close(complete=complete)

    def _write(self, put: tuple[Row, Entry] | None) -> None:
        if self.is_broken or put is None:
            return
        row, entry = put
        self.is_broken = True
        if entry.ok or self._dead is None:
            self._sink.write(row.id, entry)
        else:
            self._dead.write(row, entry)
        self.is_broken = False
