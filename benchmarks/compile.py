"""Compiling a target: first use and from the cache, beside what pydantic alone takes.

Run: python benchmarks/compile.py [repetitions]. Processor time, medians. The target is a nested
model of 30 fields, made anew for each repetition, because a class is compiled once.
"""

from __future__ import annotations

import statistics
import sys
import time
import timeit
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field, TypeAdapter

from extractify.lowering import lower
from extractify.profiles import M2_7, OPENAI_STRICT
from extractify.schema import compile_schema

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 20_000


def model() -> type[BaseModel]:
    """A model of 30 fields in four classes."""

    class Address(BaseModel):
        street: str
        postcode: str = Field(max_length=10)
        city: str
        country: str | None = None

    class Party(BaseModel):
        name: str = Field(description="as printed")
        vat_id: str | None = None
        address: Address
        email: str | None = None
        phone: str | None = None

    class Line(BaseModel):
        description: str
        quantity: Decimal = Field(gt=0)
        unit: str | None = None
        unit_price: Decimal
        discount: Decimal | None = None
        tax_rate: Decimal | None = None
        total: Decimal

    class Invoice(BaseModel):
        number: str
        issued: date
        due: date | None = None
        delivered: date | None = None
        seller: Party
        buyer: Party
        lines: list[Line]
        currency: Literal["EUR", "USD", "GBP"] = "EUR"
        net: Decimal
        tax: Decimal
        total: Decimal
        paid: bool = False
        notes: list[str] = []
        references: dict[str, str] = {}

    return Invoice


def pydantic_alone(target: type[BaseModel]) -> None:
    TypeAdapter(target).json_schema()


def first_use(target: type[BaseModel]) -> None:
    lower(compile_schema(target), M2_7)


def strictly(target: type[BaseModel]) -> None:
    lower(compile_schema(target), OPENAI_STRICT)


def median(work: Callable[[type[BaseModel]], None], repetitions: int) -> float:
    """Milliseconds of processor time."""
    times = []
    for _ in range(repetitions):
        target = model()
        started = time.process_time()
        work(target)
        times.append(time.process_time() - started)
    return 1000 * statistics.median(times)


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    first_use(model())  # imports
    alone = median(pydantic_alone, repetitions)
    print(f"pydantic alone, adapter and JSON Schema: {alone:.2f} ms")
    for name, work in (("m2.7", first_use), ("openai-strict", strictly)):
        taken = median(work, repetitions)
        print(f"first use, lowered for {name}: {taken:.2f} ms, {taken / alone:.2f} times that")
    target = model()
    schema = compile_schema(target)
    lower(schema, M2_7)
    cached: dict[str, Callable[[], object]] = {
        "the schema": lambda: compile_schema(target),
        "the payload": lambda: lower(schema, M2_7),
    }
    for name, take in cached.items():
        best = min(timeit.repeat(take, number=CALLS, repeat=5, timer=time.process_time))
        print(f"{name} from the cache: {1e6 * best / CALLS:.2f} µs")


if __name__ == "__main__":
    main()
