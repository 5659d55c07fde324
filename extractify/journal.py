"""What a bulk run has done, kept on disk, so that one that was killed goes on where it was."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from extractify.errors import ConfigurationError
from extractify.locks import Lock
from extractify.records import Records
from extractify.writing import Writer

if TYPE_CHECKING:
    from typing import Self

    from extractify.entries import Entry
    from extractify.keys import Identity
    from extractify.rows import RowId
    from extractify.totals import Totals

OnChange: TypeAlias = Literal["refuse", "force", "new"]


class Journal:
    """The documents that are done, and the answers that were paid for.

    One process has it at a time. Its methods may be called from any thread and event loop. Leaving
    the context closes it.
    """

    def __init__(self, lock: Lock, records: Records) -> None:
        self._lock = lock
        self._records = records
        self._writer = Writer(records)

    @classmethod
    def opened(
        cls, path: str | Path, identity: Identity, *, on_change: OnChange = "refuse"
    ) -> Journal:
        """Open a journal, or begin one.

        on_change: what to do where it was last opened with another identity, and something is in
        it. "force" goes on in the same file; "new", in any case, renames it to `<path>.1`, or the
        next number that is free, and begins another.

        Raises: ConfigurationError where another process has it open, where the identity is another
        one, and where the file is none of ours or of a newer version. JournalError where SQLite
        can't read or write it.
        """
        place = Path(os.path.realpath(path))
        try:
            lock = Lock(place)
            try:
                return cls(lock, _records(place, identity, on_change))
            except BaseException:
                lock.release()
                raise
        except OSError as error:
            raise ConfigurationError(
                f"The journal {place} can't be opened: {error.strerror}. "
                "Name a file in a directory that exists and can be written."
            ) from error

    @property
    def spent(self) -> Totals:
        """What is committed of this identity, over all sessions."""
        return self._records.spent

    @property
    def goes_on(self) -> bool:
        """Whether there were answers in it when it was opened."""
        return self._records.goes_on

    def entry(self, key: bytes) -> Entry | None:
        """What became of a document; None where that isn't committed. Raises: JournalError."""
        return self._records.entry(key)

    def answers(self, key: bytes) -> list[str]:
        """The bodies kept for a document, oldest first, finished or not. Raises: JournalError."""
        return self._records.answers(key)

    def replayable(self, text_digest: bytes) -> list[str]:
        """The bodies that the same text got for another schema, all else being the same.

        They are there in a journal that was opened with on_change="force". Raises: JournalError.
        """
        return self._records.replayable(text_digest)

    def keep(self, key: bytes, text_digest: bytes, turn: int, raw: str) -> None:
        """Keep an answer, soon. turn: its number; it takes the place of one that has the same.

        Raises: JournalError once the journal has failed, or is closed.
        """
        self._writer.answer((key, text_digest, turn, raw))

    async def finish(self, key: bytes, text_digest: bytes, id_: RowId, entry: Entry) -> None:
        """Keep what became of a document, and its answers before it; return when it is on disk.

        A cancelled call is kept all the same. Where the key has an entry already, that one stays.

        Raises: JournalError where it couldn't be written, and once the journal is closed.
        """
        await self._writer.entry((key, text_digest, id_, entry))

    def retry_dead(self) -> int:
        """Take all dead letters of this identity back; their answers are kept, but not replayed.

        Blocks until that is on disk. Returns how many there were. Raises: JournalError.
        """
        return self._writer.job(self._records.retry_dead)

    def close(self) -> None:
        """Write what is left, tell who waits, and leave one plain file. Blocks; may be repeated.

        Raises: JournalError where answers couldn't be written, and nobody was told so far.
        """
        try:
            self._writer.close()
        finally:
            try:
                self._records.close()
            finally:  # whatever came, such as Ctrl-C: this process may go on, and open it again
                self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _records(path: Path, identity: Identity, on_change: OnChange) -> Records:
    records = Records(path)
    try:
        last = records.last()
        if last is not None and on_change == "new":
            records.close()
            _put_aside(path)
            records = Records(path)
        elif last is not None and on_change != "force":
            _check(path, last, identity)
        records.begin(identity)
    except BaseException:
        records.close()
        raise
    return records


def _check(path: Path, last: Identity, now: Identity) -> None:
    if last == now:
        return
    changes = {
        "the target's schema": last.schema != now.schema,
        "the instructions, examples or parameters": last.asking != now.asking,
        f"the endpoint (was {last.name}, is {now.name})": last.endpoint != now.endpoint,
    }
    told = "; ".join(what for what, is_changed in changes.items() if is_changed)
    raise ConfigurationError(
        f"The journal {path} is of another run. Changed: {told}. Either go back to what it was; or "
        "go on in this file with --force (on_change='force'), which asks anew, but reads the kept "
        "answers again where the schema alone has changed; or begin a new file with --new "
        f"(on_change='new'), which renames this one to {_free(path)}."
    )


def _free(path: Path) -> Path:
    names = (Path(f"{path}.{number}") for number in count(1))
    return next(name for name in names if not name.exists())


def _put_aside(path: Path) -> None:
    free = _free(path)
    for part in ("-wal", ""):  # a log is left only where a full disk kept it from being merged
        with suppress(FileNotFoundError):
            Path(f"{path}{part}").rename(f"{free}{part}")
