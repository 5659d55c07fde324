"""How a command ends: one message for people, one exit code for programs."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

from extractify.errors import ExtractifyError
from extractify.targets import load_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify.task import Task

FAILED, MISUSED, STOPPED, INTERRUPTED = 1, 2, 3, 130
"""Something failed; the command is wrong; the end wasn't reached, and can be; Ctrl-C."""


@contextmanager
def in_order(code: int = FAILED) -> Iterator[None]:
    """End the command with one message and an exit code, whatever stops it. code: for errors."""
    if isinstance(sys.stdout, TextIOWrapper):  # what its encoding can't say is escaped
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        yield
        sys.stdout.flush()
    except ExtractifyError as error:
        reason = str(error)
    except KeyboardInterrupt:
        reason, code = "interrupted", INTERRUPTED
    except OSError as error:
        with suppress(OSError):  # at its end, the interpreter would try again to write the rest
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        reader_left = isinstance(error, BrokenPipeError)
        reason = "" if reader_left else f"The output can't be written: {error.strerror or error}."
    else:
        return
    if reason:
        sys.stderr.write(f"error: {reason}\n")
    sys.exit(code)


def task_at(where: str, instructions: str | None = None) -> Task[Any]:
    """The task that `file.py:Name` or `package.module:Name` stands for."""
    with in_order(MISUSED):
        task = load_task(where)
    return task if instructions is None else replace(task, instructions=instructions)


def as_json(data: object, indent: int | None = None) -> str:
    """JSON in the characters that standard output can carry."""
    text = json.dumps(data, ensure_ascii=False, indent=indent)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return json.dumps(data, indent=indent)
    return text
