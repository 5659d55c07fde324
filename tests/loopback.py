"""A scripted server as these tests like it: that of extractify.testing, without its contract."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING, TypeAlias

from extractify import Endpoint
from extractify.profiles import M2_7
from extractify.testing import Answer as Full
from extractify.testing import Seen as Received
from extractify.testing import Server, completion
from extractify.testing.script import CLOUDFLARE, Player

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify.messages import JsonValue
    from extractify.profiles import Profile

__all__ = ["Received", "completion"]

KEY = "sk-test-4f1d7a90"


@dataclass(frozen=True)
class Close:
    """Close the connection; `sent` bytes of a body go out before, none means no answer at all."""

    sent: bytes | None = None


@dataclass(frozen=True)
class Delay:
    """Wait, then answer."""

    seconds: float
    answer: str = "{}"


Answer: TypeAlias = "str | tuple[int, Mapping[str, str], str | bytes | JsonValue] | Close | Delay"
Script: TypeAlias = Sequence[Answer] | Callable[[Received], Answer]
OVER: Answer = (400, {}, {"error": {"message": "The script is over."}})


class Loopback(Server):
    """Answers from a script, in order, or from a function of the request; keeps what it was sent.

    An empty script answers 400, which nothing retries.
    """

    def __init__(self, script: Script = ()) -> None:
        left = iter(()) if callable(script) else chain(script, repeat(OVER))

        def answer(received: Received) -> object:
            return _full(script(received) if callable(script) else next(left))

        super().__init__(Player(answer, None), CLOUDFLARE, 0.0)


def _full(answer: Answer) -> object:
    if isinstance(answer, Close):
        if answer.sent is None:
            return EOFError()
        return Full(answer.sent, headers={"content-length": str(len(answer.sent) + 100)})
    if isinstance(answer, Delay):
        return Full(completion(answer.answer), delay=answer.seconds)
    if isinstance(answer, tuple):
        status, headers, body = answer
        return Full(body, status, headers)
    return answer


def endpoint(
    server: Loopback,
    *,
    api_key: str | None = KEY,
    dialect: str = "workers_ai",
    profile: Profile | str = M2_7,
    extra: Mapping[str, JsonValue] | None = None,
) -> Endpoint:
    """Where the server is, as Cloudflare's M2.7 would be."""
    return Endpoint(
        url=server.url,
        model="minimax/m2.7",
        api_key=api_key,
        dialect=dialect,
        profile=profile,
        extra=extra or {},
    )


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set variables for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
