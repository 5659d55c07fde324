"""What goes wrong in practice: a typed error that carries what was seen and says what next.

No message holds a secret or a word of the document; every one fits on a screen and pickles.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import pytest
from pydantic import BaseModel

from extractify import (
    AsyncClient,
    AuthenticationError,
    Client,
    ConfigurationError,
    ContextTooLong,
    Document,
    DocumentError,
    Endpoint,
    ExtractifyError,
    ExtractionError,
    InvalidResponse,
    Message,
    RateLimited,
    Repair,
    SchemaError,
    Task,
    TransportError,
)
from tests.loopback import KEY, Answer, Close, Loopback, endpoint, environment
from tests.pickling import pickled

if TYPE_CHECKING:
    from collections.abc import Callable

    from extractify.prompts import Source

    Call: TypeAlias = Callable[[Endpoint | str | None, type | Task[Any], Source], None]

E = TypeVar("E", bound=ExtractifyError)

TEXT = "Zyxomma plc owes Quillon 36 florins."
WORDS = ("Zyxomma", "Quillon", "florins", KEY)


class Debt(BaseModel):
    debtor: str
    amount: int


class Opaque:
    """Nothing that pydantic could describe."""


class Undescribed(BaseModel, arbitrary_types_allowed=True):
    debtor: str
    creditor: Opaque


BAD = '{"result": {"debtor": "Zyxomma plc", "amount": "36 florins"}}'


def call_sync(where: Endpoint | str | None, target: type | Task[Any], source: Source) -> None:
    with Client(where, retry=False) as client:
        client.extract(target, source)


def call_async(where: Endpoint | str | None, target: type | Task[Any], source: Source) -> None:
    async def call() -> None:
        async with AsyncClient(where, retry=False) as client:
            await client.extract(target, source)

    asyncio.run(call())


@pytest.fixture(params=[call_sync, call_async], ids=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Call:
    chosen: Call = request.param
    return chosen


def failed(
    call: Call,
    kind: type[E],
    where: Endpoint | str | None,
    target: type | Task[Any] = Debt,
    source: Source = TEXT,
) -> E:
    """The error of a call, checked for what all of them have in common."""
    with pytest.raises(kind) as raised:
        call(where, target, source)
    error = raised.value
    assert type(error) is kind
    assert len(str(error)) <= 800
    for word in WORDS:
        assert word not in str(error)
        assert word not in repr(error)
    assert KEY.encode() not in pickle.dumps(error)
    copy = pickled(error)
    assert type(copy) is kind
    assert (str(copy), copy.attempts, vars(copy)) == (str(error), error.attempts, vars(error))
    return error


def after_a_bad_answer(call: Call, kind: type[E], answer: Answer) -> E:
    """The error of a call whose repair turn meets a fault; the paid answer has to be on it."""
    with Loopback([BAD, answer]) as server:
        error = failed(call, kind, endpoint(server))
        assert len(server.requests) == 2
    assert [attempt.completion.text for attempt in error.attempts] == [BAD]
    assert [problem.pointer for problem in error.attempts[0].problems] == ["/amount"]
    assert error.usage.total_tokens == 160
    return error


@pytest.mark.parametrize("source", ["", " \n\t\u00a0", [], [Message("assistant", TEXT)]])
def test_an_empty_document_costs_no_request(call: Call, source: Source) -> None:
    with Loopback() as server:
        error = failed(call, DocumentError, endpoint(server), source=source)
        assert server.requests == []
    assert "empty" in str(error) or "no user message" in str(error)
    assert error.attempts == ()


def test_an_empty_document_is_refused_where_it_is_made() -> None:
    with pytest.raises(DocumentError, match=r"'a\.txt' is empty"):
        Document("", name="a.txt")


def test_a_document_larger_than_the_context_is_to_be_split(call: Call) -> None:
    body: Answer = (
        400,
        {},
        {
            "error": {
                "code": 400,
                "message": f"the request exceeds the available context size: {TEXT}",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 5000,
                "n_ctx": 4096,
            }
        },
    )
    error = after_a_bad_answer(call, ContextTooLong, body)
    assert "Split it" in str(error)
    assert error.status == 400
    assert TEXT in error.detail


@pytest.mark.parametrize(
    ("target", "named"),
    [
        (Undescribed, "Undescribed.creditor"),
        (Opaque, "Opaque"),
        (Debt(debtor="Zyxomma", amount=36), "Debt"),
        ({"type": "objekt"}, "/type"),
    ],
)
def test_a_target_that_can_not_be_compiled_costs_no_request(
    call: Call, target: type, named: str
) -> None:
    with Loopback() as server:
        error = failed(call, SchemaError, endpoint(server), target)
        assert server.requests == []
    assert named in str(error)


def test_an_unknown_endpoint_is_told_with_those_there_are(call: Call) -> None:
    error = failed(call, ConfigurationError, "cloudfare:minimax/m2.7")
    assert "'cloudfare:minimax/m2.7'" in str(error)
    assert "cloudflare:minimax/m2.7" in str(error)


def test_missing_credentials_are_all_named(call: Call) -> None:
    with environment(CLOUDFLARE_ACCOUNT_ID="", CLOUDFLARE_API_TOKEN="", CLOUDFLARE_AI_BASE_URL=""):
        error = failed(call, ConfigurationError, "cloudflare:minimax/m2.7")
    assert "export CLOUDFLARE_ACCOUNT_ID=… CLOUDFLARE_API_TOKEN=…" in str(error)


def test_no_endpoint_at_all_says_how_to_name_one(call: Call) -> None:
    with environment(EXTRACTIFY_ENDPOINT=""):
        error = failed(call, ConfigurationError, None)
    assert "export EXTRACTIFY_ENDPOINT=cloudflare:minimax/m2.7" in str(error)


def test_a_server_that_is_not_there_is_named(call: Call) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    where = Endpoint(url=f"http://127.0.0.1:{port}/v1", model="m", api_key=KEY)
    error = failed(call, TransportError, where)
    assert f"127.0.0.1:{port}" in str(error)
    assert "Check that the server runs" in str(error)
    assert error.attempts == ()


def test_a_server_that_goes_away_leaves_the_paid_answer(call: Call) -> None:
    error = after_a_bad_answer(call, TransportError, Close())
    assert "broke off" in str(error)


def test_a_401_says_to_check_the_key(call: Call) -> None:
    body: Answer = (401, {"cf-ray": "8f2-AMS"}, {"error": {"message": f"Bad key {KEY}. {TEXT}"}})
    error = after_a_bad_answer(call, AuthenticationError, body)
    assert "Check the API key" in str(error)
    assert "8f2-AMS" in str(error)
    assert error.detail == f"Bad key ***. {TEXT}"


def test_a_429_says_how_long_to_wait(call: Call) -> None:
    body: Answer = (429, {"retry-after": "17"}, {"error": {"message": TEXT, "code": "rate"}})
    error = after_a_bad_answer(call, RateLimited, body)
    assert (error.retry_after, error.status, error.code) == (17, 429, "rate")
    assert "Slow down" in str(error)


def test_a_body_that_is_no_json_is_kept(call: Call) -> None:
    error = after_a_bad_answer(call, InvalidResponse, (200, {}, f"<html>{TEXT} {KEY}</html>"))
    assert "Check the URL" in str(error)
    assert error.detail == f"<html>{TEXT} ***</html>"


def test_an_answer_that_never_validates_gives_up_with_everything(call: Call) -> None:
    with Loopback([BAD] * 4) as server:
        error = failed(call, ExtractionError, endpoint(server), Task(Debt, repair=Repair(stop=4)))
        assert len(server.requests) == 4
    assert len(error.attempts) == 4
    assert [problem.pointer for problem in error.problems] == ["/amount"]
    assert error.partial == {"debtor": "Zyxomma plc", "amount": "36 florins"}
    assert error.usage.total_tokens == 640
    assert "No valid Debt after 4 attempts" in str(error)
    assert "Repair(stop=" in str(error)
