"""A callable as the output of a run."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from extractify.errors import ConfigurationError, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from extractify.entries import Entry
    from extractify.rows import RowId

_PLAIN = "nobody would await it. Pass a plain function, such as the put_nowait of a queue."


class Calling:
    """Calls a function with the id and the entry of each row, one after another."""

    def __init__(self, function: Callable[[RowId, Entry], object]) -> None:
        self._function = function
        self._name = getattr(function, "__qualname__", type(function).__name__)
        if any(map(inspect.iscoroutinefunction, (function, type(function).__call__))):
            raise ConfigurationError(f"The output {self._name} is a coroutine function: {_PLAIN}")

    def write(self, row_id: RowId, entry: Entry) -> None:
        """Call it. Raises: OutputError, with what it raised as the cause."""
        try:
            given = self._function(row_id, entry)
        except Exception as error:
            kind = type(error).__name__
            raise OutputError(
                f"The output {self._name} raised {kind} for the row {row_id!r} (see the cause). "
                "Correct it, and run the same again; what a journal holds isn't asked again."
            ) from error
        if inspect.iscoroutine(given):
            given.close()
            raise OutputError(f"The output {self._name} gave a coroutine: {_PLAIN}")

    def close(self, *, complete: bool) -> None:
        """Nothing is left to do."""
