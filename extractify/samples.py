"""A task's examples: checked when the task is made, and written as an answer would be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import Secret, SecretBytes, SecretStr, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from extractify.errors import ConfigurationError
from extractify.messages import clipped
from extractify.nodes import escaped

if TYPE_CHECKING:
    from extractify.messages import JsonValue
    from extractify.schema import Schema


def encoded(schema: Schema[Any], text: str, value: object) -> JsonValue:
    """An example's value as plain data. text: its document, which validators may look into.

    Raises: ConfigurationError where the value isn't one of the target.
    """
    if schema.adapter is None:
        return _plain(schema, value)
    context = {"document": text}
    try:
        typed = schema.adapter.validate_python(value, context=context)
        data = schema.adapter.dump_python(
            typed, mode="json", by_alias=True, round_trip=True, warnings="error"
        )
        data = _told(data, schema.adapter.dump_python(typed, by_alias=True, round_trip=True))
        schema.adapter.validate_json(json.dumps(data), context=context)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = "".join(f"/{escaped(str(step))}" for step in first["loc"])
        raise _unfit(schema, place, str(first["msg"])) from None
    except (PydanticSerializationError, TypeError, ValueError) as error:
        raise _unfit(schema, "", f"it can't be written as JSON ({type(error).__name__})") from None
    return data


def _told(data: JsonValue, value: object) -> JsonValue:
    """Plain data with the secrets that pydantic writes as stars: an example is there to be sent.

    value: the same, in Python's types.
    """
    if isinstance(value, SecretStr | SecretBytes | Secret):
        if data != to_jsonable_python(value):
            return data  # the target's own way to write it
        told: JsonValue = to_jsonable_python(value.get_secret_value())
        return told
    if isinstance(data, dict) and isinstance(value, dict):
        pairs = zip(data.items(), value.values(), strict=True)
        return {key: _told(held, inner) for (key, held), inner in pairs}
    if isinstance(data, list) and isinstance(value, list | tuple | set | frozenset):
        return [_told(held, inner) for held, inner in zip(data, value, strict=True)]
    return data


def _plain(schema: Schema[Any], value: object) -> JsonValue:
    try:
        data: JsonValue = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise _unfit(schema, "", "it isn't JSON") from None
    error = next(schema.validator.iter_errors(data), None)
    if error is not None:
        place = "".join(f"/{escaped(str(step))}" for step in error.absolute_path)
        wanted = clipped(json.dumps(error.validator_value))
        raise _unfit(schema, place, f"expected {error.validator} {wanted}")
    return data


def _unfit(schema: Schema[Any], place: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"An example's value isn't a {schema.name}: {clipped(place or '/')}: "
        f"{clipped(reason, 200)}. Correct Task(examples=…): pairs of a text and its value."
    )
