"""extractify.pace: who is let in, when, and how many at once. Time is virtual."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from extractify.errors import ConfigurationError, Stopped
from extractify.events import PaceChanged
from extractify.pace import Pace, Regulator
from tests.virtual_time import now, run

if TYPE_CHECKING:
    from extractify.events import Event
    from extractify.pace import Permit


def regulator(concurrency: int = 64, **options: Any) -> Regulator:
    given = {name: options.pop(name) for name in ("preset", "emit") if name in options}
    return Regulator(Pace(concurrency, **options), clock=now, **given)


async def entered(gate: Regulator, count: int) -> list[Permit]:
    return [await gate.admit() for _ in range(count)]


def test_concurrency_begins_small_and_doubles_with_each_round_trip() -> None:
    async def main() -> None:
        gate = regulator(64)
        for limit in (8, 16, 32, 64, 64):
            assert gate.limit == limit
            for permit in await entered(gate, limit):
                gate.release(permit)

    run(main)


def test_the_first_limit_is_never_above_the_most_that_is_allowed() -> None:
    async def main() -> None:
        gate = regulator(2)
        first, _ = await entered(gate, 2)
        third = asyncio.ensure_future(gate.admit())
        await asyncio.sleep(1)
        assert not third.done()
        gate.release(first)
        assert (await third).number == 3

    run(main)


def test_who_waits_is_let_in_by_the_order_of_coming() -> None:
    async def main() -> None:
        gate, order = regulator(1), list[int]()

        async def one(number: int) -> None:
            permit = await gate.admit()
            order.append(number)
            await asyncio.sleep(1)
            gate.release(permit)

        await asyncio.gather(*map(one, range(20)))
        assert order == list(range(20))
        assert now() == 20

    run(main)


def test_an_overload_halves_the_concurrency_once_for_all_that_were_out_together() -> None:
    async def main() -> None:
        events: list[Event] = []
        gate = regulator(8, emit=events.append)
        for permit in await entered(gate, 8):
            gate.release(permit, "overload", retry_after=1.0)
        assert gate.limit == 4
        assert events == [PaceChanged(4, "the endpoint is overloaded")]
        for permit in await entered(gate, 4):
            gate.release(permit, "overload", retry_after=1.0)
        assert gate.limit == 2
        assert now() == pytest.approx(1.0)

    run(main)


def test_a_cancelled_wait_takes_no_place() -> None:
    async def main() -> None:
        gate = regulator(1)
        first = await gate.admit()
        waiting = [asyncio.ensure_future(gate.admit()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        gate.release(first)
        waiting[1].cancel()  # it has been let in, and doesn't know yet
        permit = await waiting[2]
        assert waiting[0].cancelled()
        assert waiting[1].cancelled()
        gate.release(permit)
        await gate.admit()

    run(main)


def test_a_stop_reaches_all_that_wait_and_all_that_come() -> None:
    async def main() -> None:
        gate = regulator(1)
        out = await gate.admit()
        waiting = asyncio.ensure_future(gate.admit())
        resting = asyncio.ensure_future(gate.rest(100))
        await asyncio.sleep(0)
        cause = ValueError("why")
        gate.stop("enough", cause)
        gate.stop("something else")
        for each in (waiting, resting, gate.admit(), gate.rest(1)):
            with pytest.raises(Stopped, match="enough") as raised:
                await each
            assert raised.value.__cause__ is cause
        gate.release(out)
        assert gate.stopped == "enough"
        assert now() == 0

    run(main)


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"tries": 0}, {"requests_per_minute": 0}])
def test_a_pace_at_which_nothing_goes_out_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Pace(**options)
