"""Whatever a response body is, a call gives a valid value or an ExtractifyError."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import jsonschema
import pytest
from pydantic import BaseModel, ConfigDict, Field

from extractify import Client, Endpoint, ExtractifyError, Repair, Task
from extractify.dialects import DIALECTS
from extractify.testing import Answer, ScriptedEndpoint
from tests.mutations import body


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str
    count: Annotated[int, Field(ge=0, le=99)]


class Receipt(BaseModel):
    model_config = ConfigDict(extra="forbid")
    shop: Annotated[str, Field(min_length=1)]
    total: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    lines: list[Line]
    open: bool


TASK = Task(Receipt, repair=Repair(1))
SCHEMA = jsonschema.Draft202012Validator(Receipt.model_json_schema())
SLOW = (pytest.mark.slow, pytest.mark.no_cover)
CASES = [
    pytest.param(range(1000), id="1,000"),
    pytest.param(range(1000, 10_000), id="the rest of 10,000", marks=SLOW),
]


def outcome(client: Client) -> str:
    """What a call comes to: a value, which is valid by other means too, or an error of ours."""
    try:
        value: Any = client.extract(TASK, "Zyxomma").value
    except ExtractifyError as error:
        return type(error).__name__ if len(str(error)) <= 800 else "too many words"
    assert type(value) is Receipt
    SCHEMA.validate(value.model_dump(mode="json"))
    Receipt.model_validate(value.model_dump(), strict=True)
    return "a value"


@pytest.mark.parametrize("numbers", CASES)
def test_a_spoilt_body_is_a_valid_value_or_an_error_of_ours(numbers: range) -> None:
    told: Counter[str] = Counter()
    for index, dialect in enumerate(sorted(DIALECTS)):
        like = Endpoint(url="http://127.0.0.1:9/v1", model="m", dialect=dialect, profile="m2.7")
        ours = numbers[index :: len(DIALECTS)]
        endpoint = ScriptedEndpoint([Answer(body(number)) for number in ours], like=like)
        with Client(endpoint, retry=False) as client:
            for number in ours:
                try:
                    told[outcome(client)] += 1
                except BaseException as error:
                    error.add_note(f"This was tests.mutations.body({number}), {dialect}.")
                    raise
    assert told.total() == len(numbers)
    assert told["too many words"] == 0
    for kind in ("a value", "InvalidResponse", "ExtractionError"):
        assert told[kind] > len(numbers) / 50
