"""Pydantic types as a user would write them for a JSON Schema: what peers of `reading.py` use.

Fields that aren't required are None by default; what a model doesn't declare is ignored, as by
pydantic's own default.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Annotated, Any, ForwardRef, Literal, Union

from baml import Unsayable
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model

SCALARS: dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool}
SCALARS["null"] = None


class Types:
    """The types of one schema; its models by name."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.defs = schema.get("$defs", {})
        self.models: dict[str, type[BaseModel] | None] = {}
        root = self.type_of(schema)
        for model in self.models.values():
            if model is not None:
                model.model_rebuild(_types_namespace=self.models)
        self.adapter: TypeAdapter[Any] = TypeAdapter(root)

    def type_of(self, node: Any, name: str = "") -> Any:  # noqa: ANN401  (types)
        if not isinstance(node, dict):
            return Any
        if "$ref" in node:
            return self.known(str(node["$ref"]).removeprefix("#/$defs/"))
        if "anyOf" in node:
            return Union[tuple(self.type_of(branch) for branch in node["anyOf"])]  # noqa: UP007
        if "const" in node or "enum" in node:
            return Literal[tuple(node.get("enum", [node.get("const")]))]
        return self.kind_of(node, name)

    def known(self, name: str) -> Any:  # noqa: ANN401  (types)
        if name not in self.defs:
            raise Unsayable(name)
        if name in self.models:
            return self.models[name] or ForwardRef(name)
        return self.type_of(self.defs[name], name)

    def kind_of(self, node: dict[str, Any], name: str) -> Any:  # noqa: ANN401  (types)
        kind = node.get("type", "object" if "properties" in node else None)
        if isinstance(kind, list):
            return Union[tuple(self.kind_of({**node, "type": each}, name) for each in kind)]  # noqa: UP007
        if kind == "array" or "items" in node:
            items = Field(min_length=node.get("minItems"))
            return Annotated[list[self.type_of(node.get("items"))], items]  # type: ignore[misc]
        if kind == "object":
            return self.object_of(node, name)
        if kind is not None and kind not in SCALARS:
            raise Unsayable(kind)
        pattern = Field(pattern=node.get("pattern"))
        return Annotated[str, pattern] if kind == "string" else SCALARS.get(str(kind), Any)

    def object_of(self, node: dict[str, Any], name: str) -> Any:  # noqa: ANN401  (types)
        if not node.get("properties"):
            return dict[str, self.type_of(node.get("additionalProperties"))]  # type: ignore[misc]
        name = name or f"Model{len(self.models)}"
        self.models[name] = None  # it may hold itself
        required = node.get("required", ())
        fields: dict[str, Any] = {}
        for number, (key, inner) in enumerate(node["properties"].items()):
            type_ = self.type_of(inner)
            is_asked = key in required
            default = Field(alias=key) if is_asked else Field(default=None, alias=key)
            fields[f"field{number}"] = (type_ if is_asked else type_ | None, default)
        extra: Literal["forbid", "ignore"]
        extra = "forbid" if node.get("additionalProperties") is False else "ignore"
        model = create_model(name, __config__=ConfigDict(extra=extra), **fields)
        self.models[name] = model
        return model


@cache
def _adapter(schema: str) -> TypeAdapter[Any]:
    return Types(json.loads(schema)).adapter


def validated(text: str, schema: dict[str, Any]) -> tuple[bool, Any]:
    """Whether `validate_json` takes a text, and what it makes of it, as plain data.

    Raises: Unsayable.
    """
    adapter = _adapter(json.dumps(schema))
    try:
        value = adapter.validate_json(text)
    except ValueError:
        return False, None
    return True, adapter.dump_python(value, mode="json", by_alias=True, exclude_unset=True)
