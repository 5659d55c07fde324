"""What the journal costs in CPU time, beside bare sqlite3 writing the same rows.

Some thousand documents with an answer of 2 KB each, 64 in flight, kept and finished; as many rows
in two bare tables with the same unique keys, 100 a transaction; in turn, several rounds; medians.
Then what it costs to look a key up, and how large the file is.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import time
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

from extractify.entries import Entry
from extractify.journal import Journal
from extractify.keys import Identity
from extractify.messages import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
IDENTITY = Identity("schema", "asking", "endpoint", "http://host/v1#m")
IN_FLIGHT = 64
RAW = json.dumps({"choices": [{"message": {"content": "x" * 2000}}]})
ENTRY = Entry("ok", json.dumps({"note": "x" * 300}), "", 1, Usage(100, 50, 150), 0.05)
TABLES = """
PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
CREATE TABLE answers (n INTEGER PRIMARY KEY, key BLOB, turn INTEGER, raw TEXT, UNIQUE (key, turn));
CREATE TABLE entries (n INTEGER PRIMARY KEY, key BLOB UNIQUE, status TEXT, value TEXT);
"""


def journalled(path: Path, keys: Sequence[bytes]) -> None:
    async def write(journal: Journal, mine: Sequence[bytes]) -> None:
        for key in mine:
            journal.keep(key, key, 0, RAW)
            await journal.finish(key, key, 1, ENTRY)

    async def run(journal: Journal) -> None:
        await asyncio.gather(*(write(journal, keys[at::IN_FLIGHT]) for at in range(IN_FLIGHT)))

    with Journal.opened(path, IDENTITY) as journal:
        asyncio.run(run(journal))


def bare(path: Path, keys: Sequence[bytes]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript(TABLES)
        for start in range(0, len(keys), 100):
            part = keys[start : start + 100]
            database.execute("BEGIN")
            database.executemany(
                "INSERT INTO answers (key, turn, raw) VALUES (?, 0, ?)",
                [(key, RAW) for key in part],
            )
            database.executemany(
                "INSERT INTO entries (key, status, value) VALUES (?, 'ok', ?)",
                [(key, ENTRY.value) for key in part],
            )
            database.execute("COMMIT")


def looked_up(journal: Journal, keys: Sequence[bytes]) -> None:
    for key in keys:
        journal.entry(key)


def cpu(job: Callable[[T, Sequence[bytes]], None], on: T, keys: Sequence[bytes]) -> float:
    """Microseconds of this process's CPU time for each key."""
    started = time.process_time()
    job(on, keys)
    return (time.process_time() - started) / len(keys) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    keys = [sha256(str(number).encode()).digest() for number in range(options.documents)]
    ours, theirs, found, missed = [], [], [], []
    for _ in range(options.rounds):
        with TemporaryDirectory() as folder:
            path = Path(folder, "journal")
            ours.append(cpu(journalled, path, keys))
            theirs.append(cpu(bare, Path(folder, "bare"), keys))
            size = path.stat().st_size
            with Journal.opened(path, IDENTITY) as journal:
                found.append(cpu(looked_up, journal, keys))
                missed.append(cpu(looked_up, journal, [key[::-1] for key in keys]))
    print(f"kept and finished  {median(ours):6.1f} µs of CPU")
    print(f"bare sqlite3       {median(theirs):6.1f} µs; ratio {median(ours) / median(theirs):.2f}")
    print(f"looked up, found   {median(found):6.1f} µs")
    print(f"looked up, missed  {median(missed):6.1f} µs")
    print(f"the file           {size / len(keys):6.0f} bytes a document")


if __name__ == "__main__":
    main()
