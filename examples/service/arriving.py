"""What a request brings, and whether anyone still waits for its answer."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import HTTPException
from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from fastapi import Request

T = TypeVar("T")


async def document(request: Request, size: int, seconds: float) -> str:
    """The body as text, read no further than the limits allow."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {"text/plain", "application/json"}:
        raise HTTPException(415, "Send the document as text/plain or application/json, in UTF-8.")
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > size:
                    raise HTTPException(413, f"A document has {size} bytes at most.")
        text = body.decode("utf-8-sig")
        if kind == "application/json":
            json.loads(text)
    except TimeoutError:
        raise HTTPException(408, "The document took too long to arrive.") from None
    except (ValueError, RecursionError):
        raise HTTPException(400, f"The body isn't {kind} in UTF-8.") from None
    return text


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do the work while the client waits for it: nobody pays for what nobody reads.

    Raises: ClientDisconnect, when the work has been cancelled.
    """
    doing = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise ClientDisconnect
        return doing.result()
    finally:
        doing.cancel()
        leaving.cancel()
        await asyncio.gather(doing, leaving, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
