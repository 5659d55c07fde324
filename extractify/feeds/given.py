"""What a program gives itself: pairs of id and text, documents, texts or mappings, one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from extractify.documents import Document

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

    from extractify.feeds.fields import Fields
    from extractify.rows import Row

_PAIR = 2


def rows(items: Iterable[object], fields: Fields) -> Iterator[Row]:
    """The rows of an iterable, whose exceptions go through."""
    for number, item in enumerate(items, start=1):
        yield _row(number, item, fields)


async def arows(items: AsyncIterable[object], fields: Fields) -> AsyncIterator[Row]:
    """The rows of an async iterable, whose exceptions go through."""
    number = 0
    async for item in items:
        number += 1
        yield _row(number, item, fields)


def _row(number: int, item: object, fields: Fields) -> Row:
    row_id: object = None
    text = item
    if isinstance(item, Mapping):
        row_id, text = item.get(fields.id_name), item.get(fields.text)
    elif isinstance(item, tuple | list) and len(item) == _PAIR:
        row_id, text = item
    if isinstance(text, Document):
        row_id = text.name if row_id is None else row_id
        text = text.text
    return fields.pair(number, row_id, text, f"Item {number}")
