"""extractify.conventions: what spans and metrics are told, by OpenTelemetry's names."""

from __future__ import annotations

import json

import pytest

from extractify import (
    Completion,
    Endpoint,
    Image,
    Message,
    Overloaded,
    Parameters,
    Request,
    ToolCall,
    Usage,
)
from extractify.conventions import (
    DURATION_BOUNDARIES,
    TOKENS_BOUNDARIES,
    input_messages,
    of_completion,
    of_error,
    of_exchange,
    of_request,
    of_retry,
    output_messages,
)
from extractify.endpoints import LOCAL
from extractify.events import RetryScheduled

ASKED = Request("a-model", (Message("system", "Extract."), Message("user", "36 florins")))


def test_the_boundaries_are_the_conventions() -> None:
    assert [
        *(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64),
        *(1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
    ] == DURATION_BOUNDARIES
    assert [
        *(1, 4, 16, 64, 256, 1024, 4096),
        *(16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864),
    ] == TOKENS_BOUNDARIES


@pytest.mark.parametrize(
    ("url", "dialect", "provider", "server"),
    [
        ("https://api.openai.com/v1", "openai", "openai", ("api.openai.com", 443)),
        ("https://api.anthropic.com/v1", "openai", "anthropic", ("api.anthropic.com", 443)),
        ("https://api.groq.com/openai/v1", "openai", "groq", ("api.groq.com", 443)),
        (
            "https://acme.openai.azure.com/openai/v1",
            "openai",
            "azure.ai.openai",
            ("acme.openai.azure.com", 443),
        ),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai",
            "openai",
            "gcp.gemini",
            ("generativelanguage.googleapis.com", 443),
        ),
        ("https://notapi.groq.com.example/v1", "openai", "openai", None),
        ("http://127.0.0.1:8000/v1", "openai", "openai", ("127.0.0.1", 8000)),
        ("http://[::1]/v1", "minimax", "minimax", ("::1", 80)),
        ("https://openrouter.ai/api/v1", "openrouter", "openrouter", ("openrouter.ai", 443)),
        ("https://api.cloudflare.com/a/ai", "cloudflare_run", "cloudflare", None),
        ("https://api.cloudflare.com/a/ai/v1", "workers_ai", "cloudflare", None),
    ],
)
def test_an_endpoint_is_told_by_its_server_and_who_runs_it(
    url: str, dialect: str, provider: str, server: tuple[str, int] | None
) -> None:
    told = of_exchange(Endpoint(url, "another", dialect=dialect), ASKED)
    assert told["gen_ai.provider.name"] == provider
    assert told["gen_ai.operation.name"] == "chat"
    assert told["gen_ai.request.model"] == "a-model"
    if server is not None:
        assert (told["server.address"], told["server.port"]) == server


def test_the_embedded_model_has_no_server() -> None:
    told = of_exchange(Endpoint(LOCAL, "smollm2"), ASKED)
    assert told["gen_ai.provider.name"] == "local"
    assert not {"server.address", "server.port"} & set(told)


def test_what_a_request_leaves_open_is_not_told() -> None:
    assert of_request(ASKED) == {"gen_ai.output.type": "json"}
    parameters = Parameters(top_p=0.9)
    full = Request("m", (), None, 0.0, 100, parameters=parameters, stream=True)
    assert of_request(full) == {
        "gen_ai.output.type": "json",
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.stream": True,
    }


def test_what_an_answer_leaves_out_is_not_told() -> None:
    assert of_completion(Completion("{}")) == {}
    usage = Usage(10, 5, 15, cached_tokens=0, reasoning_tokens=3)
    assert of_completion(Completion("{}", "stop", usage, id="r-1", model="m-2")) == {
        "gen_ai.response.id": "r-1",
        "gen_ai.response.model": "m-2",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 3,
    }


def test_a_failure_is_told_by_its_class_and_its_status() -> None:
    assert of_error(KeyError("florins")) == {"error.type": "KeyError"}
    error = Overloaded("The endpoint is busy.", status=503)
    assert of_error(error) == {"error.type": "Overloaded", "http.response.status_code": 503}
    assert of_retry(RetryScheduled("TransportError", None, 1.5)) == {
        "error.type": "TransportError",
        "extractify.retry.seconds": 1.5,
    }


def test_the_messages_are_those_of_the_conventions() -> None:
    pictures = (Image("https://acme.example/a.png"), Image.of(b"\x89PNG"))
    asked = Request("m", (*ASKED.messages, Message("user", "And these?", images=pictures)))
    assert json.loads(input_messages(asked)) == [
        {"role": "system", "parts": [{"type": "text", "content": "Extract."}]},
        {"role": "user", "parts": [{"type": "text", "content": "36 florins"}]},
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "And these?"},
                {"type": "uri", "modality": "image", "uri": "https://acme.example/a.png"},
                {
                    "type": "blob",
                    "modality": "image",
                    "mime_type": "image/png",
                    "content": "iVBORw==",
                },
            ],
        },
    ]


def test_an_answer_has_its_thoughts_its_text_and_its_calls() -> None:
    calls = (ToolCall("c-1", "extract", '{"a": 1}'),)
    answer = Completion("Here.", "tool_calls", reasoning="Hm.", refusal="No.", tool_calls=calls)
    assert json.loads(output_messages(answer)) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Hm."},
                {"type": "text", "content": "Here."},
                {"type": "refusal", "content": "No."},
                {"type": "tool_call", "id": "c-1", "name": "extract", "arguments": '{"a": 1}'},
            ],
            "finish_reason": "tool_call",
        }
    ]


def test_an_answer_that_no_encoding_takes_is_told_all_the_same() -> None:
    told = output_messages(Completion("\ud800"))
    assert told.isascii()
    [message] = json.loads(told)
    assert (message["parts"][0]["content"], message["finish_reason"]) == ("\ud800", "unknown")
