"""extractify.engines.lender: a limit that several workers keep together. Time is virtual."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from extractify.engines.lender import TERM, Lender
from extractify.pace import Pace, Regulator
from tests.virtual_time import now, run

if TYPE_CHECKING:
    from extractify.leases import Lease

LATENCY = 0.05


class Counted(Lender):
    """Counts the calls."""

    calls = 0

    async def lease(self, requests: int, tokens: float) -> Lease:
        self.calls += 1
        return await super().lease(requests, tokens)


class Cluster:
    """Workers with a gate each, one lender for all, and an endpoint that answers after 50 ms.

    sent: the worker and the moment of each request.
    """

    def __init__(self, workers: int, preset: float | None = None, **limits: Any) -> None:
        self.lender = Counted(Pace(**limits), preset, clock=now)
        self.sent: list[tuple[int, float]] = []
        self.gates = [Regulator(Pace(32), lessor=self.lender, clock=now) for _ in range(workers)]

    async def ask(self, worker: int, count: int, tokens: int | None = None) -> None:
        gate = self.gates[worker]

        async def one() -> None:
            permit = await gate.admit(100)
            self.sent.append((worker, now()))
            await asyncio.sleep(LATENCY)
            gate.release(permit, tokens=tokens)

        await asyncio.gather(*(one() for _ in range(count)))

    def sent_by(self, worker: int) -> list[float]:
        return [when for who, when in self.sent if who == worker]


def test_all_workers_together_keep_the_requests_per_minute() -> None:
    async def main() -> None:
        cluster = Cluster(4, requests_per_minute=6_000)
        await asyncio.gather(*(cluster.ask(each, 500) for each in range(4)))
        seconds = now()
        assert 0.95 * 100 <= 2_000 / seconds <= 1.06 * 100
        begun = [when for _, when in cluster.sent]
        busiest = max(sum(at <= each < at + 60 for each in begun) for at in begun[::50])
        assert busiest <= 6_000

    run(main)


def test_a_permit_costs_a_tenth_of_a_call_where_there_are_enough() -> None:
    async def main() -> None:
        cluster = Cluster(2)
        await asyncio.gather(cluster.ask(0, 500), cluster.ask(1, 500))
        assert cluster.lender.calls == 100

    run(main)


def test_each_worker_has_its_turn() -> None:
    async def main() -> None:
        cluster = Cluster(4, requests_per_minute=120)
        await asyncio.gather(*(cluster.ask(each, 10) for each in range(4)))
        firsts = [sum(who == each for who, _ in cluster.sent[:20]) for each in range(4)]
        assert sorted(firsts) == [4, 5, 5, 6]  # the first one finds a burst

    run(main)


def test_all_workers_together_keep_the_tokens_per_minute() -> None:
    async def main() -> None:
        cluster = Cluster(2, tokens_per_minute=60_000)
        await asyncio.gather(cluster.ask(0, 300, tokens=100), cluster.ask(1, 300, tokens=100))
        assert 55 <= now() <= 75

    run(main)


def test_what_the_endpoint_is_known_to_bear_is_a_limit_for_all() -> None:
    async def main() -> None:
        cluster = Cluster(2, preset=600)
        await asyncio.gather(cluster.ask(0, 100), cluster.ask(1, 100))
        assert 18 <= now() <= 22

    run(main)


def test_an_overload_that_one_worker_meets_holds_all_of_them() -> None:
    async def main() -> None:
        cluster = Cluster(2)
        await cluster.ask(1, 3)  # has seven permits left
        permit = await cluster.gates[0].admit(100)
        cluster.gates[0].release(permit, "overload", retry_after=20)
        await asyncio.sleep(0)
        begun = now()
        await cluster.ask(1, 50)
        after = [when - begun for when in cluster.sent_by(1)[3:]]
        assert [when < 1 for when in after] == [True] * 7 + [False] * 43
        assert min(after[7:]) >= 20

    run(main)


def test_an_overload_holds_who_waits_already() -> None:
    async def main() -> None:
        lender = Lender(Pace(requests_per_minute=60), clock=now)
        await lender.lease(1, 1)
        waiting = asyncio.ensure_future(lender.lease(1, 1))
        await asyncio.sleep(0.5)
        await lender.report(10, 0)
        await waiting
        assert now() == 10.5

    run(main)


def test_an_overload_that_one_worker_meets_halves_the_concurrency_of_all() -> None:
    async def main() -> None:
        cluster = Cluster(4)
        await asyncio.gather(*(cluster.ask(each, 100) for each in range(4)))
        assert [gate.limit for gate in cluster.gates] == [32] * 4
        permit = await cluster.gates[0].admit(100)
        cluster.gates[0].release(permit, "overload")
        assert [gate.limit for gate in cluster.gates] == [16, 32, 32, 32]
        await asyncio.sleep(TERM)
        for gate in cluster.gates:
            gate.release(await gate.admit(100), "other")
        assert [gate.limit for gate in cluster.gates] == [16] * 4

    run(main)


def test_an_overload_that_all_workers_meet_halves_their_concurrency_once() -> None:
    async def main() -> None:
        cluster = Cluster(4)
        await asyncio.gather(*(cluster.ask(each, 100) for each in range(4)))
        permits = [(gate, await gate.admit(100)) for gate in cluster.gates for _ in range(8)]
        for gate, permit in permits:
            gate.release(permit, "overload", retry_after=1)
        await asyncio.sleep(TERM + 1)
        for gate in cluster.gates:
            gate.release(await gate.admit(100), "other")
        assert [gate.limit for gate in cluster.gates] == [16] * 4

    run(main)


def test_a_lost_worker_costs_its_lease_and_holds_nobody() -> None:
    async def main() -> None:
        cluster = Cluster(2, requests_per_minute=600)
        lost = asyncio.ensure_future(cluster.ask(0, 100))
        await asyncio.sleep(1)
        lost.cancel()  # with permits in hand, and asking for more
        begun, had = now(), len(cluster.sent)
        await cluster.ask(1, 100)
        assert len(cluster.sent) - had == 100
        assert now() - begun <= 100 / 10 + 2

    run(main)


def test_a_lease_is_void_after_its_term() -> None:
    async def main() -> None:
        cluster = Cluster(1)
        await cluster.ask(0, 1)
        await asyncio.sleep(TERM)
        await cluster.ask(0, 1)
        assert cluster.lender.calls == 2

    run(main)
