"""A target compiled: one canonical JSON Schema (draft 2020-12), a validator, a fingerprint.

The canonical schema says what the validator accepts. The *asked* schema is what a model is shown:
every property required, in declaration order, and nullable where the target can do without it. A
model that may skip a key skips it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache, partial
from numbers import Number
from types import BuiltinFunctionType, FunctionType, MethodType, NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ForwardRef,
    Generic,
    NamedTuple,
    TypeVar,
    Union,
    cast,
    get_origin,
)

from extractify.conjunction import flattened
from extractify.errors import SchemaError
from extractify.markers import Marks, check_marks, with_quotes
from extractify.memory import Memory, kept, kept_with
from extractify.nodes import (
    ANNOTATIONS,
    MARKS,
    NEVER,
    Node,
    branches,
    map_schemas,
    resolve,
    wire_name,
)

if TYPE_CHECKING:
    from jsonschema.protocols import Validator
    from pydantic import TypeAdapter

T = TypeVar("T")
# What isn't told to a model.
_UNASKED = ("default", "discriminator", *MARKS)
# Where more required keys would take values away, or let more of them in.
_CONDITIONS = frozenset({"not", "if", "contains", "contentSchema"})
_COUNTS_KEYS = frozenset(
    {"anyOf", "oneOf", "not", "if", "maxProperties", "dependentRequired", "dependentSchemas"}
)
_CACHE_SIZE = 512
# Pydantic takes some of these: it evaluates a str as code, and calls a function with the answer.
_NO_TYPES = (
    str,
    bytes,
    Number,
    ForwardRef,
    FunctionType,
    BuiltinFunctionType,
    MethodType,
    partial,
)
MAX_CHARACTERS = 500_000
"""The most characters of JSON that a JSON Schema may have."""


class Flat(NamedTuple):
    """An asked schema without `allOf`, and with nothing beside references and unions.

    lost: pointer and keyword of what can't be said so.
    """

    asked: Node
    lost: tuple[tuple[str, str], ...]


class Schema(Generic[T]):
    """A compiled target. Compare and cache by identity; get one from `compile_schema`.

    name: 1 to 64 characters of `[A-Za-z0-9_]`, for the wire. canonical: the JSON Schema of what
    `adapter` accepts. asked: the same as a model is asked for it. adapter: pydantic's validator,
    None for a target that is a JSON Schema itself.
    """

    def __init__(
        self, target: object, name: str, canonical: Node, adapter: TypeAdapter[T] | None
    ) -> None:
        self.target = target
        self.name = name
        self.canonical = canonical
        self.adapter = adapter
        self.memory: Memory = {}

    @cached_property
    def asked(self) -> Node:
        """The schema a model is shown."""
        return self._asked(self.canonical)

    @cached_property
    def flat(self) -> Flat:
        """The same where schemas can't be joined, and what that leaves out, with its pointer."""
        lost: dict[tuple[str, str], None] = {}
        node = flattened(self.canonical, lambda *where: lost.setdefault(where))
        return Flat(self._asked(node, every_key=True), tuple(lost))

    @cached_property
    def marks(self) -> Marks:
        """What the target says of where its values come from."""
        return Marks(self.canonical)

    @cached_property
    def fingerprint(self) -> str:
        """A SHA-256 of the canonical schema, in hex."""
        text = json.dumps(self.canonical, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def validator(self) -> Validator:
        """Judges plain data by the canonical schema: what a target that is a JSON Schema has."""
        from extractify.drafts import validator

        return validator(self.canonical)

    @property
    def is_object(self) -> bool:
        """Whether the value's root is a JSON object whatever branch it takes."""
        root = self.canonical
        while "$ref" in root:
            root = self.resolve(root["$ref"])
        return root.get("type") == "object"

    @cached_property
    def has_idle_nulls(self) -> bool:
        """Whether a model is asked for a null anywhere that the target doesn't take as a value."""
        return _nullables(self.asked) > _nullables(self.canonical)

    @cached_property
    def needs_nothing(self) -> bool:
        """Whether it is an object that declares keys, requires none and drops all others."""
        roots = list(self.branches(self.canonical))
        return any(root.get("properties") for root in roots) and not any(
            root.get("required")
            or root.get("additionalProperties", False)
            or "patternProperties" in root
            or root.get("type") != "object"
            for root in roots
        )

    @cached_property
    def property_names(self) -> frozenset[str]:
        """Every key that the target declares, at any depth."""
        names: set[str] = set()

        def visit(node: Node, _place: str = "") -> Node:
            names.update(node.get("properties", {}))
            return map_schemas(node, visit)

        visit(self.canonical)
        return frozenset(names)

    def branches(self, node: Node) -> Iterator[Node]:
        """Yield the plain schemas a node stands for: references followed, unions opened."""
        return branches(self.canonical, node)

    def resolve(self, reference: str) -> Node:
        """Follow a reference; all are of the form `#/$defs/Line`."""
        return resolve(self.canonical, reference)

    def _asked(self, node: Node, *, every_key: bool = False) -> Node:
        """Make every property required, those the target can do without nullable.

        every_key: also where the target counts keys, or makes some depend on others.
        """
        asked = map_schemas(
            node,
            lambda sub, place: (
                sub if place in _CONDITIONS else self._asked(sub, every_key=every_key)
            ),
        )
        for keyword in _UNASKED:
            asked.pop(keyword, None)
        properties = node.get("properties")
        counted = not every_key and not _COUNTS_KEYS.isdisjoint(node)
        if not isinstance(properties, dict) or counted:
            return asked
        needed = node.get("required", ())
        asked["properties"] = {
            name: sub if name in needed or self._says_enough(properties[name]) else _nullable(sub)
            for name, sub in asked["properties"].items()
        }
        asked["properties"] = with_quotes(self.canonical, properties, asked["properties"])
        possible = [name for name in asked["properties"] if properties.get(name) != NEVER]
        asked["required"] = list(dict.fromkeys([*possible, *needed]))
        return asked

    def _says_enough(self, node: Node) -> bool:
        """Whether a property that may be left out can be asked for without one more null."""
        if node == NEVER or ("const" in node and node.get("default") == node["const"]):
            return True
        return any(_takes_null(branch) for branch in self.branches(node))


def compile_schema(target: object) -> Schema[Any]:
    """Compile a target, or take it from the cache, which a class takes with it when it goes.

    target: a type that pydantic can validate, or a JSON Schema as a mapping (draft 2020-12 or 7).
    Raises: SchemaError, which names the field that can't be compiled.
    """
    if isinstance(target, type):
        before = kept_with(target)
        if before is not None:
            return cast("Schema[Any]", before)
    if isinstance(target, _NO_TYPES):  # before pydantic sees it, which would evaluate a str
        kind = type(target).__name__
        raise SchemaError(
            f"The target is a value of {kind}, not a type. Pass a class, or a JSON "
            "Schema as a mapping. The target comes before the document; read() takes it second."
        )
    if isinstance(target, Mapping):
        try:
            text = json.dumps(target, default=_mapping, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            reason = "it is nested too deep" if isinstance(error, RecursionError) else error
            raise SchemaError(f"The JSON Schema isn't JSON: {reason}. Correct it.") from None
        if len(text) > MAX_CHARACTERS:
            raise SchemaError(
                f"The JSON Schema has {len(text)} characters; {MAX_CHARACTERS} is the most. Leave "
                "long lists of values out of it, and check them in your code."
            )
        return _compile_json_schema(text)
    return kept(target, _compile_type)


def _compile_type(target: object) -> Schema[Any]:
    if _is_instance(target):
        kind = type(target).__name__
        raise SchemaError(f"The target is a {kind}, not a type. Pass a class, not an instance.")
    from extractify.canonical import described  # slow to import; the first target pays for it

    adapter, node = described(target)
    return Schema(target, wire_name(_type_name(target)), check_marks(_untitled(node)), adapter)


@lru_cache(maxsize=_CACHE_SIZE)
def _compile_json_schema(text: str) -> Schema[Any]:
    from extractify.drafts import plain  # brings jsonschema, which only such targets need

    given = json.loads(text)
    return Schema(given, wire_name(given.get("title")), check_marks(_untitled(plain(given))), None)


def _untitled(node: Node) -> Node:
    """Drop titles: they repeat the names, and cost tokens at every call."""
    bare = {key: value for key, value in node.items() if key != "title"}
    return map_schemas(bare, lambda sub, _: _untitled(sub))


def _takes_null(node: Node) -> bool:
    if "enum" in node or "const" in node:
        return None in node.get("enum", [node.get("const", 0)])
    kinds = node.get("type")
    return "null" in (kinds if isinstance(kinds, list) else [kinds]) or node.keys() <= ANNOTATIONS


def _nullable(node: Node) -> Node:
    """Take null too: one more branch of a plain union, a union of two for anything else."""
    if isinstance(node.get("anyOf"), list) and node.keys() <= {"anyOf", *ANNOTATIONS}:
        return {**node, "anyOf": [*node["anyOf"], {"type": "null"}]}
    # The description stays with the property, where the notation looks for it.
    told = {"description": node["description"]} if "description" in node else {}
    plain = {key: value for key, value in node.items() if key != "description"}
    return {**told, "anyOf": [plain, {"type": "null"}]}


def _nullables(node: Node) -> int:
    """Count the schemas that are null itself."""
    total = int(node.get("type") == "null")

    def visit(sub: Node, _place: str) -> Node:
        nonlocal total
        total += _nullables(sub)
        return sub

    map_schemas(node, visit)
    return total


def _is_instance(target: object) -> bool:
    """Whether the target is a value where its class was meant."""
    kind: Any = type(target)
    fields = ("__dataclass_fields__", "__pydantic_core_schema__")
    return kind.__hash__ is None or any(hasattr(kind, name) for name in fields)


def _type_name(target: object) -> str:
    """`Invoice`, `list_Invoice` of a `list[Invoice]`, `int_or_None` of an `int | None`."""
    if target is NoneType:
        return "None"
    origin = get_origin(target)
    arguments = [_type_name(part) for part in getattr(target, "__args__", ())]
    if origin in {Annotated, Union, UnionType}:
        return "_or_".join(arguments)  # an Annotated has one
    return "_".join([str(getattr(target, "__name__", target)), *arguments])


def _mapping(value: object) -> object:
    """Write any mapping as a JSON object; nothing else is JSON that json doesn't know."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"it holds a {type(value).__name__}")
