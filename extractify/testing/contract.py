"""What MiniMax M2.7 on Cloudflare takes, as a check that every scripted request has to pass.

Two tables: what the model's page promises, and what the vendor's endpoint was seen to insist on
beyond it. Both are JSON Schemas, put together from small pieces; the few rules that span several
messages are code.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, cast

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

Contract: TypeAlias = Callable[[object], str | None]
"""Takes a request's body; says what is wrong with it and where, None where nothing is."""
Node: TypeAlias = Mapping[str, Any]


class ContractBroken(AssertionError):
    """A request that the endpoint wouldn't take, or that the script has no answer for."""


def _object(required: Node, optional: Node | None = None, *, more: bool = False) -> Node:
    """An object with these properties; others only where `more` says so."""
    fields = {**required, **(optional or {})}
    node = {"type": "object", "required": list(required), "properties": fields}
    return node if more else {**node, "additionalProperties": False}


_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_COUNT = {"type": "number", "exclusiveMinimum": 0}
_FUNCTION = {"const": "function"}
_PARTS = [
    _object({"type": {"const": "text"}, "text": _TEXT}),
    _object({"type": {"const": "image_url"}, "image_url": _object({"url": _TEXT})}),
]
_CALL = _object(
    {"id": _TEXT, "type": _FUNCTION, "function": _object({"name": _TEXT, "arguments": _TEXT})}
)
_MESSAGE = _object(
    {
        "role": {"enum": ["system", "user", "assistant", "tool"]},
        "content": {"anyOf": [_TEXT, {"type": "array", "items": {"anyOf": _PARTS}}]},
    },
    {"name": _TEXT, "tool_calls": {"type": "array", "items": _CALL}},
    more=True,  # reasoning is replayed there
)
_TOOL = _object(
    {
        "type": _FUNCTION,
        "function": _object({"name": _TEXT, "description": _TEXT, "parameters": {}}),
    }
)
_ROOT = _object({"type": {"const": "object"}, "properties": {}})
_FORMAT = _object(
    {
        "type": {"const": "json_schema"},
        "json_schema": _object(
            {"name": {**_TEXT, "maxLength": 64}, "schema": _ROOT}, {"description": _TEXT}
        ),
    }
)
PAGE = _object(
    {"messages": {"type": "array", "items": _MESSAGE}},
    {
        "temperature": _SHARE,
        "max_tokens": _COUNT,
        "max_completion_tokens": _COUNT,
        "top_p": _SHARE,
        "stream": _FLAG,
        "stream_options": _object({}, {"include_usage": _FLAG}),
        "tools": {"type": "array", "items": _TOOL},
        "tool_choice": {"enum": ["none", "auto"]},
        "response_format": _FORMAT,
        "mask_sensitive_info": _FLAG,
    },
    more=True,
)
"""What the model's page says of a request."""

_NAMED = {"properties": {"name": {"pattern": r"^\w+$"}}}
SEEN = {
    "properties": {
        "messages": {"minItems": 1},
        "temperature": {"exclusiveMinimum": 0},
        "response_format": {"properties": {"json_schema": _NAMED}},
    },
    "not": {"required": ["max_tokens", "max_completion_tokens"]},
}
"""What the vendor's endpoint refuses, whatever the page says."""


def m2_7(body: object) -> str | None:
    """What is wrong with a request to M2.7, with the JSON path; None where nothing is.

    The words hold nothing of the messages. A body as `/ai/run` takes it is looked into.
    """
    root, asked = "$", cast("Any", body)
    if isinstance(body, dict) and "input" in body and "messages" not in body:
        root, asked = "$.input", body["input"]
    for validator in _validators():
        error = next(iter(sorted(validator.iter_errors(asked), key=_depth)), None)
        if error is not None:
            return _told(root, error)
    return next(_across(root, asked["messages"]), None)


def anything(_body: object) -> None:
    """Find nothing wrong: for requests that aren't meant for M2.7."""


@cache
def _validators() -> tuple[Validator, ...]:
    from jsonschema import Draft202012Validator  # as slow to import as all the rest of this

    return Draft202012Validator(PAGE), Draft202012Validator(SEEN)


def _depth(error: ValidationError) -> int:
    return len(error.absolute_path)


def _told(root: str, error: ValidationError) -> str:
    """Path and rule; what stands there may be the document's text and stays out."""
    from jsonschema.exceptions import best_match

    if error.context:  # of the alternatives, the one that was meant
        error = best_match([error]) or error
    path, rule = root + error.json_path[1:], str(error.validator)
    value: Any = error.validator_value
    there: Any = error.instance
    if rule == "required":
        return f"{path} lacks {', '.join(name for name in value if name not in there)}"
    if rule == "additionalProperties":
        schema: Any = error.schema
        return f"{path} doesn't take {', '.join(sorted(set(there) - set(schema['properties'])))}"
    if rule == "anyOf":
        return f"{path}: expected {' or '.join(each['type'] for each in value)} as the page has it"
    if rule == "not":
        return f"{path} has both {' and '.join(value['required'])}"
    return f"{path}: expected {rule} {json.dumps(value)}"


def _across(root: str, messages: list[dict[str, Any]]) -> Iterator[str]:
    """The rules that no schema says: a system message leads; a tool answers its call."""
    called: list[object] = []
    for index, message in enumerate(messages):
        path, role = f"{root}.messages[{index}]", message["role"]
        if role == "system" and index:
            yield f"{path}: a system message must be the only one, and the first"
        if role == "tool" and message.get("tool_call_id") not in called:
            yield f"{path}: the result of a tool that wasn't called"
        for number, call in enumerate(message.get("tool_calls", ())):
            called.append(call["id"])
            try:
                json.loads(call["function"]["arguments"])
            except ValueError:
                place = f"{path}.tool_calls[{number}].function.arguments"
                yield f"{place}: arguments that aren't JSON are refused when replayed"
