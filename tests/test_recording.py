"""extractify.testing.recording and .plugin: conversations kept, replayed, and clean of secrets."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from extractify import (
    AsyncClient,
    Client,
    ConfigurationError,
    ContentBlocked,
    Endpoint,
    Overloaded,
    Task,
    TransportError,
)
from extractify.testing import FAULTS, Answer, ContractBroken, ScriptedEndpoint, completion, serve
from extractify.testing.plugin import Endpoints
from extractify.testing.recording import Recording, RecordingEndpoint
from tests.loopback import environment

ROOT = Path(__file__).parents[1]
KEY = "sk-secret-9b1d"
ACCOUNT = "0123456789abcdef0123"
NAME = "cloudflare:minimax/m2.7"


class Receipt(BaseModel):
    shop: str
    total: int


GOOD = {"shop": "Żabka", "total": 3}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recordings" / "one.json"


def record(path: Path, script: Any, *calls: Any) -> None:
    """Record extractions of a Receipt from the endpoint that a script stands for."""
    with serve(script) as server:
        url = server.url.replace("/v1", f"/accounts/{ACCOUNT}/ai/v1")
        variables = {
            "CLOUDFLARE_AI_BASE_URL": url,
            "CLOUDFLARE_API_TOKEN": KEY,
        }
        with environment(**variables):
            endpoint = Endpoints(path, records=True).recorded(NAME)
        with Client(endpoint, retry=False) as client:
            for target in calls:
                client.extract(target, "Żabka 3")


def replayed(path: Path, *texts: str) -> list[Receipt]:
    endpoint = Endpoints(path, records=False).recorded(NAME)
    with Client(endpoint, retry=False) as client:
        return [client.extract(Receipt, text).value for text in texts]


def test_what_was_recorded_is_replayed_without_credentials(path: Path) -> None:
    record(path, [GOOD, {**GOOD, "total": 4}], Receipt, Receipt)
    assert [each.total for each in replayed(path, "Żabka 3", "Żabka 3")] == [3, 4]


def test_an_async_client_records_and_replays_too(path: Path) -> None:
    async def call(endpoint: Endpoint) -> Receipt:
        async with AsyncClient(endpoint) as client:
            return (await client.extract(Receipt, "Żabka 3")).value

    with serve([GOOD]) as server:
        told = asyncio.run(call(RecordingEndpoint(server.endpoint, path)))
    assert asyncio.run(call(ScriptedEndpoint(path))) == told == Receipt(shop="Żabka", total=3)


def test_a_recording_is_plain_json_without_secrets(path: Path) -> None:
    body = {**completion('{"shop": "a", "total": 1}'), "debug": f"Bearer {KEY}, {ACCOUNT}"}
    headers = {"set-cookie": "session=1", "cf-ray": "ray", "retry-after": "1"}
    task: Task[Any] = Task(Receipt, extra={"metadata": {"user_token": "tk-1", "note": KEY}})
    record(path, [Answer(body, 200, headers)], task)
    text = path.read_text(encoding="utf-8")
    for secret in (KEY, ACCOUNT, "session=1", "tk-1", "127.0.0.1"):
        assert secret not in text
    (exchange,) = json.loads(text)["exchanges"]
    assert exchange["request"]["metadata"] == {"user_token": "***", "note": "***"}
    assert exchange["request"]["max_tokens"] == 4096
    assert exchange["answer"]["headers"] == {"content-type": "application/json"}
    assert exchange["answer"]["body"]["debug"] == "Bearer ***, ***"
    with Client(Endpoints(path, records=False).recorded(NAME)) as client:
        other = Task(Receipt, extra={"metadata": {"user_token": "other", "note": "***"}})
        assert client.extract(other, "Żabka 3").value.shop == "a"


def test_an_error_is_recorded_as_well_and_an_answer_that_is_no_json(path: Path) -> None:
    with pytest.raises(ContentBlocked):
        record(path, [FAULTS["sensitive input"]], Receipt)
    with pytest.raises(ContentBlocked):
        replayed(path, "Żabka 3")
    with pytest.raises(Overloaded):
        record(path, [FAULTS["HTTP 502, HTML"]], Receipt)
    assert json.loads(path.read_text())["exchanges"][0]["answer"]["body"].startswith("<html>")
    with pytest.raises(Overloaded):
        replayed(path, "Żabka 3")


def test_an_endpoint_that_is_not_there_is_no_recording(path: Path) -> None:
    with pytest.raises(TransportError):
        record(path, [FAULTS["reset before the answer"]], Receipt)
    assert not path.exists()


def test_an_unknown_request_names_the_nearest(path: Path) -> None:
    record(path, [GOOD], Receipt)
    with pytest.raises(ContractBroken) as raised:
        replayed(path, "Biedronka 3")
    assert str(raised.value) == (
        "one.json has no such request. The nearest is its request 1, which differs at "
        "$.messages[1].content. To record it: pytest --extractify-record"
    )
    task = Task(list[int], examples=[("a", [1])], extra={"a": 1, "b": 2}, max_tokens=1)
    with (
        Client(Endpoints(path, records=False).recorded(NAME)) as client,
        pytest.raises(ContractBroken, match=r"\$\.messages, \$\.max_tokens, .* and 5 more\."),
    ):
        client.extract(task, "Biedronka")


def test_a_request_made_once_more_is_unknown(path: Path) -> None:
    record(path, [GOOD], Receipt)
    with pytest.raises(ContractBroken, match="request 1 once, and it was made again"):
        replayed(path, "Żabka 3", "Żabka 3")


def test_a_file_that_is_no_recording_says_how_to_make_one(path: Path) -> None:
    with pytest.raises(ContractBroken, match=r"There is no recording .*--extractify-record"):
        replayed(path, "a")
    path.parent.mkdir()
    for text in ("", "[]", "{}", '{"exchanges": [1]}', '{"exchanges": [{"request": {}}]}'):
        path.write_text(text)
        with pytest.raises(ContractBroken, match="is no recording"):
            replayed(path, "a")
    path.write_text('{"exchanges": []}')
    with pytest.raises(ContractBroken, match=r"one\.json is empty"):
        replayed(path, "a")
    with pytest.raises(ContractBroken, match="is no recording"):
        Recording.load(path.parent)


def test_the_local_model_is_not_recorded(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can't be recorded"):
        Endpoints(path, records=True).recorded("local:smollm2")


def test_the_fixture_gives_scripted_endpoints(path: Path) -> None:
    endpoint = Endpoints(path, records=False)(GOOD)
    with Client(endpoint) as client:
        assert client.extract(Receipt, "Żabka 3").value.total == 3
    assert len(endpoint.requests) == 1


def test_the_fixture_fails_a_test_whose_script_was_left_or_broken(path: Path) -> None:
    endpoints = Endpoints(path, records=False)
    endpoints(GOOD, GOOD)
    with pytest.raises(ContractBroken, match="2 of the script's answers"):
        endpoints.close()
    Endpoints(path, records=False).close()


TESTS = """
import pytest
from pydantic import BaseModel
from extractify import Client, Endpoint

