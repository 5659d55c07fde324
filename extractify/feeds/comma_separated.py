"""CSV files, by RFC 4180: a header, commas, and quotes around what holds commas, quotes or lines.

The standard library's reader is agreed with but not used: its limit on the length of a cell is the
same for the whole process, and after a cell beyond it, it goes on in the middle of that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from extractify.errors import ConfigurationError, DocumentError
from extractify.feeds.fields import name_of
from extractify.plain import travels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from extractify.feeds.fields import Fields
    from extractify.messages import JsonValue
    from extractify.rows import Row

_PIECE = 1 << 16
_KEPT = 1000
_BESIDE = 1_000_000  # characters, for the other cells of a row
_CUT_OFF = "ends in the middle of a quoted cell: the file was cut off, or a quote is missing"
_NOT_UTF_8 = "isn't UTF-8 text. Convert the file, for example with iconv -f LATIN1 -t UTF-8"
_END = re.compile(r"[,\r\n]")
_SKIPPED_TO = re.compile(r'[\r\n]|,(?="|\Z)')  # in a row that is too long: where quotes may open


class Line(NamedTuple):
    """A row of a CSV file as cells. problem: why it isn't whole; then cells are its beginning.

    is_ended: whether a line's end came after it.
    """

    cells: list[str]
    problem: str = ""
    is_ended: bool = True


def rows(path: Path, fields: Fields) -> Iterator[Row]:
    """The rows of a file. Raises: ConfigurationError without such columns in its header."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        name, limit = name_of(path.name), fields.largest + _BESIDE
        read = lines(iter(lambda: stream.read(_PIECE), ""), limit)
        header = next(read, Line([]))
        if not header.cells:
            raise ConfigurationError(f"{name} is empty: it has no header.")
        if not all(map(travels, header.cells)):
            raise ConfigurationError(f"{name} {_NOT_UTF_8}.")
        if header.problem:
            raise ConfigurationError(f"{name} has no header: its first row {header.problem}.")
        fields.check(header.cells, name)
        for number, line in enumerate(read, start=1):
            yield _row(number, line, header.cells, fields, f"{name}, row {number}")


def count(path: Path) -> int:
    """How many rows end outside quotes, without the header."""
    total, is_quoted, last = -1, 0, "\n"
    with path.open(encoding="latin-1", newline="\n") as stream:
        while piece := stream.read(_PIECE):
            parts = piece.split('"')
            total += sum(part.count("\n") for part in parts[is_quoted::2])
            is_quoted = (is_quoted + len(parts) - 1) % 2
            last = piece[-1]
    return max(total + (last != "\n"), 0)


def _row(number: int, line: Line, header: list[str], fields: Fields, what: str) -> Row:
    problem = line.problem
    if not problem and len(line.cells) > len(header):
        problem = (
            f"has {len(line.cells)} cells, and the header {len(header)}: a comma that isn't in "
            "quotes?"
        )
    if not all(map(travels, line.cells)):
        problem = _NOT_UTF_8
    if not line.is_ended and len(line.cells) < len(header):
        problem = "is the last one and has too few cells: the file was cut off there"
    if problem:
        error = DocumentError(f"{what} {problem}.")
        return fields.unread(number, error, ",".join(line.cells))
    record: dict[str, JsonValue] = dict(zip(header, line.cells, strict=False))
    return fields.row(number, record, what)


def lines(pieces: Iterable[str], limit: int) -> Iterator[Line]:
    """Split a text that comes in pieces into rows of cells; blank lines are left out.

    limit: characters of a row. Of a longer one no more than that is ever held.
    """
    reader = _Reader(limit)
    for piece in pieces:
        yield from reader.feed(piece)
    yield from reader.end()


_START, _PLAIN, _QUOTED, _CLOSING = range(4)  # of a cell; closing: after a quote within quotes


class _Reader:
    """Where a text is, between its pieces."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.state = _START
        self.after_return = False
        self.cells: list[str] = []
        self.parts: list[str] = []
        self.held = 0
        self.is_blank = True

    def feed(self, piece: str) -> Iterator[Line]:
        """The rows that end in this piece."""
        at = 1 if self.after_return and piece.startswith("\n") else 0
        self.after_return = False
        while at < len(piece):
            if self.state == _QUOTED:
                end = piece.find('"', at)
                end = len(piece) if end < 0 else end
                self._hold(piece[at:end])
                if end < len(piece):
                    self.state = _CLOSING
                at = end + 1
            elif piece[at] == '"' and self.state != _PLAIN:
                if self.state == _CLOSING:
                    self._hold('"')
                self.state, self.is_blank = _QUOTED, False
                at += 1
            else:
                found = (_END if self.held <= self.limit else _SKIPPED_TO).search(piece, at)
                end = found.start() if found else len(piece)
                self._hold(piece[at:end])
                self.state = _PLAIN
                at = end + 1
                if found:
                    self._end_cell()
                    if found[0] != ",":
                        self.after_return = found[0] == "\r" and at == len(piece)
                        at += found[0] == "\r" and piece.startswith("\n", at)
                        yield from self._end_line()

    def end(self) -> Iterator[Line]:
        """What is left after the last piece."""
        is_cut_off = self.state == _QUOTED
        if self.cells or self.state != _START:
            self._end_cell()
            for line in self._end_line():
                yield Line(line.cells, line.problem or _CUT_OFF * is_cut_off, is_ended=False)

    def _hold(self, text: str) -> None:
        self.held += len(text)
        if self.held <= self.limit:
            self.parts.append(text)

    def _end_cell(self) -> None:
        self.held += 1
        if self.held <= self.limit or not self.cells:
            self.cells.append("".join(self.parts))
        self.parts = []
        self.state = _START

    def _end_line(self) -> Iterator[Line]:
        if self.held > self.limit:
            problem = (
                f"has more than {self.limit:,} characters. Split the document, or allow more with "
                "largest; if the file has no such row, a quote is missing in it"
            )
            yield Line([cell[:_KEPT] for cell in self.cells[:_KEPT]], problem)
        elif self.cells != [""] or not self.is_blank:
            yield Line(self.cells)
        self.cells, self.held, self.is_blank = [], 0, True
