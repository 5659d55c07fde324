"""From a type to pydantic's validator and JSON Schema: all that needs pydantic's slow parts.

Imported with the first target, so that `import extractify` doesn't pay for it.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import re
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import BaseModel, TypeAdapter
from pydantic.errors import (
    PydanticInvalidForJsonSchema,
    PydanticSchemaGenerationError,
    PydanticUserError,
)
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import SchemaError as CoreSchemaError
from pydantic_core import core_schema

from extractify.errors import SchemaError
from extractify.nodes import DECIMAL, DIGITS

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNDESCRIBED = (
    PydanticUserError,
    PydanticSchemaGenerationError,
    CoreSchemaError,
    ImportError,
    NameError,
    TypeError,
)
_FIELDS = ("__required_keys__", "_field_defaults")  # a TypedDict's and a NamedTuple's own
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
        plain = isinstance(target, type) and get_origin(target) is None
        name = target.__name__ if plain else repr(target)  # type: ignore[attr-defined]
        message = (
            f"The target {name}{path} can't become a JSON Schema: {reason} Give that field a type "
            "that pydantic can describe, leave it out, or make it a private attribute."
        )
        raise SchemaError(message) from None


def written(adapter: TypeAdapter[Any]) -> JsonSchemaValue | None:
    """The JSON Schema of what a validator's values are dumped as; None where pydantic knows none.

    A Decimal is a string whose format says so, with the digits that it has at most, and those of
    them behind the point, where the target says both.
    """
    try:
        return adapter.json_schema(mode="serialization", schema_generator=_Written)
    except _UNDESCRIBED:
        return None


class _Generator(GenerateJsonSchema):
    """One type to a field: a Decimal is asked for as the number it is."""

    # A default that JSON doesn't know is nothing that a model could be told: no news to the caller.
    ignored_warning_kinds = {  # noqa: RUF012  (pydantic declares it for instances)
        "skipped-choice",
        "non-serializable-default",
    }

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """Leave out the alternative of a string with a pattern; reading accepts both."""
        bounds = cast("dict[str, Any]", schema)
        return {"type": "number", "format": DECIMAL} | {
            keyword: _number(bounds[name])
            for name, keyword in _DECIMAL_BOUNDS.items()
            if name in bounds
        }

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        """Refuse flags: a model can't be asked for a combination of members."""
        if issubclass(schema["cls"], enum.Flag):
            raise PydanticInvalidForJsonSchema(
                f"{schema['cls'].__name__} is a Flag, whose values are combinations. "
                "Ask for a set of members of a plain Enum, and combine them yourself."
            )
        return super().enum_schema(schema)

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Refuse keys of any kind: those of a JSON object are strings."""
        keys, values = schema.get("keys_schema", {}), schema.get("values_schema", {})
        if keys.get("type") == "any" and values.get("type") != "any":
            raise PydanticInvalidForJsonSchema("Its keys are of any type; let them be str.")
        return super().dict_schema(schema)

    def is_subclass_schema(self, schema: core_schema.IsSubclassSchema) -> JsonSchemaValue:
        """Refuse classes as values."""
        raise PydanticInvalidForJsonSchema(f"{schema['cls'].__name__} is wanted as a class.")

    def call_schema(self, schema: core_schema.CallSchema) -> JsonSchemaValue:
        """Refuse functions, which would be called with the answer; a NamedTuple is a class."""
        if not isinstance(schema["function"], type):
            raise PydanticInvalidForJsonSchema("It is a function, not a type.")
        return super().call_schema(schema)

    def generator_schema(self, schema: core_schema.GeneratorSchema) -> JsonSchemaValue:
        """Refuse what pydantic checks only as it is read: a wrong item would come to light late."""
        del schema
        raise PydanticInvalidForJsonSchema(
            "Its items are only checked as they are read; let it be a list."
        )


class _Written(_Generator):
    """What is dumped isn't asked for."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """Keep what tells how many digits there are."""
        digits = [schema.get("max_digits"), schema.get("decimal_places")]
        return {"type": "string", "format": DECIMAL, **({} if None in digits else {DIGITS: digits})}


def _number(bound: Any) -> int | float:  # noqa: ANN401  (pydantic takes any number for a bound)
    return int(bound) if bound == int(bound) else float(bound)


def _culprit(target: object, above: tuple[object, ...] = ()) -> tuple[str, str] | None:
    """Find the innermost part that fails on its own: its path below `target`, and why."""
    for step, part in _parts(target):
        if part in above:
            continue
        try:
            TypeAdapter(cast("Any", part)).json_schema(schema_generator=_Generator)
        except _UNDESCRIBED as error:
            below = _culprit(part, (*above, target))
            if below is not None:
                return f"{step}{below[0]}", below[1]
            if not _leads_to(part, (*above, target)):
                return step, _first_line(error)
    return None


def _leads_to(part: object, above: tuple[object, ...]) -> bool:
    """Whether a type holds one of those that hold it; the fault may be theirs then."""
    seen: list[object] = []
    stack = [part]
    while stack:
        inner = stack.pop()
        if inner in above:
            return True
        if inner not in seen:
            seen.append(inner)
            stack.extend(kind for _, kind in _parts(inner))
    return False


def _parts(target: object) -> Iterator[tuple[str, object]]:
    """Yield the types that a type is made of, and the step to each: a field has a name."""
    if isinstance(target, type) and issubclass(target, BaseModel):
        for name, field in target.model_fields.items():
            yield f".{name}", field.annotation
    elif dataclasses.is_dataclass(target) or any(hasattr(target, name) for name in _FIELDS):
        for name, kind in _hints(target).items():
            yield f".{name}", kind
    elif get_origin(target) is Annotated:
        yield "", get_args(target)[0]
    elif get_origin(target) not in {Literal, collections.abc.Callable}:
        for argument in get_args(target):
            yield "", argument


def _hints(target: Any) -> dict[str, Any]:  # noqa: ANN401  (a dataclass or a TypedDict)
    try:
        return get_type_hints(target, include_extras=True)
    except NameError:
        return dict(target.__annotations__)


def _first_line(error: Exception) -> str:
    if isinstance(error, PydanticUserError) and error.code == "class-not-fully-defined":
        name = re.search(r"[\['](\w+)['\]]", str(error).replace("[ForwardRef", ""))
        told = f"{name[1]} isn't" if name else "One of its types isn't"
        return f"{told} defined where the class is. Define or import it at the module's top level."
    line = str(error).strip().partition("\n")[0].rstrip(".")
    return f"{line}."
