"""Drives a conversation: what it asks is sent, and what came back, or failed, is given to it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from extractify.errors import ExtractifyError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from extractify.conversation import Asked
    from extractify.messages import Completion

T = TypeVar("T")


def drive(flow: Generator[Asked, Completion, T], send: Callable[[Asked], Completion]) -> T:
    """Run a conversation to its end. Raises: what it raises."""
    step: Callable[[], Asked] = partial(next, flow)
    try:
        while True:
            asked = step()
            try:
                step = partial(flow.send, send(asked))
            except ExtractifyError as error:
                step = partial(flow.throw, error)
    except StopIteration as done:
        return cast("T", done.value)


async def drive_async(
    flow: Generator[Asked, Completion, T], send: Callable[[Asked], Awaitable[Completion]]
) -> T:
    """Run a conversation to its end, awaiting what is sent. Raises: what it raises."""
    step: Callable[[], Asked] = partial(next, flow)
    try:
        while True:
            asked = step()
            try:
                step = partial(flow.send, await send(asked))
            except ExtractifyError as error:
                step = partial(flow.throw, error)
    except StopIteration as done:
        return cast("T", done.value)
