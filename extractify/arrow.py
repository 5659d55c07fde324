"""A target as an Arrow type, fixed whatever the values are, and values as what goes into it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from extractify.cells import fit
from extractify.columns import JSON, table
from extractify.errors import ConfigurationError
from extractify.memory import remembered
from extractify.nodes import JSON_TEXT

if TYPE_CHECKING:
    from types import ModuleType

    import pyarrow as pa

    from extractify.columns import Column
    from extractify.messages import JsonValue
    from extractify.schema import Schema

_IS_JSON = {"contentMediaType": JSON_TEXT}


@remembered
def arrow_type(schema: Schema[Any]) -> pa.StructType:
    """The type that all values of a target fit: a struct, whose fields are the columns of a table.

    Objects are structs, lists lists, and objects of any keys maps; a whole number has 64 bits, a
    date is a date32, and a Decimal whose digits are bounded a decimal128, any other a string, as
    moments and times are, which keep their offsets so. What has no one type, or holds itself, is
    JSON text, and its field's metadata say so. A value that is no object is in the field `value`.
    The last field, `_rest`, is null, or JSON text: an object with all that doesn't fit the others,
    by JSON pointer, such as a larger number or a key that isn't declared. An absent key is null.
    Raises: ConfigurationError without pyarrow, of the extra `etl`.
    """
    columns = table(schema)
    fields = [*_fields(columns.root), arrow_field(columns.rest, JSON)]
    return arrow().struct(fields)


def to_arrow(schema: Schema[Any], data: JsonValue) -> dict[str, Any]:
    """A value's plain data as `pyarrow.array` takes it under `arrow_type`. It fits always."""
    columns = table(schema)
    cells, rest = fit(columns, data)
    return {**cells, columns.rest: rest}


def arrow() -> ModuleType:
    """The module pyarrow. Raises: ConfigurationError where it isn't installed."""
    try:
        return import_module("pyarrow")
    except ImportError:
        raise ConfigurationError("This needs pyarrow. Run: pip install 'extractify[etl]'") from None


def _fields(struct: Column) -> list[pa.Field]:
    return [arrow_field(name, column) for name, column in struct.fields.items()]


def arrow_field(name: str, column: Column) -> pa.Field:
    """One column by the name that it has in a file."""
    pa = arrow()
    if column.kind == "json":
        return pa.field(name, pa.string(), metadata=_IS_JSON)
    return pa.field(name, _type(column))


def _type(column: Column) -> pa.DataType:
    pa = arrow()
    if column.kind == "struct":
        return pa.struct(_fields(column))
    if column.kind == "list":
        return pa.list_(arrow_field("element", column.item or JSON))
    if column.kind == "map":
        return pa.map_(pa.string(), arrow_field("value", column.item or JSON))
    if column.kind == "decimal":
        return pa.decimal128(*column.digits)
    return {
        "text": pa.string,
        "integer": pa.int64,
        "number": pa.float64,
        "boolean": pa.bool_,
        "date": pa.date32,
    }[column.kind]()
