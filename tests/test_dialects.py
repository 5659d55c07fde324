"""extractify.dialects: bodies written, answers and errors read. No wire: dialects are pure."""

from __future__ import annotations

import itertools
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractify import (
    AuthenticationError,
    Completion,
    ContentBlocked,
    ContextTooLong,
    DocumentError,
    EndpointError,
    Image,
    InvalidRequest,
    InvalidResponse,
    Message,
    Overloaded,
    Parameters,
    QuotaExceeded,
    RateLimited,
    Request,
    Tool,
    Usage,
)
from extractify.dialects import DIALECTS, named
from extractify.dialects.verdicts import CLOUDFLARE, MINIMAX, Code, Table, Verdict
from extractify.errors import ConfigurationError
from extractify.messages import JsonValue, ResponseFormat
from extractify.profiles import FULL, M2_7, OPENAI, OPENROUTER
from tests.loopback import completion
from tests.pickling import pickled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.profiles import Profile

SECRET = "Zyxomma plc owes 36 florins"
FORMAT = ResponseFormat(
    "Invoice", {"type": "object", "title": "Zwölf"}, '{"type":"object","title":"Zwölf"}'
)
MESSAGES = (Message("system", "Extract."), Message("user", "Zwölf \U0001f9fe"))

WORDLESS = [
    b"",
    b"<html>Zyxomma plc owes 36 florins</html>",
    b'{"error": {"message": "Zyxomma plc owes 36 florins"}}',
    b'[{"error": {"message": "Zyxomma plc owes 36 florins", "status": "INVALID_ARGUMENT"}}]',
    b'{"error": "Zyxomma plc owes 36 florins"}',
    b'{"message": "Zyxomma plc owes 36 florins"}',
    b'{"detail": [{"msg": "Zyxomma plc owes 36 florins"}]}',
    b'"Zyxomma plc owes 36 florins"',
    b"{}",
]

both = pytest.mark.parametrize("dialect", ["openai", "workers_ai"])
each = pytest.mark.parametrize("dialect", sorted(DIALECTS))


def read(
    dialect: str,
    body: JsonValue | bytes,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Completion:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return named(dialect).read(status, httpx.Headers(dict(headers or {})), raw)


def failed(
    dialect: str,
    body: JsonValue | bytes,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> EndpointError:
    with pytest.raises(EndpointError) as raised:
        read(dialect, body, status, headers)
    error = raised.value
    assert error.status == status
    assert SECRET not in str(error)
    assert len(str(error)) <= 500
    assert str(pickled(error)) == str(error)
    return error


def written(dialect: str, request: Request, profile: Profile = FULL) -> dict[str, JsonValue]:
    body: dict[str, JsonValue] = json.loads(named(dialect).write(request, profile))
    return body


# --- writing -------------------------------------------------------------------------------------


@both
def test_a_body_holds_what_the_request_says_and_nothing_else(dialect: str) -> None:
    request = Request("minimax/m2.7", MESSAGES, FORMAT, 0.2, 4096, {"top_p": 0.95})
    assert written(dialect, request) == {
        "model": "minimax/m2.7",
        "top_p": 0.95,
        "messages": [
            {"role": "system", "content": "Extract."},
            {"role": "user", "content": "Zwölf \U0001f9fe"},
        ],
        "temperature": 0.2,
        "max_tokens": 4096,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "Invoice", "schema": {"type": "object", "title": "Zwölf"}},
        },
    }


@both
def test_what_is_left_to_the_endpoint_is_not_written(dialect: str) -> None:
    body = written(dialect, Request("m", MESSAGES[1:]))
    assert body == {"model": "m", "messages": [{"role": "user", "content": "Zwölf \U0001f9fe"}]}


def test_text_travels_as_utf_8_and_not_as_escapes() -> None:
    body = named("openai").write(Request("m", MESSAGES, FORMAT), FULL)
    assert body.count("Zwölf".encode()) == 2
    assert b"\\u" not in body


def test_the_field_of_the_output_limit_is_the_profiles() -> None:
    body = written("openai", Request("m", MESSAGES, max_tokens=5), OPENAI)
    assert body["max_completion_tokens"] == 5
    assert "max_tokens" not in body


