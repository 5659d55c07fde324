"""An endpoint that answers from a script, in this process: no socket, and nothing is patched."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from os import PathLike
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from extractify.endpoints import Endpoint
from extractify.profiles import M2_7
from extractify.testing.answers import Reply, Seen, reply_to
from extractify.testing.contract import Contract, ContractBroken, m2_7
from extractify.testing.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

Script: TypeAlias = "Sequence[object] | Callable[[Seen], object] | Path"
"""Answers in order, a function from a request to its answer, or a file of recorded answers."""
KEY = "sk-scripted-0634f8d2"
"""The API key of scripted endpoints."""
CLOUDFLARE = Endpoint(
    url="http://scripted.invalid/v1",
    model="minimax/m2.7",
    api_key=KEY,
    dialect="workers_ai",
    profile=M2_7,
)
"""What a script stands for unless another endpoint is given."""


class Player:
    """Gives the answers of a script, and keeps what was asked.

    requests: as they came, oldest first. broken: what was raised for any of them. unused: how many
    answers of a list weren't asked for.
    """

    def __init__(self, script: Script, contract: Contract | None) -> None:
        self.requests: list[Seen] = []
        self.broken: list[Exception] = []
        self.unused = 0
        self._contract = contract
        self._answer = self._answering(script)
        self._lock = threading.RLock()

    @classmethod
    def of(cls, script: Script, like: Endpoint | None, contract: Contract | None) -> Player:
        """Check what the endpoint that it stands for would check."""
        return cls(script, contract if contract or like else m2_7)

    def reply(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer a request. Raises: ContractBroken, or what the script's function raises."""
        named = {name.lower(): value for name, value in headers.items()}
        with self._lock:
            try:
                seen = Seen(path, named, _json(body))
                self.requests.append(seen)
                self._check(seen)
                answer = self._answer(seen)
            except Exception as error:
                self.broken.append(error)
                raise
        if isinstance(answer, Fault):
            reply = reply_to(seen, answer.answer)
            return answer.spoil(reply) if answer.spoil else reply
        return reply_to(seen, answer)

    def close(self) -> None:
        """Raise what was raised for the first wrong request, or that answers are left."""
        if self.broken:
            raise self.broken[0]
        if self.unused:
            raise ContractBroken(
                f"{self.unused} of the script's answers weren't asked for. Leave them out, or look "
                "at `requests` for what was."
            )

    def _check(self, seen: Seen) -> None:
        wrong = self._contract(seen.body) if self._contract else None
        if wrong:
            raise ContractBroken(f"Request {len(self.requests)} isn't taken: {wrong}.")

    def _answering(self, script: Script) -> Callable[[Seen], object]:
        if isinstance(script, str):
            raise TypeError("A script is a list of answers: put the text into one.")
        if callable(script) and not isinstance(script, type):
            return script
        if isinstance(script, Sequence) and not isinstance(script, bytes):
            return self._in_order(script)
        if not isinstance(script, PathLike):
            raise TypeError(
                f"A script is a list of answers, also for one: put the {type(script).__name__} "
                "into a list, or pass a function from a request to its answer, or a path."
            )
        from extractify.testing.recording import Recording

        return Recording.load(script).answer

    def _in_order(self, script: Sequence[object]) -> Callable[[Seen], object]:
        left = iter(script)
        self.unused = len(script)

        def following(_seen: Seen) -> object:
            for answer in left:
                self.unused -= 1
                return answer
            count = "1 answer" if len(script) == 1 else f"{len(script)} answers"
            raise ContractBroken(
                f"The script has {count}, and this is request {len(self.requests)}. "
                "Add an answer, or look at `requests` for why it was asked again."
            )

        return following


class ScriptedEndpoint(Endpoint):
    """An Endpoint that answers from a script, for `Client` and `AsyncClient` alike.

    script: answers in order, a function from a request (`Seen`) to its answer, or the path of a
    file of recorded answers. An answer is the value itself (a model, a dict: sent as the JSON that
    the request asks for), a text as the model's words, an `Answer` in full (status, headers, body),
    a row of `FAULTS`, or an exception such as `ConnectionResetError()`.

    like: the endpoint that it stands for, M2.7 on Cloudflare unless given. contract: what each
    request must meet; M2.7's unless `like` is given. A request that doesn't meet it, or one too
    many, raises ContractBroken, an AssertionError, through the client.
    """

    def __init__(
        self,
        script: Script = (),
        *,
        like: Endpoint | None = None,
        contract: Contract | None = None,
    ) -> None:
        described = {each.name: getattr(like or CLOUDFLARE, each.name) for each in fields(Endpoint)}
        super().__init__(**{**described, "url": CLOUDFLARE.url})
        object.__setattr__(self, "_player", Player.of(script, like, contract))

    if TYPE_CHECKING:
        _player: Player

    def close(self) -> None:
        """Say what code under test may have caught: what was wrong, or that answers are left.

        Raises: ContractBroken, or what the script's function raised.
        """
        self._player.close()

    @property
    def requests(self) -> list[Seen]:
        """The requests so far, oldest first."""
        return list(self._player.requests)

    def exchange(
        self, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], Iterable[bytes | float]]:
        """Answer a POST, as the transport asks for it."""
        reply = self._player.reply(path, headers, body)
        return reply.status, reply.headers, reply.arriving()

    # Two scripts are two endpoints, whatever else they have in common.
    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __reduce__(self) -> NoReturn:
        raise TypeError("A ScriptedEndpoint stays in its process. Use serve() across processes.")


def _json(body: bytes) -> object:
    try:
        data: object = json.loads(body)
    except ValueError:
        raise ContractBroken("The request's body isn't JSON.") from None
    return data
