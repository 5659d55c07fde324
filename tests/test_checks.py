"""extractify.checks: wrong options are refused where they are written, and not quoted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import BaseModel
from tenacity import stop_never, wait_none

from extractify import (
    Aliases,
    AsyncClient,
    Client,
    ConfigurationError,
    DocumentError,
    Endpoint,
    Grounding,
    Limits,
    Message,
    Numbers,
    Parameters,
    Prices,
    Repair,
    Retry,
    SchemaError,
    Task,
    Tool,
)
from extractify.schema import compile_schema

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "http://127.0.0.1:1/v1"


class Shop(BaseModel):
    name: str


def task(**options: Any) -> object:
    return Task(Shop, **options)


def parameters(**options: Any) -> object:
    return Task(Shop, parameters=Parameters(**options))


def endpoint(**options: Any) -> object:
    return Endpoint(**{"url": URL, "model": "m", **options})


def client(**options: Any) -> object:
    return Client(Endpoint(URL, "m"), **options)


def async_client(**options: Any) -> object:
    return AsyncClient(Endpoint(URL, "m"), **options)


def asked(role: Any, text: Any) -> object:
    return Client(Endpoint(URL, "m")).build_request(Shop, [Message(role, text)])


SECRET = "sk-secret"
NO_MAPPING: Any = [1]
WRONG_TOOL = Tool("a", "b", NO_MAPPING)
WRONG: list[tuple[Callable[..., object], dict[str, Any]]] = [
    (task, {"instructions": [SECRET]}),
    (task, {"examples": [SECRET]}),
    (task, {"examples": SECRET}),
    (task, {"examples": [(SECRET,)]}),
    (task, {"examples": [(Shop(name="a"), SECRET)]}),
    (task, {"examples": [("text", Shop.model_construct(name=b"x"))]}),
    (task, {"examples": [("text", Shop.model_construct(name=5))]}),
    (task, {"repair": SECRET}),
    (task, {"repair": True}),
    (task, {"temperature": SECRET}),
    (task, {"temperature": math.nan}),
    (task, {"max_tokens": "9"}),
    (task, {"max_tokens": 9.5}),
    (task, {"extra": {"a": {1, 2}}}),
    (task, {"extra": {1: 2}}),
    (task, {"extra": [SECRET]}),
    (task, {"extra": {"a": math.nan}}),
    (task, {"parameters": {"top_p": 1}}),
    (task, {"numbers": ","}),
    (parameters, {"top_p": "a"}),
    (parameters, {"tools": [{"name": SECRET}]}),
    (parameters, {"tools": Tool("a", "b", {})}),
    (parameters, {"tools": (WRONG_TOOL,)}),
    (parameters, {"tool_choice": "any"}),
    (parameters, {"response_format": SECRET}),
    (parameters, {"mask_sensitive_info": "yes"}),
    (parameters, {"structure": "json"}),
    (parameters, {"structure": ["native"]}),
    (Repair, {"stop": "3"}),
    (Repair, {"stop": True}),
    (Repair, {"stop": 1.5}),
    (Repair, {"tokens": "1"}),
    (Repair, {"cost": "1"}),
    (Repair, {"on_problems": SECRET}),
    (Repair, {"best_effort": "no"}),
    (Retry, {"stop": "a"}),
    (Retry, {"wait": 3}),
    (Retry, {"deadline": "3"}),
    (Retry, {"deadline": 0}),
    (Retry, {"budget": "3"}),
    (Retry, {"may_run_twice": 1}),
    (Limits, {"connect": "3"}),
    (Limits, {"kept": None}),
    (Limits, {"aiohttp": 1}),
    (client, {"timeout": None}),
    (client, {"timeout": "3"}),
    (client, {"timeout": -1}),
    (client, {"timeout": 0}),
    (client, {"retry": None}),
    (client, {"retry": "3"}),
    (client, {"retry": stop_never}),
    (client, {"limits": {"total": 3}}),
    (client, {"fallback": f"openai:{SECRET}"}),
    (client, {"fallback": [3]}),
    (client, {"fallback": None}),
    (async_client, {"on_event": 3}),
    (endpoint, {"url": None}),
    (endpoint, {"model": None}),
    (endpoint, {"api_key": 3}),
    (endpoint, {"dialect": ["openai"]}),
    (endpoint, {"profile": None}),
    (endpoint, {"extra": {"a": {1}}}),
    (endpoint, {"prices": 3}),
    (endpoint, {"gateway": "mine"}),
    (Aliases, {"words": {"x": "Vollzeit"}}),
    (Aliases, {"words": ["x"]}),
    (Aliases, {"words": {"x": [1]}}),
]


@pytest.mark.parametrize(("make", "options"), WRONG)
def test_a_wrong_option_is_refused_at_once(
    make: Callable[..., object], options: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(**options)
    told = str(caught.value)
    assert SECRET not in told
    assert any(word in told for word in ("Pass", "Correct Task(examples=…)"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: task(examples=[["text", {"name": "a"}]], temperature=0, extra={"a": [1, None]}),
        lambda: task(examples=(), numbers=Numbers(","), repair=2, max_tokens=9),
        lambda: parameters(top_p=1, tools=[Tool("a", "b", {})], tool_choice="none"),
        lambda: parameters(structure="tool", response_format={"type": "json_object"}),
        lambda: Repair(stop_never, tokens=1, cost=1, on_problems=print),
        lambda: Retry(stop_never, wait_none(), None, None),
        lambda: client(timeout=1, retry=3, limits=Limits(total=3), fallback=(Endpoint(URL, "b"),)),
        lambda: client(timeout=math.inf, retry=False, on_event=print),
        lambda: endpoint(api_key="k", profile="full", prices=Prices(1, 2)),
        lambda: Aliases({1: ("one",), None: ["none"]}),
    ],
)
def test_what_is_meant_is_taken(make: Callable[[], object]) -> None:
    assert make() is not None


@pytest.mark.parametrize(("role", "text"), [("usr", "x"), (None, "x"), ("user", 3), ("user", None)])
def test_a_message_that_cant_be_sent_is_refused_before_it_is(role: Any, text: Any) -> None:
    with pytest.raises(DocumentError, match="Message 1 can't be sent"):
        asked(role, text)


def test_none_is_no_task() -> None:
    with pytest.raises(SchemaError, match="type\\(None\\) if null is meant"):
        Task(None)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (Annotated[str, Aliases], "says no words"),
        (Annotated[str, Grounding], "Grounding.required"),
        (
            list[Annotated[Literal["a", "b"], Aliases({"c": ["C"]})]],
            "It can be: 'a', 'b'",
        ),
        (Annotated[Literal["a"], Aliases({"c": ["C"]})], "can't be. It can be: 'a'"),
        ({"type": "string", "x-grounding": "requird"}, "required, reported, inferred, off"),
        ({"type": "string", "x-quote": "yes"}, "true or false"),
        ({"type": "array", "items": {"type": "string", "x-aliases": {"a": ["b"]}}}, "pairs"),
        ({"type": "string", "x-aliases": [["a", "b"]]}, "pairs"),
    ],
)
def test_a_wrong_marker_is_refused_with_the_target(target: Any, said: str) -> None:
    with pytest.raises(SchemaError) as caught:
        compile_schema(target)
    assert said in str(caught.value)


def test_right_markers_are_taken() -> None:
    right = Annotated[Literal["a", "b"] | None, Aliases({"a": ["A"]}), Grounding.required]
    assert compile_schema(right).marks.at("").other_words("a") == ("A",)
    compile_schema({"type": "string", "x-aliases": [["a", ["b"]]], "x-quote": True})
