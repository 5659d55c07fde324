"""extractify.journal: what was acknowledged is there, whatever happens to the process."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from extractify.entries import Entry
from extractify.errors import ConfigurationError, JournalError
from extractify.journal import Journal
from extractify.keys import Identity
from extractify.locks import Lock
from extractify.messages import Usage
from extractify.records import Records
from extractify.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from extractify.journal import OnChange

IDENTITY = Identity("schema", "asking", "endpoint", "http://host/v1#m")
OTHER_SCHEMA = replace(IDENTITY, schema="another")
USAGE = Usage(10, 5, 15, cost=0.5)
VALUE = Entry("ok", '{"total":4}', "", 2, USAGE, 0.25)
DEAD = Entry("failed", "", '{"type":"TransportError"}', 1, Usage(), 1.5)
WRITER = """
import asyncio, sys
from hashlib import sha256
from extractify.entries import Entry
from extractify.journal import Journal
from extractify.keys import Identity

async def write(journal, worker):
    for number in range(worker, 100_000, 8):
        key = sha256(str(number).encode()).digest()
        journal.keep(key, key, 0, f'{{"n":{number}}}' + " " * 2000)
        await journal.finish(key, key, number, Entry("ok", str(number)))
        print(number, flush=True)

async def main(path):
    with Journal.opened(path, Identity("schema", "asking", "endpoint")) as journal:
        await asyncio.gather(*(write(journal, worker) for worker in range(8)))

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.sqlite"


def key(text: str, identity: Identity = IDENTITY) -> bytes:
    return identity.key(text)


def digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


def finish(
    journal: Journal, text: str, entry: Entry = VALUE, identity: Identity = IDENTITY
) -> None:
    asyncio.run(journal.finish(key(text, identity), digest(text), 7, entry))


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk that is full, as far as this process can tell."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


# --- what is kept ----------------------------------------------------------------------------


def test_what_is_finished_is_there_in_the_next_session(path: Path) -> None:
    with Journal.opened(path, IDENTITY) as journal:
        assert journal.entry(key("a")) is None
        journal.keep(key("a"), digest("a"), 0, '{"n":1}')
        journal.keep(key("a"), digest("a"), 1, '{"n":2}')
        finish(journal, "a")
        finish(journal, "b", DEAD)
        assert journal.entry(key("a")) == VALUE
    with Journal.opened(str(path), IDENTITY) as journal:
        assert [journal.entry(key(text)) for text in "abc"] == [VALUE, DEAD, None]
        assert journal.answers(key("a")) == ['{"n":1}', '{"n":2}']
        assert journal.spent == Totals(1, 1, USAGE)


def test_a_closed_journal_is_one_plain_file(path: Path) -> None:
    with Journal.opened(path, IDENTITY) as journal:
        finish(journal, "a")
        assert "run.sqlite.lock" in names(path.parent)
    journal.close()
    assert names(path.parent) == ["run.sqlite"]
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("SELECT id, status, cost FROM entries").fetchall() == [
            ("7", "ok", 0.5)
        ]


class Interrupted(Records):
    def close(self) -> None:
        super().close()
        raise KeyboardInterrupt


def test_a_journal_whose_closing_is_interrupted_can_be_opened_again(path: Path) -> None:
    records = Interrupted(path)
    records.begin(IDENTITY)
    journal = Journal(Lock(path), records)
    finish(journal, "a")
    with pytest.raises(KeyboardInterrupt):
        journal.close()
    with Journal.opened(path, IDENTITY) as again:
        assert again.entry(key("a")) is not None


def test_the_answers_of_an_unfinished_document_are_there(path: Path) -> None:
    with Journal.opened(path, IDENTITY) as journal:
        journal.keep(key("a"), digest("a"), 0, "{}")
    with Journal.opened(path, IDENTITY) as journal:
        assert journal.entry(key("a")) is None
        assert journal.answers(key("a")) == ["{}"]
        assert journal.spent == Totals()


def test_an_answer_that_was_no_use_makes_place_for_the_one_that_was_paid_for(path: Path) -> None:
    with Journal.opened(path, IDENTITY) as journal:
        for raw in ("old", "new"):
            journal.keep(key("a"), digest("a"), 0, raw)
    with Journal.opened(path, IDENTITY) as journal:
        assert journal.answers(key("a")) == ["new"]