@both
def test_the_request_wins_over_vendor_parameters_of_the_same_name(dialect: str) -> None:
    extra: dict[str, JsonValue] = {
        "model": "other",
        "messages": [],
        "temperature": 2.0,
        "max_tokens": 1,
        "response_format": {"type": "json_object"},
    }
    request = Request("m", MESSAGES, FORMAT, 0.2, 4096, extra)
    raw = named(dialect).write(request, FULL)
    assert raw.count(b'"response_format"') == 1
    assert json.loads(raw) == written(dialect, Request("m", MESSAGES, FORMAT, 0.2, 4096))


def test_a_response_format_of_the_users_travels_where_there_is_none_of_ours() -> None:
    extra: dict[str, JsonValue] = {"response_format": {"type": "json_object"}}
    body = written("openai", Request("m", MESSAGES, extra=extra))
    assert body["response_format"] == {"type": "json_object"}


def test_names_and_vendor_fields_of_a_message_travel_with_it() -> None:
    turn = Message("assistant", "", "M2.7", {"reasoning_content": "Hm."})
    body = written("workers_ai", Request("m", (turn,)))
    assert body["messages"] == [
        {"role": "assistant", "content": "", "name": "M2.7", "reasoning_content": "Hm."}
    ]


def test_half_a_character_does_not_stop_a_repair_turn() -> None:
    body = written("openai", Request("m", (Message("user", "got \ud83d"),)))
    assert body["messages"] == [{"role": "user", "content": "got ?"}]


TOOL = Tool("look_up", "Looks it up.", {"type": "object"})


