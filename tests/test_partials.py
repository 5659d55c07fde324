"""extractify.partials: what of a value has arrived, and what of it is valid."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import BaseModel, field_validator

from extractify.partials import Partial, Partials, View
from extractify.schema import compile_schema


class Line(BaseModel):
    sku: str
    price: Decimal

    @field_validator("sku")
    @classmethod
    def known(cls, sku: str) -> str:
        if sku == "bad":
            raise ValueError("an unknown sku")
        if sku == "crash":
            raise RuntimeError
        return sku


class Order(BaseModel):
    buyer: str
    paid: bool
    lines: list[Line]
    tags: list[str] = []


def fed(target: Any, *chunks: str, **options: Any) -> list[Partial[Any] | None]:
    context = options.pop("context", None)
    partials: Partials[Any] = Partials(compile_schema(target), context, View(**options))
    return [partials.feed(chunk) for chunk in chunks]


def last(target: Any, *chunks: str, **options: Any) -> Partial[Any]:
    partial = fed(target, *chunks, **options)[-1]
    assert partial is not None
    return partial


def test_a_read_that_changes_nothing_gives_none() -> None:
    assert fed(Order, "<think>", "so", "</think>", '{"buy')[:3] == [None, None, None]
    assert fed(Order, '{"a": ', "12", "\n ")[1:] == [None, None]


def test_a_partial_says_what_has_changed_since_the_last_one() -> None:
    partial = last(Order, '{"buyer": "A', 'da", "paid": true, ')
    assert partial.changed == ("/buyer",)
    assert partial.value == {"buyer": "Ada"}
    assert [partial.state(each) for each in ("/buyer", "/paid", "/lines")] == [
        "complete",
        "pending",
        "pending",
    ]
    assert partial.attempt == 1


def test_each_complete_part_that_is_valid_is_in_the_model() -> None:
    partial = last(
        Order,
        '{"buyer": "Ada", "paid": "yes", "lines": [{"sku": "a", "price": "1,200.50"}, {"sku": "b',
    )
    assert partial.model == {
        "/buyer": "Ada",
        "/paid": True,
        "/lines/0": Line(sku="a", price=Decimal("1200.50")),
    }
    assert partial.state("/lines/1") == "incomplete"


def test_a_part_that_is_not_valid_is_not_in_the_model_nor_does_it_stop_anything() -> None:
    text = '{"lines": [{"sku": "bad", "price": 1}, {"sku": "crash", "price": 1}, {"sku": "c"}, '
    partial = last(Order, text, '{"sku": "d", "price": 1}, ')
    assert partial.model == {"/lines/3": Line(sku="d", price=Decimal(1))}


def test_a_list_of_plain_items_is_one_part() -> None:
    partial = last(Order, '{"tags": ["a", "b"], "lines": []}')
    assert partial.model == {"/tags": ["a", "b"], "/lines": []}


def test_the_items_of_a_root_list_are_parts_in_an_envelope_or_without() -> None:
    for text in ('{"result": [1, 2, "3", "x"]}', '[1, 2, "3", "x"]'):
        assert last(list[int], text, enveloped=True).model == {"/0": 1, "/1": 2, "/2": 3}


def test_validators_of_a_part_see_the_context() -> None:
    class Seen(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def said(cls, name: str, info: Any) -> str:
            return f"{name} of {info.context['document']}"

    assert last(list[Seen], '[{"name": "a"}]', context={"document": "it"}).model == {
        "/0": Seen.model_construct(name="a of it")
    }


def test_it_tells_whether_the_whole_was_read() -> None:
    partials: Partials[Order] = Partials(compile_schema(Order))
    partials.feed('{"paid": tr')
    assert not partials.is_settled
    partials.feed("ue}")
    assert partials.is_settled