def test_an_entry_that_is_there_stays_and_is_counted_once(path: Path) -> None:
    with Journal.opened(path, IDENTITY) as journal:
        for entry in (VALUE, replace(VALUE, value="5"), DEAD):
            finish(journal, "a", entry)
        assert journal.entry(key("a")) == VALUE
        assert (journal.spent.done, journal.spent.failed) == (1, 0)


def test_many_at_once_are_kept_as_one_by_one(path: Path) -> None:
    texts = [str(number) for number in range(100)]

    async def write(journal: Journal) -> None:
        for text in texts:
            journal.keep(key(text), digest(text), 0, '"an earlier one"')
            journal.keep(key(text), digest(text), 0, text)
        entries = [DEAD if int(text) % 10 == 0 else VALUE for text in texts]
        both = [*zip(texts, entries, strict=True), *((text, DEAD) for text in texts)]
        finished = (journal.finish(key(text), digest(text), text, entry) for text, entry in both)
        await asyncio.gather(*finished)

    with Journal.opened(path, IDENTITY) as journal:
        asyncio.run(write(journal))
    with Journal.opened(path, IDENTITY) as journal:
        assert [journal.answers(key(text)) for text in texts] == [[text] for text in texts]
        kept = [journal.entry(key(text)) for text in texts]
        assert [entry and entry.ok for entry in kept] == [int(text) % 10 > 0 for text in texts]
        assert (journal.spent.done, journal.spent.failed) == (90, 10)


def test_the_totals_count_what_was_told_over_all_sessions(path: Path) -> None:
    for number in range(3):
        with Journal.opened(path, IDENTITY) as journal:
            assert journal.spent.done == number
            finish(journal, str(number))
    assert journal.spent == Totals(3, 0, Usage(30, 15, 45, cost=1.5))


def test_lone_surrogates_and_numbers_beyond_any_column_are_kept(path: Path) -> None:
    odd = replace(VALUE, value='{"a":"\ud800 \x00 ü"}', usage=Usage(10**30, cost=1e300))
    with Journal.opened(path, IDENTITY) as journal:
        journal.keep(key("a"), digest("a"), 0, '"\udfff"')
        asyncio.run(journal.finish(key("a"), digest("a"), "row \ud800", odd))
        asyncio.run(journal.finish(key("b"), digest("b"), 10**30, odd))
        found = journal.entry(key("a"))
        assert found is not None
        assert found.value == '{"a":"\\ud800 \x00 ü"}'
        assert found.usage == Usage(2**63 - 1, cost=2**63 - 1)
        assert journal.answers(key("a")) == ['"\\udfff"']
        assert journal.spent.done == 2


# --- dead letters ----------------------------------------------------------------------------


def test_dead_letters_that_are_retried_are_asked_afresh(path: Path) -> None:
    with Journal.opened(path, IDENTITY) as journal:
        for times in range(1, 3):
            journal.keep(key("b"), digest("b"), 0, f"{times}")
            finish(journal, "b", DEAD)
            finish(journal, "a")
            assert journal.answers(key("b")) == [f"{times}"]
            assert journal.retry_dead() == 1
            assert journal.answers(key("b")) == []
        assert [journal.entry(key(text)) for text in "ab"] == [VALUE, None]
        assert journal.spent == Totals(1, 0, Usage(20, 10, 30, cost=1.0))
        assert journal.retry_dead() == 0
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("SELECT raw FROM answers").fetchall() == [("1",), ("2",)]


# --- another identity ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": "x"}, r"Changed: the target's schema\. "),
        ({"asking": "x"}, r"Changed: the instructions, examples or parameters\. "),
        (
            {"endpoint": "x", "name": "http://new/v1#m"},
            r"Changed: the endpoint \(was http://host/v1#m, is http://new/v1#m\)\. ",
        ),
        ({"schema": "x", "asking": "x"}, r"schema; the instructions"),
    ],
)
def test_another_identity_is_refused_with_what_changed(
    path: Path, change: dict[str, str], told: str
) -> None:
    with Journal.opened(path, IDENTITY) as journal:
        finish(journal, "a")
    with pytest.raises(ConfigurationError, match=told) as caught:
        Journal.opened(path, replace(IDENTITY, **change))
    assert all(way in str(caught.value) for way in ("go back", "--force", "--new", f"{path}.1"))
    with Journal.opened(path, IDENTITY) as journal:
        assert journal.entry(key("a")) == VALUE
    assert names(path.parent) == ["run.sqlite"]


