"""Tests of your own code that extracts: no model, no network, nothing patched.

The fixture `extractify_endpoint` comes with the package:

    pytest examples/test_with_extractify.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel, Field

from extractify import Client, QuotaExceeded, Task
from extractify.testing import FAULTS

if TYPE_CHECKING:
    from extractify import Endpoint
    from extractify.testing.plugin import Endpoints

# --- your code -------------------------------------------------------------------------------


class Booking(BaseModel):
    guest: str
    nights: int = Field(ge=1)


def price_of_stay(mail: str, endpoint: Endpoint | str) -> str:
    """What the desk answers to a mail."""
    try:
        with Client(endpoint) as client:
            booking = client.extract(Task(Booking, instructions="A mail to a hotel."), mail).value
    except QuotaExceeded:
        return "A colleague will answer you."
    return f"{booking.guest}: {booking.nights * 80} EUR"


# --- its tests -------------------------------------------------------------------------------

MAIL = "Two nights for Ada Linden, please."


def test_a_mail_is_answered_by_its_price(extractify_endpoint: Endpoints) -> None:
    endpoint = extractify_endpoint({"guest": "Ada Linden", "nights": 2})
    assert price_of_stay(MAIL, endpoint) == "Ada Linden: 160 EUR"


def test_the_model_is_shown_the_mail_and_told_what_it_is(extractify_endpoint: Endpoints) -> None:
    endpoint = extractify_endpoint({"guest": "Ada Linden", "nights": 2})
    price_of_stay(MAIL, endpoint)
    (request,) = endpoint.requests
    assert MAIL in request.last_message
    assert "A mail to a hotel." in request.asked["messages"][0]["content"]


def test_a_stay_of_no_nights_is_asked_about_again(extractify_endpoint: Endpoints) -> None:
    first, second = {"guest": "Ada Linden", "nights": 0}, {"guest": "Ada Linden", "nights": 2}
    endpoint = extractify_endpoint(first, second)
    assert price_of_stay(MAIL, endpoint) == "Ada Linden: 160 EUR"
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize("fault", ["Cloudflare 3036", "HTTP 402"])
def test_without_money_a_person_answers(fault: str, extractify_endpoint: Endpoints) -> None:
    endpoint = extractify_endpoint(FAULTS[fault])
    assert price_of_stay(MAIL, endpoint) == "A colleague will answer you."
