"""extractify.repair: the budget and its meter."""

from __future__ import annotations

from typing import Any

import pytest

from extractify import Attempt, Completion, ConfigurationError, Repair, Request, Usage
from extractify.repair import Meter


def attempt(usage: Usage) -> Attempt:
    return Attempt(Request("m", ()), Completion("", usage=usage), (), (), 0.1)


def test_a_meter_names_the_part_that_is_spent() -> None:
    meter = Meter(Repair(stop=9, tokens=100, cost=0.5))
    spent = [attempt(Usage(40, 20, 60, cost=0.1))]
    assert meter.ended_by(spent) is None
    assert meter.ended_by([*spent, attempt(Usage(40, 20, cost=0.1))]) == "tokens"
    assert Meter(Repair(cost=0.2)).ended_by([attempt(Usage(cost=0.3))]) == "cost"
    assert Meter(Repair(stop=1)).ended_by(spent) == "stop"


def test_what_the_endpoint_does_not_tell_is_not_counted() -> None:
    assert Meter(Repair(tokens=1, cost=0.1)).ended_by([attempt(Usage())]) is None


@pytest.mark.parametrize("stop", [0, -1, "3"])
def test_a_budget_that_no_request_fits_in_is_refused(stop: Any) -> None:
    with pytest.raises(ConfigurationError):
        Repair(stop=stop)
