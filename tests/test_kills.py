"""Runs that are killed at random instants and resumed: as if nothing had happened."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
ROWS, CONCURRENCY, RUNS = 2000, 64, 20


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
def undisturbed(kills: Any, folder: Path) -> tuple[bytes, bytes]:
    output, dead = kills.undisturbed(folder, CONCURRENCY)
    assert output.count(b"\n") == ROWS - 4
    assert [json.loads(letter)["id"] for letter in dead.splitlines()] == [77, 577, 1077, 1577]
    return output, dead


@pytest.fixture(scope="module")
def runs(kills: Any, folder: Path, undisturbed: object) -> Iterator[list[Future[Any]]]:
    """All of them, two at a time: they wait more than they compute."""
    del undisturbed  # but it has the processor to itself
    with ThreadPoolExecutor(2) as pool:
        yield [
            pool.submit(kills.killed, folder, f"{seed}.jsonl", CONCURRENCY, seed, most=2)
            for seed in range(RUNS)
        ]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(RUNS))
def test_a_run_that_is_killed_and_resumed_gives_what_an_undisturbed_one_gives(
    runs: list[Future[Any]], undisturbed: tuple[bytes, bytes], seed: int
) -> None:
    found = runs[seed].result()
    assert found.kills
    assert found.code == 1  # of the rows that are never valid
    assert (found.output, found.dead) == undisturbed
    assert found.asked_again == 0
    assert max(found.repeats) <= CONCURRENCY  # what was in flight at that kill
