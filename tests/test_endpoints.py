"""extractify.endpoints: names, presets, credentials."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from pathlib import Path
from pprint import pformat
from typing import Any

import pytest

from extractify import Client, ConfigurationError, Endpoint
from extractify.dialects.verdicts import CLOUDFLARE as CLOUDFLARE_CODES
from extractify.dialects.verdicts import MINIMAX as MINIMAX_CODES
from extractify.dialects.verdicts import OPENAI as OPENAI_CODES
from extractify.endpoints import LOCAL, PRESETS, Secret, resolve
from extractify.messages import Prices
from extractify.profiles import FULL, LLAMA_CPP, M2_7, OPENAI, SMOLLM2
from extractify.wire import Wire
from tests.loopback import KEY, environment
from tests.pickling import pickled

CLOUDFLARE = {"CLOUDFLARE_ACCOUNT_ID": "abc", "CLOUDFLARE_API_TOKEN": KEY}


def refused(text: str, env: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as raised:
        Endpoint.parse(text, env or {})
    message = str(raised.value)
    assert len(message) <= 400
    assert KEY not in message
    assert str(pickled(raised.value)) == message
    return message


def test_m2_7_on_cloudflare_has_its_url_key_dialect_and_profile() -> None:
    assert Endpoint.parse("cloudflare:minimax/m2.7", CLOUDFLARE) == Endpoint(
        url="https://api.cloudflare.com/client/v4/accounts/abc/ai/v1",
        model="minimax/m2.7",
        api_key=KEY,
        dialect="workers_ai",
        profile=M2_7,
        prices=Prices(input=0.3, output=1.2, cached=0.06),
        requests_per_minute=200,
    )


def test_another_model_on_cloudflare_has_no_quirks_of_m2_7() -> None:
    endpoint = Endpoint.parse("cloudflare:@cf/meta/llama-3.1-8b-instruct", CLOUDFLARE)
    assert endpoint.model == "@cf/meta/llama-3.1-8b-instruct"
    assert endpoint.profile == FULL


def test_a_base_url_of_the_environment_stands_for_the_whole_base() -> None:
    env = {"CLOUDFLARE_API_TOKEN": KEY, "CLOUDFLARE_AI_BASE_URL": "http://127.0.0.1:9/v1"}
    assert Endpoint.parse("cloudflare:minimax/m2.7", env).url == "http://127.0.0.1:9/v1"
    env["CLOUDFLARE_AI_BASE_URL"] = braces = "http://gateway/{CLOUDFLARE_API_TOKEN}/{"
    assert Endpoint.parse("cloudflare:minimax/m2.7", env).url == braces


def test_openai_and_the_local_model_are_presets_too() -> None:
    openai = Endpoint.parse("openai:gpt-5-mini", {"OPENAI_API_KEY": KEY})
    assert openai == Endpoint("https://api.openai.com/v1", "gpt-5-mini", KEY, profile=OPENAI)
    assert Endpoint.parse("local:smollm2", {}) == Endpoint(LOCAL, "smollm2", profile=SMOLLM2)
    assert Endpoint.parse("local:/a.gguf", {}) == Endpoint(LOCAL, "/a.gguf", profile=LLAMA_CPP)


ACCOUNT = "https://api.cloudflare.com/client/v4/accounts/abc"
ENVIRONMENT = {
    **CLOUDFLARE,
    **{
        f"{name}_API_KEY": KEY
        for name in ("MINIMAX", "OPENAI", "OPENROUTER", "GROQ", "TOGETHER", "GEMINI", "ANTHROPIC")
    },
    "AZURE_OPENAI_API_KEY": KEY,
    "AZURE_OPENAI_ENDPOINT": "https://mine.openai.azure.com/",
}


@pytest.mark.parametrize(
    ("name", "url", "dialect"),
    [
        ("cloudflare", f"{ACCOUNT}/ai/v1", "workers_ai"),
        (
            "cloudflare-run",
            "https://api.cloudflare.com/client/v4/accounts/abc/ai",
            "cloudflare_run",
        ),
        ("minimax", "https://api.minimax.io/v1", "minimax"),
        ("openai", "https://api.openai.com/v1", "openai"),
        ("openrouter", "https://openrouter.ai/api/v1", "openrouter"),
        ("groq", "https://api.groq.com/openai/v1", "openai"),
        ("together", "https://api.together.xyz/v1", "openai"),
        ("azure", "https://mine.openai.azure.com/openai/v1", "openai"),
        ("gemini", "https://generativelanguage.googleapis.com/v1beta/openai", "openai"),
        ("anthropic", "https://api.anthropic.com/v1", "openai"),
        ("ollama", "http://127.0.0.1:11434/v1", "openai"),
        ("vllm", "http://127.0.0.1:8000/v1", "openai"),
        ("sglang", "http://127.0.0.1:30000/v1", "openai"),
        ("llamacpp", "http://127.0.0.1:8080/v1", "openai"),
    ],
)
def test_every_preset_leads_to_its_route(name: str, url: str, dialect: str) -> None:
    endpoint = Endpoint.parse(f"{name}:{PRESETS[name].example}", ENVIRONMENT)
    assert (endpoint.url, endpoint.dialect) == (url, dialect)
    needs_key = PRESETS[name].key_variable is not None and PRESETS[name].needs_key
    assert endpoint.api_key == (KEY if needs_key else None)
    assert Client(endpoint).build_request(int, "7").body
    if needs_key:
        assert str(PRESETS[name].key_variable) in refused(f"{name}:m")


def test_a_server_of_ones_own_may_want_a_key() -> None:
    assert Endpoint.parse("vllm:m", {"VLLM_API_KEY": KEY}).api_key == KEY
    assert Endpoint.parse("vllm:m", {"VLLM_BASE_URL": "http://gpu:1/v1"}).url == "http://gpu:1/v1"


def test_the_presets_of_the_neighbours_say_what_they_can_do() -> None:
    parse = Endpoint.parse
    assert parse("minimax:MiniMax-M2.7", ENVIRONMENT).capabilities.parameters == (
        ("reasoning_split", True),
    )
    routed = parse("openrouter:minimax/minimax-m2.7", ENVIRONMENT)
    assert routed.extra == {"provider": {"require_parameters": True}}
    claude = parse("anthropic:claude", ENVIRONMENT).capabilities
    assert (claude.structure, claude.temperature_range) == ("tool", (0.0, 1.0))


DOCS = (Path(__file__).parents[1] / "docs" / "endpoints.md").read_text("utf-8")


def test_the_docs_name_every_preset_with_its_dialect_and_variables() -> None:
    for name, preset in PRESETS.items():
        (row,) = [line for line in DOCS.splitlines() if line.startswith(f"| `{name}:")]
        assert f"`{preset.dialect}`, " in row
        assert preset.profile.name in row or preset.profiles
        known = preset.key_variable is None or preset.key_variable in row or "the same" in row
        assert known, row


def test_the_docs_say_what_every_code_stands_for() -> None:
    lines = [line.strip("|").split("|") for line in DOCS.splitlines() if line.startswith("| `")]
    rows = [[cell.strip(" `") for cell in line] for line in lines]
    told = {cells[0]: cells for cells in rows}
    for column, table in ((2, CLOUDFLARE_CODES), (3, MINIMAX_CODES), (4, OPENAI_CODES)):
        for (_, code), verdict in table.items():
            cells = told[verdict.error.__name__]
            assert str(code) in cells[column], code
            once = verdict.retries == 1
            assert cells[5].startswith("no" if verdict.retries == 0 else "yes")
            assert once == (f"{code} once" in cells[column])


def test_a_profile_can_be_asked_in_another_way() -> None:
    assert M2_7.asking(None) is M2_7
    assert M2_7.asking("native") is M2_7
    ways = [M2_7.asking("tool").asking(way).structure for way in ("native", "tool", "prompt")]
    assert ways == ["native", "tool", "prompt"]


def test_a_url_names_its_model_behind_a_hash() -> None:
    endpoint = Endpoint.parse("http://127.0.0.1:8080/v1#qwen/3:8b", {})
    assert endpoint == Endpoint("http://127.0.0.1:8080/v1", "qwen/3:8b")
    assert endpoint.dialect == "openai"
    with_key = Endpoint.parse("https://host/v1#m", {"EXTRACTIFY_API_KEY": KEY})
    assert with_key.api_key == KEY


def test_a_url_without_a_model_says_where_it_goes() -> None:
    assert "http://host/v1#model-name" in refused("http://host/v1")
    assert "http://host/v1#model-name" in refused("http://host/v1#")


def test_all_missing_variables_are_named_at_once() -> None:
    message = refused("cloudflare:minimax/m2.7")
    assert "CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN" in message
    assert "export CLOUDFLARE_ACCOUNT_ID=… CLOUDFLARE_API_TOKEN=…" in message
    assert "OPENAI_API_KEY" in refused("openai:gpt-5-mini")
    one = refused("cloudflare:minimax/m2.7", {**CLOUDFLARE, "CLOUDFLARE_ACCOUNT_ID": ""})
    assert "CLOUDFLARE_API_TOKEN" not in one


@pytest.mark.parametrize(
    "text", ["cloudfare:minimax/m2.7", "gpt-5", "cloudflare:", "", "ftp://h#m"]
)
def test_an_unknown_name_is_told_with_those_there_are(text: str) -> None:
    message = refused(text)
    assert repr(text) in message
    assert all(name in message for name in PRESETS)
    assert "http://host/v1#model" in message


@pytest.mark.parametrize(
    "text",
    [
        f"https://user:{KEY}@host/v1#m",
        f"https://{KEY}@host/v1#m",
        f"https://user:pass/{KEY}@host/v1#m",
        f"https://user:{KEY}@host/v1",
        f"https://user:{KEY}@#m",
        f"https://user:{KEY}@host:port/v1#m",
        f"htps://user:{KEY}@host/v1#m",
        f"user:{KEY}@host",
    ],
)
def test_credentials_in_a_url_are_refused_and_not_repeated(text: str) -> None:
    refused(text)


def test_credentials_in_a_url_belong_into_the_api_key() -> None:
    with pytest.raises(ConfigurationError, match=r"host has credentials.*api_key"):
        Endpoint(url=f"https://user:{KEY}@host/v1", model="m")
    assert Endpoint(url="https://host/ai/run/@cf/x", model="m").url.endswith("@cf/x")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host/v1",
        "ftp://host",
        "http://",
        "http://:80/v1",
        "http://[::1",
        "http://h:99999/v1",
        "http://ho st/v1",
        "http://host/v1\n",
        "http://h:port/v1",
    ],
)
def test_a_url_that_can_not_be_used_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="http://127"):
        Endpoint(url=url, model="m")


@pytest.mark.parametrize("url", ["http://host/v1?api-version=1", "http://host/v1#m"])
def test_nothing_may_stand_behind_the_path_of_a_url(url: str) -> None:
    with pytest.raises(ConfigurationError, match="query or a fragment"):
        Endpoint(url=url, model="m")


def test_a_host_that_no_name_server_could_take_is_refused_when_it_is_used() -> None:
    endpoint = Endpoint(url="http://\u0300host/v1", model="m")
    with pytest.raises(ConfigurationError, match="can't be used"):
        Client(endpoint).build_request(int, "1")


@pytest.mark.parametrize("key", [f"{KEY}\n", f" {KEY}", f"{KEY}ü", f"Bearer {KEY}"])
def test_a_key_that_no_header_takes_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(ConfigurationError, match="line break") as raised:
        Endpoint(url="http://host/v1", model="m", api_key=key)
    assert KEY not in str(raised.value)
    assert "line break" in refused("openai:gpt-5-mini", {"OPENAI_API_KEY": key})


def test_an_empty_key_is_none() -> None:
    assert not Endpoint(url="http://host/v1", model="m", api_key="").api_key


def test_an_unknown_dialect_or_profile_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match="minimax, openai, openrouter, workers_ai"):
        Endpoint(url="http://host/v1", model="m", dialect="opnai")
    with pytest.raises(ConfigurationError, match=r"anthropic, full, .*llama\.cpp, .*m2\.7"):
        Endpoint(url="http://host/v1", model="m", profile="m2")


def test_a_profile_may_be_named() -> None:
    endpoint = Endpoint(url="http://host/v1", model="m", profile="m2.7")
    assert endpoint.capabilities is M2_7
    assert Endpoint(url="http://host/v1", model="m").capabilities is FULL


def test_the_key_shows_itself_in_no_repr() -> None:
    endpoint = Endpoint(url="http://host/v1", model="m", api_key=KEY)
    assert endpoint.api_key == KEY
    shown = [
        endpoint,
        [endpoint],
        {"endpoint": endpoint},
        dataclasses.asdict(endpoint),
        dataclasses.astuple(endpoint),
        pickled(endpoint),
        dataclasses.asdict(pickled(endpoint)),
        vars(Client(endpoint)),
    ]
    for value in shown:
        assert KEY not in repr(value)
        assert KEY not in pformat(value)
        assert KEY not in f"{value}"


def test_the_key_shows_itself_in_no_text_and_is_kept_by_copies() -> None:
    endpoint = Endpoint(url="http://host/v1", model="m", api_key=KEY)
    key = endpoint.api_key
    assert isinstance(key, Secret)
    assert {f"{key}", str(key), f"{key:3}"} == {"***"}
    assert key.revealed() == KEY
    assert type(key.revealed()) is str
    kept = [pickle.loads(pickle.dumps(key, each)) for each in range(pickle.HIGHEST_PROTOCOL + 1)]
    assert {each.revealed() for each in [*kept, copy.copy(key), copy.deepcopy(key)]} == {KEY}
    again = dataclasses.replace(endpoint, model="n")
    assert again.api_key == KEY
    assert Wire(again).headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("text", ["sk-abc", "gsk_abc", "0123456789abcdef0123456789abcdef", KEY])
def test_what_looks_like_a_key_is_no_endpoint_and_not_repeated(text: str) -> None:
    message = refused(text)
    assert "'***'" in message
    assert text not in message


def test_an_endpoint_pickles_with_its_key() -> None:
    endpoint = Endpoint.parse("cloudflare:minimax/m2.7", CLOUDFLARE)
    again = pickled(endpoint)
    assert again == endpoint
    assert again.api_key == KEY
    assert dataclasses.replace(again, model="other").api_key == KEY


def test_a_client_without_an_endpoint_takes_the_one_of_the_environment() -> None:
    with environment(EXTRACTIFY_ENDPOINT="http://127.0.0.1:9/v1#qwen"):
        assert Client().endpoint == Endpoint("http://127.0.0.1:9/v1", "qwen")


def test_what_is_no_endpoint_is_refused() -> None:
    wrong: Any = 5
    with pytest.raises(ConfigurationError, match="A int is no endpoint"):
        resolve(wrong)
