"""extractify.leases: permits that several runs borrow from one limit. Time is virtual."""

from __future__ import annotations

import asyncio

import pytest

from extractify.errors import Stopped
from extractify.events import PaceChanged
from extractify.leases import Lease
from extractify.pace import Pace, Regulator
from tests.virtual_time import now, run


class Bank:
    """Grants what it is asked for, after a while; `most` at a time."""

    def __init__(self, most: int = 10, tokens: float = float("inf"), seconds: float = 60) -> None:
        self.most, self.tokens, self.seconds = most, tokens, seconds
        self.asked: list[tuple[int, float]] = []
        self.reported: list[float] = []
        self.overloads = 0

    async def lease(self, requests: int, tokens: float) -> Lease:
        self.asked.append((requests, tokens))
        await asyncio.sleep(1)
        return Lease(min(requests, self.most), self.tokens, self.seconds, self.overloads)

    async def report(self, seconds: float, known: int | None) -> int:
        self.reported.append(seconds)
        self.overloads += known == self.overloads
        return self.overloads


class Broken(Bank):
    async def lease(self, requests: int, tokens: float) -> Lease:
        raise OSError(f"no {requests}, no {tokens}")


def test_permits_are_leased_ten_at_a_time() -> None:
    async def main() -> None:
        bank = Bank()
        gate = Regulator(Pace(64), lessor=bank, clock=now)
        for _ in range(25):
            gate.release(await gate.admit(100))
        assert [requests for requests, _ in bank.asked] == [10, 10, 10]
        assert now() == 3

    run(main)


def test_all_that_wait_are_let_in_by_one_lease() -> None:
    async def main() -> None:
        bank = Bank()
        gate = Regulator(Pace(8), lessor=bank, clock=now)
        await asyncio.gather(*(gate.admit() for _ in range(8)))
        assert len(bank.asked) == 1
        assert now() == 1

    run(main)


def test_one_lease_is_asked_for_at_a_time() -> None:
    async def main() -> None:
        bank = Bank(most=1)
        gate = Regulator(Pace(8), lessor=bank, clock=now)
        first = await gate.admit()
        waiting = asyncio.ensure_future(gate.admit())
        await asyncio.sleep(0)
        gate.release(first)
        await waiting
        assert len(bank.asked) == 2

    run(main)


def test_a_lease_is_void_after_its_time() -> None:
    async def main() -> None:
        bank = Bank(seconds=5)
        gate = Regulator(Pace(8), lessor=bank, clock=now)
        gate.release(await gate.admit())
        await asyncio.sleep(5)
        gate.release(await gate.admit())
        assert len(bank.asked) == 2

    run(main)


def test_tokens_that_were_overspent_are_owed_to_the_next_lease() -> None:
    async def main() -> None:
        bank = Bank(tokens=100)
        gate = Regulator(Pace(8), lessor=bank, clock=now)
        gate.release(await gate.admit(1), tokens=250)
        await gate.admit(1)
        assert len(bank.asked) == 3
        assert now() == 3

    run(main)


def test_an_overload_is_reported_once_for_all_that_were_out_together() -> None:
    async def main() -> None:
        bank = Bank()
        gate = Regulator(Pace(8), lessor=bank, clock=now)
        permits = [await gate.admit() for _ in range(4)]
        for permit in permits:
            gate.release(permit, "overload")
        await asyncio.sleep(0)
        assert len(bank.reported) == 1

    run(main)


def test_an_overload_that_another_run_met_halves_the_concurrency_with_the_next_lease() -> None:
    async def main() -> None:
        bank, told = Bank(), list[object]()
        gate = Regulator(Pace(64), lessor=bank, emit=told.append, clock=now)
        for _ in range(10):
            gate.release(await gate.admit())
        grown, bank.overloads = gate.limit, 1
        gate.release(await gate.admit())
        assert (grown, gate.limit) == (18, 9)
        assert [type(each) for each in told] == [PaceChanged] * len(told)
        assert PaceChanged(9, "another worker found the endpoint overloaded") in told
        for _ in range(40):  # the news is none any more
            gate.release(await gate.admit())
        assert gate.limit >= 12

    run(main)


def test_a_run_that_met_an_overload_itself_is_not_slowed_again_by_its_lease() -> None:
    async def main() -> None:
        bank = Bank()
        gate = Regulator(Pace(64), lessor=bank, clock=now)
        permits = [await gate.admit() for _ in range(8)]
        for permit in permits:
            gate.release(permit, "overload", retry_after=0)
        await asyncio.sleep(0)
        assert bank.overloads == 1
        await asyncio.gather(*(gate.admit() for _ in range(4)))
        assert gate.limit == 4

    run(main)


def test_what_was_met_before_a_run_began_slows_it_not() -> None:
    async def main() -> None:
        bank = Bank()
        bank.overloads = 5
        gate = Regulator(Pace(64), lessor=bank, clock=now)
        gate.release(await gate.admit())
        assert gate.limit == 9

    run(main)


def test_a_lessor_that_was_lost_and_counts_anew_slows_nobody_before_the_next_overload() -> None:
    async def main() -> None:
        bank = Bank()
        bank.overloads = 5
        gate = Regulator(Pace(64), lessor=bank, clock=now)
        for bank.overloads, limit in [(5, 18), (0, 28), (1, 14)]:
            for _ in range(10):
                gate.release(await gate.admit())
            assert gate.limit == limit

    run(main)


def test_a_lessor_that_fails_stops_the_run() -> None:
    async def main() -> None:
        gate = Regulator(Pace(8), lessor=Broken(), clock=now)
        with pytest.raises(Stopped, match="shares out the rate failed: no 10") as raised:
            await gate.admit()
        assert isinstance(raised.value.__cause__, OSError)

    run(main)


def test_who_waits_for_a_lease_may_be_cancelled() -> None:
    async def main() -> None:
        gate = Regulator(Pace(8), lessor=Bank(), clock=now)
        waiting = asyncio.ensure_future(gate.admit())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(2)
        assert (await gate.admit()).number == 1

    run(main)
