"""What type checkers infer from the public names. Never run: the gate's mypy is the test.

A line that has to be refused carries an ignore, which mypy itself refuses where it isn't needed.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Generic, Literal, NamedTuple, NewType, TypeVar, assert_type

from pydantic import BaseModel, Field, RootModel
from typing_extensions import TypedDict

from extractify import (
    AsyncClient,
    AsyncStream,
    Client,
    Extraction,
    Partial,
    Reading,
    Stream,
    Task,
    extract,
    read,
)
from extractify.messages import JsonValue


class Invoice(BaseModel):
    total: int


class Receipt(BaseModel):
    paid: int


T = TypeVar("T")
Number = NewType("Number", int)


class Box(BaseModel, Generic[T]):
    content: T


class Amounts(RootModel[list[Decimal]]):
    pass


@dataclasses.dataclass
class Point:
    x: int


class Entry(TypedDict):
    word: str


class Place(NamedTuple):
    name: str


class Colour(enum.Enum):
    RED = "red"


NODE: dict[str, JsonValue] = {"type": "object"}


def a_task_knows_its_target() -> None:
    assert_type(Task(Invoice), Task[Invoice])
    assert_type(Task(list[Invoice]), Task[list[Invoice]])
    assert_type(Task(Invoice | Receipt), Task[Invoice | Receipt])
    assert_type(Task(NODE), Task[JsonValue])


def a_reading_knows_its_target() -> None:
    assert_type(read("", Invoice), Reading[Invoice])
    assert_type(read("", Invoice).value, Invoice)
    assert_type(read("", list[Invoice]).value, list[Invoice])
    assert_type(read("", dict[str, Invoice]).value, dict[str, Invoice])
    assert_type(read("", tuple[int, str]).value, tuple[int, str])
    assert_type(read("", Invoice | Receipt).value, Invoice | Receipt)
    assert_type(read("", NODE).value, JsonValue)


def every_kind_of_target_is_known() -> None:
    assert_type(read("", Box[int]).value, Box[int])
    assert_type(read("", Amounts).value, Amounts)
    assert_type(read("", Point).value, Point)
    assert_type(read("", Entry).value, Entry)
    assert_type(read("", Place).value, Place)
    assert_type(read("", Colour).value, Colour)
    assert_type(read("", Number).value, Number)
    assert_type(read("", str).value, str)
    assert_type(read("", Decimal).value, Decimal)
    assert_type(read("", dt.date).value, dt.date)
    assert_type(read("", bool | None).value, bool | None)
    assert_type(read("", set[int]).value, set[int])
    assert_type(read("", frozenset[str]).value, frozenset[str])
    assert_type(read("", tuple[int, ...]).value, tuple[int, ...])
    assert_type(read("", Mapping[str, int]).value, Mapping[str, int])
    assert_type(read("", list[Point | None]).value, list[Point | None])
    assert_type(read("", Literal["a", 3]).value, Literal["a", 3])
    assert_type(read("", Annotated[list[int], Field(max_length=3)]).value, list[int])


def the_sync_client_knows_its_target(client: Client) -> None:
    assert_type(client.extract(Invoice, ""), Extraction[Invoice])
    assert_type(client.extract(Invoice, "").value, Invoice)
    assert_type(client.extract(list[Invoice], "").value, list[Invoice])
    assert_type(client.extract(Invoice | Receipt, "").value, Invoice | Receipt)
    assert_type(client.extract(Invoice | None, "").value, Invoice | None)
    assert_type(client.extract(Literal["a", "b"], "").value, Literal["a", "b"])
    assert_type(client.extract(Annotated[int, Field(gt=0)], "").value, int)
    assert_type(client.extract(NODE, "").value, JsonValue)
    assert_type(client.extract(Task(Invoice), "").value, Invoice)
    assert_type(extract(Invoice, "").value, Invoice)
    assert_type(extract(Task(list[Invoice]), "").value, list[Invoice])


async def the_async_client_knows_its_target(client: AsyncClient) -> None:
    assert_type(await client.extract(Invoice, ""), Extraction[Invoice])
    assert_type((await client.extract(Invoice | Receipt, "")).value, Invoice | Receipt)
    assert_type((await client.extract(Task(Invoice), "")).value, Invoice)
    assert_type((await client.extract(NODE, "")).value, JsonValue)


def a_stream_knows_its_target(client: Client) -> None:
    assert_type(client.stream(Invoice, ""), Stream[Invoice])
    assert_type(client.stream(Task(Invoice), "").result(), Extraction[Invoice])
    assert_type(client.stream(list[Invoice], "").result().value, list[Invoice])
    assert_type(client.stream(NODE, "").result().value, JsonValue)
    for partial in client.stream(Invoice | Receipt, ""):
        assert_type(partial, Partial[Invoice | Receipt])
    for item in client.items(Invoice, ""):
        assert_type(item, Invoice)
    assert_type(client.items(Task(Invoice), "").result(), Extraction[list[Invoice]])
    assert_type(client.items(NODE, "").result().value, list[JsonValue])


async def an_async_stream_knows_its_target(client: AsyncClient) -> None:
    assert_type(client.stream(Invoice, ""), AsyncStream[Invoice])
    assert_type((await client.stream(Invoice, "").result()).value, Invoice)
    async for partial in client.stream(Invoice, ""):
        assert_type(partial, Partial[Invoice])
    async for item in client.items(Invoice, ""):
        assert_type(item, Invoice)


async def mistakes_are_refused(client: Client, async_client: AsyncClient) -> None:
    instance = Invoice(total=1)
    read("", instance)  # type: ignore[call-overload]
    Task(instance)  # type: ignore[call-overload]
    extract(instance, "")  # type: ignore[call-overload]
    client.extract(instance, "")  # type: ignore[call-overload]
    await async_client.extract(instance, "")  # type: ignore[call-overload]
    Task(Invoice, instruction="")  # type: ignore[call-overload]
    other: Extraction[Receipt] = extract(Invoice, "")  # type: ignore[arg-type]
    assert_type(other, Extraction[Receipt])
