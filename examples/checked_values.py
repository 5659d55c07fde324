"""Rules beyond types: what is checked against the document, and what happens when it fails.

Run it with the embedded model, or name another endpoint:

    python examples/checked_values.py [cloudflare:minimax/m2.7]
"""

from __future__ import annotations

import sys
from typing import Self

from pydantic import BaseModel, ValidationInfo, field_validator, model_validator

import extractify
from extractify import Client, Problem, Repair, Task

DOCUMENT = "Blue Door Ltd orders 12 hinges for 50.40 EUR in all."


class Order(BaseModel):
    buyer: str
    article: str
    pieces: int
    price: float
    phone: str | None = None
    delivered: str | None = None

    @field_validator("buyer", "phone", "delivered")
    @classmethod
    def stands_in_the_document(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.context and value not in info.context["document"]:
            message = "must stand in the document, letter by letter"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def no_piece_costs_more_than_all(self) -> Self:
        if self.price < self.pieces:
            # Aimed at one field, so that this one alone is asked for again.
            raise extractify.Invalid("/price", f"must be the price of all {self.pieces} pieces")
        return self


def told(problems: tuple[Problem, ...]) -> str:
    print("wrong:", *problems, sep="\n  ")
    return "If the document doesn't say it, answer null."


def main() -> None:
    repair = Repair(stop=3, on_problems=told, best_effort=True)
    with Client(*sys.argv[1:2] or ["local:smollm2"]) as client:
        result = client.extract(Task(Order, repair=repair), DOCUMENT)
    print("value:", result.value)
    for pointer, status in result.status.items():
        print(f"  {pointer}: {status}")
    print("asked:", *(attempt.strategy for attempt in result.attempts))


if __name__ == "__main__":
    main()
