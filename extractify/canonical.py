"""From a type to pydantic's validator and JSON Schema: all that needs pydantic's slow parts.

Imported with the first target, so that `import extractify` doesn't pay for it.
"""

from __future__ import annotations

from typing import Any, cast

from pydantic import BaseModel, TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import SchemaValidator, core_schema

from extractify.errors import SchemaError

_UNDESCRIBED = (PydanticUserError, PydanticSchemaGenerationError, NameError)
_DECIMAL_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}


def described(target: object) -> tuple[TypeAdapter[Any], JsonSchemaValue]:
    """Pydantic's validator of a type, and the JSON Schema of what it accepts.

    Raises: SchemaError, which names the field that pydantic can't describe.
    """
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(cast("Any", target))
        return adapter, adapter.json_schema(mode="validation", schema_generator=_Generator)
    except _UNDESCRIBED as error:
        path, reason = _culprit(target) or ("", _first_line(error))
        name = target.__name__ if isinstance(target, type) else type(target).__name__
        message = (
            f"The target {name}{path} can't become a JSON Schema: {reason} Give that field a type "
            "that pydantic can describe, leave it out, or make it a private attribute."
        )
        raise SchemaError(message) from None


def enveloped(adapter: TypeAdapter[Any], key: str) -> SchemaValidator:
    """A validator of an object that holds the adapter's value under its one key."""
    field = core_schema.typed_dict_field(adapter.core_schema)
    return SchemaValidator(core_schema.typed_dict_schema({key: field}, extra_behavior="forbid"))


class _Generator(GenerateJsonSchema):
    """One type to a field: a Decimal is asked for as the number it is."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """Leave out the alternative of a string with a pattern; reading accepts both."""
        bounds = cast("dict[str, Any]", schema)
        return {"type": "number"} | {
            keyword: float(bounds[name])
            for name, keyword in _DECIMAL_BOUNDS.items()
            if name in bounds
        }


def _culprit(target: object) -> tuple[str, str] | None:
    """Find the field that fails on its own: its path below `target`, and why."""
    if not (isinstance(target, type) and issubclass(target, BaseModel)):
        return None
    for name, field in target.model_fields.items():
        try:
            TypeAdapter(cast("Any", field.annotation)).json_schema()
        except _UNDESCRIBED as error:
            below = _culprit(field.annotation)
            return (f".{name}{below[0]}", below[1]) if below else (f".{name}", _first_line(error))
    return None


def _first_line(error: Exception) -> str:
    line = str(error).strip().partition("\n")[0].rstrip(".")
    return f"{line}."
