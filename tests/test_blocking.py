"""extractify.blocking: in which loop it waits, and what of the process is put back after it."""

from __future__ import annotations

import asyncio
import gc
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from extractify import blocking as module
from extractify.blocking import blocking

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


async def kind_of_loop() -> str:
    return type(asyncio.get_running_loop()).__module__


@pytest.mark.skipif(find_spec("uvloop") is None, reason="uvloop isn't installed")
def test_the_loop_is_the_quick_one() -> None:
    assert blocking(kind_of_loop).startswith("uvloop")


def test_without_uvloop_it_is_asyncios(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    assert blocking(kind_of_loop).startswith("asyncio")


def test_where_a_loop_runs_it_has_a_thread_of_its_own() -> None:
    async def main() -> str:
        return blocking(kind_of_loop)

    assert asyncio.run(main())


@pytest.mark.parametrize(
    ("before", "meanwhile"),
    [((700, 10, 10), (10_000, 10, 10)), ((0, 10, 10), (0, 10, 10)), ((50_000, 5, 5),) * 2],
)
def test_garbage_is_collected_less_often_meanwhile(
    before: tuple[int, int, int], meanwhile: tuple[int, int, int]
) -> None:
    async def thresholds() -> tuple[int, int, int]:
        return gc.get_threshold()

    async def fails() -> None:
        raise ValueError

    gc.set_threshold(*before)
    assert blocking(thresholds) == meanwhile
    assert gc.get_threshold() == before
    with pytest.raises(ValueError, match=r"^$"):
        blocking(fails)
    assert gc.get_threshold() == before


def test_beside_a_loop_that_runs_the_garbage_collector_is_left_alone() -> None:
    async def thresholds() -> tuple[int, int, int]:
        return gc.get_threshold()

    async def main() -> tuple[int, int, int]:
        return blocking(thresholds)

    gc.set_threshold(500, 5, 5)
    assert asyncio.run(main()) == (500, 5, 5)


def test_a_cancellation_is_an_interruption() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(KeyboardInterrupt):
        blocking(cancelled)
