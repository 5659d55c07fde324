"""The tables of a journal: what was answered, and what came of it, in one SQLite file.

An entry is what became of a document, under its key. An answer is a body as it came, kept apart, so
that it can be read again for another schema; one without a key isn't replayed. A run is an identity
that the file was opened with, and what was spent for it.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from extractify.entries import Entry
from extractify.errors import ConfigurationError, JournalError
from extractify.keys import Identity
from extractify.messages import Usage
from extractify.sieve import Sieve
from extractify.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from extractify.rows import RowId

AnswerRow: TypeAlias = "tuple[bytes, bytes, int, str]"
EntryRow: TypeAlias = "tuple[bytes, bytes, RowId, Entry]"

_APPLICATION = 0x65787472
_VERSION = 1
_MAGIC = b"SQLite format 3\0"
_FOREIGN = "{} is no journal. Name another file for it."
_MOST = 2**63 - 1
_TABLES = f"""
PRAGMA page_size = 8192;
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    schema TEXT NOT NULL, asking TEXT NOT NULL, endpoint TEXT NOT NULL, name TEXT NOT NULL,
    opened INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
    prompt_tokens, completion_tokens, total_tokens, cached_tokens, reasoning_tokens, cost,
    UNIQUE (schema, asking, endpoint)
);
CREATE TABLE entries (
    entry INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE, text BLOB NOT NULL, run INTEGER NOT NULL, id TEXT NOT NULL,
    status TEXT NOT NULL, value TEXT NOT NULL, error TEXT NOT NULL,
    attempts INTEGER NOT NULL, seconds REAL,
    prompt_tokens, completion_tokens, total_tokens, cached_tokens, reasoning_tokens, cost
);
CREATE INDEX dead ON entries (run) WHERE status <> 'ok';
CREATE TABLE answers (
    answer INTEGER PRIMARY KEY,
    key BLOB, text BLOB NOT NULL, run INTEGER NOT NULL, turn INTEGER NOT NULL, raw TEXT NOT NULL,
    UNIQUE (key, turn)
);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
COMMIT;
"""
_LAST = """
SELECT schema, asking, endpoint, name FROM runs
WHERE EXISTS (SELECT 1 FROM entries) OR EXISTS (SELECT 1 FROM answers)
ORDER BY opened DESC LIMIT 1
"""
_BEGIN = """
INSERT INTO runs (schema, asking, endpoint, name, opened)
VALUES (?, ?, ?, ?, (SELECT coalesce(max(opened), 0) + 1 FROM runs))
ON CONFLICT DO UPDATE SET opened = excluded.opened
RETURNING run, done, failed,
    prompt_tokens, completion_tokens, total_tokens, cached_tokens, reasoning_tokens, cost
"""
_EARLIER = """
SELECT run FROM runs WHERE schema <> ? AND asking = ? AND endpoint = ? ORDER BY opened DESC
"""
_SPEND = """
UPDATE runs SET done = ?, failed = ?, prompt_tokens = ?, completion_tokens = ?,
    total_tokens = ?, cached_tokens = ?, reasoning_tokens = ?, cost = ?
WHERE run = ?
"""
_ENTRY = """
SELECT status, value, error, attempts, seconds,
    prompt_tokens, completion_tokens, total_tokens, cached_tokens, reasoning_tokens, cost
FROM entries WHERE key = ?
"""
_ADD_ENTRY = """
INSERT INTO entries (key, text, run, id, status, value, error, attempts, seconds,
    prompt_tokens, completion_tokens, total_tokens, cached_tokens, reasoning_tokens, cost)
