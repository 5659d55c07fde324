"""Valid response bodies, spoilt at random by a seed: a byte, a node of the JSON, or its text."""

from __future__ import annotations

import copy
import json
import math
from random import Random
from typing import Any

from extractify.testing import completion

VALUE = {"shop": "Żabka 漢", "total": 12.5, "lines": [{"text": "a", "count": 2}], "open": True}
TEXTS = [
    json.dumps({"result": VALUE}, ensure_ascii=False),
    json.dumps(VALUE),
    f"<think>Let me see: {{}}.</think>\n```json\n{json.dumps(VALUE, indent=1)}\n```",
]
CALL: dict[str, Any] = {
    "id": "1",
    "type": "function",
    "function": {"name": "answer", "arguments": json.dumps({"result": VALUE})},
}
GOOD: list[Any] = [
    *map(completion, TEXTS),
    completion(None, finish_reason="tool_calls", message={"tool_calls": [CALL]}),
    completion([{"type": "text", "text": TEXTS[0]}], message={"reasoning_content": "hm"}),
    {"result": completion(TEXTS[0]), "success": True, "errors": [], "messages": []},
    {"state": "Completed", "result": completion(TEXTS[0]), "gatewayMetadata": {}},
]
ODD: list[Any] = [
    *(None, True, False, 0, -1, 2013, 1e308, math.inf, math.nan, 10**30, 10**5000),
    *("", "\0", "\ud800", "null", "stop", "length", "9" * 5000, "{", "漢" * 50, "1e999"),
    *([], {}, [[]], [None], {"": None}, {"result": 1}, {"choices": []}, {"error": "x"}),
]
KEYS = ["error", "errors", "success", "result", "base_resp", "choices", "content", "usage", "code"]


def body(number: int) -> bytes:
    """The body of that number."""
    chance = Random(number)
    data = copy.deepcopy(chance.choice(GOOD))
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        if isinstance(data, dict | list) and data:
            data = spoilt(chance, data)
    if chance.random() < 0.1:
        data = deep(data, chance.choice((3, 200, 5000)))
        content = b'{"choices": ' + data + b"}"
    else:
        content = text_of(data).encode("utf-8", "surrogatepass")
    for _ in range(chance.choice((0, 0, 1, 1, 4))):
        content = edited(chance, content)
    return content


def text_of(data: Any) -> str:
    try:
        return json.dumps(data, ensure_ascii=False)
    except ValueError:  # an integer of more digits than Python writes
        return "9" * 5000


def deep(data: Any, depth: int) -> bytes:
    return b"[" * depth + text_of(data).encode("utf-8", "surrogatepass") + b"]" * depth


def spoilt(chance: Random, data: Any) -> Any:
    """One node replaced, removed, doubled, renamed, or its text spoilt."""
    node = chance.choice(list(nodes(data)))
    key = chance.choice(list(node) if isinstance(node, dict) else range(len(node)))
    kind = chance.randrange(6)
    if kind == 0:
        del node[key]
    elif kind == 1 and isinstance(node, dict):
        node[chance.choice(KEYS)] = node.pop(key)
    elif kind == 2 and isinstance(node, list):
        node.append(copy.deepcopy(node[key]))
    elif isinstance(node[key], str) and kind > 2:
        text = edited(chance, node[key].encode("utf-8", "surrogatepass"))
        node[key] = text.decode("utf-8", "replace")
    else:
        node[key] = copy.deepcopy(chance.choice(ODD))
    return data


def nodes(data: Any) -> Any:
    if isinstance(data, dict | list) and data:
        yield data
        for each in data.values() if isinstance(data, dict) else data:
            yield from nodes(each)


def edited(chance: Random, content: bytes) -> bytes:
    """Some bytes changed, taken out, put in, doubled or cut off."""
    start = chance.randrange(len(content) + 1)
    end = min(len(content), start + chance.choice((1, 1, 3, 40)))
    piece = content[start:end]
    new = (
        bytes([chance.randrange(256)]),
        b"",
        piece + bytes(chance.choices(b'{}[],:"\\0 \n', k=3)),
        piece * 2,
        b"\\ud83d",
    )
    kind = chance.randrange(len(new) + 1)
    return content[:start] if kind == len(new) else content[:start] + new[kind] + content[end:]
