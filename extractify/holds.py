"""What a target says about how its parts are shown while they arrive; ignored everywhere else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

KEY = "extractify_hold"
"""Where a marker stands in the metadata of a core schema."""


class Hold(Enum):
    """What a Partial holds back, as in `Annotated[str, Hold.until_complete]`.

    until_complete: the field itself, until nothing of it can change any more. until_present: the
    whole object that the field belongs to, until the field is there and not null.
    """

    until_complete = "until_complete"
    until_present = "until_present"

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Called by pydantic."""
        return _marked(handler(source), self.value)


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker that is nothing but its name."""

    __name__: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Called by pydantic."""
        return _marked(handler(source), self.__name__)


with_state = Marker("with_state")
"""Shows a field in a Partial as `{"value": …, "state": "incomplete" | "complete"}`."""


def _marked(schema: CoreSchema, marker: str) -> CoreSchema:
    """Note a marker in a schema, or around one that others may refer to as well."""
    from pydantic_core import core_schema

    plain: Any = schema
    if "ref" in schema or schema["type"] == "definition-ref":
        plain = core_schema.chain_schema([schema])
    metadata = plain.get("metadata", {})
    noted = {**metadata, KEY: (*metadata.get(KEY, ()), marker)}
    marked: CoreSchema = {**plain, "metadata": noted}
    return marked
