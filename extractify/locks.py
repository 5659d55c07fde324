"""A lock on a file: one process has it at a time, it says which, and it dies with that process."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from extractify.errors import ConfigurationError

_LONGEST = 1000


class Lock:
    """Held by flock on `<path>.lock`, a file that is there only while somebody has the lock.

    Raises: ConfigurationError where another process has it, or another part of this one; the
    message names the holder. OSError where the file can't be made.
    """

    def __init__(self, path: Path) -> None:
        self._where = Path(f"{path}.lock")
        while True:
            self._file = os.open(self._where, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                holder = _told(os.pread(self._file, _LONGEST, 0))
                os.close(self._file)
                if not isinstance(error, BlockingIOError):
                    raise
                raise ConfigurationError(
                    f"{path} is in use by {holder}. "
                    "Wait until that has ended, or name another file."
                ) from None
            if self._is_there():
                break
            os.close(self._file)  # whoever had it has taken the file away in between
        self._sign()

    def release(self) -> None:
        """Let others have it, and leave no file. May be repeated."""
        if self._file < 0:
            return
        with suppress(FileNotFoundError):
            self._where.unlink()
        fcntl.flock(self._file, fcntl.LOCK_UN)  # a forked child has the descriptor, too
        os.close(self._file)
        self._file = -1

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._file), self._where.stat())
        except FileNotFoundError:
            return False

    def _sign(self) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": now}
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, json.dumps(holder).encode(), 0)


def _told(text: bytes) -> str:
    try:
        holder = json.loads(text)
        return f"process {holder['pid']} on {holder['host']}, since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"  # which hasn't signed yet
