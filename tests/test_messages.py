"""extractify.messages and extractify.events: the frozen words of a conversation."""

from __future__ import annotations

import dataclasses

import pytest

from extractify import events
from extractify.documents import Document
from extractify.messages import (
    GOT_LIMIT,
    Attempt,
    Completion,
    Fix,
    Message,
    Problem,
    Request,
    ResponseFormat,
    Usage,
    clipped,
)
from tests.pickling import pickled

REQUEST = Request("m", (Message("user", "hi"),), ResponseFormat("r", {"type": "object"}, "{}"))
COMPLETION = Completion("{}", "stop", Usage(1, 2, 3), raw={"id": "x"})
VALUES = [
    REQUEST,
    COMPLETION,
    Problem("/a", "missing", "expected a value"),
    Fix("/a", "coerced", '"36"'),
    Attempt(REQUEST, COMPLETION, (Problem("", "no_json", "expected JSON"),), (), 0.5),
    events.RequestSent(1),
    events.RetryScheduled("RateLimited", 429, 0.5),
    events.Warned("top_p", "top_p=0 leaves no choice."),
    events.FellBack("host m", "other m", "Overloaded"),
    events.AttemptJudged(1, 0, 0.5),
    events.RepairAsked(2, ("/a",)),
    events.Done(1, valid=True),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_every_value_is_frozen_and_pickles(value: object) -> None:
    assert dataclasses.is_dataclass(value)
    name = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, "other")
    assert pickled(value) == value


def test_no_event_has_a_field_for_text_of_the_document() -> None:
    kinds = [value for value in vars(events).values() if dataclasses.is_dataclass(value)]
    names = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    assert names == {
        *("attempt", "attempts", "error", "pointers"),
        *("problems", "seconds", "status", "strategy", "valid"),
        *("endpoint", "next", "may_run_twice"),
        *("limit", "reason"),  # of `PaceChanged`
        *("parameter", "message"),  # of `Warned`: names and numbers of parameters
        "text",
    }
    # The one exception: reasoning that streams, which is asked for. No log shows it by itself.
    told = [kind for kind in kinds if "text" in {field.name for field in dataclasses.fields(kind)}]
    assert told == [events.Thought]
    assert repr(events.Thought(1, "of Zyxomma")) == "Thought(attempt=1)"


# --- usage -----------------------------------------------------------------------------------


def test_usages_are_summed_field_by_field() -> None:
    first, second = Usage(1, 2, 3, 4, 5, 0.25), Usage(10, 20, 30, 40, 50, 0.5)
    assert Usage.total([first, second]) == Usage(11, 22, 33, 44, 55, 0.75)
    assert Usage.total(iter([first])) == first


def test_what_is_unknown_in_one_usage_is_unknown_in_the_sum() -> None:
    assert Usage.total([Usage(1, 2, 3, cost=0.5), Usage(1, None, 4)]) == Usage(2, None, 7)


def test_a_zero_is_known() -> None:
    assert Usage.total([Usage(0, cost=0.0), Usage(0, cost=0.0)]) == Usage(0, cost=0.0)


def test_nothing_was_used_is_unknown_too() -> None:
    assert Usage.total([]) == Usage()


def test_an_attempt_costs_what_its_completion_did() -> None:
    assert Attempt(REQUEST, COMPLETION, (), (), 0.5).usage == Usage(1, 2, 3)


# --- problems --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (
            Problem("/a/0", "int_type", "expected a number", '"x"'),
            '/a/0: expected a number; got "x"',
        ),
        (Problem("/a", "missing", "expected a value"), "/a: expected a value"),
        (Problem("", "no_json", "expected JSON"), "/: expected JSON"),
    ],
)
def test_a_problem_reads_as_a_line(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_a_text_is_cut_to_the_limit_with_an_ellipsis() -> None:
    assert clipped("x" * GOT_LIMIT) == "x" * GOT_LIMIT
    assert clipped("x" * (GOT_LIMIT + 1)) == "x" * (GOT_LIMIT - 1) + "…"
    assert clipped("abcdef", 3) == "ab…"
    assert clipped("") == ""


def test_the_reprs_of_what_travels_hold_nothing_that_was_said() -> None:
    said = "Zyxomma"
    message = Message("user", said, extra={"reasoning": said})
    completion = Completion(said, message=message, reasoning=said, refusal=said, raw={"a": said})
    request = Request("m", (message,), ResponseFormat("Debt", {"a": said}, said))
    attempt = Attempt(request, completion, (), (), 0.1)
    assert said not in repr((attempt, Document(said)))
