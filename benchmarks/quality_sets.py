"""Documents with the fields that are right for them: four public sets, and a small one of our own.

The public sets lie beside the project, and none of their records are part of it; each record is
held out or open to tuning, by a checksum of its name.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import zlib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import BaseModel, Field, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "shared" / "datasets"
OWN = HERE / "quality_documents.jsonl"
Half: TypeAlias = Literal["tuning", "held out"]
Gold: TypeAlias = tuple[type[BaseModel], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """A document, and what is right for it."""

    text: str
    right: BaseModel

    @property
    def target(self) -> type[BaseModel]:
        return type(self.right)


class Address(BaseModel):
    house_number: str | None = None
    street_name: str | None = None
    street_type: str | None = Field(None, description="Street, Ave, Rd and the like")
    unit: str | None = Field(None, description="number of the apartment, suite or room")
    city: str | None = None
    state: str | None = None
    postcode: str | None = None


class Quantity(BaseModel):
    amount: Decimal = Field(description="the whole number, in digits")
    kind: Literal["money", "length", "weight", "area", "volume", "data", "age", "temperature"]


class Reference(BaseModel):
    author: str | None = Field(None, description="all authors, as written")
    year: int | None = None
    title: str | None = None
    journal: str | None = None
    volume: str | None = None
    pages: str | None = None


class AddToPlaylist(BaseModel):
    playlist: str | None = None
    artist: str | None = None
    music_item: str | None = Field(None, description="song, track, album and the like")
    playlist_owner: str | None = None


class RateBook(BaseModel):
    object_name: str | None = Field(None, description="title of the book")
    rating_value: str | None = None
    best_rating: str | None = None
    rating_unit: str | None = Field(None, description="stars or points")


class BookRestaurant(BaseModel):
    restaurant_type: str | None = Field(None, description="restaurant, bar, pub and the like")
    party_size_number: str | None = None
    city: str | None = None
    country: str | None = None
    time: str | None = None


class GetWeather(BaseModel):
    condition: str | None = Field(None, description="rain, snow, fog and the like")
    city: str | None = None
    state: str | None = None
    country: str | None = None
    time: str | None = None


class Bill(BaseModel):
    seller: str
    number: str | None = Field(None, description="invoice number")
    issued: dt.date
    total: Decimal
    currency: Literal["EUR", "USD", "GBP", "CHF"]


# --- what a record of each set says -------------------------------------------------------------

_ADDRESS = {
    "AddressNumber": "house_number",
    "StreetName": "street_name",
    "StreetNamePostType": "street_type",
    "OccupancyIdentifier": "unit",
    "PlaceName": "city",
    "StateName": "state",
    "ZipCode": "postcode",
}
_REFERENCE = {
    "author": "author",
    "title": "title",
    "journal": "journal",
    "volume": "volume",
    "pages": "pages",
}
_SLOTS = {"timeRange": "time", "condition_description": "condition"}
_INTENTS = {each.__name__: each for each in (AddToPlaylist, RateBook, BookRestaurant, GetWeather)}
_SUBTYPES = {
    "Length": "length",
    "Weight": "weight",
    "Area": "area",
    "Volume": "volume",
    "Information": "data",
}
_TYPES = {"currency": "money", "age": "age", "temperature": "temperature"}
_LEAST_FIELDS = 3


def _address(record: Mapping[str, Any]) -> Gold | None:
    gold = {_ADDRESS[key]: value for key, value in record["gold"].items() if key in _ADDRESS}
    return (Address, gold) if len(gold) >= _LEAST_FIELDS else None


def _quantity(record: Mapping[str, Any]) -> Gold | None:
    """A record that holds one quantity and says its number."""
    if len(record["gold"]) != 1:
        return None
    (only,) = record["gold"]
    kind = _SUBTYPES.get(only["resolution"].get("subtype", ""), _TYPES.get(only["type"]))
    amount = only["resolution"].get("value")
    return (Quantity, {"amount": amount, "kind": kind}) if kind and amount else None


def _slots(record: Mapping[str, Any]) -> Gold | None:
    target = _INTENTS.get(record["intent"])
    if target is None:
        return None
    gold = {_SLOTS.get(key, key): value for key, value in record["gold"].items()}
    return target, {key: value for key, value in gold.items() if key in target.model_fields}


def _reference(record: Mapping[str, Any]) -> Gold | None:
    segments = {k: v for k, v in record["gold_segments"].items() if isinstance(v, str)}
    if len(segments) < len(record["gold_segments"]):
        return None  # a field in two places
    gold: dict[str, Any] = {
        name: segments[key] for key, name in _REFERENCE.items() if key in segments
    }
    years = re.findall(r"\b[12][0-9]{3}\b", segments.get("date", ""))
    if len(years) == 1:
        gold["year"] = int(years[0])
    return (Reference, gold) if len(gold) >= _LEAST_FIELDS else None


_SETS: dict[str, Callable[[Mapping[str, Any]], Gold | None]] = {
    "usaddress": _address,
    "recognizers_text": _quantity,
    "snips_slots": _slots,
    "anystyle_refs": _reference,
}


def sets(half: Half, limit: int) -> dict[str, list[Case]]:
    """At most `limit` cases of each set that is there; our own, which belongs to no half, last."""
    found = {
        name: list(_cases(SHARED / name / "records.jsonl", half, says))[:limit]
        for name, says in _SETS.items()
        if (SHARED / name / "records.jsonl").exists()
    }
    return {**found, "own": own()}


def own() -> list[Case]:
    """Bills in our own words: dates and amounts as several countries write them."""
    records = map(json.loads, OWN.read_text(encoding="utf-8").splitlines())
    return [Case(each["text"], Bill.model_validate(each["gold"])) for each in records]


def _cases(
    path: Path, half: Half, says: Callable[[Mapping[str, Any]], Gold | None]
) -> Iterator[Case]:
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    # In the order of the checksums, so that the first few are a sample of all kinds.
    for record in sorted(records, key=lambda each: zlib.crc32(each["id"].encode())):
        held_out = zlib.crc32(record["id"].encode()[::-1]) % 2
        told = says(record)
        if told is None or (half == "held out") != bool(held_out):
            continue
        target, gold = told
        try:
            yield Case(record["text"], target.model_validate(gold))
        except ValidationError:  # a number that no Decimal is
            continue
