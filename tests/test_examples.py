"""The examples run as their docstrings say: against a scripted endpoint, and the embedded model."""

from __future__ import annotations

import csv
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from extractify import Endpoint
from extractify.testing import Seen, serve

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


@pytest.mark.local_model
def test_checked_values_says_how_each_field_fared() -> None:
    command = [sys.executable, str(ROOT / "examples" / "checked_values.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, capture_output=True, env=environment, check=True, timeout=120)
    printed = ran.stdout.decode()
    assert "value: buyer=" in printed
    assert "asked: ask" in printed
