"""Runs that are killed at random instants and resumed: as if nothing had happened."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
ROWS, CONCURRENCY = 2000, 64


@pytest.fixture(scope="module")
def kills() -> Iterator[Any]:
    sys.path.insert(0, str(BENCHMARKS))
    import kills

    yield kills
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def folder(kills: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("killed")
    kills.prepared(made, ROWS)
    return made


@pytest.fixture(scope="module")
def undisturbed(kills: Any, folder: Path) -> bytes:
    output: bytes = kills.undisturbed(folder, CONCURRENCY)
    assert output.count(b"\n") == ROWS - 4
    return output


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_a_run_that_is_killed_and_resumed_gives_what_an_undisturbed_one_gives(
    kills: Any, folder: Path, undisturbed: bytes, seed: int
) -> None:
    found = kills.killed(folder, f"{seed}.jsonl", CONCURRENCY, seed, most=2)
    assert found.kills
    assert found.code == 1  # of the rows that are never valid
    assert found.output == undisturbed
    assert found.dead == {77, 577, 1077, 1577}
    assert found.asked_again == 0
    assert found.repeats <= found.kills * CONCURRENCY
