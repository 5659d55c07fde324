"""What to read out of the documents beside this file: `DEMO` names each with its model."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, model_validator


def as_written(name: str, info: ValidationInfo) -> str:
    """Take a name only if it stands in the document, which is there while an answer is judged."""
    if info.context and name not in info.context["document"]:
        message = "expected the name as the document writes it"
        raise ValueError(message)
    return name


Name = Annotated[str, AfterValidator(as_written)]


class Invoice(BaseModel):
    invoice_number: str = Field(description="with its letters")
    seller: Name
    issued: date
    total: Decimal
    currency: Literal["EUR", "GBP", "USD"]
    pay_by: date | None = None


class Item(BaseModel):
    name: str
    price: Decimal


class Receipt(BaseModel):
    shop: Name
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
    title: str
    company: Name
    contract: Literal["full-time", "part-time", "internship"]
    salary: int | None = None
    skills: list[str] = Field(max_length=4)


DEMO: tuple[tuple[str, type[BaseModel]], ...] = (
    ("invoice_english.txt", Invoice),
    ("receipt_english.txt", Receipt),
    ("job_german.txt", JobAdvert),
    ("invoice_german.txt", Invoice),
    ("receipt_spanish.txt", Receipt),
)
