"""extractify.samples: a wrong example fails where the task is made."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    Secret,
    SecretBytes,
    SecretStr,
    ValidationInfo,
    computed_field,
    field_serializer,
    field_validator,
)

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


class Account(BaseModel):
    model_config = ConfigDict(validate_by_name=True)

    pin: SecretStr = Field(alias="PIN", max_length=6)
    keys: list[SecretBytes] = []
    words: frozenset[SecretStr] = frozenset()
    born: dict[str, Secret[date] | None] = {}
    card: tuple[SecretStr, Decimal] | None = None


def test_a_secret_in_an_example_is_shown_as_what_it_is() -> None:
    data: Any = {
        "PIN": "tiger",
        "keys": ["lion", "puma"],
        "words": ["lynx"],
        "born": {"a": "2001-02-03", "b": None},
        "card": ["ocelot", "1.5"],
    }
    account = Account.model_validate(data)
    assert encoded(compile_schema(Account), "", account) == data
    assert encoded(compile_schema(list[Account | SecretStr]), "", [account, "x"]) == [data, "x"]
    task = Task(Account, examples=[("PIN tiger", account)])
    shown = question(task, "Text.", enveloped=False)
    assert json.loads(shown[2].content)["PIN"] == "tiger"
    assert "tiger" not in repr(task) + repr(shown)


def test_a_secret_that_the_target_writes_itself_stays_as_written() -> None:
    class Masked(BaseModel):
        pin: SecretStr

        @field_serializer("pin")
        def _first(self, pin: SecretStr) -> str:
            return pin.get_secret_value()[:1] + "…"

    assert encoded(compile_schema(Masked), "", Masked(pin=SecretStr("tiger"))) == {"pin": "t…"}


def test_a_wrong_example_is_refused_without_its_secret() -> None:
    with pytest.raises(ConfigurationError, match="/PIN") as caught:
        Task(Account, examples=[("t", {"PIN": "tigers and lions"})])
    assert "lions" not in str(caught.value)
    assert caught.value.__cause__ is None
