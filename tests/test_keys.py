"""extractify.keys: what makes two extractions the same."""

from __future__ import annotations

from hashlib import sha256

import pytest
from pydantic import BaseModel

from extractify import Task
from extractify.conversation import Setting
from extractify.keys import VERSION, Identity
from extractify.profiles import FULL
from extractify.prompts import question


class Receipt(BaseModel):
    total: int


WORDINGS = {1: "f941121622c918cf4a4e1bed7a2e007b4a7bfc86f4bff430c3615fdb1b109d40"}
"""SHA-256 of what is asked about one document, by version."""
WHERE = Setting("m", FULL, {}, name="http://127.0.0.1/v1#m")


def test_another_wording_of_the_prompt_is_another_version() -> None:
    asked = question(Task(Receipt), "A document.", enveloped=False)
    wording = "\n".join(f"{turn.role}: {turn.content}" for turn in asked)
    assert sha256(wording.encode()).hexdigest() == WORDINGS[VERSION]


@pytest.mark.parametrize(
    ("task", "part"),
    [
        (Task(Receipt, instructions="In euros."), "asking"),
        (Task(Receipt, examples=[("Total 3", {"total": 3})]), "asking"),
        (Task(Receipt, temperature=0.5), "asking"),
        (Task(Receipt, max_tokens=77), "asking"),
        (Task(dict[str, int]), "schema"),
        (Task(Receipt, on_missing="error"), "schema"),
    ],
)
def test_another_task_is_another_identity(task: Task[object], part: str) -> None:
    before, after = Identity.of(Task(Receipt), WHERE), Identity.of(task, WHERE)
    changed = [
        name
        for name in ("schema", "asking", "endpoint")
        if getattr(before, name) != getattr(after, name)
    ]
    assert changed == [part]
    assert before.key("A text.") != after.key("A text.")


def test_another_budget_of_repair_asks_nothing_else() -> None:
    first, second = (Identity.of(Task(Receipt, repair=turns), WHERE) for turns in (1, 5))
    assert first == second
