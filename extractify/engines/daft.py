"""Extraction as a column of a Daft frame. Needs the extra `daft`.

from extractify.engines.daft import extractor

extract = extractor(Invoice, "cloudflare:minimax/m2.7")
frame = frame.with_column("extracted", extract(frame["body"]))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from extractify.arrow import arrow
from extractify.endpoints import Endpoint, resolve
from extractify.engines.blocks import cells, engine, fields
from extractify.many import DEFAULT_PACE, Many
from extractify.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daft import Expression

    from extractify.pace import Pace


def extractor(
    task: Task[Any] | type | Mapping[str, Any],
    endpoint: Endpoint | str | None = None,
    pace: Pace = DEFAULT_PACE,
) -> Callable[[Expression], Expression]:
    """A function from the column of the documents to one of structs: `result` and `many.COLUMNS`.

    pace: of each process. endpoint: or its name, looked up here. Raises: ConfigurationError,
    SchemaError.
    """
    daft = engine("daft")
    task = task if isinstance(task, Task) else Task(task)
    kind = daft.DataType.from_arrow_type(arrow().struct(list(fields(task))))

    method: Callable[[object], object] = daft.method(return_dtype=kind)

    class Extract:
        def __init__(self, many: dict[str, Any]) -> None:
            self._many = Many(**many)

        @method
        async def extract(self, text: str) -> dict[str, Any]:
            rows = await self._many.extract_many([{"text": text}])
            return cells(self._many.task, rows)[0]

    made = daft.cls(Extract)({"task": task, "endpoint": resolve(endpoint), "pace": pace})
    return cast("Callable[[Expression], Expression]", made.extract)
