"""The examples run as their docstrings say, with the embedded model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.local_model
def test_checked_values_says_how_each_field_fared() -> None:
    command = [sys.executable, str(ROOT / "examples" / "checked_values.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, capture_output=True, env=environment, check=True, timeout=120)
    printed = ran.stdout.decode()
    assert "value: buyer=" in printed
    assert "asked: ask" in printed
