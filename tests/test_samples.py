"""extractify.samples: a wrong example fails where the task is made."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationInfo, computed_field, field_validator

from extractify import Task
from extractify.errors import ConfigurationError
from extractify.prompts import question
from extractify.samples import encoded
from extractify.schema import compile_schema


class Line(BaseModel):
    price: Decimal = Field(ge=0)
    note: str | None = None

    @computed_field
    def double(self) -> Decimal:
        return 2 * self.price


class Quoted(BaseModel):
    quote: str

    @field_validator("quote")
    @classmethod
    def _stands_there(cls, quote: str, info: ValidationInfo) -> str:
        if quote not in (info.context or {})["document"]:
            raise ValueError("it isn't in the document")
        return quote


@pytest.mark.parametrize(
    ("target", "value", "said"),
    [
        (Line, {"price": -1}, "/price: Input should be greater than or equal to 0"),
        (Line, None, "isn't a Line"),
        (list[Line], [{"price": 1}, {}], "/1/price: Field required"),
        (Quoted, {"quote": "elsewhere"}, "it isn't in the document"),
        ({"type": "object", "required": ["a"]}, {}, 'expected required ["a"]'),
        ({"properties": {"a": {"type": "string"}}}, {"a": 5}, '/a: expected type "string"'),
        ({}, {1, 2}, "isn't JSON"),
        (int, "x" * 1000, "valid integer"),
    ],
)
def test_a_wrong_example_is_refused_with_its_place(target: Any, value: Any, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Task(target, examples=[("A secret text.", value)])
    assert said in str(caught.value)
    assert "Task(examples=…)" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_an_example_may_be_an_instance_or_plain_data() -> None:
    schema = compile_schema(Line)
    for value in (Line(price=Decimal(1)), {"price": 1}):
        assert encoded(schema, "", value) == {"price": "1", "note": None}
    assert Task(Quoted, examples=[("a quote here", Quoted.model_construct(quote="quote"))])


def test_an_example_is_shown_as_the_answer_is_asked_for() -> None:
    task = Task(Line, examples=[("One at 1.50.", Line(price=Decimal("1.50")))])
    shown = question(task, "Text.", enveloped=True)[2]
    assert json.loads(shown.content) == {"result": {"price": 1.5, "note": None}}


def test_what_pydantic_cant_write_as_json_is_refused() -> None:
    class Odd(BaseModel):
        data: Any

    with pytest.raises(ConfigurationError, match="can't be written as JSON"):
        Task(Odd, examples=[("t", Odd(data=object()))])