@both
def test_every_parameter_travels_by_its_own_name(dialect: str) -> None:
    given = Parameters(top_p=0.9, tools=(TOOL,), tool_choice="none", mask_sensitive_info=True)
    body = written(
        dialect, Request("m", MESSAGES, parameters=given, stream=True, include_usage=True)
    )
    function: JsonValue = {
        "name": "look_up",
        "description": "Looks it up.",
        "parameters": {"type": "object"},
    }
    assert body == {
        "model": "m",
        "messages": body["messages"],
        "top_p": 0.9,
        "tools": [{"type": "function", "function": function}],
        "tool_choice": "none",
        "mask_sensitive_info": True,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert "stream_options" not in written(dialect, Request("m", MESSAGES, stream=True))


def test_a_response_format_of_the_users_wins_over_the_targets() -> None:
    given = Parameters(response_format={"type": "json_object"})
    raw = named("openai").write(Request("m", MESSAGES, FORMAT, parameters=given), FULL)
    assert raw.count(b'"response_format"') == 1
    assert json.loads(raw)["response_format"] == {"type": "json_object"}


def test_one_field_limits_the_output_whatever_else_is_given() -> None:
    extra: dict[str, JsonValue] = {"max_completion_tokens": 9, "max_tokens": 9}
    body = written("openai", Request("m", MESSAGES, max_tokens=5, extra=extra), OPENAI)
    assert (body["max_completion_tokens"], "max_tokens" in body) == (5, False)


@pytest.mark.parametrize(("profile", "choice"), [(FULL, "auto"), (OPENAI, "required")])
def test_the_answer_may_be_asked_for_as_a_tools_arguments(profile: Profile, choice: str) -> None:
    given = Parameters(tools=(TOOL,))
    request = Request("m", MESSAGES, FORMAT, parameters=given, structure="tool")
    body = written("openai", request, profile)
    tools: Any = body["tools"]
    assert [tool["function"]["name"] for tool in tools] == ["Invoice", "look_up"]
    assert tools[0]["function"]["parameters"] == FORMAT.schema
    assert tools[0]["function"]["description"]
    assert body["tool_choice"] == choice
    assert "response_format" not in body


def test_in_the_prompt_alone_no_schema_travels() -> None:
    body = written("openai", Request("m", MESSAGES, FORMAT, structure="prompt"))
    assert set(body) == {"model", "messages"}


def test_the_run_route_has_the_model_beside_the_input() -> None:
    request = Request("minimax/m2.7", MESSAGES, FORMAT, 0.2, 4096, {"top_k": 40, "model": "x"})
    body = written("cloudflare_run", request)
    chat = written("workers_ai", request)
    assert body == {
        "model": chat.pop("model"),
        "input": chat,
    }
    assert DIALECTS["cloudflare_run"].path == "/run"


def test_pictures_follow_the_text_of_their_message() -> None:
    data = Image.of(b"\x89PNG", "image/png")
    turn = Message("user", "What?", images=(Image("https://x.test/a.jpg"), data))
    bare = Message("user", "", images=(data,))
    body: Any = written("openai", Request("m", (turn, bare)))
    assert body["messages"][0]["content"] == [
        {"type": "text", "text": "What?"},
        {"type": "image_url", "image_url": {"url": "https://x.test/a.jpg"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
    ]
    assert [part["type"] for part in body["messages"][1]["content"]] == ["image_url"]


def test_pictures_that_nobody_would_look_at_are_refused() -> None:
    turn = Message("user", "What?", images=(Image("https://x.test/a.jpg"),))
    with pytest.raises(DocumentError, match=r"'m2\.7'.*images=True"):
        written("workers_ai", Request("m", (turn,)), M2_7)


@pytest.mark.parametrize(
    "url", ["", "a.jpg", "/etc/passwd", "file:///etc/passwd", "https://x y", "data:text/html,x"]
)
def test_a_picture_is_given_by_a_url_that_can_travel(url: str) -> None:
    turn = Message("user", "What?", images=(Image(url),))
    with pytest.raises(DocumentError, match=r"Image\.of"):
        written("openai", Request("m", (turn,)))


def test_where_one_system_message_is_allowed_it_leads_and_says_all() -> None:
    turns = (
        Message("user", "1"),
        Message("system", "A."),
        Message("user", "2"),
        Message("system", "B."),
    )
    body: Any = written("workers_ai", Request("m", turns), M2_7)
    said = [(turn["role"], turn["content"]) for turn in body["messages"]]
    assert said == [("system", "A.\n\nB."), ("user", "1"), ("user", "2")]
    untouched: Any = written("workers_ai", Request("m", turns))
    assert [turn["role"] for turn in untouched["messages"]] == ["user", "system"] * 2


def test_tool_calls_go_back_without_their_index() -> None:
    call: JsonValue = {"id": "c1", "index": 0, "type": "function", "function": {"name": "f"}}
    turn = Message("assistant", "", extra={"tool_calls": [call, None]})
    reply = Message("tool", "5", extra={"tool_call_id": "c1"})
    body: Any = written("workers_ai", Request("m", (turn, reply)), M2_7)
    kept = {"id": "c1", "type": "function", "function": {"name": "f"}}
    assert body["messages"] == [
        {"role": "assistant", "content": "", "tool_calls": [kept]},
        {"role": "tool", "content": "5", "tool_call_id": "c1"},
    ]


def test_thoughts_go_back_where_the_profile_wants_them() -> None:
    turn = Message("assistant", "", extra={"reasoning_content": "Hm.", "reasoning_details": []})

    def sent(profile: Profile) -> list[str]:
        body: Any = written("openai", Request("m", (turn,)), profile)
        return list(body["messages"][0])[2:]

    assert sent(M2_7) == ["reasoning_content", "reasoning_details"]
    assert sent(OPENROUTER) == ["reasoning_details"]
    assert sent(OPENAI) == []


def test_an_unknown_dialect_is_told_with_those_there_are() -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"'opnai'.*cloudflare_run, minimax, openai, openrouter, workers_ai",
    ):
        named("opnai")


# --- reading answers -----------------------------------------------------------------------------


@each
def test_a_completion_of_m2_7_is_read_whole(dialect: str) -> None:
    details: list[JsonValue] = [{"type": "reasoning.text", "text": "Hm."}]
    said: dict[str, JsonValue] = {"reasoning_content": "Hm.", "reasoning_details": details}
    body = completion('{"a": 1}', message=said)
    got = read(dialect, body)
    assert got.text == '{"a": 1}'
    assert got.finish_reason == "stop"
    assert got.usage == Usage(120, 40, 160, cached_tokens=64, reasoning_tokens=15)
    assert got.reasoning == "Hm."
    assert got.message == Message("assistant", '{"a": 1}', extra=said)
    assert (got.id, got.model) == ("0634f8d2a1", "MiniMax-M2.7")
    assert got.raw == body
    assert pickled(got) == got


@each
@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        ("", ""),
        ("\n", "\n"),
        (5, ""),
        ([{"type": "text", "text": "{"}, {"type": "text", "text": "}"}], "{}"),
        ([{"type": "thinking", "thinking": []}, {"type": "text", "text": "{}"}, None], "{}"),
        ([], ""),
    ],
)
def test_content_may_be_null_or_a_list(dialect: str, content: JsonValue, text: str) -> None:
    got = read(dialect, completion(content))
    assert (got.text, got.message.content) == (text, text)


