"""extractify.locks: one holder at a time, by name, and none once it is dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from extractify.errors import ConfigurationError
from extractify.locks import Lock

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys
from pathlib import Path
from extractify.locks import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_the_file_is_there_while_the_lock_is_held(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "run")
    assert [each.name for each in tmp_path.iterdir()] == ["run.lock"]
    lock.release()
    lock.release()
    assert list(tmp_path.iterdir()) == []


def test_a_second_holder_is_told_of_the_first(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "run")
    holder = rf"run is in use by process {os.getpid()} on .+, since 20.+\+00:00\. Wait"
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=holder):
            Lock(tmp_path / "run")
    lock.release()
    Lock(tmp_path / "run").release()


def test_a_holder_that_has_not_signed_yet_is_another_process(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "run")
    for text in ("", "[]", '{"pid": 1}'):
        (tmp_path / "run.lock").write_text(text)
        with pytest.raises(ConfigurationError, match="in use by another process"):
            Lock(tmp_path / "run")
    lock.release()


def test_a_file_taken_away_while_the_lock_is_held_does_no_harm(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "run")
    (tmp_path / "run.lock").unlink()
    lock.release()
    Lock(tmp_path / "run").release()
    assert list(tmp_path.iterdir()) == []


def test_a_place_without_a_directory_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Lock(tmp_path / "nowhere" / "run")


def test_of_many_who_try_at_once_one_has_it(tmp_path: Path) -> None:
    holders: list[int] = []
    most: list[int] = []

    def take(number: int) -> bool:
        try:
            lock = Lock(tmp_path / "run")
        except ConfigurationError:
            return False
        holders.append(number)
        most.append(len(holders))
        holders.remove(number)
        lock.release()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert any(pool.map(take, range(2000)))
    assert set(most) == {1}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_lock_of_a_killed_process_is_free_again(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(ConfigurationError, match=f"in use by process {process.pid} on "):
            Lock(path)
        process.send_signal(signal.SIGKILL)
    assert (tmp_path / "run.lock").exists()
    Lock(path).release()
    assert not (tmp_path / "run.lock").exists()
