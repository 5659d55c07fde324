"""extractify.pace: who is let in, when, and how many at once. Time is virtual."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from extractify.errors import ConfigurationError, Stopped
from extractify.events import PaceChanged
from extractify.pace import Pace, Regulator
from extractify.rates import Allowance, Rate
from tests.virtual_time import now, run

if TYPE_CHECKING:
    from extractify.events import Event
    from extractify.pace import FaredAs, Permit

HOWEVER: tuple[FaredAs, ...] = ("success", "success", "success", "overload", "other")


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
        gone = asyncio.ensure_future(gate.admit())
        await asyncio.sleep(0)
        gone.cancel()
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


def test_requests_a_minute_are_spread_evenly_and_need_no_polling() -> None:
    async def main() -> None:
        gate = regulator(8, requests_per_minute=60)
        moments = []

        async def one() -> None:
            permit = await gate.admit()
            moments.append(now())
            gate.release(permit)

        await asyncio.gather(*(one() for _ in range(30)))
        steps = [after - before for before, after in pairwise(moments)]
        assert min(steps) == pytest.approx(max(steps)) == pytest.approx(1.017, abs=0.001)

    run(main)


def test_a_wait_for_a_longer_time_is_cut_short_by_what_makes_it_shorter() -> None:
    async def main() -> None:
        gate = regulator(8, tokens_per_minute=6000)
        first = await gate.admit(10_000)  # 5,000 tokens by the first guess
        waiting = asyncio.ensure_future(gate.admit(1))
        await asyncio.sleep(5)
        assert not waiting.done()
        gate.release(first, tokens=500)  # nearly all of it is given back
        await asyncio.sleep(1)
        assert waiting.done()
        waiting.result()

    run(main)


def test_tokens_are_charged_by_the_mean_of_what_they_were() -> None:
    async def main() -> None:
        gate = regulator(1, tokens_per_minute=60_000)
        for _ in range(50):
            gate.release(await gate.admit(100), tokens=2000)
        assert 50 * 2 * 0.9 < now() < 50 * 2 * 1.1
        permit = await gate.admit(100)
        assert permit.charged == pytest.approx(2000, rel=0.05)

    run(main)


def test_tokens_that_nobody_counted_stay_charged_and_those_of_failures_do_not() -> None:
    async def main() -> None:
        gate = regulator(8, tokens_per_minute=600)
        gate.release(await gate.admit(200), "other")
        gate.release(await gate.admit(200), "unused")
        assert now() == 0
        gate.release(await gate.admit(200))  # 100 tokens by the first guess
        gate.release(await gate.admit(200))
        assert now() == pytest.approx(10, rel=0.1)

    run(main)


def test_a_limit_that_is_raised_lets_those_in_who_wait() -> None:
    async def main() -> None:
        gate = regulator(8, preset=1)
        gate.release(await gate.admit())
        waiting = asyncio.ensure_future(gate.admit())
        await asyncio.sleep(1)
        gate.heed(Rate(Allowance(6000)))
        await waiting
        assert now() == 1

    run(main)


def test_when_all_who_wait_are_gone_no_timer_stays() -> None:
    async def main() -> None:
        gate = regulator(1, requests_per_minute=1)
        gate.release(await gate.admit())
        waiting = asyncio.ensure_future(gate.admit())
        await asyncio.sleep(1)
        gate.stop("enough")
        with pytest.raises(Stopped):
            await waiting
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1

    run(main)


def test_a_timer_that_somebody_cancels_is_set_again() -> None:
    async def main() -> None:
        gate = regulator(1, requests_per_minute=1)
        gate.release(await gate.admit())
        waiting = asyncio.ensure_future(gate.admit())
        await asyncio.sleep(1)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        gate.release(await gate.admit())

    run(main)


def test_a_rest_may_be_cancelled() -> None:
    async def main() -> None:
        gate = regulator(1)
        resting = asyncio.ensure_future(gate.rest(100))
        await asyncio.sleep(1)
        resting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await resting
        assert len(asyncio.all_tasks()) == 1

    run(main)


def test_each_change_of_the_pace_is_told() -> None:
    async def main() -> None:
        events: list[Event] = []
        gate = regulator(9, emit=events.append)
        gate.release(await gate.admit())
        gate.release(await gate.admit())
        gate.heed(Rate(Allowance(600), Allowance(90_000)))
        gate.heed(Rate(Allowance(600, 5), Allowance(90_000)))
        gate.heed(Rate())
        gate.release(await gate.admit(), "overload")
        assert gate.pause > 0
        assert events == [
            PaceChanged(9, "it goes well"),
            PaceChanged(9, "the endpoint says what it bears"),
            PaceChanged(4, "the endpoint is overloaded"),
        ]

    run(main)


def test_whatever_is_cancelled_and_however_it_fares_no_place_is_lost() -> None:
    async def main() -> None:
        chance = random.Random(7)
        gate = regulator(8, requests_per_minute=6000)

        async def one() -> None:
            permit = await gate.admit()
            fared: FaredAs = chance.choice(HOWEVER)
            try:
                await asyncio.sleep(chance.random())
            except asyncio.CancelledError:
                gate.release(permit, "unused")
                raise
            gate.release(permit, fared)

        tasks = [asyncio.ensure_future(one()) for _ in range(400)]
        for _ in tasks:
            await asyncio.sleep(chance.random() / 10)
            if chance.random() < 0.3:
                chance.choice(tasks).cancel()
        await asyncio.wait(tasks)
        permits = [await gate.admit() for _ in range(gate.limit)]
        extra = asyncio.ensure_future(gate.admit())
        await asyncio.sleep(100)
        assert not extra.done()
        gate.release(permits[0])
        await extra

    run(main)
