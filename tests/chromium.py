"""A page in headless Chromium, driven over the DevTools protocol through a pair of pipes."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from functools import partial
from itertools import count
from tempfile import TemporaryDirectory
from threading import Timer
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SECONDS = 60.0
OPTIONS = [
    "--headless=new",
    "--no-sandbox",  # the pages are our own, and root has no sandbox
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-pipe",
]


class Page:
    """One page. Messages are JSON texts that end with a NUL, in both directions."""

    def __init__(self, commands: BinaryIO, answers: BinaryIO) -> None:
        self._commands, self._answers = commands, answers
        self._numbers = count(1)
        self._session: str | None = None
        opened = self._call("Target.createTarget", url="about:blank")
        attached = self._call("Target.attachToTarget", targetId=opened["targetId"], flatten=True)
        self._session = attached["sessionId"]

    def show(self, url: str) -> None:
        """Go there, and wait until it is loaded, modules and all that they await included."""
        self._call("Page.enable")
        self._call("Page.navigate", url=url)
        while self._message().get("method") != "Page.loadEventFired":
            pass

    def run(self, script: str) -> Any:
        """What an expression of JavaScript comes to; a promise is waited for."""
        told = self._call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def picture(self) -> bytes:
        """The page as a PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot")["data"])

    def _call(self, method: str, **parameters: object) -> Any:
        number = next(self._numbers)
        call = {"id": number, "method": method, "params": parameters}
        if self._session:
            call["sessionId"] = self._session
        self._commands.write(json.dumps(call).encode() + b"\0")
        self._commands.flush()
        while (told := self._message()).get("id") != number:
            pass  # events
        assert "error" not in told, told["error"]
        return told["result"]

    def _message(self) -> dict[str, Any]:
        read = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            assert byte, "Chromium ended."
            read += byte
        message: dict[str, Any] = json.loads(read)
        return message


@contextmanager
def chromium() -> Iterator[Page]:
    """A browser of its own, with an empty profile."""
    assert CHROMIUM
    theirs_to_read, commands = os.pipe()
    answers, theirs_to_write = os.pipe()
    # The protocol wants the descriptors 3 and 4; not every shell takes numbers of two digits.
    shell = f'exec "$@" 3<&{theirs_to_read} 4>&{theirs_to_write}'
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        os.fdopen(commands, "wb") as out,
        os.fdopen(answers, "rb") as back,
    ):
        command = [CHROMIUM, *OPTIONS, f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            ["/bin/bash", "-c", shell, "bash", *command],
            pass_fds=[theirs_to_read, theirs_to_write],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        end = partial(os.killpg, process.pid, signal.SIGKILL)
        watchdog = Timer(SECONDS, end)  # a page that never says what is waited for
        os.close(theirs_to_read)
        os.close(theirs_to_write)
        try:
            watchdog.start()
            yield Page(out, back)
        finally:
            watchdog.cancel()
            end()
            process.wait()
