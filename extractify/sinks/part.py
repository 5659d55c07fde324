"""A file that takes its name when it is complete."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from extractify.errors import ConfigurationError, OutputError
from extractify.locks import Lock

if TYPE_CHECKING:
    from collections.abc import Iterator


class Part:
    """What is written as `<output>.part` until it is complete. Nothing is there before `opened`.

    output: where it goes; a symbolic link is followed. Raises: ConfigurationError if a file can't
    take that name.
    """

    def __init__(self, output: Path) -> None:
        self.output = Path(os.path.realpath(output))
        self._lock: Lock | None = None
        self.path = self.output.with_name(f"{self.output.name}.part")
        if self.output.exists() and not self.output.is_file():
            kind = "a directory" if self.output.is_dir() else "no regular file"
            raise ConfigurationError(f"The output {output} is {kind}. Name a file.")
        if not self.output.parent.is_dir():
            raise ConfigurationError(
                f"The output {output} has no directory to stand in: {self.output.parent} isn't "
                "one. Create it first."
            )
        if not os.access(self.output.parent, os.W_OK):
            raise ConfigurationError(
                f"The output {output} can't be written: {self.output.parent} is read-only. Name "
                "another place."
            )

    def opened(self) -> BinaryIO:
        """Open it, empty, for this run alone. Raises: ConfigurationError where that can't be."""
        try:
            self._lock = Lock(self.path)
            return self.path.open("wb", buffering=1 << 16)
        except OSError as error:
            self._release()
            raise ConfigurationError(
                f"The output can't be opened as {self.path}: {error.strerror}. Name a place where "
                "you may write."
            ) from error

    @contextmanager
    def written(self) -> Iterator[None]:
        """Turn what the system says while it is written into an OutputError."""
        try:
            yield
        except OSError as error:
            raise unwritable(self.path, error) from error

    def complete(self, file: BinaryIO) -> None:
        """Close it, on the disk and under its name. Raises: OutputError."""
        with self.written():
            with file:
                file.flush()
                os.fsync(file.fileno())
            self.path.replace(self.output)
            directory = os.open(self.output.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        self._release()

    def abandon(self, file: BinaryIO) -> None:
        """Close it as it is, whatever can't be written of its buffer. A second time is idle."""
        with suppress(OSError):
            file.close()
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def unwritable(where: object, error: Exception) -> OutputError:
    """The error of what can't be written, and what to do. where: the file."""
    said = getattr(error, "strerror", None) or str(error)
    return OutputError(
        f"{where} can't be written: {said}. Make room there, or name another place, and run the "
        "same again; what a journal holds isn't asked again."
    )