def test_reasoning_of_other_servers_is_kept_too() -> None:
    got = read("openai", completion("{}", message={"reasoning": "Hm."}))
    assert got.reasoning == "Hm."


def test_an_unknown_finish_reason_is_kept_and_a_missing_one_is_none() -> None:
    assert read("openai", completion("{}", finish_reason="eos")).finish_reason == "eos"
    assert read("openai", completion("{}", finish_reason=None)).finish_reason is None


def test_a_refusal_is_a_completion() -> None:
    got = read("openai", completion(None, message={"refusal": "I can't."}))
    assert (got.refusal, got.text) == ("I can't.", "")


@pytest.mark.parametrize("usage", [None, [], {}, {"prompt_tokens": None, "total_tokens": True}])
def test_usage_that_is_missing_is_unknown_and_not_nothing(usage: JsonValue) -> None:
    assert read("openai", completion("{}", usage=usage)).usage == Usage()


def test_usage_that_is_no_number_is_unknown() -> None:
    huge = json.dumps(completion("{}")).replace("120", "9" * 400)
    assert read("openai", huge.encode()).usage.prompt_tokens == int("9" * 400)
    body = json.dumps(completion("{}")).replace("120", "NaN").replace("40", "1e999")
    usage = read("openai", body.encode()).usage
    assert usage == Usage(total_tokens=160, cached_tokens=64, reasoning_tokens=15)


def test_half_a_character_in_an_answer_becomes_one_that_can_travel() -> None:
    body = json.dumps(completion("\ud83d and \U0001f9fe", message={"reasoning_content": "\ude00"}))
    got = read("openai", body.encode())
    assert got.text == "\ufffd and \U0001f9fe"
    assert got.reasoning == "\ufffd"


def test_a_byte_that_is_no_utf_8_does_not_lose_the_answer() -> None:
    body = b"\xef\xbb\xbf" + json.dumps(completion("{}")).encode().replace(b"{}", b"\xff", 1)
    assert read("openai", body).text == "\ufffd"


def test_no_more_envelopes_are_opened_than_there_can_be() -> None:
    body: JsonValue = completion("{}")
    for _ in range(9):
        body = {"result": body}
    assert type(failed("workers_ai", body)) is InvalidResponse


def test_cloudflares_envelopes_are_opened() -> None:
    bare = completion("{}")
    rest: JsonValue = {"result": bare, "success": True, "errors": [], "messages": []}
    state: JsonValue = {"state": "Completed", "result": bare, "gatewayMetadata": {"key": "U"}}
    flat: JsonValue = {**bare, "gatewayMetadata": {"keySource": "Unified"}}
    both_at_once: JsonValue = {"result": state, "success": True, "errors": []}
    for body in (rest, state, flat, both_at_once):
        assert read("workers_ai", body).text == "{}"


@each
@pytest.mark.parametrize(
    ("given", "read_as"),
    [
        ("no list", []),
        ([None, "f", {"function": None}, {"function": {"name": 5, "arguments": "{}"}}], []),
        ([{"id": 7, "function": {"name": "f", "arguments": None}}], []),
        ([{"id": None, "function": {"name": "f", "arguments": {"a": 1}}}], [("", '{"a": 1}')]),
        ([{"id": "c", "function": {"name": "f", "arguments": "["}}], [("c", "[")]),
    ],
)
def test_tool_calls_of_any_shape_are_read_as_far_as_they_can_be(
    dialect: str, given: JsonValue, read_as: list[tuple[str, str]]
) -> None:
    got = read(dialect, completion("", message={"tool_calls": given}))
    assert [(call.id, call.arguments) for call in got.tool_calls] == read_as


