"""A file that takes its name when it is complete."""

from __future__ import annotations

import os
import shutil
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
        self._lock: Lock | None = None
        try:
            self.output = Path(os.path.realpath(output))
            self.path = self.output.with_name(f"{self.output.name}.part")
            reason = _reason(self.output)
        except (OSError, ValueError) as error:
            reason = f"{getattr(error, 'strerror', None) or error}; name another place"
        if reason:
            raise ConfigurationError(f"The output {output} can't be written: {reason}.")

    def opened(self) -> BinaryIO:
        """Open it, empty, for this run alone, and for those who may read what it will replace.

        Raises: ConfigurationError where that can't be.
        """
        try:
            self._lock = Lock(self.path)
            file = self.path.open("wb", buffering=1 << 16)
            if self.output.exists():
                shutil.copymode(self.output, self.path)
        except OSError as error:
            self._release()
            raise ConfigurationError(
                f"The output can't be opened as {self.path}: {error.strerror}. Name a place where "
                "you may write."
            ) from error
        return file

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


def _reason(output: Path) -> str:
    """Why a file can't take a name; empty if it can."""
    if output.exists() and not output.is_file():
        kind = "a directory" if output.is_dir() else "no regular file"
        return f"it is {kind}; name a file"
    if not output.parent.is_dir():
        return f"there is no directory {output.parent}; create it first"
    if not os.access(output.parent, os.W_OK):
        return f"the directory {output.parent} is read-only; name another place"
    return ""


def unwritable(where: object, error: Exception) -> OutputError:
    """The error of what can't be written, and what to do. where: the file."""
    said = getattr(error, "strerror", None) or str(error)
    return OutputError(
        f"{where} can't be written: {said}. Make room there, or name another place, and run the "
        "same again; what a journal holds isn't asked again."
    )
