"""A target that is named by where it is defined: `file.py:Name` or `package.module:Name`."""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback
from contextlib import redirect_stdout
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_origin

from extractify.errors import ConfigurationError
from extractify.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType


def load_task(where: str) -> Task[Any]:
    """Import the Task, or make one of the target, that `where` names.

    Raises: ConfigurationError, which lists what is there instead; SchemaError on a bad target.
    """
    place, _, name = where.rpartition(":")
    if not place or not name:
        raise ConfigurationError(f"Write {where} as file.py:Name or package.module:Name.")
    module = imported(place)
    if not hasattr(module, name):
        known = ", ".join(_candidates(module)) or "nothing to extract"
        raise ConfigurationError(f"There is no {name} in {place}. There is: {known}.")
    target = getattr(module, name)
    return target if isinstance(target, Task) else Task(target)


def _candidates(module: ModuleType) -> Iterator[str]:
    for name, value in vars(module).items():
        own = isinstance(value, type) and value.__module__ == module.__name__
        kind = own or isinstance(value, Task | dict) or get_origin(value) is not None
        if kind and not name.startswith("_"):
            yield name


def imported(place: str) -> ModuleType:
    """Import a module by its name, or a file by its path under a name of its own."""
    path = _current() / place
    is_file = place.endswith(".py")
    if is_file and not path.is_file():
        raise ConfigurationError(f"There is no file {path}.")
    sys.path.insert(0, str(path.parent if is_file else _current()))
    with redirect_stdout(sys.stderr):  # what it prints is no result
        return _executed(path, place, is_file=is_file)


def _executed(path: Path, place: str, *, is_file: bool) -> ModuleType:
    try:
        if not is_file:
            return importlib.import_module(place)
        name = f"{path.stem}_{sha256(os.fsencode(path)).hexdigest()[:8]}"
        spec = cast("ModuleSpec", importlib.util.spec_from_file_location(name, path))
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # where pydantic and pickle look for it
        cast("Loader", spec.loader).exec_module(module)
    except (Exception, SystemExit) as error:
        raise ConfigurationError(f"The import failed: {_described(error)}") from error
    return module


def _current() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ConfigurationError("The current directory is gone. Change to one that is.") from None


def _described(error: BaseException) -> str:
    """Say what an import raised, and at which line of the user's file."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError in {error.filename}, line {error.lineno}: {error.msg}"
    places = [
        f" in {frame.filename}, line {frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and "importlib" not in frame.filename
    ]
    return f"{type(error).__name__}{''.join(places[1:2])}: {error}"  # the first is this file's
