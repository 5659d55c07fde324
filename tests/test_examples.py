"""The examples run as their docstrings say: against a scripted endpoint, and the embedded model."""

from __future__ import annotations

import base64
import csv
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from extractify import Endpoint
from extractify.testing import FAULTS, Seen, serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from extractify.testing import Server

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
ANY = Endpoint(url="http://127.0.0.1", model="any")
Run: TypeAlias = "Callable[..., str]"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs an example by its command line. Returns: what it printed."""

    def printed(name: str, *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return printed


def where(server: Server) -> str:
    return f"{server.url}#any"


def invoice(*lines: tuple[str, str], total: str) -> dict[str, object]:
    amounts = [{"text": text, "amount": amount} for text, amount in lines]
    told = {"number": "HR-0417", "vendor": "=Harbour", "issued": "2024-06-03", "currency": "GBP"}
    return {**told, "lines": amounts, "total": total}


@pytest.mark.parametrize("way", [[], ["--frame"]])
def test_a_step_of_a_pipeline_goes_on_from_its_journal(
    run: Run, tmp_path: Path, way: list[str]
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    tickets = [{"id": f"t{n}", "text": f"Lamp {n} flickers."} for n in range(5)]
    source, output = tmp_path / "in.jsonl", tmp_path / "out.parquet"
    source.write_text("".join(json.dumps(ticket) + "\n" for ticket in tickets))
    answer = {"product": "lamp", "order": None, "mood": "calm"}
    with serve(lambda _: answer, like=ANY) as server:
        for _ in range(2):
            with pytest.raises(SystemExit) as ended:
                run("etl.py", *way, str(source), str(output), where(server))
            assert ended.value.code == 0
        assert len(server.requests) == 5
    rows = parquet.read_table(output).to_pylist()
    assert [(row["id"], row["product"]) for row in rows] == [(f"t{n}", "lamp") for n in range(5)]


def test_invoices_come_to_a_table_and_a_wrong_sum_to_a_repair_turn(run: Run) -> None:
    first = invoice(("line", "96.00"), ("bag", "38.50"), total="142.00")
    whole = invoice(("line", "96.00"), ("bag", "38.50"), ("carriage", "7.50"), total="142.00")

    def model(seen: Seen) -> object:
        said = str(seen.body["messages"])
        if "HARBOUR" in said:
            return whole if "the lines come to 134.50" in said else first
        return first if "Moser" in said else "There is no invoice here."

    with serve(model, like=ANY) as server:
        table = run("invoices.py", "--endpoint", where(server))
    mended, wrong, nothing = csv.DictReader(table.splitlines())
    assert (mended["file"], mended["total"], mended["lines"]) == ("harbour_rope.txt", "142.00", "3")
    assert (mended["turns"], mended["wrong"]) == ("2", "")
    assert mended["vendor"] == "'=Harbour"
    assert (wrong["lines"], wrong["turns"]) == ("2", "3")
    assert wrong["wrong"].startswith("/: the lines come to 134.50, and the total is 142.00")
    assert nothing["number"] == ""
    assert "No valid Invoice" in nothing["wrong"]


def test_a_conversation_is_read_as_a_whole(run: Run) -> None:
    with serve([{"patient": "Ines Faro", "day": "Wednesday", "at": "09:30"}], like=ANY) as server:
        printed = run("conversation.py", where(server))
    assert printed.startswith("patient='Ines Faro' day='Wednesday' at=datetime.time(9, 30)")
    assert "/patient: exact" in printed
    assert "/day: missing" in printed  # it was the desk that said it
    roles = [turn["role"] for turn in server.requests[0].body["messages"]]
    assert roles == ["system", "user", "assistant", "user"]


def test_a_picture_travels_as_it_is(run: Run) -> None:
    sign = {"shop": "Linden Books", "hours": [{"days": "Sat", "opens": "10:00", "closes": "14:00"}]}
    with serve([sign], like=ANY) as server:
        assert "shop='Linden Books'" in run("picture.py", where(server))
    text, picture = server.requests[0].body["messages"][-1]["content"]
    assert text["type"] == "text"
    sent = picture["image_url"]["url"].removeprefix("data:image/png;base64,")
    assert base64.b64decode(sent) == (EXAMPLES / "opening_hours.png").read_bytes()


def test_a_picture_is_refused_where_it_would_be_ignored(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN"):
        monkeypatch.setenv(name, "0123456789abcdef")
    assert "looks at no pictures" in run("picture.py", "cloudflare:minimax/m2.7")


def test_parts_hold_parts(run: Run) -> None:
    def part(name: str, pieces: int, *parts: object) -> dict[str, object]:
        return {"name": name, "pieces": pieces, "parts": parts}

    axle = part("axle", 2, part("wheel", 2, part("spoke", 12)))
    with serve([{"name": "cart", "parts": [part("deck", 1), axle]}], like=ANY) as server:
        printed = run("nested.py", where(server))
    assert printed == "cart\n  deck: 1\n  axle: 2\n    wheel: 4\n      spoke: 48\n"


def test_a_json_schema_is_a_target_and_holds(run: Run) -> None:
    late = {"time": "17:42", "destination": "Lindau", "platform": "4", "delay": 8}
    with serve([{**late, "time": "5:42 pm"}, late], like=ANY) as server:
        assert json.loads(run("json_schema.py", where(server))) == late
    assert len(server.requests) == 2


def test_a_union_is_answered_by_one_of_its_kinds(run: Run) -> None:
    complaint = {"kind": "complaint", "article": "kettle", "wants": "refund"}
    purchase = {"kind": "purchase", "article": "blue kettle", "pieces": 2}
    with serve([complaint, purchase], like=ANY) as server:
        printed = run("unions.py", where(server))
    assert printed == "complaint about the kettle: refund\norder: 2 x blue kettle\n"


def test_a_custom_endpoint_is_asked_as_it_is_described(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSE_KEY", "sk-house-1")
    with serve([{"customer": "Meridian", "crates": 3, "day": "Friday"}], like=ANY) as server:
        printed = run("custom_endpoint.py", server.url, "lemon-7b")
    assert "crates=3" in printed
    assert "160 tokens, 0.000056" in printed  # 120 of input, 40 of output
    (request,) = server.requests
    told = {name: request.body[name] for name in ("model", "temperature", "seed")}
    assert told == {"model": "lemon-7b", "temperature": 0.2, "seed": 7}
    assert request.headers["authorization"] == "Bearer sk-house-1"


def test_a_fallback_answers_for_who_cannot(run: Run) -> None:
    sailing = {"ferry": "Aurora", "port": "Piraeus"}
    with serve([FAULTS["HTTP 402"]], like=ANY) as first, serve([sailing], like=ANY) as second:
        printed = run("fallback.py", where(first), where(second))
    assert f"{where(first)}: QuotaExceeded; now {where(second)}" in printed
    assert f"ferry='Aurora' port='Piraeus' by {where(second)}" in printed


@pytest.mark.slow
def test_the_suite_of_a_user_passes() -> None:
    words = ["-m", "pytest", "-q", "-p", "extractify.testing.plugin", "-p", "no:extractify"]
    command = [sys.executable, *words, "examples/test_with_extractify.py"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=120)
    assert b"5 passed" in ran.stdout, ran.stdout.decode()


def test_no_example_is_left_out() -> None:
    told = Path(__file__).read_text()
    names = {path.name for path in EXAMPLES.glob("*.py")}
    assert {name for name in names if name not in told} == set()
    listed = re.findall(r"^\| \[(\w+\.py)\]", (EXAMPLES / "README.md").read_text(), re.MULTILINE)
    assert set(listed) == names


def test_the_service_is_tested_with_what_it_requires() -> None:
    required = (EXAMPLES / "service" / "requirements.txt").read_text().split()
    pinned = [name for name in required if "==" in name]
    assert len(pinned) == 2
    assert all(f'"{name}"' in (ROOT / "pyproject.toml").read_text() for name in pinned)


@pytest.mark.local_model
def test_checked_values_says_how_each_field_fared() -> None:
    command = [sys.executable, str(ROOT / "examples" / "checked_values.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, capture_output=True, env=environment, check=True, timeout=120)
    printed = ran.stdout.decode()
    assert "value: buyer=" in printed
    assert "asked: ask" in printed