VALUES {} ON CONFLICT DO NOTHING
"""
_ADD_ANSWER = """
INSERT INTO answers (key, text, turn, raw, run) VALUES {}
ON CONFLICT DO UPDATE SET raw = excluded.raw
"""
_AT_ONCE = 64
"""Rows that one statement inserts, at most."""
_STATEMENTS = 3 * _AT_ONCE
"""How many are kept prepared: one for each table and number of rows, and some more."""
_OF_A_TEXT = "SELECT run, raw FROM answers WHERE text = ? AND key IS NOT NULL ORDER BY turn"
_SET_ASIDE = """
UPDATE answers SET key = NULL
WHERE key IN (SELECT key FROM entries WHERE run = ? AND status <> 'ok')
"""
_ADVICE = {
    "SQLITE_FULL": "Make room on the disk and start it again: it goes on with what is kept.",
    "SQLITE_IOERR": "See to the disk and start it again: it goes on with what is kept.",
    "SQLITE_CORRUPT": "Save what can be saved with sqlite3's .recover, or name another file.",
    "SQLITE_READONLY": "Let it be written, or name another file.",
    "SQLITE_CANTOPEN": "Name a file in a directory that exists and can be written.",
}


class Records:
    """The file, with a connection to read by and another to write by.

    No method leaves a transaction open.

    Raises: ConfigurationError where the file is no journal, or a newer version's. JournalError
    where SQLite fails, from every method.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spent = Totals()
        self._run = 0
        self.goes_on = True
        self._earlier: tuple[int, ...] = ()
        self._reading = threading.Lock()
        self._committed = Sieve()
        _check(path)
        with self._watched(), ExitStack() as opened:
            self._writer = opened.enter_context(closing(_connected(path)))
            self._prepare()
            self._reader = opened.enter_context(closing(_connected(path)))
            _tune(self._reader)
            for (key,) in self._reader.execute("SELECT key FROM entries"):
                self._committed.add(key)
            opened.pop_all()

    def _prepare(self) -> None:
        _tune(self._writer)
        version = _first(self._writer, "PRAGMA user_version")
        if version == 0 and not _first(self._writer, "SELECT count(*) FROM sqlite_master"):
            self._writer.executescript(_TABLES)
        elif _first(self._writer, "PRAGMA application_id") != _APPLICATION:
            raise ConfigurationError(_FOREIGN.format(self.path))
        elif version > _VERSION:
            raise ConfigurationError(
                f"The journal {self.path} was written by a newer extractify (its version is "
                f"{version}, and this one knows {_VERSION}). Upgrade, or name another file."
            )
        self._writer.execute("PRAGMA journal_mode = WAL").fetchall()

    def last(self) -> Identity | None:
        """The identity that it was opened with last; None where nothing was kept for any."""
        with self._watched():
            found = self._writer.execute(_LAST).fetchall()
        return Identity(*found[0]) if found else None

    def begin(self, identity: Identity) -> None:
        """Go on, or begin, with an identity: what is written from now on is of it."""
        told = (identity.schema, identity.asking, identity.endpoint)
        with self._transaction() as writer:
            found = writer.execute(_BEGIN, (*told, identity.name)).fetchall()
            earlier = writer.execute(_EARLIER, told).fetchall()
            had = bool(writer.execute("SELECT 1 FROM answers LIMIT 1").fetchall())
            if earlier:  # the only ones whose answers are looked for by their text
                writer.execute("CREATE INDEX IF NOT EXISTS texts ON answers (text)")
        ((self._run, done, failed, *usage),) = found
        self._earlier = tuple(run for (run,) in earlier)
        self.goes_on = had
        self.spent = Totals(done, failed, Usage(*usage))

    def entry(self, key: bytes) -> Entry | None:
        """What became of a document; None where that isn't committed."""
        if key not in self._committed:
            return None
        for status, value, error, attempts, seconds, *usage in self._read(_ENTRY, key):
            return Entry(status, value, error, attempts, Usage(*usage), seconds)
        return None

    def answers(self, key: bytes) -> list[str]:
        """The bodies kept for a document, oldest first."""
        found = self._read("SELECT raw FROM answers WHERE key = ? ORDER BY turn", key)
        return [raw for (raw,) in found]

    def replayable(self, text: bytes) -> list[str]:
        """The bodies kept for a text by the last run that differs in its schema alone."""
        if not self._earlier:
            return []
        found = self._read(_OF_A_TEXT, text)
        runs = [run for run, _ in found]
        last = next((run for run in self._earlier if run in runs), None)
        return [raw for run, raw in found if run == last]

    def commit(self, answers: Sequence[AnswerRow], entries: Sequence[EntryRow]) -> None:
        """Write them, all or none. An entry that is there stays; an answer is written over."""
        fine = [_values(row, self._run) for row in entries if row[3].ok]
        dead = [_values(row, self._run) for row in entries if not row[3].ok]
        bodies = [(key, text, turn, _plain(raw), self._run) for key, text, turn, raw in answers]
        for key, *_ in entries:  # before they are: one too many costs a query, one too few an entry
            self._committed.add(key)
        with self._transaction() as writer:
            _insert(writer, _ADD_ANSWER, bodies)
            done = _insert(writer, _ADD_ENTRY, fine)
            failed = _insert(writer, _ADD_ENTRY, dead)
            usages = [entry.usage for *_, entry in entries]
            spent = self._count(writer, self.spent.plus(done, failed, usages)) if entries else None
        self.spent = spent or self.spent

    def retry_dead(self) -> int:
        """Take all dead letters back; their answers aren't replayed. How many there were."""
        with self._transaction() as writer:
            writer.execute(_SET_ASIDE, (self._run,))
            gone = writer.execute(
                "DELETE FROM entries WHERE run = ? AND status <> 'ok'", (self._run,)
            ).rowcount
            spent = self._count(writer, self.spent.plus(failed=-gone))
        self.spent = spent
        return gone

    def close(self) -> None:
        """Leave one plain file. Where the disk is full the log stays beside it, with all in it."""
        with self._reading:
            self._reader.close()
        self._writer.close()

    def _read(self, statement: str, key: bytes) -> list[Any]:
        # All of it at once: a statement that is read in part keeps its transaction open.
        try:
            with self._reading:
                return self._reader.execute(statement, (key,)).fetchall()
        except sqlite3.Error as error:
            raise _trouble(self.path, error) from error

    def _count(self, writer: sqlite3.Connection, spent: Totals) -> Totals:
        usage = _numbers(spent.usage)
        writer.execute(_SPEND, (spent.done, spent.failed, *usage, self._run))
        return spent

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._watched():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # some failures have rolled it back already
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _trouble(self.path, error) from error


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        path,
        timeout=30,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS,
    )


