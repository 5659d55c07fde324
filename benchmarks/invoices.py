"""The document and the nested model that calls are compared with."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, Field

DOCUMENT = """\
Invoice INV-2041, Acme Ltd, Leeds, 5 March 2024.
10 Paper, A4 at 4.50; 2 Toner at 61.25; 1 Delivery at 9.90. Total due: 177.40 EUR.
"""


class Vendor(BaseModel):
    name: str
    city: str | None = None
    vat: str | None = None


class Line(BaseModel):
    text: str = Field(description="what was sold")
    quantity: int = Field(ge=0)
    price: Decimal


class Invoice(BaseModel):
    number: str
    issued: date
    vendor: Vendor
    lines: list[Line]
    total: Decimal
    currency: str
    notes: str | None = None
