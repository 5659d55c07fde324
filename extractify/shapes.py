"""The shape of a value on the wire, where an endpoint can't say it as it is, and the way back.

An object with keys of its own choice becomes a list of pairs, a value of any kind becomes JSON
text, a Decimal becomes a string. `lowered` writes a value so, `raised` reads it; both are pure.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from extractify.memory import remembered
from extractify.nodes import (
    DECIMAL,
    JSON_TEXT,
    KEYWORDS_OF,
    NEVER,
    branches,
    inner_schemas,
    map_schemas,
    resolve,
    types_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extractify.messages import JsonValue
    from extractify.nodes import Node
    from extractify.profiles import Profile
    from extractify.schema import Schema

KEY, VALUE = "key", "value"
_EXACT = 2**53  # integers up to here are floats, too
OTHERS = "other_keys"
"""The property that holds the pairs of an object which also has properties."""
_PAIR = frozenset({KEY, VALUE})
_OF_OBJECTS, _OF_ARRAYS = KEYWORDS_OF["object"], KEYWORDS_OF["array"]
_KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


@remembered
def shaped(schema: Schema[Any], profile: Profile) -> Node:
    """What is asked of the profile's endpoint, in a shape that it can say."""
    asked = _asked(schema, profile)
    if not profile.closed and not profile.decimals_as_text:
        return asked
    return _shaped(asked, asked, profile)


def _asked(schema: Schema[Any], profile: Profile) -> Node:
    return schema.asked if profile.keywords is None else schema.flat.asked


@remembered
def is_reshaped(schema: Schema[Any], profile: Profile) -> bool:
    """Whether a value has to be raised, because it travels in another shape."""
    return profile.closed and _is_changed(schema.flat.asked, schema.flat.asked)


def raised(schema: Schema[Any], profile: Profile, data: JsonValue) -> JsonValue:
    """Give a value that was read off the wire the shape that the target wants."""
    if not is_reshaped(schema, profile):
        return data
    root = schema.flat.asked
    return _raised(root, [root], data)


def lowered(schema: Schema[Any], profile: Profile, data: JsonValue) -> JsonValue:
    """Write a value as the profile's endpoint is asked for it: with every key, in that shape."""
    root = _asked(schema, profile)
    return _lowered(root, root, data, profile)


# --- which shape -------------------------------------------------------------------------------


def is_map(node: Node) -> bool:
    """Whether a plain schema is of an object that declares no properties, only what they hold."""
    if node.get("properties") or node.get("additionalProperties") is False:
        return "patternProperties" in node and not node.get("properties")
    return node.get("type") == "object" or ("type" not in node and not _OF_OBJECTS.isdisjoint(node))


def _is_array(node: Node) -> bool:
    return node.get("type") == "array" or ("type" not in node and not _OF_ARRAYS.isdisjoint(node))


def _is_open(node: Node) -> bool:
    """Whether an object declares properties and says that it takes others."""
    return bool(node.get("properties")) and (
        node.get("additionalProperties", False) is not False or "patternProperties" in node
    )


def _is_text(plain: Iterable[Node]) -> bool:
    """Whether what stands here can only be told as JSON text: anything, or a list or a map."""
    plain = list(plain)
    if any(map(_is_anything, plain)):
        return True
    return any(map(_is_array, plain)) and any(map(is_map, plain))


def _is_anything(node: Node) -> bool:
    """Whether no kind is named, or constants of a kind that aren't leaves."""
    if "const" in node or "enum" in node:
        values = [node["const"]] if "const" in node else node["enum"]
        return any(isinstance(value, dict | list) for value in values)
    is_typed = "type" in node or "properties" in node
    return not is_typed and not _is_array(node) and not is_map(node)


def _kept_values(node: Node) -> Node:
    """The schema of what a map holds under its keys."""
    held = [*node.get("patternProperties", {}).values()]
    others = node.get("additionalProperties", True)
    if isinstance(others, dict):
        held.append(others)
    elif others or not held:
        held.append({})
    return held[0] if len(held) == 1 else {"anyOf": held}


def _is_changed(root: Node, node: Node) -> bool:
    """Whether anything in a schema has another shape where objects are closed."""
    plain = list(branches(root, node))
    if _is_text(plain) or any(is_map(each) or _is_open(each) for each in plain):
        return True
    if any(_is_array(each) and each.get("items", True) is True for each in plain):
        return True  # its items are of any kind
    return any(_is_changed(root, sub) for sub, _ in inner_schemas(node))


def _shaped(root: Node, node: Node, profile: Profile) -> Node:
    told: Node = {key: node[key] for key in ("description", "$defs") if key in node}
    if "$defs" in told:
        told["$defs"] = {k: _shaped(root, sub, profile) for k, sub in told["$defs"].items()}
    if profile.decimals_as_text and node.get("format") == DECIMAL:
        return {**node, "type": "string"}
    if not profile.closed:
        strings = any(sub.get("type") == "string" for sub in node.get("anyOf", ()))
        return node if strings else map_schemas(node, lambda sub, _: _shaped(root, sub, profile))
    if _is_text(branches(root, node)):
        held = {key: value for key, value in node.items() if key not in told}
        meant = {"contentSchema": held} if held else {}
        return {**told, "type": "string", "contentMediaType": JSON_TEXT, **meant}
    return {**_closed(root, node, profile), **told}


