"""What an answer may be, other than the value that was asked for: wrapped, or in another shape.

Each form is data to be judged, never a verdict. A form is one of a few that models are known to
write; an unknown wrapper may say something, as `{"example": …}` or `{"error": …}` do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from extractify.memory import remembered
from extractify.messages import Fix, JsonValue, clipped
from extractify.nodes import ENVELOPE, SCHEMA_LISTS, SCHEMA_MAPS, SCHEMAS, kinds, plain, under
from extractify.notation import notation
from extractify.parsing import encoded, single
from extractify.spelling import folded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify.nodes import Node
    from extractify.schema import Schema

Form = tuple[JsonValue, tuple[Fix, ...]]

MOST = 12
"""The most forms of one candidate that are judged."""
_WRAPPERS = frozenset(
    {"answer", "arguments", "data", "extraction", "json", "object"}
    | {"output", "parameters", "response", "result", "value"}
)
_OF_LISTS = frozenset(
    {"array", "data", "entries", "items", "list", "records", "results", "rows", "values"}
)
_ARGUMENTS = frozenset({"arguments", "parameters", "input", "args"})
_CALL = frozenset({"id", "type", "name", "function", "tool", "tool_name", "call_id", *_ARGUMENTS})
_TYPES = frozenset({"string", "number", "integer", "boolean", "null", "array", "object"})
_BARE_TYPE = re.compile(
    r"(?:string|number|integer|boolean|array|object|str|int|float|bool)(?:\[\])*(?:\s*\|.*)?"
)
_SAYS_TYPE = ("$ref", "anyOf", "oneOf", "allOf", "enum", "const")
_OF_SCHEMA = frozenset(
    {*SCHEMA_MAPS, *SCHEMA_LISTS, *SCHEMAS, "$ref", "$schema", "$id", "type", "title", "enum"}
    | {"description", "default", "examples", "format", "pattern", "const", "required"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength"}
    | {"maxLength", "minItems", "maxItems", "uniqueItems", "nullable", "discriminator"}
)


def other_forms(data: JsonValue, schema: Schema[Any], *, alone: bool, sole: bool) -> Iterator[Form]:
    """Yield what is inside of a wrapper, and what has the target's shape once it is wrapped itself.

    alone: whether the answer is nothing but this value; in prose, brackets may be a citation.
    sole: whether no other object stands in it; of several, none is the whole.
    """
    roots = plain(schema.canonical, [schema.canonical])
    waiting: list[Form] = [(data, ())]
    for _ in range(MOST):
        if not waiting:
            return
        inner, fixes = waiting.pop(0)
        if fixes and not is_call(inner, schema):
            yield inner, fixes
        if alone or (sole and of_objects(inner)):
            yield from _wrapped(inner, fixes, schema.canonical, roots)
        waiting += [(found, (*fixes, fix)) for found, fix in _opened(inner, schema, roots)]


def _opened(
    data: JsonValue, schema: Schema[Any], roots: list[Node]
) -> Iterator[tuple[JsonValue, Fix]]:
    """Yield what stands in a wrapper that isn't the target's own."""
    wants_list = not kinds(roots).isdisjoint({"array", None})
    if isinstance(data, list) and len(data) == 1 and not wants_list:
        yield data[0], Fix("", "list")
    if isinstance(data, str) and kinds(roots) <= {"object", "array", "null"}:
        yield from _decoded(data)
    declared = _declared(roots)
    if isinstance(data, dict) and is_call(data, schema):
        yield from _called(data)
        return
    if not isinstance(data, dict) or not declared.isdisjoint(data):
        return
    if len(data) == 1:
        ((key, inner),) = data.items()
        names = {folded(schema.name), *_WRAPPERS}
        if folded(key) in names or (wants_list and isinstance(inner, list) and key in _OF_LISTS):
            yield inner, Fix("", "envelope", clipped(key))
        if folded(key) == "toolcalls":
            yield inner, Fix("", "call")
    if isinstance(data.get("properties"), dict) and data.keys() <= _OF_SCHEMA:
        yield data["properties"], Fix("", "envelope", "properties")


def _decoded(text: str) -> Iterator[tuple[JsonValue, Fix]]:
    inner = encoded(text)
    if inner is not None:
        yield inner, Fix("", "coerced", clipped(text))


def is_call(data: JsonValue, schema: Schema[Any]) -> bool:
    """Whether an object is a tool's name and arguments, and no value with these keys."""
    if not isinstance(data, dict) or not data.keys() <= _CALL or len(data) == 1:
        return False
    given = data.keys() & {*_ARGUMENTS, "function"}
    declared = _declared(plain(schema.canonical, [schema.canonical]))
    return (
        len(given) == 1 and declared.isdisjoint(given) and isinstance(data[min(given)], str | dict)
    )


