"""baml-py's parser, driven with a JSON Schema: a peer of `reading.py`.

The schema is written as BAML source, and an answer is parsed by the call that a generated client
makes. A schema without a type says any JSON, as in BAML's manual (`JSON`, a recursive alias).
"""

from __future__ import annotations

import json
import re
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any

SCALARS = {"string": "string", "integer": "int", "number": "float", "boolean": "bool"}
SCALARS["null"] = "null"
SAID = {"type", "properties", "required", "items", "additionalProperties", "anyOf", "enum", "const"}
SAID |= {"$ref", "$defs", "x-baml-alias", "x-baml-description"}
SAID |= {"description", "default", "x-stream"}  # they ask nothing of a value
ANY = "type JSON = int | float | bool | string | null | JSON[] | map<string, JSON>"
FUNCTION = 'function Read() -> {} {{\n  client "openai/none"\n  prompt #""#\n}}'


class Unsayable(Exception):  # noqa: N818  (it is no failure of ours)
    """BAML has no type for a schema."""


class Source:
    """The declarations that a schema's type needs; the members by the name that BAML gives them."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.defs = schema.get("$defs", {})
        self.blocks = [ANY]
        self.members: dict[str, dict[str, Any]] = {}
        self.blocks.append(FUNCTION.format(self.type_of(schema)))

    def type_of(self, node: dict[str, Any], name: str = "") -> str:
        if "$ref" in node:
            known = str(node["$ref"]).removeprefix("#/$defs/")
            if known not in self.defs:
                raise Unsayable(node["$ref"])
            return known if known in self.members else self.type_of(self.defs[known], known)
        if node.keys() - SAID:
            raise Unsayable(*node.keys() - SAID)
        name = name or f"Type{len(self.members)}"
        if "anyOf" in node:
            return "(" + " | ".join(self.type_of(branch) for branch in node["anyOf"]) + ")"
        if "const" in node:
            return json.dumps(node["const"])
        if "enum" in node:
            return self.declared("enum", name, dict.fromkeys(node["enum"], ""), node)
        return self.kind_of(node, name)

    def kind_of(self, node: dict[str, Any], name: str) -> str:
        kind = node.get("type", "object" if "properties" in node else "array")
        if "type" not in node and not node.keys() & {"properties", "items"}:
            return "JSON"
        if isinstance(kind, list):
            return "(" + " | ".join(self.kind_of({**node, "type": k}, name) for k in kind) + ")"
        if kind == "array":
            return self.type_of(node.get("items", {})) + "[]"
        if kind != "object":
            if kind not in SCALARS:
                raise Unsayable(kind)
            return SCALARS[kind]
        if not node.get("properties"):
            values = node.get("additionalProperties", {})
            return f"map<string, {self.type_of(values) if isinstance(values, dict) else 'JSON'}>"
        self.members[name] = {}  # a class may hold itself
        required = node.get("required", ())
        types = {
            key: self.type_of(inner) + "?" * (key not in required)
            for key, inner in node["properties"].items()
        }
        return self.declared("class", name, types, node)

    def declared(self, kind: str, name: str, types: dict[str, str], node: dict[str, Any]) -> str:
        """Declare a class or an enum; a member whose name BAML can't say has an alias."""
        aliases, told = node.get("x-baml-alias", {}), node.get("x-baml-description", {})
        plain = all(re.fullmatch(r"[A-Za-z]\w*", str(member)) for member in types)
        lines, names = [], {}
        for number, (member, type_) in enumerate(types.items()):
            name_ = str(member) if plain else f"m{number}"
            names[name_] = member
            alias = aliases.get(member, member)
            notes = f" @alias({json.dumps(alias)})" * (alias != name_)
            notes += f" @description({json.dumps(told.get(member))})" * (member in told)
            lines.append(f"  {name_} {type_}{notes}")
        self.members[name] = names
        self.blocks.append("\n".join((f"{kind} {name} {{", *lines, "}")))
        return name


@cache
def _parser(schema: str) -> Any:  # noqa: ANN401  (no stubs)
    from baml_py.baml_py import BamlError, BamlRuntime, set_log_level

    set_log_level("OFF")
    source = Source(json.loads(schema))
    try:
        runtime = BamlRuntime.from_files("/", {"a.baml": "\n".join(source.blocks)}, {})
    except BamlError as error:
        raise Unsayable(str(error)) from None
    values = ModuleType("values")
    for name, members in source.members.items():
        setattr(values, name, _made(members))
    context = runtime.create_context_manager()

    def parse(text: str) -> Any:  # noqa: ANN401  (JSON)
        parts = ("Read", text, values, values, values, False)
        return runtime.parse_llm_response(*parts, context, None, None, {})

    return parse


def _made(members: dict[str, Any]) -> Any:  # noqa: ANN401  (what a generated class or enum is)
    class Made(SimpleNamespace):
        """A class builds its value out of fields, an enum is called with a member."""

        def __new__(cls, member: str) -> Any:  # noqa: ANN401  (JSON)
            return members[member]

        @staticmethod
        def model_validate(fields: dict[str, Any]) -> dict[str, Any]:
            return {members[name]: value for name, value in fields.items()}

    return Made


def parsed(text: str, schema: dict[str, Any]) -> tuple[bool, Any]:
    """Parse an answer: whether baml-py read a value, and which. Raises: Unsayable."""
    parse = _parser(json.dumps(schema))
    from baml_py.baml_py import BamlError

    try:
        return True, parse(text)
    except BamlError:
        return False, None