# --- reading errors ------------------------------------------------------------------------------


def rows(table: Table) -> list[tuple[Code, Verdict]]:
    """The codes that stand for the same whatever the status."""
    return [(code, verdict) for (status, code), verdict in table.items() if status is None]


@pytest.mark.parametrize(("code", "verdict"), rows(CLOUDFLARE))
def test_cloudflares_codes_stand_for_errors(code: int, verdict: Verdict) -> None:
    listed: JsonValue = [{"code": code, "message": SECRET}]
    bodies: list[JsonValue] = [
        {"result": None, "success": False, "errors": listed, "messages": []},
        {"success": False, "result": [], "error": listed},
        {"name": "AiGatewayError", "internalCode": code, "message": SECRET},
        {"success": False, "errors": [{"code": str(code), "message": SECRET}]},
    ]
    for body in bodies:
        for dialect in ("workers_ai", "cloudflare_run"):
            error = failed(dialect, body, 400)
            told = (type(error), error.code, error.detail, error.retries)
            assert told == (verdict.error, str(code), SECRET, verdict.retries)
            assert f"code {code}" in str(error)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (5007, 400, InvalidRequest),
        (3042, 404, InvalidRequest),
        (5005, 405, InvalidRequest),
        (3006, 413, ContextTooLong),
        (3008, 408, Overloaded),
        (3040, 429, Overloaded),
        (3036, 429, QuotaExceeded),
        (5018, 403, AuthenticationError),
        (10000, 401, AuthenticationError),
        (2021, 402, QuotaExceeded),
        (2017, 424, ContentBlocked),
        (7013, 503, Overloaded),
        (9999, 402, QuotaExceeded),
        (9999, 429, RateLimited),
        (9999, 500, Overloaded),
        (9999, 200, InvalidRequest),
    ],
)
def test_a_code_of_cloudflares_wins_over_the_status(
    code: int, status: int, kind: type[EndpointError]
) -> None:
    body: JsonValue = {"success": False, "errors": [{"code": code, "message": ""}], "result": None}
    assert type(failed("workers_ai", body, status)) is kind


@pytest.mark.parametrize("dialect", ["workers_ai", "cloudflare_run", "minimax"])
@pytest.mark.parametrize(("code", "verdict"), rows(MINIMAX))
def test_minimax_codes_stand_for_errors_in_either_style(
    code: int, verdict: Verdict, dialect: str
) -> None:
    base: JsonValue = {"base_resp": {"status_code": code, "status_msg": SECRET}, "choices": None}
    as_text: JsonValue = {"base_resp": {"status_code": str(code), "status_msg": SECRET}}
    bodies: list[JsonValue] = [base, as_text]
    if dialect != "minimax":
        bodies.append({"result": base, "success": True})
    for status, body in itertools.product((200, 400), bodies):
        error = failed(dialect, body, status)
        told = (type(error), error.code, error.detail, error.retries)
        assert told == (verdict.error, str(code), SECRET, verdict.retries)
    chat: JsonValue = {
        "type": "error",
        "error": {"type": "bad_request_error", "message": f"{SECRET} ({code})", "http_code": "400"},
    }
    assert type(failed(dialect, chat, 400)) is verdict.error


@pytest.mark.parametrize(
    ("base", "kind"),
    [
        ({"status_code": 2013, "status_msg": "invalid params"}, InvalidRequest),
        ({"status_code": 2013, "status_msg": "context window exceeds limit"}, ContextTooLong),
        ({"status_code": 1042, "status_msg": "invisible characters"}, InvalidRequest),
    ],
)
def test_other_codes_of_minimax_are_invalid_requests(
    base: JsonValue, kind: type[EndpointError]
) -> None:
    assert type(failed("workers_ai", {"base_resp": base})) is kind


@pytest.mark.parametrize("code", [0, "0", None, "ok", [], 0.0])
def test_a_base_resp_without_a_code_is_no_error(code: JsonValue) -> None:
    body = completion("{}", base_resp={"status_code": code, "status_msg": "success"})
    assert read("workers_ai", body).text == "{}"


