"""Server-sent events out of bytes, as the WHATWG standard tells, however the bytes were cut.

Pure: `feed` takes what came and returns the events that it completes. The cost is linear in the
bytes, and what is kept never exceeds one event.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_EVENT = 16 * 2**20
"""The most bytes of one line or one event; a final frame may hold a whole answer."""

BOM = b"\xef\xbb\xbf"


class OverlongError(ValueError):
    """A line or an event is longer than MAX_EVENT: what comes isn't a stream of answers."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event. id: of this one or the last that had one. retry: milliseconds, None if unsaid."""

    data: str
    event: str = "message"
    id: str = ""
    retry: int | None = None


class Decoder:
    """Reads one stream of events; `limit` bounds a line and an event, in bytes."""

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._limit = limit
        self._begun = bytearray()  # of a line that goes on in the next bytes
        self._begins = True
        self._after_return = False
        self._data: list[str] = []
        self._data_size = 0
        self._event = self._id = ""
        self._retry: int | None = None

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Take bytes, return the events they complete. Raises: OverlongError."""
        if self._after_return and chunk:
            self._after_return = False
            chunk = chunk.removeprefix(b"\n")
        if b"\n" not in chunk and b"\r" not in chunk:
            self._keep(chunk)
            return []
        self._after_return = chunk.endswith(b"\r")
        lines = chunk.splitlines()
        rest = b"" if chunk.endswith((b"\r", b"\n")) else lines.pop()
        if self._begun:
            lines[0] = bytes(self._begun + lines[0])
            self._begun.clear()
        events = [event for line in lines if (event := self._line(line))]
        self._keep(rest)
        return events

    def end(self) -> list[ServerEvent]:
        """Take the end of the stream for the end of the last event, as some servers do."""
        events = [self._line(bytes(self._begun)), self._line(b"")]
        self._begun.clear()
        return [event for event in events if event]

    def _keep(self, begun: bytes) -> None:
        self._begun += begun
        if len(self._begun) > self._limit:
            raise OverlongError(len(self._begun))

    def _line(self, line: bytes) -> ServerEvent | None:
        """Take one whole line; an empty one ends the event."""
        if self._begins:
            self._begins = False
            line = line.removeprefix(BOM)
        if not line:
            return self._dispatched()
        name, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")
        if name == b"data":
            self._data.append(text)
            self._data_size += len(value) + 1
            if self._data_size > self._limit:
                raise OverlongError(self._data_size)
        elif name == b"event":
            self._event = text
        elif name == b"id" and "\0" not in text:
            self._id = text
        elif name == b"retry" and text.isascii() and text.isdecimal():
            self._retry = int(text[:9])
        return None

    def _dispatched(self) -> ServerEvent | None:
        data, kind, retry = self._data, self._event, self._retry
        self._event, self._retry = "", None
        if not data:
            return None
        self._data, self._data_size = [], 0
        return ServerEvent("\n".join(data), kind or "message", self._id, retry)
