"""Any value as plain data with JSON's types, and its enum members by name."""

from __future__ import annotations

import dataclasses
import json
import math
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

from extractify.nodes import escaped

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from extractify.messages import JsonValue

_STRICT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_LENIENT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_SPELLED = {math.inf: "Infinity", -math.inf: "-Infinity"}


def plain_data(value: object) -> JsonValue:
    """A model, a dataclass, or what else pydantic can write as JSON, as plain data by alias."""
    if _is_plain(value):
        return cast("JsonValue", value)
    from pydantic_core import to_jsonable_python

    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        from pydantic import TypeAdapter

        return dumped(TypeAdapter(type(value)), value)
    return cast(
        "JsonValue",
        to_jsonable_python(
            value, by_alias=True, fallback=str, inf_nan_mode="constants", bytes_mode="base64"
        ),
    )


def dumped(adapter: TypeAdapter[Any] | None, value: object) -> JsonValue:
    """A value of a target as plain data; one of a JSON Schema is that already."""
    if adapter is None:
        return cast("JsonValue", value)
    return cast(
        "JsonValue",
        adapter.dump_python(value, mode="json", by_alias=True, warnings=False, fallback=str),
    )


def json_text(data: JsonValue) -> str:
    """Plain data as one line of JSON that every reader takes, and that UTF-8 can carry.

    Infinite numbers and NaN, which JSON doesn't know, are written as strings; lone surrogates are
    escaped.
    """
    try:
        text = _STRICT.encode(data)
    except ValueError:
        text = _STRICT.encode(_spelled(data))
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def compact_json(data: JsonValue) -> str:
    """Plain data as compact JSON that Python reads back as it is, and that UTF-8 can carry.

    NaN and Infinity stand for themselves; lone surrogates are escaped.
    """
    from pydantic_core import to_json

    try:
        return to_json(data, inf_nan_mode="constants").decode()
    except ValueError:  # a lone surrogate
        return _LENIENT.encode(data).encode("utf-8", "backslashreplace").decode()


def travels(text: str) -> bool:
    """Whether UTF-8 can carry a text: it has no lone surrogates."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _spelled(data: JsonValue) -> JsonValue:
    if isinstance(data, dict):
        return {key: _spelled(held) for key, held in data.items()}
    if isinstance(data, list):
        return [_spelled(held) for held in data]
    if isinstance(data, float) and not math.isfinite(data):
        return _SPELLED.get(data, "NaN")
    return data


def _is_plain(value: object) -> bool:
    stack = [value]
    while stack:
        here = stack.pop()
        if type(here) is dict:
            if not all(type(key) is str for key in here):
                return False
            stack.extend(here.values())
        elif type(here) is list:
            stack.extend(here)
        elif here is not None and type(here) not in {str, int, float, bool}:
            return False
    return True


def member_names(value: object) -> dict[str, str]:
    """The names of the enum members in a value, by pointer."""
    names: dict[str, str] = {}
    stack: list[tuple[str, object]] = [("", value)]
    while stack:
        pointer, here = stack.pop()
        if isinstance(here, Enum):
            names[pointer] = here.name
        elif isinstance(here, dict):
            stack.extend((f"{pointer}/{escaped(str(key))}", held) for key, held in here.items())
        elif isinstance(here, list | tuple):
            stack.extend((f"{pointer}/{index}", held) for index, held in enumerate(here))
        else:
            fields = getattr(type(here), "__pydantic_fields__", None) or getattr(
                type(here), "__dataclass_fields__", None
            )
            for name, field in (fields or {}).items():
                alias = getattr(field, "serialization_alias", None) or getattr(field, "alias", None)
                stack.append((f"{pointer}/{escaped(alias or name)}", getattr(here, name, None)))
    return names
