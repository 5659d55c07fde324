"""30 models of documents that people extract from: what `prompts.py` shows to a model."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model


class Address(BaseModel):
    street: str
    postcode: str = Field(description="Without the country's prefix")
    city: str
    country: str | None = None


class Person(BaseModel):
    name: str
    born: dt.date | None = None
    address: Address | None = None
    emails: list[str] = []


class Line(BaseModel):
    description: str
    quantity: Decimal = Field(gt=0)
    unit_price: Decimal = Field(ge=0)
    discount: Decimal | None = None


class Clause(BaseModel):
    number: str
    heading: str | None = None
    text: str
    parts: list[Clause] = []


class Card(BaseModel):
    kind: Literal["card"]
    last_digits: str = Field(pattern="^[0-9]{4}$")


class Transfer(BaseModel):
    kind: Literal["transfer"]
    iban: str = Field(min_length=15, max_length=34)


TEXT, SOME_TEXT = (str, ...), (str | None, None)
DAY, SOME_DAY, TIME = (dt.date, ...), (dt.date | None, None), (dt.datetime | None, None)
MONEY, SOME_MONEY = (Decimal, ...), (Decimal | None, None)
TEXTS: tuple[Any, Any] = (list[str], [])
COUNT, SOME_COUNT = (int, ...), (int | None, Field(default=None, ge=0))
CURRENCY = (Literal["EUR", "USD", "GBP"], "EUR")

FIELDS: dict[str, dict[str, Any]] = {
    "Invoice": {
        "number": (str, Field(description="The invoice number as printed")),
        "issued": DAY, "due": SOME_DAY, "seller": (Address, ...), "buyer": (Address, ...),
        "lines": (list[Line], ...), "currency": CURRENCY, "total": MONEY,
    },
    "Receipt": {
        "shop": TEXT, "paid_at": TIME, "total": MONEY, "tax": SOME_MONEY,
        "payment": (Literal["cash", "card", "other"] | None, None),
    },
    "Contract": {"parties": (list[Person], ...), "signed": SOME_DAY, "clauses": (list[Clause], [])},
    "Resume": {
        "person": (Person, ...), "skills": TEXTS,
        "languages": (dict[str, Literal["basic", "fluent", "native"]], {}),
    },
    "Payment": {"amount": MONEY, "method": (Card | Transfer, ...), "reference": SOME_TEXT},
    "Event": {"what": TEXT, "starts": TIME, "where": SOME_TEXT, "people": TEXTS},
    "Measurement": {"sensor": TEXT, "value": (float, ...), "unit": SOME_TEXT, "taken": TIME},
    "Review": {
        "sentiment": (Literal["positive", "neutral", "negative"], ...),
        "stars": (int | None, Field(default=None, ge=1, le=5)), "aspects": (dict[str, str], {}),
    },
    "Medication": {
        "name": TEXT, "dose": (str | None, Field(default=None, description="With its unit")),
        "times_a_day": (int | None, Field(default=None, ge=0, le=24)), "until": SOME_DAY,
    },
    "Flight": {
        "number": (str, Field(pattern="^[A-Z]{2}[0-9]+$")), "origin": TEXT, "destination": TEXT,
        "departure": TIME, "arrival": TIME, "seats": TEXTS,
    },
    "Job": {
        "title": TEXT, "employer": TEXT, "salary": SOME_MONEY, "skills": TEXTS,
        "until": SOME_DAY,
    },
    "Recipe": {
        "name": TEXT, "minutes": SOME_COUNT, "servings": SOME_COUNT,
        "ingredients": (list[Line], ...), "steps": TEXTS,
    },
    "LabReport": {
        "patient": (Person, ...), "taken": DAY,
        "values": (dict[str, float], ...), "doctor": SOME_TEXT,
    },
    "Delivery": {
        "number": TEXT, "from_": (Address, ...), "to": (Address, ...),
        "lines": (list[Line], []),
    },
    "Statement": {"iban": TEXT, "opening": MONEY, "closing": MONEY, "lines": (list[Line], [])},
    "Policy": {
        "holder": (Person, ...), "insured": (list[Person], []), "premium": MONEY, "starts": DAY,
        "kind": (Literal["car", "home", "life", "travel"], ...),
    },
    "Ticket": {
        "title": TEXT, "severity": (Literal["low", "high", "critical"], ...), "steps": TEXTS,
        "version": SOME_TEXT,
    },
    "Ruling": {
        "court": TEXT, "number": TEXT, "decided": DAY, "parties": (list[Person], []),
        "outcome": SOME_TEXT,
    },
    "Paper": {
        "title": TEXT, "authors": (list[Person], ...), "year": SOME_COUNT, "doi": SOME_TEXT,
        "sections": (list[Clause], []),
    },
    "Product": {
        "name": TEXT, "price": MONEY, "currency": CURRENCY, "sizes": TEXTS,
        "properties": (dict[str, str], {}),
    },
    "Meeting": {"date": DAY, "present": (list[Person], []), "decisions": TEXTS, "next": SOME_DAY},
    "Lease": {
        "landlord": (Person, ...), "tenant": (Person, ...), "place": (Address, ...), "rent": MONEY,
        "deposit": SOME_MONEY, "starts": DAY, "ends": SOME_DAY,
    },
    "Complaint": {
        "customer": (Person, ...), "about": TEXT, "wanted": SOME_TEXT,
        "order": SOME_TEXT,
    },
    "Recall": {"product": TEXT, "batches": TEXTS, "hazard": TEXT, "since": SOME_DAY},
    "Tender": {"title": TEXT, "authority": (Address, ...), "value": SOME_MONEY, "closes": TIME},
    "Weather": {
        "place": TEXT, "day": DAY, "low": (float, ...), "high": (float, ...),
        "wind": SOME_TEXT,
    },
    "Trade": {
        "symbol": TEXT, "side": (Literal["buy", "sell"], ...), "quantity": COUNT, "price": MONEY,
        "at": TIME,
    },
    "Accident": {
        "at": TIME, "where": (Address | None, None), "cars": COUNT,
        "hurt": (list[Person], []),
    },
    "Expense": {
        "employee": (Person, ...), "lines": (list[Line], ...),
        "payments": (list[Card], []),
    },
    "Registration": {
        "company": TEXT, "seat": (Address, ...), "heads": (list[Person], []),
        "capital": MONEY,
    },
}  # fmt: skip


def models() -> list[type[BaseModel]]:
    return [create_model(name, **fields) for name, fields in FIELDS.items()]