def _called(data: dict[str, JsonValue]) -> Iterator[tuple[JsonValue, Fix]]:
    """The arguments of a tool that was called, plain or encoded as text."""
    function = data.get("function")
    if isinstance(function, dict):
        yield function, Fix("", "call")
    for key in data.keys() & _ARGUMENTS:
        given = data[key]
        arguments = encoded(given) if isinstance(given, str) else given
        if isinstance(arguments, dict | list):
            yield arguments, Fix("", "call")


def _wrapped(
    data: JsonValue, fixes: tuple[Fix, ...], canonical: Node, roots: list[Node]
) -> Iterator[Form]:
    """Yield the value as the one field of an object, or an object as the one item of a list."""
    if len(roots) != 1:
        return
    (root,) = roots
    if root.get("type") == "array" and isinstance(data, dict):
        if not is_foreign(data, plain(canonical, under([root], 0))):
            yield [data], (*fixes, Fix("", "items"))
        return
    fields = root.get("properties", {})
    if len(fields) != 1 or root.get("additionalProperties", False) is not False:
        return
    (name,) = fields
    if isinstance(data, dict) and (
        name in data or is_foreign(data, plain(canonical, [fields[name]]))
    ):
        return
    yield {name: data}, (*fixes, Fix(f"/{name}", "field"))


def is_foreign(data: JsonValue, roots: list[Node]) -> bool:
    """Whether an object has members, and none that any of these declares."""
    return isinstance(data, dict) and bool(data) and _declared(roots).isdisjoint(data)


def _declared(roots: list[Node]) -> set[str]:
    return {key for root in roots for key in root.get("properties", ())}


def of_objects(data: JsonValue) -> bool:
    """Whether a value is an object or a list of nothing but objects."""
    items = data if isinstance(data, list) else [data]
    return bool(items) and all(isinstance(item, dict) for item in items)


def spoken(schema: Schema[Any], data: JsonValue) -> JsonValue:
    """The arguments of a call in markup: each text as its field wants it, JSON or as it stands."""
    roots = plain(schema.canonical, [schema.canonical])
    if not isinstance(data, dict):
        return data
    names = {folded(key): key for key in _declared(roots)}
    found: dict[str, JsonValue] = {}
    for key, text in data.items():
        nodes = plain(schema.canonical, under(roots, names.get(folded(key), key)))
        takes_null = "null" in kinds(nodes)
        if any(_takes_text(node) for node in nodes) and not (takes_null and text == "null"):
            found[key] = text
        else:
            read = single(str(text))
            found[key] = text if read is None or read.conflicts else read.value
    return found


def _takes_text(node: Node) -> bool:
    members = node.get("enum", [node.get("const")])
    return "string" in kinds([node]) or any(isinstance(member, str) for member in members)


# --- the schema instead of a value -----------------------------------------------------------


@remembered
def _shown(schema: Schema[Any]) -> tuple[str, ...]:
    types = (notation(schema, envelope=ENVELOPE), notation(schema))
    return tuple(each for each in types if "\n" in each)  # a word alone may be an answer's own


def without_types(text: str, schema: Schema[Any]) -> str:
    """The answer without the types that were shown, if it begins by saying them again."""
    for types in _shown(schema):
        text = text.replace(types, "\u2026")
    return text


def has_types(fixes: tuple[Fix, ...]) -> bool:
    """Whether a value's bare words are the names of types."""
    return any(fix.kind == "quote" and _BARE_TYPE.fullmatch(fix.got) for fix in fixes)


def is_echo(data: JsonValue, schema: Schema[Any]) -> bool:
    """Whether this is the schema that was shown, and no value of it."""
    if not isinstance(data, dict) or not data or data in (schema.canonical, schema.asked):
        return bool(data) and isinstance(data, dict)
    roots = plain(schema.canonical, [schema.canonical])
    declared = _declared(roots)
    if "properties" in declared:
        return False
    given = data.get("properties")
    for holder in (data, given):
        if isinstance(holder, dict) and holder.keys() == {ENVELOPE} and ENVELOPE not in declared:
            return is_echo(holder[ENVELOPE], schema)
    if not declared:
        takes_objects = not kinds(roots).isdisjoint({"object", None})
        return not takes_objects and (isinstance(given, dict) or _is_schema(data))
    if isinstance(given, dict) and given:
        return (declared & data.keys()) <= _OF_SCHEMA and all(map(_is_schema, given.values()))
    return "$defs" in data and data.keys() <= _OF_SCHEMA


def _is_schema(data: JsonValue) -> bool:
    if not isinstance(data, dict) or not data.keys() <= _OF_SCHEMA:
        return False
    kind = data.get("type")
    named = kind if isinstance(kind, list) else [kind]
    return any(key in data for key in _SAYS_TYPE) or all(
        isinstance(each, str) and each in _TYPES for each in named
    )
