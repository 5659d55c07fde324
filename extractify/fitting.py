"""A task's parameters as an endpoint takes them, and warnings of what is changed or does harm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extractify.errors import ConfigurationError
from extractify.events import Warned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify.profiles import Profile
    from extractify.task import Task


def fitted_temperature(task: Task[Any], profile: Profile) -> float | None:
    """The temperature to send: the task's, else the profile's, within the range it takes."""
    temperature = profile.temperature if task.temperature is None else task.temperature
    if temperature is None:
        return None
    lowest, highest = profile.temperature_range
    return min(max(temperature, lowest), highest)


def check_tool_choice(task: Task[Any], profile: Profile) -> None:
    """Raise ConfigurationError on a tool choice that the endpoint would refuse, or not heed."""
    choice = task.parameters.tool_choice
    if choice is not None and choice not in profile.tool_choices:
        raise ConfigurationError(
            f"The endpoint (profile {profile.name!r}) takes no tool_choice {choice!r}, only "
            f"{' or '.join(sorted(profile.tool_choices))}."
        )


def warnings(task: Task[Any], profile: Profile) -> Iterator[Warned]:
    """What an observer should know about the parameters."""
    asked, sent = task.temperature, fitted_temperature(task, profile)
    if asked is not None and asked != sent:
        lowest, highest = profile.temperature_range
        range_ = f"the endpoint takes {lowest} to {highest}"
        yield Warned("temperature", f"{asked} was asked for and {sent} is sent: {range_}.")
    limit, ceiling = task.max_tokens, profile.output_ceiling
    if limit is not None and ceiling is not None and limit > ceiling:
        cut = "the answer may be cut off there, or the request refused"
        yield Warned("max_tokens", f"{limit} is above the model's ceiling of {ceiling}: {cut}.")
    if task.parameters.mask_sensitive_info:
        masked = "names, addresses and numbers of the document may come back as ***"
        yield Warned("mask_sensitive_info", f"It rewrites what is to be extracted: {masked}.")