def test_a_new_journal_is_begun_for_the_same_identity_too(path: Path) -> None:
    with Journal.opened(path, IDENTITY) as journal:
        finish(journal, "a")
    with Journal.opened(path, IDENTITY, on_change="new") as journal:
        assert journal.entry(key("a")) is None
    assert names(path.parent) == ["run.sqlite", "run.sqlite.1"]


def test_a_journal_with_nothing_in_it_takes_any_identity(path: Path) -> None:
    with Journal.opened(path, IDENTITY) as journal:
        finish(journal, "a", DEAD)
        journal.retry_dead()
    choices: list[OnChange] = ["refuse", "new"]
    for on_change in choices:
        with Journal.opened(path, OTHER_SCHEMA, on_change=on_change) as journal:
            assert journal.spent == Totals()
    assert names(path.parent) == ["run.sqlite"]


def test_a_new_file_puts_the_old_one_aside(path: Path) -> None:
    for number in range(4):
        identity = replace(IDENTITY, schema=str(number))
        with Journal.opened(path, identity, on_change="new") as journal:
            assert journal.spent == Totals()
            finish(journal, "a", replace(VALUE, value=str(number)), identity)
    assert names(path.parent) == ["run.sqlite", *(f"run.sqlite.{n}" for n in (1, 2, 3))]
    first = replace(IDENTITY, schema="0")
    with Journal.opened(f"{path}.1", first) as journal:
        assert journal.entry(key("a", first)) == replace(VALUE, value="0")


def test_forced_the_answers_to_the_same_text_are_there_for_another_schema(path: Path) -> None:
    with Journal.opened(path, IDENTITY) as journal:
        for turn in range(2):
            journal.keep(key("a"), digest("a"), turn, f"{turn}")
        finish(journal, "a")
        assert journal.replayable(digest("a")) == []
    with Journal.opened(path, OTHER_SCHEMA, on_change="force") as journal:
        assert journal.entry(key("a", OTHER_SCHEMA)) is None
        assert journal.answers(key("a", OTHER_SCHEMA)) == []
        assert journal.replayable(digest("a")) == ["0", "1"]
        assert journal.replayable(digest("b")) == []
        assert journal.spent == Totals()
        journal.keep(key("a", OTHER_SCHEMA), digest("a"), 0, "later")
        finish(journal, "a", DEAD, OTHER_SCHEMA)
    third = replace(IDENTITY, schema="third")
    with Journal.opened(path, third, on_change="force") as journal:
        assert journal.replayable(digest("a")) == ["later"]
    with Journal.opened(path, IDENTITY, on_change="force") as journal:
        assert journal.entry(key("a")) == VALUE
        assert journal.spent == Totals(1, 0, USAGE)


@pytest.mark.parametrize("change", [{"asking": "x"}, {"endpoint": "x"}])
def test_forced_nothing_is_replayed_of_what_was_asked_otherwise(
    path: Path, change: dict[str, str]
) -> None:
    with Journal.opened(path, IDENTITY) as journal:
        journal.keep(key("a"), digest("a"), 0, "{}")
    other = replace(OTHER_SCHEMA, **change)
    with Journal.opened(path, other, on_change="force") as journal:
        assert journal.replayable(digest("a")) == []


# --- files that are none of ours ---------------------------------------------------------------


def test_another_opener_is_told_who_has_it(path: Path) -> None:
    link = path.parent / "link.sqlite"
    link.symlink_to(path)
    with Journal.opened(path, IDENTITY):
        for name in (path, link):
            with pytest.raises(ConfigurationError, match=rf"in use by process {os.getpid()} on "):
                Journal.opened(name, IDENTITY)
    Journal.opened(link, IDENTITY).close()


def test_a_file_that_is_no_journal_is_left_alone(path: Path) -> None:
    for content in (b"id,text\n" * 200, b"x"):
        path.write_bytes(content)
        with pytest.raises(ConfigurationError, match=r"run\.sqlite is no journal\. Name another"):
            Journal.opened(path, IDENTITY, on_change="new")
        assert path.read_bytes() == content
        assert names(path.parent) == ["run.sqlite"]


def test_a_database_of_somebody_else_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE entries (a)")
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="is no journal"):
        Journal.opened(path, IDENTITY)
    assert path.read_bytes() == before


