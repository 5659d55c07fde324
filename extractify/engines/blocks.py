"""The columns of results in Arrow: the same schema for every block, whatever is in it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from extractify.arrow import arrow, arrow_type, to_arrow
from extractify.errors import ConfigurationError
from extractify.many import COLUMNS, RESULT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

    import pyarrow as pa

    from extractify.task import Task


def fields(task: Task[Any]) -> pa.Schema:
    """The columns that extraction adds. Raises: ConfigurationError without pyarrow."""
    pa = arrow()
    text, count = pa.string(), pa.int64()
    types = (arrow_type(task.schema), text, text, count, count, count, pa.float64(), text)
    return pa.schema(list(zip((RESULT, *COLUMNS), types, strict=True)))


def cells(task: Task[Any], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The added columns of rows as `extract_many` gives them, so that they fit `fields`."""
    return [
        {
            RESULT: None if row[RESULT] is None else to_arrow(task.schema, row[RESULT]),
            **{name: row[name] for name in COLUMNS},
        }
        for row in rows
    ]


def engine(module: str) -> ModuleType:
    """A module of an engine. Raises: ConfigurationError where it isn't installed."""
    try:
        return import_module(module)
    except ImportError:
        extra = module.partition(".")[0]
        raise ConfigurationError(
            f"This needs {module}. Run: pip install 'extractify[{extra}]'"
        ) from None
