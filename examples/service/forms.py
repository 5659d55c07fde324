"""The forms that the service fills in, and a text to try each with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field

from extractify import Repair, Task


class Registration(BaseModel):
    name: str = Field(title="Name", max_length=80)
    born: date | None = Field(title="Date of birth")
    email: str | None = Field(title="E-mail", max_length=80)
    city: str | None = Field(title="City", max_length=80)
    newsletter: bool | None = Field(title="Newsletter")


class Article(BaseModel):
    pieces: int = Field(title="Pieces", ge=1)
    name: str = Field(title="Article", max_length=80)
    price: Decimal | None = Field(title="Price", description="of one piece")


class Order(BaseModel):
    buyer: str = Field(title="Buyer", max_length=80)
    deliver_to: str | None = Field(title="Deliver to", max_length=120)
    articles: list[Article] = Field(title="Articles", max_length=20)


@dataclass(frozen=True)
class Form:
    """What is asked for, and a text that has it."""

    task: Task[Any]
    example: str

    @property
    def schema(self) -> dict[str, Any]:
        """For who shows the form."""
        schema: dict[str, Any] = self.task.target.model_json_schema()
        return schema


FORMS = {
    "registration": Form(
        Task(Registration, repair=Repair(stop=2)),
        "Hello, this is Maren Voss from Kiel, born on 4 July 1991. Please send the newsletter, "
        "which I like a lot, to maren.voss@example.org.",
    ),
    "order": Form(
        Task(Order, repair=Repair(stop=2)),
        "For Blue Door Ltd: twelve brass hinges at 4.20 each and 2 door handles at 31.50, "
        "to be delivered to 9 Mill Lane, Leeds.",
    ),
}
