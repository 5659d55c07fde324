"""Rows in, rows out: what an engine of many machines needs of an extraction, and no more.

A row is a mapping of column names to values; it comes back with the columns of its result. What
fails is a row too, so that one document never ends a job.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import wait
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any, Self
from weakref import finalize

from extractify.client import AsyncClient
from extractify.documents import Document
from extractify.entries import Entry, dead_letter, entry_of, unexpected
from extractify.errors import ConfigurationError, DocumentError, ExtractifyError, Stopped
from extractify.feeds.fields import Fields
from extractify.keys import Identity
from extractify.limits import Limits
from extractify.pace import Pace, Regulator
from extractify.paced import Paced
from extractify.task import Task

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Collection, Iterable, Mapping

    from extractify.conversation import Asked, Setting
    from extractify.endpoints import Endpoint
    from extractify.leases import Lessor
    from extractify.messages import Completion
    from extractify.rows import Row

RESULT = "result"
"""The column of the value; None where there is none."""
DEFAULT_PACE = Pace()
_PARTING = 1.0
"""Seconds in which the connections of a step that was dropped have to close."""
COLUMNS = ("_status", "_error", "_attempts", "_tokens_in", "_tokens_out", "_cost", "_key")
"""What each row says of its extraction, beside the result.

`_status`: "ok", "invalid" (answers came and none was valid, or the text can't be read) or "failed"
(no answer came). `_error`: JSON text as of `Entry.error`, "" where there is none. `_attempts`: how
many answers were read. `_tokens_in`, `_tokens_out`, `_cost`: None where the endpoint didn't say.
`_key`: the SHA-256 of what was asked, in hex, the same for the same text, task and endpoint.
"""


class Many:
    """Extracts from rows, so many of them at a time. Close it, or use it in an `async with`.

    An engine tells no step that it is done with it: one that is dropped while its event loop runs,
    or that is still there when the process ends, closes its connections by itself.
    """

    def __init__(
        self,
        task: Task[Any] | type | Mapping[str, Any],
        endpoint: Endpoint | str | None = None,
        *,
        text: str = "text",
        pace: Pace = DEFAULT_PACE,
        lessor: Lessor | None = None,
    ) -> None:
        """Nothing is opened before the first row.

        task: or its target. endpoint: or its name; None takes EXTRACTIFY_ENDPOINT. text: the
        column of the documents. pace: as many rows are worked on as there may be requests at once.
        lessor: who shares out a limit that others keep as well.
        Raises: SchemaError, ConfigurationError.
        """
        self.task = task if isinstance(task, Task) else Task(task)
        self._text, self._fields = text, Fields(text=text)
        self._client = _Client(endpoint, pace, lessor)
        self._identity = Identity.of(self.task, self._client.setting)
        self._places = asyncio.Semaphore(pace.concurrency)
        self._parting: finalize[..., Many] | None = None

    async def extract_many(self, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The rows in their order, each with its result as plain data and the `COLUMNS`.

        Raises nothing for a row. Raises: ConfigurationError where a column that is to be added is
        there already.
        """
        rows = list(rows)
        check_columns({name for row in rows for name in row})
        if self._parting is None:
            here = asyncio.get_running_loop(), get_ident()
            self._parting = finalize(self, _let_go, self._client, *here)
        texts = [row.get(self._text) for row in rows]
        told = await asyncio.gather(*map(self._told, texts))
        return [{**row, **columns} for row, columns in zip(rows, told, strict=True)]

    async def _told(self, text: object) -> dict[str, Any]:
        row = self._fields.pair(1, None, text, "The row")
        async with self._places:
            started = monotonic()
            # What is gathered is returned, whatever it is; only the cancelling of this is raised.
            (made,) = await asyncio.gather(self._extracted(row), return_exceptions=True)
            seconds = monotonic() - started
        if isinstance(made, Entry):
            entry = made
        elif isinstance(made, Exception):
            entry = dead_letter(_of_ours(made), seconds)
        else:
            raise made
        usage = entry.usage
        key = "" if row.text is None else self._identity.key(row.text).hex()
        told = (entry.status, entry.error, entry.attempts)
        spent = (usage.prompt_tokens, usage.completion_tokens, usage.cost)
        values = (entry.data, *told, *spent, key)
        return dict(zip((RESULT, *COLUMNS), values, strict=True))

    async def _extracted(self, row: Row) -> Entry:
        if row.text is None:
            raise row.error or DocumentError("The row has no text.")
        started = monotonic()
        extraction = await self._client.extract(self.task, Document(row.text))
        return entry_of(extraction, monotonic() - started)

    async def close(self) -> None:
        """Close the connections."""
        if self._parting is not None:
            self._parting.detach()
        await self._client.close()

    async def __aenter__(self) -> Self:
        """Open nothing yet."""
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Close the connections."""
        await self.close()


def check_columns(names: Collection[str]) -> None:
    """Raise ConfigurationError where a column that is to be added is among these."""
    taken = [name for name in (RESULT, *COLUMNS) if name in names]
    if taken:
        raise ConfigurationError(
            f"The rows have columns of these names already: {', '.join(taken)}. Rename or drop "
            "them first."
        )


def _let_go(client: AsyncClient, loop: AbstractEventLoop, thread: int) -> None:
    if not loop.is_running():  # it has ended, and its connections with it
        return
    closing = asyncio.run_coroutine_threadsafe(client.close(), loop)
    if get_ident() != thread:  # the process may end at any moment
        wait([closing], _PARTING)


class _Client(AsyncClient):
    """A client that sends at a pace, and says where its conversations take place."""

    def __init__(self, endpoint: Endpoint | str | None, pace: Pace, lessor: Lessor | None) -> None:
        super().__init__(endpoint, retry=False, limits=Limits(connections=pace.concurrency))
        preset = self.endpoint.requests_per_minute
        regulator = Regulator(pace, preset=preset, emit=self._emit, lessor=lessor)
        self._paced = Paced(super()._send, regulator, self._emit)

    @property
    def setting(self) -> Setting:
        return self._settings[0]

    async def _send(self, asked: Asked) -> Completion:
        return await self._paced.send(asked)


def _of_ours(error: Exception) -> ExtractifyError:
    """The error as one of ours."""
    if isinstance(error, Stopped):
        return ExtractifyError(f"It wasn't asked: {error.reason}")
    return error if isinstance(error, ExtractifyError) else unexpected(error)