class Receipt(BaseModel):
    shop: str
    total: int

def test_scripted(extractify_endpoint):
    with Client(extractify_endpoint({"shop": "a", "total": 3})) as client:
        assert client.extract(Receipt, "Total 3").value.total == 3

@pytest.mark.parametrize("way", ["a/b", "a b"])
def test_recorded(extractify_endpoint, way):
    with Client(extractify_endpoint.recorded("cloudflare:minimax/m2.7")) as client:
        assert client.extract(Receipt, f"Total 3 {way}").value.total == 5
"""


def run_pytest(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    words = ["-m", "pytest", "-q", "-p", "extractify.testing.plugin", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, *words, "-p", "no:extractify", *options, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=ROOT,
    )


@pytest.mark.slow
def test_pytest_records_when_told_to_and_replays_otherwise(tmp_path: Path) -> None:
    tests = tmp_path / "test_receipts.py"
    tests.write_text(TESTS)
    options = ("-c", str(tmp_path / "pytest.ini"), f"--rootdir={tmp_path}")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    before = run_pytest(tmp_path, *options)
    assert "2 failed, 1 passed" in before.stdout
    assert "pytest --extractify-record" in before.stdout
    with (
        serve([{"shop": "b", "total": 5}] * 2) as server,
        environment(CLOUDFLARE_AI_BASE_URL=server.url, CLOUDFLARE_API_TOKEN=KEY),
    ):
        assert "3 passed" in run_pytest(tmp_path, *options, "--extractify-record").stdout
    names = sorted(each.name for each in (tmp_path / "recordings" / "test_receipts").iterdir())
    assert [name[:18] for name in names] == ["test_recorded-a-b-"] * 2
    assert "3 passed" in run_pytest(tmp_path, *options).stdout


@pytest.mark.slow
def test_the_plugin_loads_nothing_until_it_is_used() -> None:
    code = "import sys, extractify.testing.plugin; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT)
    loaded = set(ran.stdout.decode().split())
    ours = {name for name in loaded if name.startswith("extractify")}
    assert ours == {"extractify", "extractify.testing", "extractify.testing.plugin"}
    assert loaded & {"httpx", "pydantic", "jsonschema", "tenacity", "http.server"} == set()


def test_the_entry_point_names_the_plugin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (name,) = project["entry-points"]["pytest11"].values()
    assert hasattr(import_module(name), "extractify_endpoint")