@each
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, InvalidResponse),
        (400, InvalidRequest),
        (401, AuthenticationError),
        (402, QuotaExceeded),
        (403, AuthenticationError),
        (404, InvalidRequest),
        (408, Overloaded),
        (409, Overloaded),
        (413, ContextTooLong),
        (422, InvalidRequest),
        (429, RateLimited),
        (500, Overloaded),
        (503, Overloaded),
        (520, Overloaded),
        (529, Overloaded),
    ],
)
def test_without_a_code_the_status_says_what_is_wrong(
    dialect: str, status: int, kind: type[EndpointError]
) -> None:
    for body in WORDLESS:
        error = failed(dialect, body, status)
        assert type(error) is kind
        assert f"HTTP {status}" in str(error)
        assert (SECRET in error.detail) == (SECRET.encode() in body)
        assert ("`detail`" in str(error)) == bool(body)


@each
@pytest.mark.parametrize(
    ("problem", "status", "kind"),
    [
        ({"code": "context_length_exceeded", "message": ""}, 400, ContextTooLong),
        ({"code": 400, "type": "exceed_context_size_error"}, 400, ContextTooLong),
        ({"message": "This model's maximum context length is 4096 tokens."}, 400, ContextTooLong),
        ({"message": "Context size has been exceeded."}, 500, ContextTooLong),
        ({"message": "Too many tokens for this context window a minute."}, 429, RateLimited),
        ({"code": "insufficient_quota", "message": ""}, 429, QuotaExceeded),
        ({"code": "content_filter", "message": ""}, 400, ContentBlocked),
        ({"code": 429, "message": "slow down"}, 200, RateLimited),
        ({"code": "502", "message": "bad gateway"}, 200, Overloaded),
        ({"code": 1008, "message": "balance"}, 200, InvalidRequest),
        ({"code": ["a"], "type": {"b": 1}, "message": None}, 200, InvalidRequest),
    ],
)
def test_an_error_in_openais_style_says_more_than_its_status(
    dialect: str, problem: JsonValue, status: int, kind: type[EndpointError]
) -> None:
    assert type(failed(dialect, {"error": problem}, status)) is kind


@each
def test_an_http_200_with_an_error_in_it_is_an_error(dialect: str) -> None:
    assert failed(dialect, completion("{}", error={"code": 503})).code == "503"
    assert type(failed(dialect, completion("{}", error="broken"))) is InvalidRequest
    choice: JsonValue = {"message": {"content": ""}, "error": {"code": 502, "message": "cut"}}
    assert type(failed(dialect, {"choices": [choice]})) is Overloaded


@each
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html><title>Sign in</title>",
        json.dumps(completion(SECRET)).encode()[:-40],
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"null",
        b"[]",
        b"data: {}\n\n",
        b'{"choices": []}',
        b'{"choices": null}',
        b'{"choices": {"0": 1}}',
        b'{"choices": [null]}',
        b'{"choices": ["Zyxomma plc owes 36 florins"]}',
        b'{"choices": [{"message": "Zyxomma plc owes 36 florins"}]}',
        b'{"choices": [{"text": "Zyxomma plc owes 36 florins"}]}',
        b'{"id": "batch", "status": "queued"}',
    ],
)
def test_what_is_no_completion_is_an_invalid_response(dialect: str, body: bytes) -> None:
    error = failed(dialect, body)
    assert type(error) is InvalidResponse
    assert error.detail[:20] == body.decode()[:20]
    assert "Check the URL" in str(error)


def test_deep_nesting_in_an_error_is_read_without_recursion() -> None:
    deep = b'{"error": ' + b"[" * 900 + b"]" * 900 + b"}"
    for dialect in DIALECTS:
        assert failed(dialect, deep).detail == deep.decode()


@each
def test_a_content_filter_is_no_answer(dialect: str) -> None:
    error = failed(dialect, completion(SECRET, finish_reason="content_filter"))
    assert (type(error), error.code) == (ContentBlocked, "content_filter")


