"""extractify.support: values that have to stand in the document, and what becomes of the others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import BaseModel

from extractify import Aliases, ConfigurationError, Grounding, Message, Quote, Repair, Task
from extractify.judging import origin_of
from extractify.nodes import at
from extractify.profiles import SMOLLM2
from extractify.schema import compile_schema
from extractify.support import Origin, nulled, quotes_in, unsupported
from tests.pickling import pickled
from tests.playing import play

if TYPE_CHECKING:
    from extractify.messages import JsonValue


class Debt(BaseModel):
    debtor: str
    email: str | None = None
    amount: int = 5
    currency: Literal["EUR", "GBP"] = "EUR"
    paid: bool = False


REQUIRED = Grounding.required
DOCUMENT = "Zyxomma plc owes 36 florins."
INVENTED: dict[str, JsonValue] = {
    "debtor": "Zyxomma plc",
    "email": "info@acme.example",
    "amount": 36,
}
FILLED: dict[str, JsonValue] = {**INVENTED, "currency": "EUR", "paid": False}


def problems(target: Any, data: Any, policy: Grounding = REQUIRED, **more: Any) -> list[str]:
    return [str(each) for each in unsupported(Origin(DOCUMENT, target, policy), data, **more)]


def test_a_missing_value_is_a_problem_with_its_place() -> None:
    assert problems(Debt, INVENTED) == ['/email: not in the document; got "info@acme.example"']
    assert problems(Debt, INVENTED, Grounding.reported) == []


def test_what_an_example_said_is_named_as_such() -> None:
    (problem,) = problems(Debt, INVENTED, examples=[{"email": "INFO@acme.example"}])
    assert problem == '/email: not in the document, but in an example; got "info@acme.example"'


def test_what_the_target_itself_says_needs_no_place() -> None:
    data = {"debtor": "Zyxomma plc", "amount": 5, "currency": "GBP", "paid": True, "email": None}
    assert problems(Debt, data) == []


def test_a_field_may_ask_for_what_the_task_doesnt() -> None:
    class Own(BaseModel):
        name: Annotated[str, Grounding.required]
        paid: Annotated[bool, Grounding.required, Aliases({True: ["owes"]})]
        kind: Annotated[str, Grounding.off] = ""
        note: str = ""

    value = {"name": "Ada", "paid": True, "kind": "x", "note": "y"}
    assert problems(Own, value, Grounding.reported) == ['/name: not in the document; got "Ada"']
    found = problems(Own, {**value, "name": "plc", "paid": False}, Grounding.off)
    assert found == ["/paid: not in the document; got false"]


def test_no_more_problems_are_told_than_a_turn_can_take() -> None:
    assert len(problems(list[str], [f"w{n}" for n in range(50)])) == 20


def test_null_takes_the_place_of_what_is_missing_where_it_can() -> None:
    schema = compile_schema(Debt)
    found = unsupported(Origin(DOCUMENT, Debt, REQUIRED), INVENTED)
    verdict = nulled(schema, INVENTED, found)
    assert verdict is not None
    assert verdict.value == Debt(debtor="Zyxomma plc", amount=36)
    assert [(fix.pointer, fix.kind, fix.got) for fix in verdict.fixes] == [
        ("/email", "not_in_document", '"info@acme.example"')
    ]
    wrong: JsonValue = {**FILLED, "debtor": "Ada"}
    assert nulled(schema, wrong, unsupported(Origin(DOCUMENT, Debt, REQUIRED), wrong)) is None
    assert nulled(schema, INVENTED, ()) is None


def test_null_is_no_way_out_where_a_validator_refuses_it() -> None:
    target = {
        "type": "object",
        "properties": {"a": {"type": ["string", "null"]}},
        "allOf": [{"not": {"properties": {"a": {"const": None}}, "required": ["a"]}}],
    }
    found = unsupported(Origin("x", target, REQUIRED), {"a": "y"})
    assert nulled(compile_schema(target), {"a": "y"}, found) is None


# --- in a conversation -----------------------------------------------------------------------

ANSWER = json.dumps(FILLED)


def test_a_repair_turn_asks_for_what_isnt_in_the_document() -> None:
    task = Task(Debt, grounding="required")
    played = play(task, ANSWER, '{"patch": {"/email": null}}')
    assert '/email: not in the document; got "info@acme.example"' in (
        played.requests[1].messages[-1].content
    )
    assert played.extraction is not None
    assert played.extraction.value.email is None
    assert [attempt.strategy for attempt in played.extraction.attempts] == ["ask", "patch"]
    assert played.extraction.attempts[0].problems[0].kind == "not_in_document"


@pytest.mark.parametrize("profile", [SMOLLM2])
def test_after_the_last_turn_null_is_put_and_recorded(profile: Any) -> None:
    task = Task(Debt, grounding="required", repair=Repair(stop=1))
    played = play(task, ANSWER, profile=profile)
    assert played.extraction is not None
    assert played.extraction.value == Debt(debtor="Zyxomma plc", amount=36)
    assert played.extraction.fixes[-1].kind == "not_in_document"
    assert played.extraction.ok


def test_or_the_problem_stands_where_the_task_says_so() -> None:
    task = Task(Debt, grounding=Grounding.required, on_missing="error", repair=1)
    failure = play(task, ANSWER).failure
    assert [str(each) for each in failure.problems] == [
        '/email: not in the document; got "info@acme.example"'
    ]
    assert at(failure.partial, "/email") == "info@acme.example"


def test_a_task_refuses_a_policy_that_there_isnt() -> None:
    wrong: Any = "always"
    with pytest.raises(ConfigurationError, match="required, reported, inferred, off"):
        Task(Debt, grounding=wrong)
    with pytest.raises(ConfigurationError, match="null, or error"):
        Task(Debt, on_missing=wrong)


# --- evidence of a result --------------------------------------------------------------------


def test_a_result_has_evidence_of_its_leaves_and_pickles() -> None:
    extraction = play(Task(Debt), ANSWER).extraction
    assert extraction is not None
    assert {key: found.status for key, found in extraction.evidence.items()} == {
        "/debtor": "exact",
        "/email": "missing",
        "/amount": "exact",
        "/currency": "missing",
        "/paid": "missing",
    }
    assert "owes" not in repr(extraction)
    again = pickled(extraction)
    assert again == extraction
    assert again.evidence == extraction.evidence


def test_a_result_is_plain_data_with_its_evidence() -> None:
    extraction = play(Task(Debt), ANSWER).extraction
    assert extraction is not None
    told = extraction.to_dict(evidence=True)
    assert told["value"] == FILLED
    assert "evidence" not in extraction.to_dict()
    assert at(told, "/evidence/~1amount/spans/0") == {
        "start": 17,
        "end": 19,
        "line": 1,
        "column": 18,
    }
    json.dumps(told)


class Quoted(BaseModel):
    taken: Annotated[bool, Quote]
    room: Annotated[int, Quote]


def test_a_quote_tells_which_place_is_meant_and_stands_for_a_yes() -> None:
    document = "Room 7 is free. Room 7 is taken."
    said = {
        "taken": True,
        "taken_quote": "Room 7 is taken.",
        "room": 7,
        "room_quote": "Room 7 is taken.",
    }
    for answer in (said, {"result": said}):
        extraction = play(Task(Quoted), json.dumps(answer)).extraction
        assert extraction is not None
        assert extraction.value == Quoted(taken=True, room=7)
        origin = Origin(document, Quoted, answers=(json.dumps(answer),))
        evidence = origin.evidence({"taken": True, "room": 7})
        assert evidence["/taken"].spans == ((16, 32),)
        assert evidence["/room"].spans[0] == (21, 22)


def test_an_invented_quote_tells_nothing() -> None:
    answer = json.dumps({"taken": True, "taken_quote": "It is.", "room": 7, "room_quote": " "})
    origin = Origin("Room 7", Quoted, answers=(answer,))
    assert origin.evidence({"taken": True})["/taken"].status == "missing"
    assert quotes_in((answer,), compile_schema(Quoted).marks) == {"/taken": "It is."}
    assert quotes_in(("no json", "[1]"), compile_schema(Quoted).marks) == {}


def test_the_document_of_a_conversation_is_what_its_user_said() -> None:
    turns = [Message("system", "s"), Message("user", "a b"), Message("user", "c")]
    assert origin_of(Task(Debt), {"document": turns}, ()).document == "a b\n\nc"
