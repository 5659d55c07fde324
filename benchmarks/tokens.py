"""Counting tokens with the embedded model's own tokenizer, or bytes where there is no engine."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import httpx

from extractify.errors import ExtractifyError
from extractify.local import LocalModel, LocalServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def counting() -> Iterator[tuple[str, Callable[[str], int]]]:
    """What is counted, "tokens" or "bytes", and how."""
    try:
        server = LocalServer(LocalModel.find("smollm2"))
    except ExtractifyError:
        yield "bytes", lambda text: len(text.encode())
        return
    with server, httpx.Client(timeout=60) as http:
        address = server.url.removesuffix("/v1") + "/tokenize"

        @cache
        def count(text: str) -> int:
            reply = http.post(address, json={"content": text}).raise_for_status()
            return len(reply.json()["tokens"])

        yield "tokens", count
