"""What to extract: a target, what to say about it, and how much trouble to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Literal,
    TypeAlias,
    TypeVar,
    cast,
    get_args,
    overload,
)

from extractify.checks import (
    ANYTHING,
    COUNT,
    FLAG,
    JSON,
    NUMBER,
    TEXT,
    check,
    instance,
    many,
    one_of,
    pair,
)
from extractify.coercion import Numbers
from extractify.errors import ConfigurationError, SchemaError
from extractify.markers import Grounding
from extractify.memory import remembered
from extractify.messages import (
    DEFAULT_PARAMETERS,
    JsonValue,
    Parameters,
    Structure,
    Tool,
    ToolChoice,
)
from extractify.repair import DEFAULT_REPAIR, Repair
from extractify.samples import encoded
from extractify.schema import Schema, compile_schema

if TYPE_CHECKING:
    from typing_extensions import TypeForm

_OPTIONS = {
    "instructions": TEXT,
    "examples": many(pair(TEXT, ANYTHING), "a list of pairs, [(text, value), …]"),
    "repair": instance(Repair, int),
    "temperature": NUMBER.optional,
    "max_tokens": COUNT.optional,
    "extra": JSON.optional,
    "parameters": instance(Parameters),
    "numbers": instance(Numbers).optional,
}
_PARAMETERS = {
    "top_p": NUMBER.optional,
    "tools": many(instance(Tool), "a tuple of Tools"),
    "tool_choice": one_of(*get_args(ToolChoice)).optional,
    "response_format": JSON.optional,
    "mask_sensitive_info": FLAG,
    "structure": one_of(*get_args(Structure)).optional,
}
T = TypeVar("T")
PolicyName: TypeAlias = Literal["required", "reported", "inferred", "off"]
OnMissing: TypeAlias = Literal["null", "error"]


@dataclass(frozen=True)
class Task(Generic[T]):
    """A frozen, picklable description of an extraction. Raises: SchemaError on a bad target.

    target: a type that pydantic can validate, or a JSON Schema as a mapping. instructions: added
    to the system message as they are. examples: (document, value) pairs, shown as earlier turns.
    repair: the budget, or the most requests. temperature: clamped to what the endpoint takes; None
    leaves it to the profile. max_tokens: of the answer, thinking included; None leaves it to the
    profile. extra: vendor parameters for the request body. parameters: those with names of their
    own. numbers: how the documents write numbers; None reads only what has one meaning everywhere.
    grounding: whether values have to stand in the document, where a field doesn't say otherwise
    (see `Grounding`). on_missing: what becomes of one that has to and, after the last turn, still
    doesn't: null if the target takes that, or an error.
    """

    target: Any
    instructions: str = ""
    examples: Sequence[tuple[str, Any]] = field(default=(), repr=False)
    repair: Repair | int = DEFAULT_REPAIR
    temperature: float | None = None
    max_tokens: int | None = None
    extra: Mapping[str, JsonValue] | None = None
    parameters: Parameters = DEFAULT_PARAMETERS
    numbers: Numbers | None = None
    grounding: Grounding | PolicyName = "reported"
    on_missing: OnMissing = "null"

    if TYPE_CHECKING:
        # What a target tells the type checker about T; at run time the dataclass writes this.

        @overload
        def __init__(
            self,
            target: TypeForm[T],
            instructions: str = "",
            examples: Sequence[tuple[str, T]] = (),
            repair: Repair | int = ...,
            temperature: float | None = None,
            max_tokens: int | None = None,
            extra: Mapping[str, JsonValue] | None = None,
            parameters: Parameters = ...,
            numbers: Numbers | None = None,
            grounding: Grounding | PolicyName = "reported",
            on_missing: OnMissing = "null",
        ) -> None: ...
        @overload
        def __init__(
            self: Task[JsonValue],
            target: Mapping[str, JsonValue],
            instructions: str = "",
            examples: Sequence[tuple[str, JsonValue]] = (),
            repair: Repair | int = ...,
            temperature: float | None = None,
            max_tokens: int | None = None,
            extra: Mapping[str, JsonValue] | None = None,
            parameters: Parameters = ...,
            numbers: Numbers | None = None,
            grounding: Grounding | PolicyName = "reported",
            on_missing: OnMissing = "null",
        ) -> None: ...
        def __init__(self, target: object, *positional: object, **options: object) -> None: ...

    def __post_init__(self) -> None:
        """Compile the target and check the options now: a bad one fails where it is written."""
        if self.target is None:
            raise SchemaError("The target is None. Pass a class; type(None) if null is meant.")
        schema = self.schema
        check(self, **_OPTIONS)
        check(self.parameters, **_PARAMETERS)
        for tool in self.parameters.tools:
            check(tool, name=TEXT, description=TEXT, parameters=JSON)
        for text, value in self.examples:
            encoded(schema, text, value)
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ConfigurationError(f"Task(max_tokens={self.max_tokens}) leaves no answer.")
        top_p = self.parameters.top_p
        if top_p is not None and not 0 <= top_p <= 1:
            raise ConfigurationError(f"Parameters(top_p={top_p}) isn't between 0 and 1.")
        if self.grounding not in list(Grounding):
            known = ", ".join(Grounding)
            raise ConfigurationError(f"Task(grounding={self.grounding!r}) is none of {known}.")
        if self.on_missing not in get_args(OnMissing):
            raise ConfigurationError(f"Task(on_missing={self.on_missing!r}): null, or error.")

    @cached_property
    def budget(self) -> Repair:
        """The repair budget, also where it was given as a number of requests."""
        return Repair(self.repair) if isinstance(self.repair, int) else self.repair

    @cached_property
    def policy(self) -> Grounding:
        """Whether values have to stand in the document, where a field doesn't say otherwise."""
        return Grounding(self.grounding)

    @cached_property
    def schema(self) -> Schema[T]:
        """The compiled target."""
        return compile_schema(self.target)

    def __getstate__(self) -> dict[str, object]:
        """The description alone; what was made of it doesn't pickle."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@remembered
def plain_task(schema: Schema[T]) -> Task[T]:
    """The task of a target alone, kept with its schema."""
    return cast("Task[T]", Task(cast("Any", schema.target)))
