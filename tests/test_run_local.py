"""`extractify run` with the embedded model: to Parquet, killed once, resumed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.local_model

MODELS = """
from pydantic import BaseModel

class Receipt(BaseModel):
    shop: str
    total: float
"""
SHOPS = ("Bell & Sons", "Corner Shop", "Harbour Books", "Lamp Works")
COUNT = 12


def command(*options: str) -> list[str]:
    given = ("in.jsonl", "--target", "shop.py:Receipt", "--endpoint", "local:smollm2")
    how = ("--concurrency", "2", "--progress", "json", "-o", "out.parquet")
    return [sys.executable, "-m", "extractify", "run", *given, *how, *options]


def done(journal: Path) -> set[str]:
    """The ids of the documents that the journal has."""
    if not journal.exists():
        return set()
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as database:
        tables = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'entries'").fetchall()
        return {id_ for (id_,) in database.execute("SELECT id FROM entries")} if tables else set()


def test_a_run_of_the_embedded_model_that_is_killed_goes_on_to_its_end(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "shop.py").write_text(MODELS)
    texts = [
        f"{SHOPS[each % 4]}, receipt {each}. Total: {each + 3}.50 EUR." for each in range(COUNT)
    ]
    rows = [json.dumps({"id": f"r{each}", "text": text}) for each, text in enumerate(texts)]
    (tmp_path / "in.jsonl").write_text("\n".join(rows) + "\n")
    where: dict[str, Any] = {
        "cwd": tmp_path,
        "env": {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        "stderr": subprocess.PIPE,
        "text": True,
    }
    journal = tmp_path / "out.parquet.journal"
    with subprocess.Popen(command(), **where) as process:
        until = time.monotonic() + 120
        while len(done(journal)) < 3 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    before = done(journal)
    assert 3 <= len(before) < COUNT
    assert not (tmp_path / "out.parquet").exists()

    resumed = subprocess.run(command(), timeout=240, check=False, **where)
    end = json.loads(resumed.stderr.splitlines()[-1])
    assert resumed.returncode == (1 if end["failed"] else 0)
    assert (end["complete"], end["done"] + end["failed"]) == (True, COUNT)
    assert end["reused"] == len(before)
    values = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    dead = tmp_path / "out.parquet.dead.jsonl"
    letters = dead.read_text().splitlines() if dead.exists() else []
    ids = [*(row["id"] for row in values), *(json.loads(letter)["id"] for letter in letters)]
    assert sorted(ids) == sorted(f"r{each}" for each in range(COUNT))
    right = [row for row in values if row["total"] == int(row["id"][1:]) + 3.5]
    assert len(right) > COUNT // 2