def test_a_journal_of_a_newer_version_is_left_alone(path: Path) -> None:
    Journal.opened(path, IDENTITY).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 9")
    with pytest.raises(ConfigurationError, match=r"newer extractify \(its version is 9.*Upgrade"):
        Journal.opened(path, IDENTITY)


def test_an_empty_file_becomes_a_journal(path: Path) -> None:
    path.touch()
    with Journal.opened(path, IDENTITY) as journal:
        finish(journal, "a")
    with Journal.opened(path, IDENTITY) as journal:
        assert journal.entry(key("a")) == VALUE


@pytest.mark.parametrize("place", ["nowhere/run.sqlite", "file/run.sqlite", "/sys/run.sqlite"])
def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"can't be opened: .+ Name a file in a directory"):
        Journal.opened(tmp_path / place, IDENTITY)


def test_a_directory_is_no_journal(path: Path) -> None:
    path.mkdir()
    with pytest.raises(JournalError, match=r"unable to open database file\. Name a file"):
        Journal.opened(path, IDENTITY)
    assert names(path.parent) == ["run.sqlite"]


def test_a_damaged_file_is_told_with_what_can_be_saved(path: Path) -> None:
    with Journal.opened(path, IDENTITY) as journal:
        for number in range(40):
            journal.keep(key(str(number)), digest(str(number)), 0, "x" * 2000)
        finish(journal, "a")
    content = path.read_bytes()
    path.write_bytes(content[:8192] + random.Random(1).randbytes(len(content) - 8192))
    with pytest.raises(JournalError, match=r"run\.sqlite failed: .* malformed\. Save what can"):
        Journal.opened(path, IDENTITY)


@pytest.mark.parametrize("table", ["entries", "answers"])
def test_damage_that_is_met_later_is_told_as_well(path: Path, table: str) -> None:
    with Journal.opened(path, IDENTITY) as journal:
        finish(journal, "a")
    with closing(sqlite3.connect(path)) as plain:
        find = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        ((page,),) = plain.execute(find, (table,)).fetchall()
    with path.open("r+b") as file:
        file.seek((page - 1) * 8192)
        file.write(b"\xff" * 8192)
    with Journal.opened(path, IDENTITY) as journal:
        journal.keep(key("b"), digest("b"), 0, "{}")
        with pytest.raises(JournalError, match=r"malformed\. Save what can be saved"):
            finish(journal, "b")


def test_a_journal_that_ends_early_is_damaged(path: Path) -> None:
    Journal.opened(path, IDENTITY).close()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(JournalError, match=r"malformed\. Save what can be saved"):
        Journal.opened(path, IDENTITY)
    assert names(path.parent) == ["run.sqlite"]


# --- disks, kills, loops -----------------------------------------------------------------------


def test_a_full_disk_is_told_to_all_who_wait_and_nothing_committed_is_lost(path: Path) -> None:
    async def fill(journal: Journal) -> list[int]:
        acked: list[int] = []

        async def write(number: int) -> None:
            journal.keep(key(str(number)), digest(str(number)), 0, "x" * 2000)
            await journal.finish(key(str(number)), digest(str(number)), number, VALUE)
            acked.append(number)

        with files_of_at_most(400_000):
            for start in range(0, 1000, 20):
                tasks = [write(number) for number in range(start, start + 20)]
                told = await asyncio.gather(*tasks, return_exceptions=True)
                if any(told):
                    assert {type(error) for error in told} == {JournalError}
                    assert len({id(error) for error in told}) == 20
                    break
        return acked

    with Journal.opened(path, IDENTITY) as journal:
        acked = asyncio.run(fill(journal))
        assert len(acked) in range(20, 1000, 20)
        failed = r"run\.sqlite failed: .* start it again: it goes on with what is kept"
        with pytest.raises(JournalError, match=failed):
            journal.keep(key("a"), digest("a"), 0, "{}")
        with pytest.raises(JournalError, match=failed):
            journal.retry_dead()
        assert journal.spent.done == len(acked)
    with Journal.opened(path, IDENTITY) as journal:
        assert [journal.entry(key(str(number))) for number in acked] == [VALUE] * len(acked)
        assert journal.spent.done == len(acked)
        finish(journal, "a")


