"""extractify.memory: what is made of a target is made once, and goes when the target goes."""

from __future__ import annotations

import dataclasses
import enum
import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, NewType

import pytest
from pydantic import BaseModel
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypedDict

from extractify import Client, Endpoint, Task, read
from extractify.errors import SchemaError
from extractify.lowering import lower
from extractify.profiles import PROFILES
from extractify.schema import compile_schema

Number = NewType("Number", int)
WHERE = Endpoint(url="http://127.0.0.1:9/v1", model="m")


def used(make: Any) -> list[weakref.ref[Any]]:
    """Weak references to a class and its schema, after all was done with them that can be."""
    kind: Any = make()
    targets: list[Any] = [kind, list[kind], dict[str, kind], kind | None]
    for target in targets:
        schema = compile_schema(target)
        read("{}", target)
        Client(WHERE).build_request(Task(target, "Be exact."), "A text.")
        for profile in PROFILES.values():
            lower(schema, profile)
    return [weakref.ref(kind), weakref.ref(compile_schema(kind))]


def model() -> type:
    class Model(BaseModel):
        value: int

    return Model


def dataclass() -> type:
    @dataclasses.dataclass
    class Point:
        x: int

    return Point


def typed_dict() -> Any:
    class Entry(TypedDict):
        word: str

    return Entry


def enumeration() -> type:
    class Colour(enum.Enum):
        RED = "red"

    return Colour


@pytest.mark.parametrize("make", [model, dataclass, enumeration])
def test_a_class_that_nobody_holds_is_freed_with_its_schemas(make: Any) -> None:
    gone = used(make)
    gc.collect()
    gc.collect()
    assert [each() for each in gone] == [None, None]


@pytest.mark.parametrize("make", [model, dataclass, typed_dict, enumeration])
def test_the_same_class_gives_the_same_schema(make: Any) -> None:
    kind: Any = make()
    for target in (kind, list[kind], dict[str, kind], tuple[kind, int]):
        assert compile_schema(target) is compile_schema(target)


def test_a_subclass_has_schemas_of_its_own() -> None:
    class Base(BaseModel):
        a: int

    compile_schema(Base)

    class Derived(Base):
        b: int

    assert list(compile_schema(Derived).canonical["properties"]) == ["a", "b"]


def test_unions_that_differ_in_their_order_are_two_targets() -> None:
    one: Any = model()
    two: Any = model()
    for first, second in (
        (one | two, two | one),
        (list[one | two], list[two | one]),
        (dict[str, list[one | two]], dict[str, list[two | one]]),
    ):
        assert compile_schema(first) is not compile_schema(second)
        assert compile_schema(first) is compile_schema(first)
        assert compile_schema(second).target == second


def test_new_types_keep_their_schemas() -> None:
    assert compile_schema(list[Number]) is compile_schema(list[Number])
    assert compile_schema(Number) is compile_schema(Number)


def test_a_class_keeps_no_more_than_the_last_schemas_it_is_part_of() -> None:
    kind: Any = model()
    first = weakref.ref(compile_schema(Annotated[kind, 0]))
    for number in range(1, 100):
        compile_schema(Annotated[kind, number])
    gc.collect()
    assert first() is None
    assert compile_schema(Annotated[kind, 99]) is compile_schema(Annotated[kind, 99])


def test_a_call_builds_no_class_no_validator_and_no_schema_again() -> None:
    built: list[object] = []

    class Counted(str):
        __slots__ = ()

        @classmethod
        def __get_pydantic_core_schema__(cls, source: object, _handler: object) -> CoreSchema:
            built.append(source)
            return core_schema.str_schema()

        @classmethod
        def __get_pydantic_json_schema__(cls, source: Any, handler: Any) -> Any:
            built.append(source)
            return handler(source)

    class Model(BaseModel):
        code: Counted

    client = Client(WHERE)
    bodies = [client.build_request(Model, "A text.").body]
    once = list(built)
    for _ in range(5):
        bodies.append(client.build_request(Model, "A text.").body)
        bodies.append(client.build_request(Task(Model), "A text.").body)
        assert read('{"code": "x"}', Model).value.code == "x"
    assert built == once
    assert all(body == bodies[0] for body in bodies)


def test_the_payload_is_encoded_once() -> None:
    schema = compile_schema(model())
    for profile in PROFILES.values():
        one, two = lower(schema, profile).format, lower(schema, profile).format
        assert one is not None
        assert two is not None
        assert one.encoded is two.encoded


def test_many_threads_get_one_schema() -> None:
    kind: Any = model()
    with ThreadPoolExecutor(8) as pool:
        schemas = list(pool.map(lambda _: compile_schema(list[kind]), range(64)))
    assert len({id(schema) for schema in schemas}) == 1


def test_what_was_remembered_of_an_error_is_nothing() -> None:
    node: dict[str, Any] = {"type": "string"}
    for _ in range(11):
        node = {"type": "object", "properties": {"a": node}}
    for _ in range(2):
        with pytest.raises(SchemaError, match="11 levels"):
            lower(compile_schema(node), PROFILES["openai-strict"])
