"""extractify.conversation, driven by hand: requests out, answers in, no wire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Self

import pytest
from pydantic import BaseModel, field_validator, model_validator
from tenacity.stop import stop_after_attempt, stop_after_delay

from extractify import (
    Completion,
    Document,
    DocumentError,
    ExtractionError,
    Invalid,
    Message,
    Overloaded,
    Refused,
    Repair,
    Task,
    Truncated,
)
from extractify.conversation import Setting, converse, first_request
from extractify.events import AttemptJudged, Done, Event, RepairAsked, RequestSent
from extractify.messages import Prices
from extractify.profiles import FULL, LLAMA_CPP, M2_7, SMOLLM2
from tests.pickling import pickled
from tests.playing import DOCUMENT, USAGE, answer, begun, moved_to, play

if TYPE_CHECKING:
    from pydantic import ValidationInfo
    from tenacity.stop import stop_base

    from extractify.messages import JsonValue
    from extractify.profiles import Profile
    from extractify.prompts import Source


class Debt(BaseModel):
    debtor: str
    amount: int


class Ledger(BaseModel):
    accounts: dict[str, int]


class Picky(BaseModel):
    debtor: str

    @field_validator("debtor")
    @classmethod
    def _not_plc(cls, value: str) -> str:
        if "plc" in value:
            message = f"{value} is a company"
            raise ValueError(message)
        return value


class Crashing(BaseModel):
    debtor: str

    @field_validator("debtor")
    @classmethod
    def _looked_up(cls, value: str) -> str:
        return {"": ""}[value]


GOOD = '{"debtor": "Zyxomma plc", "amount": 36}'
BAD = '{"debtor": "Zyxomma plc", "amount": "many"}'


def test_a_valid_answer_is_taken_at_once() -> None:
    played = play(Task(Debt), GOOD)
    assert played.extraction is not None
    assert played.extraction.value == Debt(debtor="Zyxomma plc", amount=36)
    assert type(played.extraction.value) is Debt
    (attempt,) = played.extraction.attempts
    assert attempt.request == played.requests[0]
    assert attempt.problems == ()
    assert attempt.seconds >= 0
    assert played.extraction.usage == USAGE


def test_a_repair_turn_names_the_path_and_what_was_received() -> None:
    played = play(Task(Debt), BAD, GOOD)
    turn = played.requests[1].messages[-1]
    assert turn.role == "user"
    assert "/amount" in turn.content
    assert '"many"' in turn.content
    assert played.extraction is not None
    assert len(played.extraction.attempts) == 2
    assert played.extraction.usage.total_tokens == 30


def test_a_repair_turn_replays_the_last_answer_as_it_has_to_be() -> None:
    message = Message("assistant", BAD, extra={"reasoning_content": "36, I think"})
    played = play(Task(Debt), answer(BAD, message=message), GOOD)
    assert played.requests[1].messages[-2] == message


def test_the_history_never_grows() -> None:
    played = play(Task(Debt, repair=Repair(stop=5)), *[BAD] * 4, GOOD)
    assert [len(request.messages) for request in played.requests] == [2, 4, 4, 4, 4]
    assert all(request.messages[:2] == played.requests[0].messages for request in played.requests)


@pytest.mark.parametrize(
    ("stop", "requests"),
    [
        (1, 1),
        (3, 3),
        (stop_after_attempt(2), 2),
        (stop_after_attempt(2) | stop_after_delay(60), 2),
        (stop_after_attempt(9) | stop_after_delay(0), 1),
        (stop_after_attempt(2) & stop_after_delay(0), 2),
    ],
)
def test_the_budget_is_a_number_of_requests_or_a_stop_of_tenacity(
    stop: int | stop_base, requests: int
) -> None:
    played = play(Task(Debt, repair=Repair(stop=stop)), *[BAD] * requests)
    assert len(played.failure.attempts) == requests


def test_giving_up_carries_everything_seen() -> None:
    error = play(Task(Debt, repair=Repair(stop=2)), BAD, BAD).failure
    assert type(error) is ExtractionError
    assert [attempt.completion.text for attempt in error.attempts] == [BAD, BAD]
    assert [problem.pointer for problem in error.problems] == ["/amount"]
    assert error.usage.total_tokens == 30
    assert error.partial == {"debtor": "Zyxomma plc", "amount": "many"}
    copy = pickled(error)
    assert type(copy) is ExtractionError
    assert (str(copy), copy.attempts, copy.partial) == (str(error), error.attempts, error.partial)


def test_the_partial_value_is_the_best_one_seen() -> None:
    worse = '{"debtor": [1], "amount": "many"}'
    error = play(Task(Debt), BAD, worse, "I give up.").failure
    assert error.partial == {"debtor": "Zyxomma plc", "amount": "many"}
    assert [problem.kind for problem in error.problems] == ["no_json"]


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (Debt, BAD),
        (Debt, "Zyxomma plc owes nobody anything"),
        (Picky, '{"debtor": "Zyxomma plc"}'),
        (Ledger, '{"accounts": {"Zyxomma plc": "many"}}'),
        (dict[str, dict[str, int]], '{"Zyxomma": {"plc": "36 florins", "4111": "florins"}}'),
        (list[Debt], json.dumps([{"debtor": "Zyxomma", "amount": "florins"}] * 50)),
        (
            {"type": "object", "additionalProperties": {"enum": [1]}, "title": "Debts"},
            '{"Zyxomma": "36 florins"}',
        ),
    ],
)
def test_the_message_fits_on_a_screen_and_quotes_nothing(target: type, text: str) -> None:
    played = play(Task(target, repair=Repair(stop=2)), text, text)
    message = str(played.failure)
    assert len(message) <= 600
    assert "Repair(stop=" in message
    untimed = [event for event in played.events if not isinstance(event, AttemptJudged)]
    for told in (message, repr(untimed)):
        assert not [word for word in ("Zyxomma", "plc", "florins", "4111") if word in told]


def test_the_message_names_declared_keys_and_positions_and_masks_the_others() -> None:
    class Books(BaseModel):
        ledgers: list[Ledger]

    text = '{"ledgers": [{"accounts": {}}, {"accounts": {"4111": "many"}}]}'
    played = play(Task(Books, repair=Repair(stop=2)), text, text)
    assert "/ledgers/1/accounts/*" in str(played.failure)
    repairs = [event for event in played.events if isinstance(event, RepairAsked)]
    assert repairs == [RepairAsked(2, ("/ledgers/1/accounts/*",), "patch")]
    assert played.failure.problems[0].pointer == "/ledgers/1/accounts/4111"


def test_long_paths_and_kinds_are_clipped_in_the_message() -> None:
    name = "a_key_with_a_very_long_name_" * 10
    schema: dict[str, JsonValue] = {
        "title": name,
        "type": "object",
        "properties": {name + str(n): {"type": "null"} for n in range(9)},
    }
    text = json.dumps({name + str(n): 1 for n in range(9)})
    message = str(play(Task(schema, repair=Repair(stop=1)), text).failure)
    assert len(message) <= 600
    assert "and 5 more" in message


def test_a_refusal_is_not_asked_again() -> None:
    refusal = answer("", refusal="I won't read Zyxomma's mail.")
    error = play(Task(Debt), refusal).failure
    assert isinstance(error, Refused)
    assert error.attempts[-1].completion.refusal == "I won't read Zyxomma's mail."
    assert "Zyxomma" not in str(error)


def test_a_refusal_after_a_bad_answer_keeps_what_was_read() -> None:
    error = play(Task(Debt), BAD, answer("", refusal="No.")).failure
    assert isinstance(error, Refused)
    assert len(error.attempts) == 2
    assert error.partial == {"debtor": "Zyxomma plc", "amount": "many"}


def test_an_answer_cut_off_is_asked_for_with_more_room_up_to_the_ceiling() -> None:
    cut = answer(GOOD[:20], finish_reason="length")
    played = play(Task(Debt, repair=Repair(stop=9)), cut, cut, cut, profile=LLAMA_CPP)
    assert [request.max_tokens for request in played.requests] == [1024, 2048, 4096]
    assert all(request.messages == played.requests[0].messages for request in played.requests)
    assert isinstance(played.failure, Truncated)
    assert "4096 tokens" in str(played.failure)
    assert "max_tokens" in str(played.failure)


def test_the_room_once_given_stays_for_the_repair_turns() -> None:
    cut = answer("", finish_reason="length")
    played = play(Task(Debt), cut, BAD, GOOD, profile=LLAMA_CPP)
    assert [request.max_tokens for request in played.requests] == [1024, 2048, 2048]


def test_more_room_counts_against_the_budget() -> None:
    cut = answer("", finish_reason="length")
    played = play(Task(Debt, repair=Repair(stop=2)), cut, cut, profile=LLAMA_CPP)
    assert isinstance(played.failure, Truncated)


@pytest.mark.parametrize("profile", [FULL, LLAMA_CPP, M2_7])
def test_a_limit_that_the_user_set_is_kept(profile: Profile) -> None:
    cut = answer(GOOD, finish_reason="length")
    played = play(Task(Debt, max_tokens=77), cut, profile=profile)
    assert played.requests[0].max_tokens == 77
    assert isinstance(played.failure, Truncated)
    assert "77 tokens" in str(played.failure)


def test_a_limit_that_nobody_knows_is_not_doubled() -> None:
    error = play(Task(Debt), answer("", finish_reason="length")).failure
    assert isinstance(error, Truncated)
    assert "unknown" in str(error)


def test_an_error_of_the_endpoint_leaves_with_the_attempts_before_it() -> None:
    events: list[Event] = []
    flow = begun(Task(Debt), events=events)
    next(flow)
    flow.send(answer(BAD))
    thrown = Overloaded("The endpoint is out of order.", status=503)
    with pytest.raises(Overloaded) as raised:
        flow.throw(thrown)
    assert raised.value is thrown
    assert [attempt.completion.text for attempt in thrown.attempts] == [BAD]
    assert thrown.usage == USAGE
    assert events[-1] == Done(1, valid=False)


def test_a_validator_that_crashes_does_not_lose_the_answer() -> None:
    error = play(Task(Crashing), '{"debtor": "Zyxomma plc"}').failure
    assert [attempt.completion.text for attempt in error.attempts] == ['{"debtor": "Zyxomma plc"}']
    assert isinstance(error.__cause__, KeyError)
    assert "KeyError" in str(error)
    assert "ValueError" in str(error)
    assert "Zyxomma" not in str(error)


def test_a_conversation_that_is_dropped_says_that_it_is_over() -> None:
    events: list[Event] = []
    flow = begun(Task(Debt), events=events)
    next(flow)
    flow.close()
    assert events == [RequestSent(1), Done(0, valid=False)]


def test_the_events_tell_the_course_of_a_repair() -> None:
    events = play(Task(Debt), BAD, GOOD).events
    judged = [event for event in events if isinstance(event, AttemptJudged)]
    assert [(event.attempt, event.problems) for event in judged] == [(1, 1), (2, 0)]
    assert [event for event in events if event not in judged] == [
        RequestSent(1),
        RepairAsked(2, ("/amount",)),
        RequestSent(2),
        Done(2, valid=True),
    ]
    assert pickled(events) == events


@pytest.mark.parametrize(
    ("wanted", "profile", "sent"),
    [
        (None, FULL, None),
        (None, LLAMA_CPP, 0.0),
        (0.0, M2_7, 0.01),
        (1.7, M2_7, 1.0),
        (1.7, FULL, 1.7),
        (-1.0, FULL, 0.0),
    ],
)
def test_the_temperature_is_one_that_the_endpoint_takes(
    wanted: float | None, profile: Profile, sent: float | None
) -> None:
    request = next(begun(Task(Debt, temperature=wanted), profile=profile)).request
    assert request.temperature == sent


def test_the_parameters_of_the_task_win_over_those_of_the_endpoint() -> None:
    task = Task(Debt, extra={"top_k": 1})
    request = next(begun(task, extra={"top_k": 40, "top_p": 0.95})).request
    assert request.extra == {"top_k": 1, "top_p": 0.95}


@pytest.mark.parametrize("source", ["", " \n\t", [], [Message("system", "Be brief.")]])
def test_nothing_is_asked_without_a_document(source: Source) -> None:
    with pytest.raises(DocumentError) as raised:
        next(begun(Task(Debt), source))
    assert raised.value.attempts == ()


def test_the_validators_see_the_document() -> None:
    seen: list[object] = []

    class Looking(BaseModel):
        debtor: str

        @field_validator("debtor")
        @classmethod
        def _look(cls, value: str, info: ValidationInfo) -> str:
            assert info.context is not None
            seen.append(info.context["document"])
            return value

    turns = [Message("user", DOCUMENT)]
    for source in (DOCUMENT, Document(DOCUMENT), turns):
        flow = begun(Task(Looking), source)
        next(flow)
        with pytest.raises(StopIteration):
            flow.send(answer('{"debtor": "Zyxomma plc"}'))
    assert seen == [DOCUMENT, DOCUMENT, turns]


def test_an_extraction_keeps_what_reading_mended() -> None:
    played = play(Task(Debt), '{"debtor": "Zyxomma plc", "amount": "36"}')
    assert played.extraction is not None
    assert [fix.pointer for fix in played.extraction.fixes] == ["/amount"]
    assert pickled(played.extraction) == played.extraction


def test_the_first_request_is_the_one_that_opens_the_conversation() -> None:
    task = Task(Debt, instructions="Whole florins.")
    setting = Setting("a-model", M2_7, {})
    assert first_request(task, DOCUMENT, setting) == next(begun(task, profile=M2_7)).request


LEDGER = json.dumps({"entries": [{"debtor": f"No. {n}", "amount": n} for n in range(9)]})


class Entries(BaseModel):
    entries: list[Debt]


def test_few_wrong_leaves_are_asked_for_alone() -> None:
    wrong = LEDGER.replace('"amount": 4', '"amount": "four"')
    played = play(Task(Entries), wrong, '{"patch": {"/entries/4/amount": 4}}')
    assert played.extraction is not None
    assert played.extraction.value == Entries.model_validate_json(LEDGER)
    attempts = played.extraction.attempts
    assert [attempt.strategy for attempt in attempts] == ["ask", "patch"]
    question, correction = played.requests
    assert correction.messages[: len(question.messages)] == question.messages
    assert correction.messages[-2] == Message("assistant", wrong)
    assert "/entries/4/amount" in correction.messages[-1].content
    assert correction.response_format is not None
    assert json.loads(correction.response_format.encoded)["properties"].keys() == {"patch"}
    assert [fix.kind for fix in attempts[-1].fixes] == ["patched"]


def test_after_a_failed_patch_the_whole_is_asked_for_again() -> None:
    wrong = LEDGER.replace('"amount": 4', '"amount": "four"')
    worse = '{"patch": {"/entries/4/amount": "vier"}}'
    played = play(Task(Entries), wrong, worse, LEDGER)
    assert played.extraction is not None
    assert [a.strategy for a in played.extraction.attempts] == ["ask", "patch", "regenerate"]
    question, _, again = played.requests
    assert again.response_format == question.response_format
    replayed, correction = again.messages[len(question.messages) :]
    assert json.loads(replayed.content)["entries"][4]["amount"] == "vier"
    assert '"vier"' in correction.content
    assert '"four"' not in str(again)


@pytest.mark.parametrize(
    "reply",
    [
        answer('{"patch": {"/entries/4/amount"', finish_reason="length"),
        answer("I can't do that."),
        answer('{"patch": {"/entries/4/amount": 4, "/entries/5/amount": 0}}'),
    ],
)
def test_a_useless_reply_to_a_patch_loses_nothing(reply: Completion) -> None:
    wrong = LEDGER.replace('"amount": 4', '"amount": "four"')
    played = play(Task(Entries, repair=Repair(stop=2)), wrong, reply)
    assert type(played.failure) is ExtractionError
    assert played.failure.partial == json.loads(wrong)
    assert played.failure.problems[0].pointer == "/entries/4/amount"
    mended = play(Task(Entries), wrong, reply, LEDGER)
    assert mended.extraction is not None
    assert '"four"' in mended.requests[2].messages[-1].content
    assert "output limit" not in mended.requests[2].messages[-1].content


def test_a_small_model_is_asked_afresh_for_the_failing_values() -> None:
    wrong = LEDGER.replace('"amount": 4', '"amount": "four"')
    task = Task(Entries, instructions="In florins.", examples=[("none", Entries(entries=[]))])
    played = play(task, wrong, '{"/entries/4/amount": 4}', profile=SMOLLM2)
    assert played.extraction is not None
    question, patch = played.requests
    assert [message.role for message in patch.messages] == ["system", "user"]
    assert patch.messages[-1] == question.messages[-1]
    assert "In florins." in patch.messages[0].content
    assert "four" not in str(patch.messages)
    assert patch.response_format is not None
    asked = json.loads(patch.response_format.encoded)["properties"]
    assert asked == {"/entries/4/amount": {"type": "integer"}}


def test_a_validator_can_aim_at_a_place_below_it() -> None:
    class Aimed(BaseModel):
        entries: list[Debt]

        @model_validator(mode="after")
        def _none_is_four(self) -> Self:
            for index, entry in enumerate(self.entries):
                if entry.amount == 4:
                    raise Invalid(f"/entries/{index}/amount", "it must not be four")
            return self

    played = play(Task(Aimed), LEDGER, '{"patch": {"/entries/4/amount": 5}}')
    assert played.extraction is not None
    assert played.extraction.value.entries[4].amount == 5
    problem = played.extraction.attempts[0].problems[0]
    assert str(problem) == "/entries/4/amount: it must not be four; got 4"


@pytest.mark.parametrize(
    ("repair", "budget", "requests"),
    [
        (Repair(stop=2), "stop", 2),
        (Repair(stop=9, tokens=40), "tokens", 3),
        (Repair(stop=9, cost=0.00003), "cost", 2),
    ],
)
def test_the_budget_that_ended_the_call_is_on_the_error(
    repair: Repair, budget: str, requests: int
) -> None:
    setting = Setting("a-model", FULL, {}, Prices(input=1.0, output=2.0))
    flow = converse(Task(Debt, repair=repair), DOCUMENT, setting, lambda _event: None, moved_to)
    next(flow)
    for _ in range(requests - 1):
        flow.send(answer(BAD))
    with pytest.raises(ExtractionError) as raised:
        flow.send(answer(BAD))
    error = raised.value
    assert (error.budget, len(error.attempts)) == (budget, requests)
    assert error.usage.cost == pytest.approx(requests * 0.00002)
    assert f"Repair({budget}=" in str(error)
    assert pickled(error).budget == budget


def test_more_wrong_leaves_than_are_told_at_once_are_patched_in_turn() -> None:
    rows = [{"debtor": f"No. {n}", "amount": n} for n in range(90)]
    wrong = [{**row, "amount": "many"} if n % 3 == 0 else row for n, row in enumerate(rows[:75])]
    first = {f"/entries/{n}/amount": n for n in range(0, 60, 3)}
    rest = {f"/entries/{n}/amount": n for n in range(60, 75, 3)}
    played = play(
        Task(Entries),
        json.dumps({"entries": wrong + rows[75:]}),
        json.dumps({"patch": first}),
        json.dumps({"patch": rest}),
    )
    assert played.extraction is not None
    assert played.extraction.value == Entries.model_validate({"entries": rows})
    assert [a.strategy for a in played.extraction.attempts] == ["ask", "patch", "patch"]
    replayed = played.requests[2].messages[-2].content
    assert json.loads(replayed)["entries"][57]["amount"] == 57
