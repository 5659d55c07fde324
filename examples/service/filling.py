"""The extractions themselves, all through one client, as many at once as the gate lets in."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from extractify import AsyncClient, Endpoint, ExtractifyError

from .gate import Gate
from .statuses import told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .forms import Form


@dataclass(frozen=True)
class Settings:
    """What the service takes, and how long.

    endpoint: None takes EXTRACTIFY_ENDPOINT. running, waiting: extractions at once, and those that
    may wait for one of them to end. size: bytes of a document. upload: seconds for it to arrive.
    seconds: of an extraction, waiting included. interval: seconds between two partials.
    """

    endpoint: Endpoint | str | None = None
    running: int = 8
    waiting: int = 16
    size: int = 100_000
    upload: float = 10.0
    seconds: float = 120.0
    interval: float = 0.1


@dataclass
class Service:
    """What all requests share."""

    settings: Settings
    client: AsyncClient
    gate: Gate
    draining: bool = False

    async def filled(self, form: Form, text: str) -> dict[str, Any]:
        """The whole result at once."""
        async with asyncio.timeout(self.settings.seconds), self.gate.slot:
            result = await self.client.extract(form.task, text)
        # Looking up where each value stands takes the processor, not the network.
        return await asyncio.to_thread(result.to_dict, evidence=True)

    async def filling(self, form: Form, text: str) -> AsyncIterator[bytes]:
        """The form as it fills, as server-sent events. Once they began, an error is one of them."""
        interval = self.settings.interval
        try:
            async with (
                asyncio.timeout(self.settings.seconds),
                self.gate.slot,
                self.client.stream(form.task, text, min_interval=interval) as stream,
            ):
                async for partial in stream:
                    changed = {pointer: partial.state(pointer) for pointer in partial.changed}
                    yield event("partial", {"value": partial.value, "changed": changed})
                result = await stream.result()
            yield event("result", await asyncio.to_thread(result.to_dict, evidence=True))
        except (ExtractifyError, TimeoutError) as error:
            yield event("error", told(error).body)


def event(kind: str, value: object) -> bytes:
    return f"event: {kind}\ndata: {as_json(value)}\n\n".encode()


def as_json(value: object) -> str:
    """On one line, in ASCII; what a wrong answer has for NaN, no browser would read as JSON."""
    return json.dumps(to_jsonable_python(value, inf_nan_mode="null"))
