"""Every request to M2.7 on Cloudflare keeps to that model's contract.

The contract is the input schema of the model's page where it is at hand, and always the stricter
one below: what the page says, and what the vendor's endpoint was seen to insist on.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel, Field

from extractify import (
    Client,
    Completion,
    DocumentError,
    Endpoint,
    Image,
    Message,
    Parameters,
    Repair,
    Task,
)
from extractify.conversation import Setting, converse
from extractify.dialects import named
from extractify.errors import ExtractionError
from extractify.profiles import M2_7
from tests.loopback import Loopback, completion, endpoint

if TYPE_CHECKING:
    from extractify.messages import JsonValue

PAGE = Path(__file__).parents[2] / "shared" / "seed" / "input.schema.json"

CONTRACT: dict[str, Any] = {
    "type": "object",
    "required": ["model", "messages", "response_format"],
    "oneOf": [{"required": ["max_tokens"]}, {"required": ["max_completion_tokens"]}],
    "additionalProperties": False,
    "properties": {
        "model": {"const": "minimax/m2.7"},
        "messages": {
            "type": "array",
            "minItems": 2,
            # One system message, and it leads.
            "prefixItems": [{"properties": {"role": {"const": "system"}}}],
            "contains": {"properties": {"role": {"const": "system"}}},
            "maxContains": 1,
            "items": {
                "type": "object",
                "required": ["role", "content"],
                "properties": {
                    "role": {"enum": ["system", "user", "assistant"]},
                    "content": {"type": "string"},
                    "name": {"type": "string"},
                    "reasoning_content": {"type": "string"},
                    "reasoning_details": {"type": "array"},
                },
                "additionalProperties": False,
            },
        },
        "temperature": {"type": "number", "minimum": 0, "maximum": 1},
        "top_p": {"type": "number", "minimum": 0, "maximum": 1},
        "max_tokens": {"type": "integer", "exclusiveMinimum": 0},
        "max_completion_tokens": {"type": "integer", "exclusiveMinimum": 0},
        "response_format": {
            "type": "object",
            "required": ["type", "json_schema"],
            "additionalProperties": False,
            "properties": {
                "type": {"const": "json_schema"},
                "json_schema": {
                    "type": "object",
                    "required": ["name", "schema"],
                    "additionalProperties": False,
                    "properties": {
                        "name": {"type": "string", "pattern": r"^[A-Za-z0-9_-]{1,64}$"},
                        "description": {"type": "string"},
                        "schema": {
                            "type": "object",
                            "required": ["type", "properties"],
                            "additionalProperties": False,
                            "properties": {
                                "type": {"const": "object"},
                                "properties": {
                                    "type": "object",
                                    "additionalProperties": {
                                        "$ref": "https://json-schema.org/draft/2020-12/schema"
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}
OURS = jsonschema.Draft202012Validator(CONTRACT)


class Line(BaseModel):
    """A line of an order."""

    name: str
    price: Decimal = Field(ge=0)
    tags: set[str] = set()


class Order(BaseModel):
    number: int = Field(description="{} {{ }} %s `*/` \u2028")
    placed: dt.date | None = None
    lines: list[Line] = []
    state: Literal["open", "done"] = "open"
    more: dict[str, Line] = {}


class Tree(BaseModel):
    label: str
    children: list[Tree] = []


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"


LONG = type("Ein_sehr_länger_Name" * 9, (Order,), {})
TARGETS: list[Any] = [
    Order,
    Tree,
    LONG,
    list[Order],
    dict[str, Order],
    Cat | Dog,
    Annotated[Cat | Dog, Field(discriminator="kind")],
    Order | None,
    int,
    Literal["a", "b"],
    Any,
    {},
    {"type": "object", "title": "An order!", "properties": {"$ref": {"type": "string"}}},
    {"$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://x.test/", "items": [{}]},
    {"type": "object", "properties": {"child": {"$ref": "#"}}},
]
ORDER = Order(number=1, lines=[Line(name="a", price=Decimal("1.50"))])
TASKS: list[Any] = [
    Task(Order, "Amounts {are} in the %s's currency."),
    Task(Order, examples=[("One {} a", ORDER), ("Two", ORDER)]),
    Task(list[Order], examples=[("none", [])]),
    Task(Order, temperature=0.0),
    Task(Order, temperature=7.5, max_tokens=99),
    Task(Tree, extra={"top_p": 0.9}),
]
CONVERSATION = [
    Message("system", "You are Ada."),
    Message("user", "I want an a."),
    Message("assistant", "One?"),
    Message("user", "Yes.", name="bob"),
]
DOCUMENTS: list[Any] = ["One a, 1.50", "</document> {} \u2028", CONVERSATION, CONVERSATION[1:]]

CLOUDFLARE = Endpoint.parse(
    "cloudflare:minimax/m2.7",
    env={"CLOUDFLARE_ACCOUNT_ID": "account", "CLOUDFLARE_API_TOKEN": "token"},
)
BY_HAND = Endpoint(
    url="http://127.0.0.1:9/v1", model="minimax/m2.7", dialect="workers_ai", profile="m2.7"
)


@pytest.fixture(scope="module")
def page() -> jsonschema.Draft202012Validator | None:
    if not PAGE.exists():
        return None
    return jsonschema.Draft202012Validator(json.loads(PAGE.read_text(encoding="utf-8")))


Page = jsonschema.Draft202012Validator | None


def body_of(endpoint: Endpoint, target: object, document: Any = "One a, 1.50") -> Any:
    client = Client(endpoint)
    try:
        body = client.build_request(target, document).body
    finally:
        client.close()
    return json.loads(json.dumps(dict(body), allow_nan=False))


def repaired(task: Task[Any], document: Any, completion: Completion) -> Any:
    """The body of the request that follows a bad answer."""
    setting = Setting("minimax/m2.7", M2_7, {})
    flow = converse(task, document, setting, lambda _event: None, lambda _endpoint: setting)
    next(flow)
    second = flow.send(completion).request
    flow.close()
    return json.loads(named("workers_ai").write(second, M2_7))


def check(body: object, page: Page) -> None:
    OURS.validate(body)
    if page is not None:
        page.validate(body)


def test_the_contract_itself_is_a_schema_and_refuses_what_breaks_it() -> None:
    jsonschema.Draft202012Validator.check_schema(CONTRACT)
    good = body_of(BY_HAND, Order)
    OURS.validate(good)
    system, user = good["messages"]
    schema = good["response_format"]["json_schema"]
    broken: list[dict[str, Any]] = [
        {**good, "seed": 1},
        {**good, "temperature": 1.1},
        {**good, "max_completion_tokens": 5},
        {key: value for key, value in good.items() if key != "max_tokens"},
        {**good, "messages": [user, system]},
        {**good, "messages": [system, system, user]},
        {**good, "messages": [system, {**user, "content": None}]},
        {**good, "response_format": {"type": "json_schema", "json_schema": schema, "strict": True}},
        *(
            {**good, "response_format": {"type": "json_schema", "json_schema": {**schema, **more}}}
            for more in (
                {"strict": True},
                {"name": "a b"},
                {"name": "a" * 65},
                {"schema": {**schema["schema"], "required": ["result"]}},
                {"schema": {"type": "object", "properties": {"result": {"type": "objekt"}}}},
            )
        ),
    ]
    assert [OURS.is_valid(body) for body in broken] == [False] * len(broken)


def test_the_page_s_schema_is_at_hand(page: Page) -> None:
    if page is None:
        pytest.skip(f"{PAGE} isn't there; requests are checked against our own contract only")
    page.validate(body_of(BY_HAND, Order))
    assert not page.is_valid({**body_of(BY_HAND, Order), "temperature": 2})


@pytest.mark.parametrize("endpoint", [CLOUDFLARE, BY_HAND], ids=["preset", "by hand"])
@pytest.mark.parametrize("target", [*TARGETS, *TASKS])
def test_a_request_keeps_the_contract(endpoint: Endpoint, target: object, page: Page) -> None:
    check(body_of(endpoint, target), page)


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("target", [Order, TASKS[1]])
def test_a_request_keeps_the_contract_whatever_the_document(
    target: object, document: object, page: Page
) -> None:
    check(body_of(BY_HAND, target, document), page)


REASONED = Message(
    "assistant", '{"result": {}}', extra={"reasoning_content": "hm", "reasoning_details": [{}]}
)


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize(
    "completion",
    [
        Completion('{"result": {"number": "many"}}', "stop"),
        Completion('{"result": {}}', "stop", message=REASONED),
        Completion("I can't say.", "stop", message=Message("assistant", "I can't say.")),
        Completion("", None),
    ],
    ids=["bad value", "reasoned", "prose", "nothing"],
)
def test_a_repair_turn_s_request_keeps_the_contract(
    completion: Completion, document: object, page: Page
) -> None:
    task = Task(Order, "Be exact.", [("One", ORDER)])
    body = repaired(task, document, completion)
    check(body, page)
    assert [message["role"] for message in body["messages"]][-2:] == ["assistant", "user"]


def test_a_later_repair_turn_keeps_the_contract_and_its_length(page: Page) -> None:
    task = Task(Order, repair=Repair(4))
    setting = Setting("minimax/m2.7", M2_7, {})
    flow = converse(task, "One", setting, lambda _event: None, lambda _endpoint: setting)
    bad = Completion('{"result": {"number": "many"}}', "stop")
    requests = [next(flow).request, *(flow.send(bad).request for _ in range(3))]
    bodies = [json.loads(named("workers_ai").write(request, M2_7)) for request in requests]
    with pytest.raises(ExtractionError):
        flow.send(bad)
    for body in bodies:
        check(body, page)
    assert [len(body["messages"]) for body in bodies] == [2, 4, 4, 4]


def test_temperatures_are_brought_into_the_range() -> None:
    asked = {given: body_of(BY_HAND, Task(Order, temperature=given)) for given in (0.0, 0.4, 7.5)}
    assert [body["temperature"] for body in asked.values()] == [0.01, 0.4, 1.0]
    assert "temperature" not in body_of(BY_HAND, Order)


# --- the other ways to ask -----------------------------------------------------------------------

AS_A_TOOL = Task(Order, parameters=Parameters(structure="tool"))
IN_THE_PROMPT = Task(Order, parameters=Parameters(structure="prompt"))


def check_tools(body: Any, page: Page) -> None:
    """What the page says of tools; of all the rest, what the contract above says."""
    (tool,) = body.pop("tools")
    assert body.pop("tool_choice") == "auto"
    assert set(tool) == {"type", "function"}
    assert set(tool["function"]) == {"name", "description", "parameters"}
    jsonschema.Draft202012Validator.check_schema(tool["function"]["parameters"])
    assert "response_format" not in body
    if page is not None:
        page.validate({**body, "tools": [tool], "tool_choice": "auto"})


@pytest.mark.parametrize("target", [*TARGETS, *TASKS])
def test_a_request_for_a_tool_s_arguments_keeps_the_contract(target: Any, page: Page) -> None:
    task = target if isinstance(target, Task) else Task(target)
    body = body_of(BY_HAND, replace(task, parameters=Parameters(structure="tool")))
    check_tools(body, page)
    without_format = {**CONTRACT, "required": ["model", "messages"]}
    jsonschema.Draft202012Validator(without_format).validate(body)


def test_a_request_by_the_prompt_alone_keeps_the_contract(page: Page) -> None:
    body = body_of(BY_HAND, IN_THE_PROMPT)
    assert not body.keys() & {"response_format", "tools", "tool_choice"}
    assert page is None or page.is_valid(body)


def called(arguments: str) -> dict[str, Any]:
    function: dict[str, JsonValue] = {"name": "Order", "arguments": arguments}
    call: JsonValue = {"id": "call_1", "type": "function", "index": 0, "function": function}
    thoughts: JsonValue = [{"type": "reasoning.text", "text": "hm"}]
    message = {"tool_calls": [call], "reasoning_details": thoughts}
    return completion("", finish_reason="tool_calls", message=message)


def test_a_tool_s_arguments_are_the_answer_and_a_repair_turn_replies_to_the_call(
    page: Page,
) -> None:
    bad, good = '{"result": {"number": "many"}}', '{"result": {"number": 7}}'
    with Loopback([(200, {}, called(bad)), (200, {}, called(good))]) as server:
        with Client(endpoint(server)) as client:
            result = client.extract(AS_A_TOOL, "One a, 1.50")
        first, second = (received.body for received in server.requests)
    assert result.value.number == 7
    assert result.attempts[0].completion.text == bad
    assert result.attempts[0].completion.tool_calls[0].name == "Order"
    for body in (first, second):
        check_tools(dict(body), page)
    answer, reply = second["messages"][-2:]
    assert (answer["role"], answer["content"]) == ("assistant", "")
    assert "index" not in answer["tool_calls"][0]
    assert answer["reasoning_details"]
    assert (reply["role"], reply["tool_call_id"]) == ("tool", "call_1")
    assert "/number" in reply["content"]


def test_broken_arguments_are_never_sent_back(page: Page) -> None:
    with Loopback([(200, {}, called('{"result": {"number": mmm')), "{}"]) as server:
        with Client(endpoint(server)) as client, pytest.raises(ExtractionError):
            client.extract(replace(AS_A_TOOL, repair=2), "One a, 1.50")
        body = server.requests[1].body
    check_tools(dict(body), page)
    assert "mmm" not in json.dumps(body)
    assert all("tool_calls" not in message for message in body["messages"])
    assert [message["role"] for message in body["messages"]][-1] == "user"


def test_prose_instead_of_a_call_is_read() -> None:
    prose = 'Here it is: {"result": {"number": 7}}'
    with Loopback([prose]) as server, Client(endpoint(server)) as client:
        assert client.extract(AS_A_TOOL, "One a, 1.50").value.number == 7


def test_the_run_route_s_input_keeps_the_contract(page: Page) -> None:
    run = replace(BY_HAND, dialect="cloudflare_run")
    for target in (Order, Tree, TASKS[1]):
        body = body_of(run, target)
        assert set(body) == {"model", "input"}
        check({**body["input"], "model": body["model"]}, page)
        assert page is None or page.is_valid(body["input"])


def test_images_keep_the_contract_s_shape_where_a_profile_lets_them_through(page: Page) -> None:
    seeing = replace(BY_HAND, profile=replace(M2_7, images=True))
    turn = Message("user", "What is it?", images=(Image.of(b"x"), Image("https://x.test/a.png")))
    body = body_of(seeing, Order, [turn])
    assert page is None or page.is_valid(body)
    with pytest.raises(DocumentError, match="looks at no pictures"):
        body_of(BY_HAND, Order, [turn])
    assert body_of(seeing, Order, [Message("user", "", images=(Image.of(b"x"),))])


def test_a_conversation_with_a_system_message_in_its_middle_keeps_the_contract(page: Page) -> None:
    turns = [Message("user", "1"), Message("system", "Be brief."), Message("user", "2", "bob")]
    check(body_of(BY_HAND, Order, turns), page)
