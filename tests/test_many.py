"""extractify.many: rows in, rows out, whatever happens to any of them."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import subprocess
import sys
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, field_validator

from extractify import Task
from extractify.conversation import Setting
from extractify.errors import ConfigurationError
from extractify.keys import Identity
from extractify.leases import Lease
from extractify.many import COLUMNS, RESULT, Many
from extractify.pace import Pace
from extractify.rows import LARGEST
from extractify.testing import Answer, ScriptedEndpoint, Seen, anything, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from extractify import Endpoint


class Receipt(BaseModel):
    total: int
    shop: str | None = None


class Explosive(BaseModel):
    total: int

    @field_validator("total")
    @classmethod
    def exploding(cls, total: int) -> int:
        if total == 2:
            raise LookupError("a bug in the validator")
        return total


def reading(seen: Seen) -> object:
    """Answer with the number in the document, if there is one."""
    found = re.search(r"Total (\d+)", json.dumps(seen.asked["messages"]))
    return {"total": int(found[1])} if found else "There is no total in it."


def texts(*texts: object) -> list[dict[str, object]]:
    return [{"text": text} for text in texts]


def done(
    rows: Iterable[Mapping[str, object]],
    script: Callable[[Seen], object] = reading,
    target: Any = Receipt,
    **options: Any,
) -> list[dict[str, Any]]:
    return asked(rows, ScriptedEndpoint(script, contract=anything), target, **options)


def asked(
    rows: Iterable[Mapping[str, object]], endpoint: Endpoint, target: Any, **options: Any
) -> list[dict[str, Any]]:
    async def main() -> list[dict[str, Any]]:
        async with Many(target, endpoint, **options) as many:
            return await many.extract_many(rows)

    return asyncio.run(main())


def error(row: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(row["_error"])
    return told


def test_each_row_comes_back_in_its_place_with_its_result_and_what_it_took() -> None:
    rows = done({"id": number, "text": f"Total {number}"} for number in range(3))
    assert [row["id"] for row in rows] == [0, 1, 2]
    assert [row[RESULT] for row in rows] == [{"total": n, "shop": None} for n in range(3)]
    assert list(rows[0]) == ["id", "text", RESULT, *COLUMNS]
    first = rows[0]
    assert (first["_status"], first["_error"], first["_attempts"]) == ("ok", "", 1)
    assert (first["_tokens_in"], first["_tokens_out"]) == (120, 40)


def test_the_column_of_the_documents_is_named() -> None:
    (row,) = done([{"body": "Total 4", "text": "Total 5"}], text="body")
    assert row[RESULT]["total"] == 4


def test_the_key_is_that_of_a_run_on_one_machine() -> None:
    endpoint = ScriptedEndpoint(reading, contract=anything)
    first, second = asked(texts("Total 1", "Total 2"), endpoint, Receipt)
    where = Setting(endpoint.model, endpoint.capabilities, {}, name=endpoint.name)
    identity = Identity.of(Task(Receipt), where)
    assert first["_key"] == identity.key("Total 1").hex()
    assert second["_key"] == identity.key("Total 2").hex()


def test_an_answer_that_is_mended_counts_its_attempts_and_all_their_tokens() -> None:
    wrong = iter(["nothing"])
    (row,) = done(texts("Total 7"), lambda seen: next(wrong, None) or reading(seen))
    assert (row["_status"], row["_attempts"], row["_tokens_in"]) == ("ok", 2, 240)


def test_what_is_never_valid_is_a_row_with_its_problems() -> None:
    bad, good = done(texts("Nothing here", "Total 8"))
    assert (bad["_status"], bad[RESULT], good["_status"]) == ("invalid", None, "ok")
    assert error(bad)["type"] == "ExtractionError"
    assert error(bad)["problems"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "'text' is missing"),
        (17, "a int, not a text"),
        (b"Total \xff", "isn't UTF-8"),
        (float("nan"), "'text' is missing"),
        ("", "is empty"),
        (" \n", "is empty"),
        ("Total \udc00", "lone surrogate"),
        ("Total \0 3", "NUL"),
        ("Total 3" + " " * LARGEST, "4,000,000 are the most"),
    ],
)
def test_a_text_that_cannot_be_read_is_a_row_and_costs_nothing(text: object, said: str) -> None:
    endpoint = ScriptedEndpoint(reading, contract=anything)
    bad, good = asked(texts(text, "Total 9"), endpoint, Receipt)
    assert (bad["_status"], bad["_attempts"], good["_status"]) == ("invalid", 0, "ok")
    assert error(bad)["type"] == "DocumentError"
    assert said in error(bad)["message"]
    assert len(endpoint.requests) == 1


def test_a_row_without_the_column_is_a_row_too() -> None:
    bad, good = done([{"id": 1}, {"id": 2, "text": "Total 2"}])
    assert (bad["_status"], bad["_key"], good["_status"]) == ("invalid", "", "ok")


def test_an_endpoint_that_fails_gives_rows_that_say_so() -> None:
    def answer(seen: Seen) -> object:
        return Answer("", 500) if "poison" in json.dumps(seen.body) else reading(seen)

    rows = done(texts("Total 1", "Total 2 poison", "Total 3"), answer, pace=Pace(tries=1))
    assert [row["_status"] for row in rows] == ["ok", "failed", "ok"]
    assert (error(rows[1])["type"], error(rows[1])["status"]) == ("Overloaded", 500)


def test_a_key_that_is_wrong_is_not_tried_for_each_row() -> None:
    endpoint = ScriptedEndpoint(lambda _: Answer({"error": "no"}, 401), contract=anything)
    rows = asked(texts(*(f"Total {n}" for n in range(50))), endpoint, Receipt, pace=Pace(2))
    assert {row["_status"] for row in rows} == {"failed"}
    assert len(endpoint.requests) < 10
    assert error(rows[-1])["message"].startswith("It wasn't asked: ")


def test_an_error_that_is_not_ours_says_where_it_came_from_and_not_what_was_in_it() -> None:
    class Broken(ScriptedEndpoint):
        def exchange(self, *request: Any) -> Any:
            if b"Total 2" in request[2]:
                raise LookupError("Total 2")
            return super().exchange(*request)

    endpoint = Broken(reading, contract=anything)
    rows = asked(texts("Total 1", "Total 2", "Total 3"), endpoint, Receipt)
    assert [row["_status"] for row in rows] == ["ok", "failed", "ok"]
    assert re.search(
        r"^An unexpected LookupError in \w+\.py, line \d+\.$", error(rows[1])["message"]
    )


def test_a_validator_that_crashes_is_a_row() -> None:
    rows = done(texts("Total 1", "Total 2", "Total 3"), target=Explosive)
    assert [row["_status"] for row in rows] == ["ok", "invalid", "ok"]


def test_no_more_requests_are_out_than_the_pace_allows() -> None:
    out: list[int] = []

    class Slow(ScriptedEndpoint):
        def exchange(self, *request: Any) -> Any:
            status, headers, parts = super().exchange(*request)
            out.append(1)
            return status, headers, self.later(parts)

        def later(self, parts: Any) -> Any:
            yield 0.01
            most.append(len(out))
            out.pop()
            yield from parts

    most: list[int] = []
    asked(
        texts(*(f"Total {n}" for n in range(20))),
        Slow(reading, contract=anything),
        Receipt,
        pace=Pace(3),
    )
    assert max(most) == 3


def test_two_batches_at_once_share_the_places_and_keep_their_rows_apart() -> None:
    async def main() -> list[list[dict[str, Any]]]:
        async with Many(Receipt, ScriptedEndpoint(reading, contract=anything)) as many:
            batches = [texts(*(f"Total {n}" for n in range(k, k + 9))) for k in (0, 100)]
            return list(await asyncio.gather(*map(many.extract_many, batches)))

    low, high = asyncio.run(main())
    assert [row[RESULT]["total"] for row in low] == list(range(9))
    assert [row[RESULT]["total"] for row in high] == list(range(100, 109))


def test_to_cancel_it_is_no_row() -> None:
    async def main() -> None:
        endpoint = ScriptedEndpoint(lambda _: Answer("", delay=60), contract=anything)
        async with Many(Receipt, endpoint) as many:
            task = asyncio.ensure_future(many.extract_many(texts("Total 1", "Total 2")))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())


IN_AN_ENGINE = """
import asyncio, gc, sys, threading
from extractify.endpoints import Endpoint
from extractify.many import Many

loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()
target = {"type": "object", "properties": {"total": {"type": "integer"}}}
many = Many(target, Endpoint(sys.argv[1], "m"))
asking = asyncio.run_coroutine_threadsafe(many.extract_many([{"text": "Total 3"}] * 9), loop)
print({row["_status"] for row in asking.result(30)})
if sys.argv[2] == "dropped":
    del many, asking
    gc.collect()
"""


@pytest.mark.parametrize("how", ["dropped", "left to the end"])
def test_a_step_of_an_engine_which_closes_nothing_ends_without_a_word(how: str) -> None:
    with serve(reading, contract=anything) as server:
        command = [sys.executable, "-c", IN_AN_ENGINE, server.endpoint.url, how]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.stderr) == ("{'ok'}\n", "")


def test_a_step_that_is_dropped_within_its_own_loop_does_not_wait_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("extractify.many._PARTING", 10.0)

    async def main(endpoint: Endpoint) -> float:
        many = Many(Receipt, endpoint)
        await many.extract_many(texts("Total 1"))
        dropped = monotonic()
        del many
        gc.collect()
        return monotonic() - dropped

    with serve(reading, contract=anything) as server:
        assert asyncio.run(main(server.endpoint)) < 10


def test_no_rows_are_no_rows() -> None:
    assert done([]) == []


def test_a_column_of_the_rows_is_not_written_over() -> None:
    with pytest.raises(ConfigurationError, match=r"already: result, _key\. Rename or drop"):
        done([{"text": "Total 1", RESULT: 1}, {"text": "Total 2", "_key": ""}])


def test_a_shared_limit_is_asked_for_permits() -> None:
    class Counting:
        granted = 0

        async def lease(self, requests: int, _tokens: float) -> Lease:
            self.granted += requests
            return Lease(requests)

        async def report(self, seconds: float, known: int | None) -> int:
            raise AssertionError(seconds, known)

    lessor = Counting()
    rows = done(texts(*(f"Total {n}" for n in range(25))), lessor=lessor)
    assert {row["_status"] for row in rows} == {"ok"}
    assert lessor.granted == 30
