"""extractify.turns: which turn follows an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extractify.turns import chosen

if TYPE_CHECKING:
    from extractify.messages import Strategy


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
