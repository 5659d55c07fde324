"""extractify.turns: which turn follows an answer."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import BaseModel, Field

from extractify import DocumentError, Endpoint, Message, Problem, Refused, Repair, Task
from extractify.profiles import LLAMA_CPP, M2_7
from extractify.turns import chosen
from tests.playing import DOCUMENT, answer, begun, play

if TYPE_CHECKING:
    from extractify.messages import JsonValue, Strategy


class Debt(BaseModel):
    debtor: str
    amount: int


class Ledger(BaseModel):
    accounts: dict[str, int]


class Batch(BaseModel):
    codes: Annotated[list[str], Field(min_length=6, max_length=8)]


GOOD = '{"debtor": "Zyxomma plc", "amount": 36}'
BAD = '{"debtor": "Zyxomma plc", "amount": "many"}'


@pytest.mark.parametrize(
    ("rest", "cut_off", "room", "patchable", "last", "strategy"),
    [
        (True, True, True, False, "ask", "continue"),
        (True, True, False, True, "patch", "continue"),
        (True, False, False, False, "ask", "continue"),
        (False, True, True, False, "ask", "ask"),
        (False, True, True, False, "continue", "ask"),
        (False, True, False, False, "ask", None),
        (False, True, False, False, "continue", None),
        (False, True, True, False, "patch", "regenerate"),
        (False, True, False, True, "patch", "patch"),
        (False, False, True, True, "ask", "patch"),
        (False, False, True, True, "continue", "patch"),
        (False, False, True, False, "patch", "regenerate"),
        (False, False, False, False, "ask", "regenerate"),
        (False, False, False, False, "regenerate", "regenerate"),
    ],
)
def test_the_strategy_is_the_least_that_may_mend_the_answer(
    *, rest: bool, cut_off: bool, room: bool, patchable: bool, last: Strategy, strategy: Strategy
) -> None:
    found = chosen(rest=rest, cut_off=cut_off, room=room, patchable=patchable, last=last)
    assert found == strategy


def hooked(*advice: object) -> tuple[Repair, list[tuple[Problem, ...]]]:
    """A budget whose hook gives these pieces of advice, and what it was told."""
    told: list[tuple[Problem, ...]] = []

    def on_problems(problems: tuple[Problem, ...]) -> object:
        told.append(problems)
        return advice[len(told) - 1]

    return Repair(stop=len(advice) + 1, on_problems=on_problems), told


def test_an_instruction_for_the_next_turn_joins_the_system_message() -> None:
    repair, told = hooked("Amounts are in florins.", None)
    played = play(Task(Debt, repair=repair), BAD, BAD, GOOD)
    assert played.extraction is not None
    first, second, third = (request.messages[0].content for request in played.requests)
    assert second == f"{first}\n\nAmounts are in florins."
    assert third == first
    assert [[problem.pointer for problem in problems] for problems in told] == [["/amount"]] * 2


def test_another_endpoint_is_asked_from_then_on() -> None:
    elsewhere = Endpoint(url="http://127.0.0.1:9/v1", model="large", profile=M2_7)
    repair, _ = hooked(elsewhere, None)
    vendors = Message("assistant", BAD, extra={"reasoning_details": [1]})
    flow = begun(Task(Debt, repair=repair))
    assert next(flow).endpoint is None
    second = flow.send(answer(BAD, message=vendors))
    assert second.endpoint is elsewhere
    assert second.request.model == "large"
    assert second.request.max_tokens == M2_7.max_tokens
    assert second.request.messages[-2] == Message("assistant", BAD)
    assert flow.send(answer(BAD)).endpoint is elsewhere
    with pytest.raises(StopIteration) as done:
        flow.send(answer(GOOD))
    assert [each.endpoint for each in done.value.value.attempts] == ["", "another", "another"]


def test_the_hook_may_move_a_truncated_answer_to_where_there_is_room() -> None:
    large = Endpoint(url="http://127.0.0.1:9/v1", model="large", profile=LLAMA_CPP)
    repair, told = hooked(large)
    played = play(Task(Debt, repair=repair), answer("", finish_reason="length"), GOOD, profile=M2_7)
    assert played.extraction is not None
    assert told[0][0].kind == "truncated"


def test_the_hook_is_not_asked_about_a_refusal_or_when_the_budget_is_spent() -> None:
    repair, told = hooked("Please.")
    assert isinstance(play(Task(Debt, repair=repair), answer("", refusal="No.")).failure, Refused)
    assert play(Task(Debt, repair=replace(repair, stop=1)), BAD).failure.budget == "stop"
    assert told == []


def test_a_hook_that_raises_loses_nothing() -> None:
    def on_problems(_problems: tuple[Problem, ...]) -> object:
        raise KeyError(DOCUMENT)

    played = play(Task(Debt, repair=Repair(on_problems=on_problems)), BAD)
    assert "on_problems raised KeyError" in str(played.failure)
    assert len(played.failure.attempts) == 1
    assert played.failure.partial == json.loads(BAD)
    assert DOCUMENT not in str(played.failure)


def test_an_instruction_that_cannot_travel_is_refused() -> None:
    repair, _ = hooked("\ud800")
    flow = begun(Task(Debt, repair=repair))
    next(flow)
    with pytest.raises(DocumentError, match="on_problems") as raised:
        flow.send(answer(BAD))
    assert len(raised.value.attempts) == 1


ACCOUNTS = {f"account {number}": number for number in range(9)}


def test_a_value_in_another_notation_is_mended_without_the_document() -> None:
    wrong = {"accounts": {**ACCOUNTS, "account 3": "3 florins"}}
    patch = json.dumps({"patch": {"/accounts/account 3": 3}})
    played = play(Task(Ledger, instructions="No decimals."), json.dumps(wrong), patch)
    assert played.extraction is not None
    assert played.extraction.value.accounts == ACCOUNTS
    system, correction = played.requests[1].messages
    assert "No decimals." in system.content
    assert "/accounts/account 3: expected a valid integer" in correction.content
    assert 'got "3 florins"' in correction.content
    assert all(DOCUMENT not in message.content for message in played.requests[1].messages)


@pytest.mark.parametrize("given", ["a few", None, "3,14", "12 %", 3.5, "3 " + "florins " * 20])
def test_a_value_that_may_be_another_is_asked_for_with_the_document(given: JsonValue) -> None:
    wrong = {"accounts": {**ACCOUNTS, "account 3": given}}
    patch = json.dumps({"patch": {"/accounts/account 3": 3}})
    played = play(Task(Ledger), json.dumps(wrong), patch)
    assert any(DOCUMENT in message.content for message in played.requests[1].messages)


def test_malformed_json_is_written_again_without_the_document_once() -> None:
    malformed = '{"debtor": "Zyxomma plc" "amount" 36 : }'
    played = play(Task(Debt), malformed, malformed, GOOD)
    assert played.extraction is not None
    _, rewrite = played.requests[1].messages
    assert malformed in rewrite.content
    assert DOCUMENT not in rewrite.content
    assert DOCUMENT in played.requests[2].messages[1].content


def test_an_answer_of_words_is_asked_for_with_the_document() -> None:
    played = play(Task(Debt), "The company owes some money.", GOOD)
    assert DOCUMENT in played.requests[1].messages[1].content


@pytest.mark.parametrize(
    ("codes", "pointer", "change", "mended"),
    [
        ([f"code number {n}" for n in range(5)], "/codes/-", ["six"], 6),
        ([f"code number {n}" for n in range(10)], "/codes/remove", [0, 9], 8),
    ],
)
def test_a_list_of_another_length_is_mended_by_its_items(
    codes: list[str], pointer: str, change: list[object], mended: int
) -> None:
    patch = json.dumps({"patch": {pointer: change}})
    played = play(Task(Batch), json.dumps({"codes": codes}), patch)
    assert played.extraction is not None
    assert len(played.extraction.value.codes) == mended
    kinds = {fix.kind for fix in played.extraction.fixes}
    assert kinds == ({"added"} if pointer.endswith("-") else {"removed"})


@pytest.mark.parametrize("change", [[99], [True], ["0"], 0, {"0": 1}])
def test_positions_that_are_none_of_the_list_are_refused(change: object) -> None:
    codes = json.dumps({"codes": [f"code number {n}" for n in range(10)]})
    patch = json.dumps({"patch": {"/codes/remove": change}})
    played = play(Task(Batch), codes, patch, json.dumps({"codes": ["x"] * 6}))
    assert played.extraction is not None
    assert [each.strategy for each in played.extraction.attempts][1:] == ["patch", "regenerate"]
