"""What each profile's endpoint takes, written down a second time, after its own documents.

Each checker yields what it would refuse in a payload. None of them uses the lowering.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = dict[str, Any]
OPENAI = """type properties required additionalProperties items anyOf enum const $ref $defs
description pattern format multipleOf maximum exclusiveMaximum minimum exclusiveMinimum minItems
maxItems"""
LLAMA = """type properties required additionalProperties items prefixItems anyOf enum const $ref
$defs description pattern format maximum exclusiveMaximum minimum exclusiveMinimum minItems maxItems
minLength maxLength"""
GEMINI = """type properties required additionalProperties items prefixItems anyOf enum $ref $defs
description format minimum maximum minItems maxItems"""


def subschemas(node: Any, path: str = "#") -> Iterator[tuple[str, Json]]:
    if not isinstance(node, dict):
        return
    yield path, node
    for word in ("properties", "$defs", "patternProperties"):
        for name, sub in node.get(word, {}).items():
            yield from subschemas(sub, f"{path}/{word}/{name}")
    for word in ("anyOf", "prefixItems", "allOf", "oneOf"):
        for index, sub in enumerate(node.get(word, [])):
            yield from subschemas(sub, f"{path}/{word}/{index}")
    for word in ("items", "additionalProperties"):
        yield from subschemas(node.get(word), f"{path}/{word}")


def words(payload: Json, known: str) -> Iterator[str]:
    for path, node in subschemas(payload):
        yield from (f"{path}: {word} is unknown" for word in node.keys() - set(known.split()))


def references(payload: Json) -> Iterator[str]:
    for path, node in subschemas(payload):
        if "$ref" in node:
            if node.keys() - {"$ref", "description", "$defs"}:
                yield f"{path}: something stands beside $ref"
            if not re.fullmatch(r"#(/properties/\w+)?/\$defs/\w+", node["$ref"]):
                yield f"{path}: {node['$ref']} isn't plain"
        elif "anyOf" in node and node.keys() - {"anyOf", "description", "$defs"}:
            yield f"{path}: something stands beside anyOf"


def openai_strict(payload: Json) -> Iterator[str]:
    yield from words(payload, OPENAI)
    yield from references(payload)
    if payload.get("type") != "object" or "anyOf" in payload:
        yield "#: the root isn't an object"
    nodes = [node for _, node in subschemas(payload)]
    properties = sum(len(node.get("properties", {})) for node in nodes)
    values = sum(len(node.get("enum", [])) for node in nodes)
    names = [
        name for node in nodes for name in (*node.get("properties", {}), *node.get("$defs", {}))
    ]
    told = [str(each) for node in nodes for each in [*node.get("enum", []), node.get("const", "")]]
    characters = sum(map(len, [*names, *told]))
    if properties > 5_000 or characters > 120_000 or values > 1_000:
        yield f"too much: {properties} properties, {characters} characters, {values} values"
    if depth(payload, payload, ()) > 10:
        yield "too deep"
    for path, node in subschemas(payload):
        yield from (f"{path}: {broken}" for broken in openai_node(node))


def openai_node(node: Json) -> Iterator[str]:
    kind, enum = str(node.get("type")), node.get("enum", [])
    if not node.keys() & {"type", "anyOf", "$ref"}:
        yield "no type"
    if "object" in kind or "properties" in node:
        if node.get("additionalProperties") is not False:
            yield "open"
        if sorted(node.get("required", [])) != sorted(node.get("properties", {})):
            yield "not all required"
    if "array" in kind and "items" not in node:
        yield "no items"
    if re.search(r"\(\?[=!<]", node.get("pattern", "")):
        yield "lookaround"
    if len(enum) > 250 and sum(len(str(each)) for each in enum) > 15_000:
        yield "a long enum"
    known = ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"]
    if node.get("format", "date") not in known:
        yield "format"


def depth(root: Json, node: Any, above: tuple[str, ...]) -> int:
    if not isinstance(node, dict):
        return 0
    here = 1 if "object" in str(node.get("type")) or "array" in str(node.get("type")) else 0
    inner = [*node.get("properties", {}).values(), *node.get("anyOf", []), node.get("items")]
    below = [depth(root, sub, above) for sub in inner]
    if "$ref" in node and node["$ref"] not in above:
        target: Any = root
        for step in node["$ref"].split("/")[1:]:
            target = target[step]
        below.append(depth(root, target, (*above, node["$ref"])))
    return here + max(below, default=0)


def grammar(payload: Json) -> Iterator[str]:
    yield from words(payload, LLAMA)
    yield from references(payload)
    for path, node in subschemas(payload):
        bounds = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"} & node.keys()
        if bounds and node.get("type") != "integer":
            yield f"{path}: bounds of what is no integer"
        pattern = node.get("pattern", "^$")
        if not (pattern.startswith("^") and pattern.endswith("$")) or re.search(
            r"\\[a-zA-Z0-9]|\(\?|(?<!\\)\.|\[\^", pattern
        ):
            yield f"{path}: {pattern}"
        if node.get("format", "date") not in (
            ["date", "time", "date-time", "uuid", "email", "ipv4", "ipv6"]
        ):
            yield f"{path}: format"


def xgrammar(payload: Json) -> Iterator[str]:
    """What vLLM's check before xgrammar passes, less what would keep right values out."""
    yield from grammar(payload)
    for path, node in subschemas(payload):
        if node.get("format", "date") in {"time", "date-time", "email", "duration"}:
            yield f"{path}: a format that isn't what pydantic takes"
        kept_out = {"multipleOf", "uniqueItems", "contains", "patternProperties", "propertyNames"}
        yield from (f"{path}: {word}" for word in node.keys() & kept_out)


def gemini(payload: Json) -> Iterator[str]:
    yield from words(payload, GEMINI)
    yield from references(payload)
    for path, node in subschemas(payload):
        for name in node.get("required", []):
            if path != "#" and leads_back(payload, node["properties"].get(name, {})):
                yield f"{path}: {name} is required and recursive"


def leads_back(root: Json, node: Json) -> bool:
    starts = [sub["$ref"] for _, sub in subschemas(node) if "$ref" in sub]
    for start in starts:
        seen: set[str] = set()
        stack = [start]
        while stack:
            target: Any = root
            for step in stack.pop().split("/")[1:]:
                target = target[step]
            following = {sub["$ref"] for _, sub in subschemas(target) if "$ref" in sub} - seen
            if start in following:
                return True
            seen |= following
            stack.extend(following)
    return False


def m27(payload: Json) -> Iterator[str]:
    if payload.keys() != {"type", "properties"} or payload["type"] != "object":
        yield "#: the root holds type and properties alone"


def whatever(payload: Json) -> Iterator[str]:
    if payload.get("type") != "object":
        yield "#: the root isn't an object"


RULES: dict[str, Callable[[Json], Iterator[str]]] = {
    "full": whatever,
    "openai": whatever,
    "m2.7": m27,
    "minimax": m27,
    "openai-strict": openai_strict,
    "llama.cpp": grammar,
    "smollm2": grammar,
    "ollama": grammar,
    "llamacpp": grammar,
    **dict.fromkeys(("groq", "openrouter", "together", "anthropic"), whatever),
    **dict.fromkeys(("xgrammar", "vllm", "sglang"), xgrammar),
    "gemini": gemini,
    "llguidance": whatever,  # its own compiler is the checker
}
