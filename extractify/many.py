"""Rows in, rows out: what an engine of many machines needs of an extraction, and no more.

A row is a mapping of column names to values; it comes back with the columns of its result. What
fails is a row too, so that one document never ends a job.
"""

from __future__ import annotations

import asyncio
import traceback
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from extractify.client import AsyncClient
from extractify.documents import Document
from extractify.entries import Entry, dead_letter, entry_of
from extractify.errors import ConfigurationError, DocumentError, ExtractifyError, Stopped
from extractify.keys import Identity
from extractify.limits import Limits
from extractify.pace import Pace, Regulator
from extractify.paced import Paced
from extractify.task import Task

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from extractify.conversation import Asked, Setting
    from extractify.endpoints import Endpoint
    from extractify.leases import Lessor
    from extractify.messages import Completion

LONGEST = 4_000_000
"""Characters of a text; a longer one isn't sent."""


RESULT = "result"
"""The column of the value; None where there is none."""
DEFAULT_PACE = Pace()
COLUMNS = ("_status", "_error", "_attempts", "_tokens_in", "_tokens_out", "_cost", "_key")
"""What each row says of its extraction, beside the result.

`_status`: "ok", "invalid" (answers came and none was valid, or the text can't be read) or "failed"
(no answer came). `_error`: JSON text as of `Entry.error`, "" where there is none. `_attempts`: how
many answers were read. `_tokens_in`, `_tokens_out`, `_cost`: None where the endpoint didn't say.
`_key`: the SHA-256 of what was asked, in hex, the same for the same text, task and endpoint.
"""


class Many:
    """Extracts from rows, so many of them at a time. Close it, or use it in an `async with`."""

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
        self._text = text
        self._client = _Client(endpoint, pace, lessor)
        self._identity = Identity.of(self.task, self._client.setting)
        self._places = asyncio.Semaphore(pace.concurrency)

    async def extract_many(self, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The rows in their order, each with its result as plain data and the `COLUMNS`.

        Raises nothing for a row. Raises: ConfigurationError where a column that is to be added is
        there already.
        """
        rows = list(rows)
        check_columns({name for row in rows for name in row})
        texts = [row.get(self._text) for row in rows]
        told = await asyncio.gather(*map(self._told, texts))
        return [{**row, **columns} for row, columns in zip(rows, told, strict=True)]

    async def _told(self, text: object) -> dict[str, Any]:
        async with self._places:
            started = monotonic()
            # What is gathered is returned, whatever it is; only the cancelling of this is raised.
            (made,) = await asyncio.gather(self._extracted(text), return_exceptions=True)
            seconds = monotonic() - started
        if isinstance(made, Entry):
            entry = made
        elif isinstance(made, Exception):
            entry = dead_letter(_known(made), seconds)
        else:
            raise made
        usage = entry.usage
        key = self._identity.key(text).hex() if isinstance(text, str) else ""
        told = (entry.status, entry.error, entry.attempts)
        spent = (usage.prompt_tokens, usage.completion_tokens, usage.cost)
        values = (entry.data, *told, *spent, key)
        return dict(zip((RESULT, *COLUMNS), values, strict=True))

    async def _extracted(self, text: object) -> Entry:
        started = monotonic()
        document = Document(self._readable(text))
        extraction = await self._client.extract(self.task, document)
        return entry_of(extraction, monotonic() - started)

    def _readable(self, text: object) -> str:
        column = self._text
        if not isinstance(text, str):
            raise DocumentError(f"The column {column!r} holds no text, but {type(text).__name__}.")
        if len(text) > LONGEST:
            raise DocumentError(
                f"The text in {column!r} has {len(text)} characters; {LONGEST} are the most. "
                "Split it."
            )
        if "\0" in text:
            raise DocumentError(f"The text in {column!r} has NUL characters: it is binary data.")
        return text

    async def close(self) -> None:
        """Close the connections."""
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


def _known(error: Exception) -> ExtractifyError:
    """The error as one of ours; of another, such as a validator's own, where it came from."""
    if isinstance(error, ExtractifyError):
        return error
    if isinstance(error, Stopped):
        return ExtractifyError(f"It wasn't asked: {error.reason}")
    place = traceback.extract_tb(error.__traceback__)[-1]
    return ExtractifyError(f"{type(error).__name__} in {place.filename}, line {place.lineno}.")
