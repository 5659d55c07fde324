"""The paces of a run's endpoints, one each: who is overloaded holds nobody else back."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from extractify.breaker import Breaker, Patience
from extractify.ceiling import Ceiling
from extractify.events import PaceChanged
from extractify.pace import Regulator
from extractify.paced import Paced

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from extractify.conversation import Asked
    from extractify.events import Event, OnEvent
    from extractify.messages import Completion
    from extractify.pace import Pace

    Send = Callable[[Asked], Awaitable[Completion]]

_LONGEST_PAUSE = 1.0
"""Seconds that a request waits for an endpoint while another one stands ready."""


class Paces:
    """Sends the requests of a run. Together no more are out than the pace has as concurrency.

    send: makes one exchange and repeats nothing itself. endpoints: in the order in which they are
    asked; each but the last leads on to the next one, rather than make a request wait for long. One
    that isn't among them is the last of its own. An error that may be its endpoint's is held back
    until that is known; on_hold is told 1 then, and -1 in the end.
    """

    def __init__(
        self,
        send: Send,
        pace: Pace,
        endpoints: Sequence[object],
        emit: OnEvent,
        *,
        proven: bool = False,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """proven: whether requests of this kind succeeded in an earlier session."""
        self.on_hold: Callable[[int], None] = _ignore
        self._proven, self._active, self._held = proven, 0, 0
        self._send, self._pace, self._emit, self._clock = send, pace, emit, clock
        self._endpoints = list(endpoints)
        self._ceiling = Ceiling(pace.concurrency)
        self._patience = Patience(pace.patience)
        self._gates: list[tuple[object, Regulator, Paced]] = []
        self._first, _ = self._to(self._endpoints[0])

    @property
    def limit(self) -> int:
        """Requests at once, at present."""
        limits = sum(regulator.limit for _, regulator, _ in self._gates)
        return min(limits, self._pace.concurrency)

    @property
    def in_flight(self) -> int:
        """Requests that are out."""
        return sum(regulator.in_flight for _, regulator, _ in self._gates)

    @property
    def stopped(self) -> str | None:
        """Why the run was stopped, if it was."""
        return self._first.stopped

    def stop(self, reason: str) -> None:
        """Let nothing out any more. What is out may finish."""
        self._first.stop(reason)

    async def send(self, asked: Asked) -> Completion:
        """Exchange one request, as often as it takes. Raises: as `Paced.send`."""
        _, paced = self._to(asked.endpoint)
        self._active += 1
        try:
            return await paced.send(asked)
        finally:
            self._active -= 1

    @property
    def is_undecided(self) -> bool:
        """Whether there are errors that wait to be told whose fault they are, and nothing else."""
        return self._active == self._held > 0

    def decide(self) -> None:
        """Tell them. The run stops where an endpoint refused all there was."""
        for _, _, paced in self._gates:
            paced.decide()

    def _hold(self, change: int) -> None:
        self._held += change
        self.on_hold(change)

    def _to(self, endpoint: object) -> tuple[Regulator, Paced]:
        for known, regulator, paced in self._gates:
            if known is endpoint or known == endpoint:
                return regulator, paced
        preset = getattr(endpoint, "requests_per_minute", None)
        emit, clock = self._telling(endpoint), self._clock
        regulator = Regulator(self._pace, preset=preset, emit=emit, clock=clock)
        leads_on = endpoint in self._endpoints[:-1] and endpoint != self._endpoints[-1]
        regulator.join(self._ceiling, longest_pause=_LONGEST_PAUSE if leads_on else inf)
        breaker = Breaker(self._patience, proven=self._proven)
        paced = Paced(
            self._send, regulator, self._emit, breaker=breaker, on_hold=self._hold, clock=clock
        )
        self._gates.append((endpoint, regulator, paced))
        return regulator, paced

    def _telling(self, endpoint: object) -> OnEvent:
        name = getattr(endpoint, "name", "")

        def emit(event: Event) -> None:
            if isinstance(event, PaceChanged):
                event = replace(event, endpoint=name)
            self._emit(event)

        return emit


def _ignore(_: int) -> None:
    """What `on_hold` does where there is none."""
