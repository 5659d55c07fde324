"""extractify.fitting: parameters brought into what an endpoint takes, and said so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from extractify import Client, ConfigurationError, Parameters, Task
from extractify.events import Event, Warned
from extractify.fitting import fitted_temperature, warnings
from extractify.profiles import FULL, LLAMA_CPP, M2_7
from tests.loopback import Loopback, endpoint


def told(task: Task[Any]) -> dict[str, str]:
    return {warning.parameter: warning.message for warning in warnings(task, M2_7)}


@pytest.mark.parametrize(("asked", "sent"), [(0.0, 0.01), (0.5, 0.5), (1.7, 1.0), (None, None)])
def test_a_temperature_is_brought_into_the_range_and_recorded(
    asked: float | None, sent: float | None
) -> None:
    task = Task(int, temperature=asked)
    assert fitted_temperature(task, M2_7) == sent
    assert ("temperature" in told(task)) == (asked != sent)


def test_a_profile_s_own_temperature_is_sent_without_a_word() -> None:
    assert fitted_temperature(Task(int), LLAMA_CPP) == 0.0
    assert list(warnings(Task(int), LLAMA_CPP)) == []


def test_a_limit_above_the_ceiling_is_told() -> None:
    assert "4096" in told(Task(int, max_tokens=9000))["max_tokens"]
    assert told(Task(int, max_tokens=4096)) == {}
    assert list(warnings(Task(int, max_tokens=9000), FULL)) == []


def test_masking_is_off_and_told_where_it_is_switched_on() -> None:
    assert Parameters().mask_sensitive_info is False
    masked = Task(int, parameters=Parameters(mask_sensitive_info=True))
    assert "***" in told(masked)["mask_sensitive_info"]


def test_an_observer_is_told_before_the_request_goes_out() -> None:
    events: list[Event] = []
    with Loopback(["7"]) as server, Client(endpoint(server), on_event=events.append) as client:
        client.extract(Task(int, temperature=0.0, max_tokens=5000), "seven")
    assert [type(event) for event in events[:2]] == [Warned, Warned]


def test_a_tool_choice_that_the_contract_forbids_is_refused() -> None:
    task = Task(int, parameters=Parameters(tool_choice="required"))
    with Loopback() as server:
        with pytest.raises(ConfigurationError, match="auto or none"):
            Client(endpoint(server)).build_request(task, "seven")
        anything = replace(FULL, tool_choices=frozenset({"required"}))
        shown = Client(endpoint(server, profile=anything)).build_request(task, "seven")
    assert shown.body["tool_choice"] == "required"


@pytest.mark.parametrize("top_p", [-0.1, 1.1])
def test_a_share_that_is_none_is_refused_where_it_is_written(top_p: float) -> None:
    with pytest.raises(ConfigurationError, match="top_p"):
        Task(int, parameters=Parameters(top_p=top_p))