def _tune(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -16000")


def _insert(writer: sqlite3.Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert rows; how many of them were new.

    Each statement gives up the interpreter's lock, and waits until a busy event loop gives it back:
    a statement for each row costs both threads more than the rows do.
    """
    new = 0
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        one = f"({', '.join('?' * len(part[0]))})"
        values = [value for row in part for value in row]
        new += writer.execute(statement.format(", ".join([one] * len(part))), values).rowcount
    return new


def _first(connection: sqlite3.Connection, statement: str) -> int:
    ((value,),) = connection.execute(statement).fetchall()
    return int(value)


def _values(row: EntryRow, run: int) -> tuple[Any, ...]:
    key, text, id_, entry = row
    value, error = _plain(entry.value), _plain(entry.error)
    told = (entry.status, value, error, entry.attempts, entry.seconds, *_numbers(entry.usage))
    return (key, text, run, _plain(str(id_)), *told)


def _plain(text: str) -> str:
    """The same JSON, without the lone surrogates that SQLite doesn't take."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def _numbers(usage: Usage) -> list[float | None]:
    """As SQLite takes them: an endpoint may tell any number."""
    told = (
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.total_tokens,
        usage.cached_tokens,
        usage.reasoning_tokens,
        usage.cost,
    )
    return [number if number is None or number <= _MOST else _MOST for number in told]


def _check(path: Path) -> None:
    """SQLite takes a file of a few bytes for an empty one, and writes over it."""
    if path.is_file():
        with path.open("rb") as file:
            begin = file.read(len(_MAGIC))
        if begin not in (b"", _MAGIC):
            raise ConfigurationError(_FOREIGN.format(path))


def _trouble(path: Path, error: sqlite3.Error) -> JournalError:
    name = getattr(error, "sqlite_errorname", "")
    advice = (told for kind, told in _ADVICE.items() if name.startswith(kind))
    what = next(advice, "Name another file where that can't be helped.")
    return JournalError(f"The journal {path} failed: {error}. {what}")
