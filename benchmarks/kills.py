"""Kills a bulk run with SIGKILL at random instants and resumes it until it is done.

Each of the runs has ROWS rows and a server with faults (5 % 429, 2 % 500, 1 % resets, 3 % answers
that aren't valid). What comes out is compared, byte by byte, with what an undisturbed run gives,
and what was asked with what the journal held at each kill. Exits with 1 where something was lost,
doubled, or paid for twice beyond what was in flight.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from flaky_server import running, text_of

TARGET = """
from decimal import Decimal
from pydantic import BaseModel

class Order(BaseModel):
    number: int
    total: Decimal
    lines: int
"""


@dataclass
class Killed:
    """What a run that was killed came to.

    output, dead: both files, as they are. repeats: of each time that it was killed, the answers
    given after it for a document and turn that had one before.
    """

    output: bytes = b""
    dead: bytes = b""
    repeats: list[int] = field(default_factory=list)
    asked_again: int = 0
    code: int = 0

    @property
    def kills(self) -> int:
        return len(self.repeats)

    def is_broken(self, expected: tuple[bytes, bytes], concurrency: int) -> bool:
        """Whether it is other than an undisturbed run, but for what was in flight at each kill."""
        same = (self.output, self.dead) == expected
        return not same or self.asked_again > 0 or max(self.repeats, default=0) > concurrency


def prepared(folder: Path, rows: int) -> None:
    (folder / "shop.py").write_text(TARGET)
    lines = [json.dumps({"id": number, "text": text_of(number)}) for number in range(rows)]
    (folder / "in.jsonl").write_text("\n".join(lines) + "\n")


def command(folder: Path, url: str, name: str, concurrency: int) -> list[str]:
    return [
        *(sys.executable, "-m", "extractify", "run", str(folder / "in.jsonl")),
        *("--target", f"{folder}/shop.py:Order", "--endpoint", f"{url}/v1#m"),
        *("--concurrency", str(concurrency), "-o", str(folder / name), "--progress", "none"),
    ]


def undisturbed(folder: Path, concurrency: int) -> tuple[bytes, bytes]:
    """The output and the dead letters of a run that nothing happens to."""
    with running(0.0, faults=False) as url:
        done = subprocess.run(
            command(folder, url, "plain.jsonl", concurrency), check=False, env=_unwatched()
        )
    assert done.returncode in {0, 1}, done.returncode  # noqa: S101
    return _files(folder, "plain.jsonl")


def killed(folder: Path, name: str, concurrency: int, seed: int, most: int = 4) -> Killed:
    """One run that is killed up to `most` times, each at a random instant, and then resumed."""
    chance = random.Random(seed)  # noqa: S311  (when, not a secret)
    found = Killed()
    with running(0.002, faults=True) as url, httpx.Client(base_url=url) as server:
        argv = command(folder, url, name, concurrency)
        while True:
            kept = _journalled(folder / f"{name}.journal")
            before = _asked(server)
            with subprocess.Popen(argv, env=_unwatched()) as process:
                if found.kills < most:
                    _wait_for_the_first_answer(server, before, process)
                    time.sleep(chance.uniform(0.0, 1.2))
                    process.send_signal(signal.SIGKILL)
                code = process.wait()
            after = _asked(server)
            found.asked_again += _more_for(kept, before, after)
            if found.kills:
                found.repeats[-1] = _repeats(after) - _repeats(before)
            if code != -signal.SIGKILL:
                break
            found.repeats.append(0)
    found.code = code
    found.output, found.dead = _files(folder, name)
    return found


def _files(folder: Path, name: str) -> tuple[bytes, bytes]:
    dead = folder / f"{name}.dead.jsonl"
    return (folder / name).read_bytes(), dead.read_bytes() if dead.exists() else b""


def _repeats(asked: dict[str, int]) -> int:
    return sum(count - 1 for count in asked.values())


def _unwatched() -> dict[str, str]:
    """The environment, without what would measure the coverage of a process that is killed."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


def _asked(server: httpx.Client) -> dict[str, int]:
    found: dict[str, int] = server.get("/").json()
    return found


def _wait_for_the_first_answer(
    server: httpx.Client, before: dict[str, int], process: subprocess.Popen[bytes]
) -> None:
    while process.poll() is None and _asked(server) == before:
        time.sleep(0.05)


def _journalled(path: Path) -> set[str]:
    """The documents that the journal holds, by their ids."""
    if not path.exists():
        return set()
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT id FROM entries").fetchall()
    database.close()
    return {str(row[0]) for row in rows}


def _more_for(kept: set[str], before: dict[str, int], after: dict[str, int]) -> int:
    """Answers to documents that were finished already."""
    return sum(
        count - before.get(place, 0)
        for place, count in after.items()
        if place.partition("/")[0] in kept
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=64)
    options = parser.parse_args()
    broken = kills = repeats = runs = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepared(folder, options.rows)
        expected = undisturbed(folder, options.concurrency)
        while kills < options.kills:
            found = killed(folder, f"{runs}.jsonl", options.concurrency, seed=runs)
            same = (found.output, found.dead) == expected
            broken += found.is_broken(expected, options.concurrency)
            runs, kills, repeats = runs + 1, kills + found.kills, repeats + sum(found.repeats)
            print(
                f"run {runs}: {found.kills} kills, identical: {same}, asked again though finished: "
                f"{found.asked_again}, repeated after each kill: {found.repeats}",
                flush=True,
            )
    print(f"{runs} runs, {kills} kills, {repeats} repeats, {broken} runs broken")
    return int(broken > 0 or kills == 0)


if __name__ == "__main__":
    sys.exit(main())
