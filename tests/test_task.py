"""extractify.task: a frozen description of an extraction."""

from __future__ import annotations

import dataclasses
import pickle
from typing import TYPE_CHECKING, Any, Literal

import pytest
from pydantic import BaseModel
from tenacity import RetryCallState, Retrying
from tenacity.stop import stop_after_attempt, stop_after_delay, stop_base, stop_never

from extractify import ConfigurationError, Repair, SchemaError, Task
from extractify.schema import compile_schema

if TYPE_CHECKING:
    from collections.abc import Callable


class Invoice(BaseModel):
    total: int


def stops(repair: Repair, attempt: int, seconds: float = 0.0) -> bool:
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = attempt
    state.set_result(None)
    state.outcome_timestamp = state.start_time + seconds
    return repair.as_stop()(state)


@pytest.mark.parametrize(
    ("target", "value"),
    [
        (Invoice, Invoice(total=1)),
        (list[Invoice], [Invoice(total=1)]),
        (dict[str, Invoice], {}),
        (Invoice | None, None),
        (Literal["a", "b"], "a"),
        (int, 1),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {"a": "x"}),
    ],
)
@pytest.mark.parametrize(
    "stop", [1, stop_after_attempt(3) | stop_after_delay(60), stop_after_delay(5), stop_never]
)
def test_a_task_survives_pickling_and_gives_the_same_schema(
    target: Any,
    value: Any,
    stop: int | stop_base,
) -> None:
    task = Task(target, "Be exact.", [("text", value)], Repair(stop), 0.5, 100, {"seed": 1})
    copy = pickle.loads(pickle.dumps(task))
    assert copy.schema is task.schema
    same = ["target", "instructions", "examples", "temperature", "max_tokens", "extra"]
    assert [getattr(copy, name) for name in same] == [getattr(task, name) for name in same]
    assert [stops(copy.budget, n, 10.0 * n) for n in (1, 3, 7)] == [
        stops(task.budget, n, 10.0 * n) for n in (1, 3, 7)
    ]


def test_a_task_is_frozen() -> None:
    task = Task(Invoice)
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.instructions = "other"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.budget.stop = 5  # type: ignore[misc]


def test_change_is_a_new_task() -> None:
    task = Task(Invoice, "a")
    other = dataclasses.replace(task, instructions="b")
    assert (task.instructions, other.instructions) == ("a", "b")
    assert other.schema is task.schema


@pytest.mark.parametrize(
    "target", [Invoice(total=1), {"type": "objekt"}, {"$ref": "#/gone"}, 5, object()]
)
def test_a_bad_target_fails_where_the_task_is_written(target: Any) -> None:
    with pytest.raises(SchemaError):
        Task(target)


def test_every_field_goes_by_position_or_by_name() -> None:
    examples = [("text", Invoice(total=1))]
    by_position = Task(Invoice, "Be exact.", examples, Repair(2), 0.5, 100, {"seed": 1})
    by_name = Task(
        extra={"seed": 1},
        max_tokens=100,
        temperature=0.5,
        repair=Repair(stop=2),
        examples=examples,
        instructions="Be exact.",
        target=Invoice,
    )
    assert by_position == by_name
    assert Task(Invoice) == Task(target=Invoice)


def test_a_task_compiles_its_target_once() -> None:
    assert Task(Invoice).schema is Task(Invoice, "other").schema is compile_schema(Invoice)


def test_a_number_is_the_most_requests_and_a_stop_is_taken_as_it_is() -> None:
    assert [stops(Repair(), attempt) for attempt in (1, 2, 3)] == [False, False, True]
    assert [stops(Repair(1), attempt) for attempt in (1, 2)] == [True, True]
    either = Repair(stop_after_attempt(3) | stop_after_delay(60))
    assert [stops(either, 1, 10), stops(either, 1, 61), stops(either, 3, 1)] == [False, True, True]
    both = Repair(stop_after_attempt(3) & stop_after_delay(60))
    assert [stops(both, 3, 10), stops(both, 3, 61)] == [False, True]


def test_a_budget_may_be_a_number_of_requests() -> None:
    assert Task(Invoice, repair=2).budget == Repair(stop=2)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Task(Invoice, repair=0).budget,
        lambda: Task(Invoice, max_tokens=0),
    ],
)
def test_a_budget_in_which_nothing_fits_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError):
        wrong()