@pytest.mark.parametrize("side", ["input", "output"])
def test_minimax_flags_for_sensitive_content_block_it(side: str) -> None:
    body = {**completion(SECRET), f"{side}_sensitive": True, f"{side}_sensitive_type": 7}
    error = failed("workers_ai", body)
    assert (type(error), error.code) == (ContentBlocked, f"{side}_sensitive")


def test_a_failure_of_cloudflares_without_a_reason_is_still_one() -> None:
    reasons: list[JsonValue] = [None, [], {}, [None], "broken", {"a": 1}]
    for told in reasons:
        body = completion("{}", success=False, errors=told)
        assert type(failed("workers_ai", body)) is InvalidRequest
    assert failed("workers_ai", completion("{}", success=False, error={"code": 429})).code == "429"
    assert failed("workers_ai", completion("{}", success=False, error="broken")).detail == "broken"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, 0.0),
        ({"retry-after": "Wed, 99 Oct 2015 07:28:00 GMT"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"x-ratelimit-reset": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"x-ratelimit-reset": "1774000000"}, None),
        ({"retry-after": "5", "x-ratelimit-reset": "Wed, 21 Oct 2037 07:28:00 GMT"}, 5.0),
    ],
)
def test_the_pause_an_endpoint_asks_for_is_read(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert failed("openai", b"", 429, headers).retry_after == seconds


def test_the_pause_may_be_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    waited = failed("openai", b"", 429, {"retry-after": date}).retry_after
    assert waited is not None
    assert 28 <= waited <= 30 + time.get_clock_info("time").resolution


def test_a_reset_date_is_no_pause_where_no_rate_is_limited() -> None:
    headers = {"x-ratelimit-reset": "Wed, 21 Oct 2037 07:28:00 GMT"}
    assert failed("openai", b"", 503, headers).retry_after is None


@pytest.mark.parametrize("header", ["x-request-id", "cf-ray", "cf-aig-log-id", "request-id"])
def test_an_error_names_the_request_for_the_vendors_support(header: str) -> None:
    error = failed("openai", b"", 500, {header: "8f2-AMS"})
    assert error.request_id == "8f2-AMS"
    assert "request 8f2-AMS" in str(error)


def test_a_code_or_an_id_that_is_prose_stays_out_of_the_message() -> None:
    body: JsonValue = {"error": {"code": SECRET, "message": "x" * 9000}}
    error = failed("openai", body, 400, {"x-request-id": SECRET})
    assert (error.code, error.request_id) == (SECRET, SECRET)
    assert len(error.detail) == 2000


keys = st.sampled_from(
    [
        *("choices", "message", "content", "finish_reason", "refusal", "reasoning_details"),
        *("error", "errors", "success", "result", "base_resp", "code", "type", "internalCode"),
        *("status_code", "status_msg", "usage", "prompt_tokens", "id"),
    ]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=12,
)


@each
@settings(max_examples=50, deadline=None)
@given(
    body=st.dictionaries(keys, json_values, max_size=5).map(lambda data: json.dumps(data).encode())
    | json_values.map(lambda data: json.dumps(completion("{}", choices=[data])).encode())
    | json_values.map(lambda data: json.dumps(data).encode())
    | st.binary(max_size=40),
    status=st.sampled_from([200, 204, 302, 400, 401, 404, 429, 500, 529]),
    asked=st.text(st.characters(max_codepoint=126, min_codepoint=32), max_size=20),
)
def test_whatever_comes_is_a_completion_or_an_endpoint_error(
    dialect: str, body: bytes, status: int, asked: str
) -> None:
    try:
        outcome: Completion | EndpointError = read(dialect, body, status, {"retry-after": asked})
    except EndpointError as error:
        outcome = error
    assert isinstance(outcome, EndpointError) or 200 <= status < 300
    assert len(str(outcome)) <= 500 or isinstance(outcome, Completion)


def test_vendor_parameters_take_the_place_of_nothing_that_a_request_says() -> None:
    extra: dict[str, JsonValue] = {"stream": True, "stream_options": {}, "messages": [], "seed": 1}
    body = written("openai", Request("m", MESSAGES, extra={**extra, "model": "other"}))
    assert body.keys() == {"model", "messages", "seed"}
    assert body["messages"] != []
    assert body["model"] == "m"
