"""extractify.testing.contract: M2.7's contract, beside the model page's schema if it is there."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from extractify.testing.contract import PAGE, SEEN, m2_7

SEED = Path(__file__).parents[2] / "shared" / "seed" / "input.schema.json"
SAMPLE: dict[str, Any] = {
    "model": "minimax/m2.7",
    "messages": [
        {"role": "system", "content": "Zyxomma", "name": "a"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Zyxomma"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            ],
        },
        {
            "role": "assistant",
            "content": "",
            "reasoning_content": "hm",
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "content": "3", "tool_call_id": "1"},
    ],
    "temperature": 0.5,
    "top_p": 1,
    "max_tokens": 1,
    "stream": True,
    "stream_options": {"include_usage": True},
    "tools": [{"type": "function", "function": {"name": "f", "description": "", "parameters": {}}}],
    "tool_choice": "auto",
    "response_format": {
        "type": "json_schema",
        "json_schema": {
            "name": "a" * 64,
            "description": "",
            "schema": {"type": "object", "properties": {"result": {"required": ["a"]}}},
        },
    },
    "mask_sensitive_info": False,
    "anything": 1,
}
VALUES: list[Any] = [None, True, 0, 1, 1.5, -1, "", "x", "system", "tool", [], [{}], {}, {"a": 1}]


def changed(**fields: Any) -> dict[str, Any]:
    return {**SAMPLE, **fields}


def spoilt(number: int) -> Any:
    """A request with one or two places changed, removed or added to."""
    chance, body = random.Random(number), copy.deepcopy(SAMPLE)
    for _ in range(chance.choice((1, 1, 2))):
        places = list(nodes(body))
        node = chance.choice(places)
        key = chance.choice(list(node) if isinstance(node, dict) else range(len(node)))
        if isinstance(node, dict) and chance.random() < 0.3:
            node[chance.choice(["strict", "index", "role", "required", "n"])] = 1
        elif chance.random() < 0.4:
            del node[key]
        else:
            node[key] = copy.deepcopy(chance.choice(VALUES))
    return body


def nodes(data: Any) -> Any:
    if isinstance(data, dict | list) and data:
        yield data
        for each in data.values() if isinstance(data, dict) else data:
            yield from nodes(each)


def test_a_request_with_all_that_the_page_offers_is_taken() -> None:
    assert m2_7(SAMPLE) is None
    assert m2_7({"model": "minimax/m2.7", "input": SAMPLE}) is None
    assert m2_7({"messages": [{"role": "user", "content": "a"}]}) is None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ([], '$: expected type "object"'),
        ({}, "$ lacks messages"),
        ({"input": {}}, "$.input lacks messages"),
        (changed(temperature=1.5), "$.temperature: expected maximum 1"),
        (changed(temperature=0), "$.temperature: expected exclusiveMinimum 0"),
        (changed(max_completion_tokens=1), "$ has both max_tokens and max_completion_tokens"),
        (changed(stream_options={"a": 1}), "$.stream_options doesn't take a"),
        (changed(tool_choice="required"), '$.tool_choice: expected enum ["none", "auto"]'),
        (changed(messages=[]), "$.messages: expected minItems 1"),
        (
            changed(messages=[{"role": "user", "content": None}]),
            "$.messages[0].content: expected string or array as the page has it",
        ),
        (
            changed(messages=[{"role": "user", "content": "Zyxomma"}, {"role": "system"}]),
            "$.messages[1] lacks content",
        ),
        (
            changed(messages=[{"role": role, "content": "Zyxomma"} for role in ("user", "system")]),
            "$.messages[1]: a system message must be the only one, and the first",
        ),
        (
            changed(messages=[SAMPLE["messages"][3]]),
            "$.messages[0]: the result of a tool that wasn't called",
        ),
        (
            changed(response_format={"type": "json_object"}),
            "$.response_format lacks json_schema",
        ),
        (
            changed(
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "a-b", "schema": {"type": "object", "properties": {}}},
                }
            ),
            "$.response_format.json_schema.name: expected pattern",
        ),
    ],
)
def test_a_wrong_request_is_told_by_its_json_path_and_nothing_of_its_text(
    body: object, told: str
) -> None:
    wrong = m2_7(body)
    assert wrong is not None
    assert wrong.startswith(told)
    assert "Zyxomma" not in wrong


def test_arguments_that_are_no_json_are_not_replayed() -> None:
    body = copy.deepcopy(SAMPLE)
    body["messages"][2]["tool_calls"][0]["function"]["arguments"] = "{Zyxomma"
    assert m2_7(body) == (
        "$.messages[2].tool_calls[0].function.arguments: arguments that aren't JSON are refused "
        "when replayed"
    )


def test_the_tables_are_schemas() -> None:
    for schema in (PAGE, SEEN):
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_table_says_what_the_page_says() -> None:
    if not SEED.exists():
        pytest.skip(f"{SEED} isn't there to compare with")
    page = jsonschema.Draft202012Validator(json.loads(SEED.read_text(encoding="utf-8")))
    ours = jsonschema.Draft202012Validator(PAGE)
    page.validate(SAMPLE)
    verdicts = [(page.is_valid(body), ours.is_valid(body)) for body in map(spoilt, range(1000))]
    assert [number for number, (theirs, mine) in enumerate(verdicts) if theirs != mine] == []
    assert 150 < sum(theirs for theirs, _ in verdicts) < 850


def test_whatever_a_request_is_it_is_judged() -> None:
    for number in range(1000):
        body = spoilt(number)
        assert isinstance(m2_7(body), str | None)
