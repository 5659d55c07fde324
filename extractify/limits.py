"""What one exchange may take of time, size and connections."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Self

from extractify.checks import COUNT, FLAG, NUMBER, check
from extractify.errors import ConfigurationError, InvalidResponse


@dataclass(frozen=True, slots=True)
class Limits:
    """What an exchange may take at most. None is no limit.

    connections: open at a time; further calls wait. kept: idle ones kept for later. response_bytes:
    of a body, decompressed. connect: seconds until connected. headers: seconds until an answer
    begins. total: seconds until it is complete. aiohttp: whether AsyncClient uses it; None where
    the extra is installed.
    """

    connections: int | None = 256
    kept: int = 100
    response_bytes: int | None = 16 * 2**20
    connect: float | None = 10.0
    headers: float | None = None
    total: float | None = None
    aiohttp: bool | None = None

    def __post_init__(self) -> None:
        """Refuse limits within which nothing could be exchanged, and what is no limit."""
        check(self, connections=COUNT.optional, kept=COUNT, response_bytes=COUNT.optional)
        check(self, connect=NUMBER.optional, headers=NUMBER.optional, total=NUMBER.optional)
        check(self, aiohttp=FLAG.optional)
        for name in ("connections", "response_bytes", "connect", "headers", "total"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigurationError(f"Limits({name}={value}) leaves no room for an exchange.")

    def end(self, until: float | None) -> End | None:
        """When an exchange that begins now has to be over, and by `until` at the latest."""
        total = None if self.total is None else monotonic() + self.total
        if until is not None and (total is None or until <= total):
            return End.of(until, "Retry(deadline=…)")
        return None if total is None else End.of(total, "Limits(total=…)")


class End(float):
    """A moment by `monotonic`, and the limit that made it one."""

    limit: str

    @classmethod
    def of(cls, moment: float, limit: str) -> Self:
        """The moment, with its limit."""
        end = cls(moment)
        end.limit = limit
        return end


def left(end: float | None) -> float | None:
    """Seconds until then, at least a millisecond: some take 0 for no limit."""
    return None if end is None else max(0.001, end - monotonic())


def shorter(first: float, second: float | None) -> float:
    """The smaller of them; None is no limit."""
    return first if second is None else min(first, second)


class Body:
    """A body that comes in pieces, within a limit of bytes and by an `end` (None is never)."""

    def __init__(self, status: int, limit: int | None, end: float | None) -> None:
        self._status, self._limit, self._end = status, limit, end
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Keep a piece. Raises: InvalidResponse past the limit, TimeoutError past the end."""
        self.count(piece)
        self._parts.append(piece)

    def count(self, piece: bytes) -> None:
        """Only count a piece; raises the same."""
        self._size += len(piece)
        if self._limit is not None and self._size > self._limit:
            raise InvalidResponse(
                f"The endpoint's answer is larger than {self._limit} bytes (HTTP {self._status}). "
                "Check the URL; or raise Limits(response_bytes=…).",
                status=self._status,
                detail="The body wasn't kept.",  # its beginning might hold the key
            )
        if self._end is not None and monotonic() >= self._end:
            raise TimeoutError

    @property
    def content(self) -> bytes:
        """All of it."""
        return b"".join(self._parts)
