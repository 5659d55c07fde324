"""Conversations with a real endpoint, kept as plain JSON without their secrets, and replayed.

A file holds the exchanges in order: each request's body, and the status, the telling headers and
the body of its answer. No URL, no account, no key. It does hold the documents that were asked
about: replaying finds an answer by its request.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from extractify.endpoints import LOCAL, Endpoint
from extractify.errors import ConfigurationError
from extractify.in_process import forwarded
from extractify.testing.answers import Answer, Seen
from extractify.testing.contract import ContractBroken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KEPT_HEADERS = frozenset({"content-type"})
"""Of an answer. Others may identify the account, or make a replay wait."""
_HOW = "To record it: pytest --extractify-record"
_SHOWN = 4
_SECRET = re.compile(r"(?i)api[_-]?key|authorization|password|secret|[_-]token$|^token$")
_ACCOUNT = re.compile(r"(?=.*\d)[\w-]{12,}")
"""A part of a URL's path that no two accounts have in common."""


@dataclass(slots=True)
class Recording:
    """The exchanges in a file, in order; each is replayed once."""

    path: Path
    exchanges: list[dict[str, Any]] = field(default_factory=list)
    _played: set[int] = field(default_factory=set, repr=False)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file. Raises: ContractBroken where there is none, or it isn't a recording."""
        try:
            exchanges = json.loads(path.read_text(encoding="utf-8"))["exchanges"]
            for each in exchanges:
                _ = each["request"], each["answer"]["status"], each["answer"]["body"]
        except FileNotFoundError:
            raise ContractBroken(f"There is no recording {path}. {_HOW}") from None
        except (OSError, ValueError, LookupError, TypeError) as error:
            told = f"{path} is no recording ({type(error).__name__}). {_HOW}"
            raise ContractBroken(told) from None
        return cls(path, exchanges)

    def add(self, seen: Seen, answer: Answer, secrets: Iterable[str]) -> None:
        """Keep an exchange, and write the file. secrets: what is replaced wherever it stands."""
        content = answer.content.decode(errors="replace")
        try:
            body: object = json.loads(content)
        except ValueError:
            body = content
        headers = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
        told = {"status": answer.status, "headers": headers, "body": body}
        exchange = _masked({"request": seen.body, "answer": told})
        self.exchanges.append(_without(secrets, exchange))
        text = json.dumps({"exchanges": self.exchanges}, ensure_ascii=False, indent=1)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(text + "\n", encoding="utf-8", errors="replace")

    def answer(self, seen: Seen) -> Answer:
        """The recorded answer to a request; to one made twice, the answers in their order.

        Raises: ContractBroken if it wasn't recorded; it names the nearest request that was.
        """
        body = _masked(seen.body)
        for index, exchange in enumerate(self.exchanges):
            if index not in self._played and exchange["request"] == body:
                self._played.add(index)
                told = exchange["answer"]
                return Answer(told["body"], told["status"], told.get("headers", {}))
        raise ContractBroken(f"{self._unknown(body)} {_HOW}")

    def _unknown(self, body: object) -> str:
        name = self.path.name
        if not self.exchanges:
            return f"{name} is empty."
        apart = [list(_apart(each["request"], body, "$")) for each in self.exchanges]
        nearest = min(range(len(apart)), key=lambda index: len(apart[index]))
        places = apart[nearest]
        if not places:
            return f"{name} has request {nearest + 1} once, and it was made again."
        more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        return (
            f"{name} has no such request. The nearest is its request {nearest + 1}, which differs "
            f"at {', '.join(places[:_SHOWN])}{more}."
        )


class RecordingEndpoint(Endpoint):
    """An Endpoint that asks another, and keeps what is said in a file, without key and account.

    Calls go one after another. timeout: seconds, per read. Raises: ConfigurationError for the
    local model.
    """

    def __init__(self, endpoint: Endpoint, path: Path, *, timeout: float = 300.0) -> None:
        if endpoint.url == LOCAL:
            message = "The local model can't be recorded: the client runs it. Use it as it is."
            raise ConfigurationError(message)
        super().__init__(**{each.name: getattr(endpoint, each.name) for each in fields(Endpoint)})
        object.__setattr__(self, "_recording", Recording(path))
        object.__setattr__(self, "_lock", threading.Lock())
        object.__setattr__(self, "_timeout", timeout)

    if TYPE_CHECKING:
        _recording: Recording
        _lock: threading.Lock
        _timeout: float

    def exchange(
        self, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], Iterable[bytes | float]]:
        """Ask the real endpoint, as the transport asks for it."""
        url = "/".join(self.url.split("/")[:3]) + path
        with self._lock:
            status, fields_of, content = forwarded(url, headers, body, self._timeout)
            seen = Seen(path, {}, json.loads(body))
            self._recording.add(seen, Answer(content, status, fields_of), self._secrets())
        return status, fields_of, (content,)

    def _secrets(self) -> set[str]:
        """The key, and the account as the URL names it."""
        accounts = filter(_ACCOUNT.fullmatch, self.url.split("/")[3:])
        return {self.api_key[:], *accounts} if self.api_key else set(accounts)


def _without(secrets: Iterable[str], exchange: object) -> dict[str, Any]:
    text = json.dumps(exchange, ensure_ascii=False)
    for secret in secrets:
        text = text.replace(json.dumps(secret, ensure_ascii=False)[1:-1], "***")
    clean: dict[str, Any] = json.loads(text)
    return clean


def _masked(data: object) -> object:
    """Plain data without the values of keys that name a credential: vendor parameters may."""
    if isinstance(data, list):
        return [_masked(each) for each in data]
    if not isinstance(data, dict):
        return data
    return {
        key: "***" if isinstance(value, str) and _SECRET.search(key) else _masked(value)
        for key, value in data.items()
    }


def _apart(one: object, other: object, path: str) -> Iterator[str]:
    """The JSON paths at which two values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            yield from _apart(one.get(key), other.get(key), f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from _apart(mine, theirs, f"{path}[{index}]")
    elif one != other:
        yield path


def stand_in(endpoint: Endpoint | str) -> Endpoint:
    """The endpoint as far as requests show it, without credentials: nothing goes there."""
    return Endpoint.parse(endpoint, _Anything()) if isinstance(endpoint, str) else endpoint


class _Anything(Mapping[str, str]):
    """An environment with whatever is asked for in it, also where that is a URL."""

    def __getitem__(self, _name: str) -> str:
        return "http://replayed.invalid"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
