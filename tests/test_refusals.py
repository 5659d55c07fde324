"""Targets that can't be compiled: each is refused with its place and the way out."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import importlib.util
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, NamedTuple

import pydantic
import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from extractify.errors import SchemaError
from extractify.schema import compile_schema


class Flags(enum.Flag):
    A = 1
    B = 2


class IntFlags(enum.IntFlag):
    A = 1


class Flagged(BaseModel):
    kinds: list[Flags]


class Keyed(BaseModel):
    table: dict[Any, int]


class Lazy(BaseModel):
    items: Iterable[int]


class Class(BaseModel):
    kind: type[int]


class Calls(BaseModel):
    deep: dict[str, Lazy]


@dataclasses.dataclass
class Record:
    run: Callable[[], int]


class Entry(TypedDict):
    flags: IntFlags


class Place(NamedTuple):
    flags: Flags


@pytest.mark.parametrize(
    ("target", "place", "way"),
    [
        (Flagged, "Flagged.kinds", "a set of members of a plain Enum"),
        (Flags, "Flags", "a set of members of a plain Enum"),
        (Entry, "Entry.flags", "a set of members"),
        (list[Place], "Place].flags", "a set of members"),
        (Keyed, "Keyed.table", "let them be str"),
        (dict[Any, int], "dict[typing.Any, int]", "let them be str"),
        (Lazy, "Lazy.items", "let it be a list"),
        (Calls, "Calls.deep.items", "let it be a list"),
        (Iterator[int], "Iterator[int]", "a type that pydantic can describe"),
        (Class, "Class.kind", "wanted as a class"),
        (Record, "Record.run", "private attribute"),
        (Callable[[int], int], "Callable", "a type that pydantic can describe"),
        (collections.abc.Callable, "Callable", "a type that pydantic can describe"),
        (types.GenericAlias(list, ("Nowhere",)), "Nowhere", "Define or import it"),
        (types.ModuleType, "module", "a type that pydantic can describe"),
        (Annotated[str, Field(pattern="(")], "str", "pattern"),
        (5, "a value of int", "Pass a class"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_place_and_the_way_out(target: Any, place: str, way: str) -> None:
    with pytest.raises(SchemaError) as caught:
        compile_schema(target)
    assert place in str(caught.value)
    assert way in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.skipif(
    importlib.util.find_spec("email_validator") is not None, reason="email-validator is installed"
)
@pytest.mark.parametrize("kind", [pydantic.EmailStr, pydantic.NameEmail])
def test_e_mail_without_its_package_names_the_command(kind: Any) -> None:
    point = dataclasses.make_dataclass("Contact", [("address", kind)])
    for target, place in ((kind, "EmailStr"), (list[kind], "list"), (point, "Contact.address")):
        with pytest.raises(SchemaError, match=r"pip install 'pydantic\[email\]'") as caught:
            compile_schema(target)
        assert place.replace("EmailStr", kind.__name__) in str(caught.value)


def test_what_is_refused_once_is_refused_again() -> None:
    for _ in range(2):
        with pytest.raises(SchemaError):
            compile_schema(Flagged)