def _closed(root: Node, node: Node, profile: Profile) -> Node:
    """An object of declared keys alone, all of them required."""
    is_plain = not node.keys() & {"$ref", "anyOf", "oneOf", "allOf", "enum", "const"}
    if is_plain and is_map(node):
        return _pairs(root, node, profile)
    given = {key: value for key, value in node.items() if key != "$defs"}
    if "properties" in node:
        possible = {name: sub for name, sub in node["properties"].items() if sub != NEVER}
        given["properties"] = possible
    if is_plain and _is_array(node):
        given = {"type": "array", "items": {}, **given}
        if given["items"] is True or (given["items"] is False and "prefixItems" not in given):
            given |= {"items": {}} if given["items"] else {"items": {}, "maxItems": 0}
    closed = map_schemas(
        given,
        lambda sub, _: _shaped(root, sub, profile),
    )
    if "properties" in node:
        if _is_open(node):
            # Said of its pairs already, and not for a closed object to say.
            others = {key: node[key] for key in node if key in _OF_OBJECTS - {"properties"}}
            others.pop("required", None)
            closed["properties"][_others_key(node)] = _pairs(root, others, profile)
        for keyword in ("patternProperties", "propertyNames"):
            closed.pop(keyword, None)
        closed |= {"required": list(closed["properties"]), "additionalProperties": False}
        closed.setdefault("type", "object")
    return closed


def _pairs(root: Node, node: Node, profile: Profile) -> Node:
    names = node.get("propertyNames", {})
    names = names if isinstance(names, dict) else {}
    key = names if names.keys() & {"$ref", "anyOf"} else {"type": "string", **names}
    held = _shaped(root, _kept_values(node), profile)
    counts = {"minProperties": "minItems", "maxProperties": "maxItems"}
    return {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {KEY: key, VALUE: held},
            "required": [KEY, VALUE],
            "additionalProperties": False,
        },
        **{there: node[here] for here, there in counts.items() if here in node},
    }


def _others_key(node: Node) -> str:
    name = OTHERS
    while name in node["properties"]:
        name += "_"
    return name


# --- values ------------------------------------------------------------------------------------


def _raised(root: Node, nodes: list[Node], data: JsonValue) -> JsonValue:
    found = {id(plain): plain for node in nodes for plain in branches(root, node)}
    plain = list(found.values())
    if isinstance(data, str) and _is_text(plain):
        return _from_text(data)
    if isinstance(data, list):
        maps = [node for node in plain if is_map(node)]
        if maps and _are_pairs(data) and (data or not any(map(_is_array, plain))):
            return _from_pairs(root, maps, cast("list[dict[str, JsonValue]]", data))
        return [_raised(root, _at_index(plain, i), item) for i, item in enumerate(data)]
    if not isinstance(data, dict):
        return data
    result: dict[str, JsonValue] = {}
    for key, value in data.items():
        open_objects = [node for node in plain if _is_open(node) and _others_key(node) == key]
        if open_objects and isinstance(value, list) and _are_pairs(value):
            pairs = cast("list[dict[str, JsonValue]]", value)
            result |= cast("dict[str, JsonValue]", _from_pairs(root, open_objects, pairs))
        else:
            result[key] = _raised(root, _under_key(plain, key), value)
    return result


def _are_pairs(data: list[JsonValue]) -> bool:
    """Whether each item is a pair, and no key is there twice."""
    pairs = [each for each in data if isinstance(each, dict) and each.keys() == _PAIR]
    keys = {str(each[KEY]) for each in pairs if isinstance(each[KEY], str)}
    return len(keys) == len(data)


def _from_pairs(root: Node, maps: list[Node], data: list[dict[str, JsonValue]]) -> JsonValue:
    held = [_kept_values(node) for node in maps]
    return {str(pair[KEY]): _raised(root, held, pair[VALUE]) for pair in data}


def _from_text(data: str) -> JsonValue:
    try:
        return cast("JsonValue", json.loads(data))
    except ValueError:
        return data


def _at_index(plain: list[Node], index: int) -> list[Node]:
    first = [node.get("prefixItems", ()) for node in plain]
    found = [
        prefix[index] if index < len(prefix) else node.get("items", True)
        for node, prefix in zip(plain, first, strict=True)
        if _is_array(node)
    ]
    return [{} if node is True else node for node in found if node is not False]


def _under_key(plain: list[Node], key: str) -> list[Node]:
    found = [node.get("properties", {}).get(key) for node in plain]
    return [node for node in found if isinstance(node, dict)]


