"""extractify.journal: what was acknowledged is there, whatever happens to the process."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from extractify.entries import Entry
from extractify.errors import ConfigurationError
from extractify.journal import Journal
from extractify.keys import Identity
from extractify.messages import Usage
from extractify.totals import Totals

if TYPE_CHECKING:
    from pathlib import Path

IDENTITY = Identity("schema", "asking", "endpoint", "http://host/v1#m")
USAGE = Usage(10, 5, 15, cost=0.5)
VALUE = Entry("ok", '{"total":4}', "", 2, USAGE, 0.25)
DEAD = Entry("failed", "", '{"type":"TransportError"}', 1, Usage(), 1.5)


def key(text: str, identity: Identity = IDENTITY) -> bytes:
    return identity.key(text)


def digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


def finish(journal: Journal, text: str, entry: Entry = VALUE) -> None:
    asyncio.run(journal.finish(key(text), digest(text), 7, entry))


def test_what_is_finished_is_there_in_the_next_session(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with Journal.opened(path, IDENTITY) as journal:
        assert journal.entry(key("a")) is None
        journal.keep(key("a"), digest("a"), 0, '{"n":1}')
        finish(journal, "a")
        finish(journal, "b", DEAD)
        assert journal.entry(key("a")) == VALUE
    with Journal.opened(path, IDENTITY) as journal:
        assert [journal.entry(key(text)) for text in "abc"] == [VALUE, DEAD, None]
        assert journal.answers(key("a")) == ['{"n":1}']
        assert journal.spent == Totals(1, 1, USAGE)
    assert [each.name for each in tmp_path.iterdir()] == ["run.sqlite"]


def test_another_opener_is_told_who_has_it(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with (
        Journal.opened(path, IDENTITY),
        pytest.raises(ConfigurationError, match=r"in use by process \d+ on .*, since 20"),
    ):
        Journal.opened(path, IDENTITY)
