"""Damaged answers: nothing but a Reading comes out, and every value is valid."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from extractify.reading import read

PATH = Path(__file__).parents[1] / "benchmarks" / "damage.py"


def mutator() -> Any:
    spec = importlib.util.spec_from_file_location("damage", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("block", range(4))
def test_no_damage_makes_the_reader_fail_or_accept_what_is_not_valid(block: int) -> None:
    damage = mutator()
    independent = jsonschema.Draft202012Validator(damage.ORDER)
    values = 0
    for seed in range(500 * block, 500 * (block + 1)):
        reading = read(damage.damaged(seed), damage.ORDER)
        assert reading.ok == (not reading.problems)
        if reading.ok:
            independent.validate(reading.value)
            values += 1
        for problem in reading.problems:
            assert "\n" not in str(problem)
            assert len(problem.got) <= 60
    assert values
