"""An answer that was cut off, and what is asked for to complete it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from extractify import Fix, Repair, Task, Truncated
from extractify.continuing import rest_of, rest_of_reply
from extractify.profiles import FULL, M2_7, SMOLLM2
from extractify.schema import compile_schema
from tests.playing import answer, play


class Order(BaseModel):
    number: int
    buyer: str


class Book(BaseModel):
    title: str
    orders: list[Order]
    total: float
    note: str | None = None


class Shelf(BaseModel):
    books: list[Book]
    place: str


def orders(*numbers: int) -> list[dict[str, Any]]:
    return [{"number": number, "buyer": f"Buyer no. {number}"} for number in numbers]


BOOK = {"title": "Orders of March", "orders": orders(*range(1, 9)), "total": 9.5, "note": None}
TEXT = json.dumps(BOOK)
TASK = Task(Book, repair=Repair(stop=5))


def cut(text: str, behind: str) -> str:
    """The text up to where something ends that stands in it once."""
    assert text.count(behind) == 1
    return text[: text.index(behind) + len(behind)]


FIRST = answer(cut(TEXT, "Buyer no. 3"), finish_reason="length")


def test_what_is_missing_behind_a_cut_off_list_is_asked_for_alone() -> None:
    rest = {"/orders/-": orders(3, 4, 5, 6, 7, 8), "/total": 9.5, "/note": None}
    played = play(TASK, FIRST, json.dumps({"patch": rest}))
    assert played.extraction is not None
    assert played.extraction.value == Book.model_validate(BOOK)
    assert [each.strategy for each in played.extraction.attempts] == ["ask", "continue"]
    assert Fix("/orders", "added") in played.extraction.fixes
    asked = played.requests[1]
    assert asked.response_format is not None
    schema: Any = asked.response_format.schema
    assert list(schema["properties"]["patch"]["properties"]) == ["/orders/-", "/total", "/note"]
    kept, wanted = asked.messages[-2:]
    assert json.loads(kept.content) == {"title": BOOK["title"], "orders": orders(1, 2)}
    assert "cut off" in wanted.content
    assert '"/orders/-"' in wanted.content


def test_a_continuation_that_is_cut_off_is_continued() -> None:
    whole = json.dumps({"patch": {"/orders/-": orders(3, 4, 5, 6, 7, 8), "/total": 9.5}})
    second = answer(cut(whole, "Buyer no. 6"), finish_reason="length")
    third = json.dumps({"patch": {"/orders/-": orders(6, 7, 8), "/total": 9.5, "/note": None}})
    played = play(TASK, FIRST, second, third)
    assert played.extraction is not None
    assert played.extraction.value == Book.model_validate(BOOK)
    assert [each.strategy for each in played.extraction.attempts] == ["ask", "continue", "continue"]
    kept = json.loads(played.requests[2].messages[-2].content)
    assert kept["orders"] == orders(1, 2, 3, 4, 5)


def test_what_was_complete_is_on_the_error_when_the_budget_ends() -> None:
    played = play(Task(Book, repair=1), FIRST)
    assert isinstance(played.failure, Truncated)
    assert played.failure.partial == {"title": BOOK["title"], "orders": orders(1, 2)}
    assert played.failure.budget == "stop"
    assert "Repair(stop=…)" in str(played.failure)


def test_items_that_are_wrong_behind_a_continuation_are_patched() -> None:
    wrong = [*orders(3, 4, 5, 6, 7), {"number": "eight", "buyer": "Buyer no. 8"}]
    rest = {"/orders/-": wrong, "/total": 9.5, "/note": None}
    patch = json.dumps({"patch": {"/orders/7/number": 8}})
    played = play(TASK, FIRST, json.dumps({"patch": rest}), patch)
    assert played.extraction is not None
    assert played.extraction.value == Book.model_validate(BOOK)
    assert [each.strategy for each in played.extraction.attempts][1:] == ["continue", "patch"]


def test_an_envelope_is_no_part_of_the_value() -> None:
    first = answer(cut(json.dumps({"result": BOOK}), "Buyer no. 3"), finish_reason="length")
    rest = {"/orders/-": orders(3, 4, 5, 6, 7, 8), "/total": 9.5, "/note": None}
    played = play(TASK, first, json.dumps({"result": {"patch": rest}}), profile=M2_7)
    assert played.extraction is not None
    assert played.extraction.value == Book.model_validate(BOOK)


def test_an_answer_that_just_ends_is_completed_too() -> None:
    rest = {"/orders/-": orders(3, 4, 5, 6, 7, 8), "/total": 9.5, "/note": None}
    played = play(TASK, FIRST.text, json.dumps({"patch": rest}))
    assert played.extraction is not None
    assert played.extraction.value == Book.model_validate(BOOK)


def test_containers_further_out_are_completed_as_well() -> None:
    shelf = {"books": [BOOK, BOOK], "place": "left"}
    text = json.dumps(shelf)
    text = text[: text.rindex("Buyer no. 3")]
    rest = rest_of(text, compile_schema(Shelf))
    assert rest is not None
    assert rest.pointers == (
        "/books/1/orders/-",
        "/books/1/total",
        "/books/1/note",
        "/books/-",
        "/place",
    )
    reply = json.dumps(
        {"patch": {"/books/1/orders/-": orders(3), "/books/1/total": 1.5, "/books/-": [BOOK]}}
    )
    again = rest_of_reply(reply[: reply.rindex('"total"')], rest, compile_schema(Shelf))
    assert again is not None
    assert again.pointers == (
        "/books/2/total",
        "/books/2/note",
        "/books/-",
        "/books/1/note",
        "/place",
    )


def test_a_small_model_is_not_asked_to_go_on() -> None:
    played = play(TASK, FIRST, profile=SMOLLM2)
    assert isinstance(played.failure, Truncated)
    assert played.failure.partial == {"title": BOOK["title"], "orders": orders(1, 2)}


@pytest.mark.parametrize("second", ['{"patch": {"/orders/-": [', "Sorry", ""])
def test_a_continuation_without_progress_ends_it(second: str) -> None:
    played = play(TASK, FIRST, answer(second, finish_reason="length"))
    assert isinstance(played.failure, Truncated)
    assert played.failure.partial == {"title": BOOK["title"], "orders": orders(1, 2)}


def test_a_reply_of_another_shape_is_asked_for_as_a_whole() -> None:
    played = play(TASK, FIRST, "Sorry", TEXT)
    assert played.extraction is not None
    assert [each.strategy for each in played.extraction.attempts][1:] == ["continue", "regenerate"]


def test_an_open_mapping_has_no_names_to_ask_for() -> None:
    text = json.dumps({"accounts": {f"account {n}": n for n in range(20)}, "bank": "B"})
    target = {
        "type": "object",
        "properties": {
            "accounts": {"type": "object", "additionalProperties": {"type": "integer"}},
            "bank": {"type": "string"},
        },
        "required": ["accounts", "bank"],
    }
    assert rest_of(text[: text.index("account 9")], compile_schema(target)) is None


def test_a_list_without_a_next_item_has_no_rest() -> None:
    text = '{"pair": [1000000000000000000000000000000, 1000000000000000000000000000000,'
    target: dict[str, Any] = {
        "type": "object",
        "properties": {
            "pair": {"type": "array", "prefixItems": [{"type": "integer"}] * 2, "items": False}
        },
    }
    assert rest_of(text, compile_schema(target)) is None


def test_a_list_that_was_cut_off_is_a_value_of_its_own() -> None:
    task = Task(list[Order], repair=Repair(stop=3))
    text = json.dumps(orders(*range(1, 9)))
    first = answer(cut(text, "Buyer no. 4"), finish_reason="length")
    played = play(task, first, json.dumps({"patch": {"/-": orders(4, 5, 6, 7, 8)}}), profile=FULL)
    assert played.extraction is not None
    assert [order.number for order in played.extraction.value] == list(range(1, 9))
