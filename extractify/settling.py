"""What becomes of one row: a value or a dead letter, asked for once and journalled.

What the journal knows isn't asked again; the answers it kept of an unfinished document are played
back to its conversation; identical documents share one.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from hashlib import sha256
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from extractify.dialects import named
from extractify.documents import Document
from extractify.driving import drive_async
from extractify.entries import dead_letter, entry_of
from extractify.errors import (
    DocumentError,
    ExtractifyError,
    ExtractionError,
    JournalError,
    Stopped,
)
from extractify.plain import compact_json

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from extractify.conversation import Asked
    from extractify.endpoints import Endpoint
    from extractify.entries import Entry
    from extractify.extraction import Extraction
    from extractify.journal import Journal
    from extractify.keys import Identity
    from extractify.messages import Completion
    from extractify.paces import Paces
    from extractify.rows import Row, RowId


class Settling:
    """Settles rows. reused: how many had an outcome already, in the journal or by another row.

    converse: begins the conversation about a document.
    """

    def __init__(
        self,
        converse: Callable[[Document], Generator[Asked, Completion, Extraction[Any]]],
        identity: Identity,
        journal: Journal,
        paces: Paces,
    ) -> None:
        self.reused = 0
        self._converse, self._identity = converse, identity
        self._journal, self._paces = journal, paces
        self._asking: dict[bytes, asyncio.Future[Entry | None]] = {}

    async def entry(self, row: Row) -> Entry | None:
        """What became of a row; None where the run stopped before it was settled.

        Raises: JournalError, and what the user's code raised.
        """
        if row.text is None or row.error is not None:
            return dead_letter(row.error or DocumentError("The row has no text."), 0.0)
        key = self._identity.key(row.text)
        known = self._journal.entry(key)
        if known is not None:
            self.reused += 1
            return known
        same = self._asking.get(key)
        if same is not None:
            shared = await asyncio.shield(same)
            self.reused += shared is not None
            return shared
        future = asyncio.get_running_loop().create_future()
        self._asking[key] = future
        try:
            entry = await self._asked(row.id, row.text, key)
        except asyncio.CancelledError:
            future.cancel()
            raise
        except Exception as error:
            future.set_exception(error)
            future.exception()  # which nobody may wait for
            raise
        else:
            future.set_result(entry)
            return entry
        finally:
            del self._asking[key]

    async def _asked(self, row: RowId, text: str, key: bytes) -> Entry | None:
        digest = sha256(text.encode("utf-8", "surrogatepass")).digest()
        started = monotonic()
        try:
            document = Document(text, str(row))
            extraction = await self._reread(document, digest)
            if extraction is None:
                extraction = await self._exchanged(document, key, digest)
            entry = entry_of(extraction, monotonic() - started)
        except Stopped:
            return None
        except JournalError:
            raise
        except ExtractifyError as error:
            entry = dead_letter(error, monotonic() - started)
        await self._journal.finish(key, digest, str(row), entry)
        return entry

    async def _reread(self, document: Document, digest: bytes) -> Extraction[Any] | None:
        """The value that answers to an earlier form of the task give under this one, if any."""
        bodies = self._journal.replayable(digest)
        if not bodies:
            return None
        kept = iter(bodies)

        async def send(asked: Asked) -> Completion:
            completion = _played(asked, next(kept, ""))
            if completion is None:
                raise _NotKeptError
            return completion

        try:
            with closing(self._converse(document)) as flow:
                extraction = await drive_async(flow, send)
        except (_NotKeptError, ExtractionError):
            return None
        return extraction if extraction.ok else None

    async def _exchanged(self, document: Document, key: bytes, digest: bytes) -> Extraction[Any]:
        kept = iter(self._journal.answers(key) if self._journal.goes_on else ())
        turns = count()

        async def send(asked: Asked) -> Completion:
            nonlocal kept
            turn = next(turns)
            completion = _played(asked, next(kept, ""))
            if completion is None:
                kept = iter(())  # what was kept further on answered other questions
                completion = await self._paces.send(asked)
                self._journal.keep(key, digest, turn, _recorded(asked, completion))
            return completion

        with closing(self._converse(document)) as flow:
            return await drive_async(flow, send)


class _NotKeptError(Exception):
    """The answers that were kept aren't enough."""


def _recorded(asked: Asked, completion: Completion) -> str:
    """An answer as the journal keeps it: who gave it, and its body."""
    endpoint = cast("Endpoint", asked.endpoint)
    return compact_json([endpoint.name, dict(completion.raw)])


def _played(asked: Asked, kept: str) -> Completion | None:
    """The same answer again; None where nothing was kept, or by another endpoint."""
    if not kept:
        return None
    endpoint = cast("Endpoint", asked.endpoint)
    name, raw = json.loads(kept)
    if name != endpoint.name:
        return None
    body = json.dumps(raw, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return named(endpoint.dialect).read(200, {}, body)
