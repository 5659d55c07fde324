"""What one exchange may take of time, size and connections."""

from __future__ import annotations

from dataclasses import dataclass

from extractify.errors import ConfigurationError


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
    response_bytes: int = 16 * 2**20
    connect: float = 10.0
    headers: float | None = None
    total: float | None = None
    aiohttp: bool | None = None

    def __post_init__(self) -> None:
        """Refuse limits within which nothing could be exchanged."""
        for name in ("connections", "response_bytes", "connect", "headers", "total"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigurationError(f"Limits({name}={value}) leaves no room for an exchange.")