def test_dead_letters_that_cannot_be_taken_back_stay(path: Path) -> None:
    with Journal.opened(path, IDENTITY) as journal:
        finish(journal, "a", DEAD)
        with files_of_at_most(4096), pytest.raises(JournalError, match="it goes on with what"):
            journal.retry_dead()
        assert journal.spent.failed == 1
    with Journal.opened(path, IDENTITY) as journal:
        assert journal.entry(key("a")) == DEAD


def test_answers_lost_without_anybody_waiting_are_told_when_it_closes(path: Path) -> None:
    journal = Journal.opened(path, IDENTITY)
    journal.keep(key("a"), digest("a"), 0, "x" * 1_000_000)
    with files_of_at_most(400_000), pytest.raises(JournalError, match="it goes on with what"):
        journal.close()
    journal.close()
    Journal.opened(path, IDENTITY).close()


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 60, 333])
def test_what_was_acknowledged_before_a_kill_is_there(path: Path, after: int) -> None:
    identity = Identity("schema", "asking", "endpoint")
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        acked = [int(process.stdout.readline()) for _ in range(after)]
        with pytest.raises(ConfigurationError, match=f"in use by process {process.pid} on "):
            Journal.opened(path, identity)
        process.kill()
        acked += [int(line) for line in process.stdout if line.endswith("\n")]
    with Journal.opened(path, identity) as journal:
        for number in acked:
            at = sha256(str(number).encode()).digest()
            assert journal.entry(at) == Entry("ok", str(number))
            assert journal.answers(at)[0].startswith(f'{{"n":{number}}}')
        assert len(acked) <= journal.spent.done <= len(acked) + 8
    assert names(path.parent) == ["run.sqlite"]


def test_a_cancelled_document_is_kept(path: Path) -> None:
    async def cancel(journal: Journal) -> None:
        task = asyncio.create_task(journal.finish(key("a"), digest("a"), 1, VALUE))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await journal.finish(key("b"), digest("b"), 2, VALUE)

    with Journal.opened(path, IDENTITY) as journal:
        asyncio.run(cancel(journal))
        assert [journal.entry(key(text)) for text in "ab"] == [VALUE, VALUE]


def test_a_loop_that_ends_before_the_disk_is_ready_does_no_harm(path: Path) -> None:
    async def leave(journal: Journal) -> asyncio.Task[None]:
        task = asyncio.create_task(journal.finish(key("a"), digest("a"), 1, VALUE))
        await asyncio.sleep(0)
        return task

    with Journal.opened(path, IDENTITY) as journal:
        assert asyncio.run(leave(journal)).cancelled()
        finish(journal, "b")
        assert [journal.entry(key(text)) for text in "ab"] == [VALUE, VALUE]


def test_closing_writes_what_is_left_and_tells_who_waits(path: Path) -> None:
    async def close(journal: Journal) -> None:
        tasks = [
            asyncio.create_task(journal.finish(key(text), digest(text), 1, VALUE)) for text in "ab"
        ]
        await asyncio.sleep(0)
        journal.close()
        assert await asyncio.gather(*tasks) == [None, None]
        with pytest.raises(JournalError, match=r"run\.sqlite is closed"):
            await journal.finish(key("c"), digest("c"), 1, VALUE)

    journal = Journal.opened(path, IDENTITY)
    asyncio.run(close(journal))
    with pytest.raises(JournalError, match="closed"):
        journal.entry(key("a"))
    with Journal.opened(path, IDENTITY) as journal:
        assert [journal.entry(key(text)) for text in "abc"] == [VALUE, VALUE, None]


def test_several_event_loops_write_at_once(path: Path) -> None:
    with Journal.opened(path, IDENTITY) as journal, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: finish(journal, str(number)), range(40)))
        assert journal.spent.done == 40
        assert list(pool.map(lambda n: journal.entry(key(str(n))), range(40))) == [VALUE] * 40


def test_no_transaction_is_open_while_nothing_is_written(path: Path) -> None:
    with Journal.opened(path, IDENTITY) as journal:
        finish(journal, "a", DEAD)
        journal.entry(key("a"))
        journal.answers(key("a"))
        journal.retry_dead()
        with closing(sqlite3.connect(path, timeout=0)) as other:
            assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall() == [(0, 0, 0)]


def test_a_journal_says_whether_it_goes_on_from_answers(path: Path) -> None:
    with Journal.opened(path, IDENTITY) as journal:
        assert not journal.goes_on
        journal.keep(key("a"), digest("a"), 0, "{}")
    with Journal.opened(path, IDENTITY) as journal:
        assert journal.goes_on
