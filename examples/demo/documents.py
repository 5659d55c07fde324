"""What to read out of the documents beside this file: `DEMO` names each with its model."""

from datetime import date
from decimal import Decimal
from typing import Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator


class Invoice(BaseModel):
    """A bill. Its number has letters, which small models like to leave out."""

    invoice_number: str = Field(description="with its letters")
    seller: str
    issued: date
    total: Decimal
    currency: Literal["EUR", "GBP", "USD"]
    pay_by: date | None = None

    @field_validator("invoice_number")
    @classmethod
    def _has_letters(cls, number: str) -> str:
        if not any(letter.isalpha() for letter in number):
            message = "expected the invoice's number with its letters"
            raise ValueError(message)
        return number


class Item(BaseModel):
    name: str
    price: Decimal


class Receipt(BaseModel):
    """What a shop hands over with the goods."""

    shop: str
    issued: date
    items: list[Item]
    total: Decimal

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        items = sum(item.price for item in self.items)
        if items != self.total:
            message = f"the items add up to {items}, not to the total of {self.total}"
            raise ValueError(message)
        return self


class JobAdvert(BaseModel):
    """A position that is open."""

    title: str
    company: str
    contract: Literal["full-time", "part-time", "internship"]
    salary: int | None = None
    skills: list[str]


DEMO: tuple[tuple[str, type[BaseModel]], ...] = (
    ("invoice_english.txt", Invoice),
    ("receipt_english.txt", Receipt),
    ("job_english.txt", JobAdvert),
    ("invoice_german.txt", Invoice),
    ("receipt_spanish.txt", Receipt),
)
