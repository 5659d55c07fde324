"""How many extractions run at once, and how many may wait for one of them to end."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Full(Exception):  # noqa: N818 - named for what happened
    """All places are taken."""


class Gate:
    """Places for requests, and slots, within them, for asking a model.

    A place is held from a request's first byte to the last one of its answer. Without places, a
    slow model would fill the memory with requests that wait for a slot.
    """

    def __init__(self, running: int, waiting: int) -> None:
        self.places = running + waiting
        self.slot = asyncio.Semaphore(running)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Raises: Full, at once."""
        if not self.places:
            raise Full
        self.places -= 1
        try:
            yield
        finally:
            self.places += 1