def _lowered(root: Node, node: Node, data: JsonValue, profile: Profile) -> JsonValue:
    plain = list(branches(root, node))
    if profile.closed and _is_text(plain):
        return json.dumps(data, ensure_ascii=False)
    taken = _taken(root, node, data)
    if isinstance(data, list):
        return [
            _lowered(root, _together(_at_index(taken, i)), item, profile)
            for i, item in enumerate(data)
        ]
    if isinstance(data, dict):
        return _lowered_object(root, taken, data, profile)
    return _decimal(taken, data, profile)


def _lowered_object(
    root: Node, taken: list[Node], data: dict[str, JsonValue], profile: Profile
) -> JsonValue:
    declared: dict[str, list[Node]] = {}
    for node in taken:
        for key, sub in node.get("properties", {}).items():
            declared.setdefault(key, []).append(sub)
    maps = [node for node in taken if is_map(node)]
    open_objects = [node for node in taken if _is_open(node)]
    held = _together([_kept_values(node) for node in (*maps, *open_objects)])
    others: dict[str, JsonValue] = {}
    result: dict[str, JsonValue] = {}
    for key, value in data.items():
        if key in declared:
            result[key] = _lowered(root, _together(declared[key]), value, profile)
        else:
            others[key] = _lowered(root, held, value, profile)
    for node in taken:
        for key in node.get("required", ()):
            if key not in result:
                result[key] = _lowered(root, _together(declared.get(key, [])), None, profile)
    pairs: JsonValue = [{KEY: key, VALUE: value} for key, value in others.items()]
    if profile.closed and open_objects:
        return {**result, _others_key(open_objects[0]): pairs}
    return pairs if profile.closed and maps and not declared else {**result, **others}


def _together(nodes: list[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else {"allOf": nodes} if nodes else {}


def _decimal(taken: list[Node], data: JsonValue, profile: Profile) -> JsonValue:
    """A Decimal, which is dumped as a string, in the notation that it is asked for in."""
    is_number = isinstance(data, str | int | float) and not isinstance(data, bool)
    if not is_number or not any(node.get("format") == DECIMAL for node in taken):
        return data
    if profile.decimals_as_text:
        return f"{Decimal(str(data)):f}"
    number = float(cast("str", data))
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def _taken(root: Node, node: Node, data: JsonValue) -> list[Node]:
    """The plain schemas that a value follows: all parts of a whole, the first fitting of others."""
    own = [{key: value for key, value in node.items() if key not in {"$ref", "allOf"}}]
    parts = [*node.get("allOf", ())]
    if "$ref" in node:
        parts.append(resolve(root, node["$ref"]))
    for keyword in ("anyOf", "oneOf"):
        choices = node.get(keyword, ())
        fitting = [sub for sub in choices if _fits(root, sub, data)]
        parts += sorted(fitting, key=lambda sub: _missing(root, sub, data))[:1] or choices[:1]
    return [*own, *(each for part in parts for each in _taken(root, part, data))]


def _missing(root: Node, node: Node, data: JsonValue) -> int:
    """How many keys that are asked for a value doesn't have."""
    if not isinstance(data, dict):
        return 0
    counts = [len(set(plain.get("required", ())) - data.keys()) for plain in branches(root, node)]
    return min(counts, default=0)


def _fits(root: Node, node: Node, data: JsonValue) -> bool:
    """Whether a value is of a schema's kind, at any depth; bounds and patterns don't count."""
    if "$ref" in node and not _fits(root, resolve(root, node["$ref"]), data):
        return False
    allowed = [_KINDS[kind] for kind in types_of(node) or _KINDS]
    if not any(type(data) in kind for kind in allowed):
        return isinstance(data, str) and node.get("format") == DECIMAL
    if ("const" in node and data != node["const"]) or data not in node.get("enum", [data]):
        return False
    for keyword, judge in (("allOf", all), ("anyOf", any), ("oneOf", any)):
        if keyword in node and not judge(_fits(root, sub, data) for sub in node[keyword]):
            return False
    if isinstance(data, list):
        return all(
            _fits(root, n, item) for i, item in enumerate(data) for n in _at_index([node], i)
        )
    return not isinstance(data, dict) or _holds(root, node, data)


def _holds(root: Node, node: Node, data: dict[str, JsonValue]) -> bool:
    declared = node.get("properties", {})
    closed = node.get("additionalProperties") is False and "patternProperties" not in node
    if closed and data.keys() - declared.keys():
        return False
    missing = [key for key in node.get("required", ()) if key not in data]
    if any(key not in declared or not _fits(root, declared[key], None) for key in missing):
        return False
    if is_map(node) or _is_open(node):
        held = _kept_values(node)
        others = [value for key, value in data.items() if key not in declared]
        if not all(_fits(root, held, value) for value in others):
            return False
    return all(_fits(root, sub, data[key]) for key, sub in declared.items() if key in data)
