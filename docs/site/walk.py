"""Does what the tutorial says, in an empty directory, and compares what it shows.

    python docs/site/walk.py            # with this Python, and what is installed there
    python docs/site/walk.py --clean    # as a newcomer: a new environment, installed from a wheel
    python docs/site/walk.py --write    # puts what was printed into the page

A block with a title is a file to be saved. In a block of console, a line after `$` is a command,
and the others are what it prints. How long something took is no part of that.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tutorial.md"
_BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"\n]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECONDS = re.compile(r"\d+\.\d s\b")
_INSTALLS = ("python3 -m venv", ". .venv", "pip install")
_SETS = (". ", "export ")
_PATIENCE = 600  # seconds for one command


def walk(page: str, where: Path, environment: dict[str, str], *, clean: bool = False) -> str:
    """The page with what its commands print in `where`. Raises: RuntimeError if one fails."""
    done: list[str] = []

    def follow(found: re.Match[str]) -> str:
        language, title, text = found[1], found[2], found[3]
        if title:
            (where / title).write_text(text)
        if language != "console":
            return found[0]
        commands = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
        return f"```console\n{''.join(map(run, commands))}```"

    def run(command: str) -> str:
        installs = command.startswith(_INSTALLS)
        if installs and not clean:
            return f"$ {command}\n"
        # Each command has a shell of its own; what an earlier one set there holds for it as well.
        before = "".join(f"{each}\n" for each in done if each.startswith(_SETS))
        done.append(command)
        ran = subprocess.run(
            ["/bin/sh", "-e", "-c", before + command],
            cwd=where,
            env=environment,
            capture_output=True,
            check=False,
            text=True,
            timeout=_PATIENCE,
        )
        if ran.returncode:
            raise RuntimeError(f"This failed:\n$ {command}\n{ran.stdout}{ran.stderr}")
        return f"$ {command}\n" + ("" if installs else _tidy(ran.stdout))

    return _BLOCK.sub(follow, page)


def timeless(page: str) -> str:
    """The page without the seconds, and without the white space that their width makes."""
    return re.sub(r" +", " ", _SECONDS.sub("0.0 s", page))


def prepared(where: Path) -> dict[str, str]:
    """An environment in which `extractify` and `python` are those that run this."""
    tools = where / "tools"
    tools.mkdir()
    for name, arguments in (("python", ""), ("extractify", "-m extractify")):
        tool = tools / name
        tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        tool.chmod(0o755)
    return _bare(where) | {"PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def installable(where: Path) -> dict[str, str]:
    """An environment in which pip finds a wheel of this checkout."""
    wheels = where / "wheels"
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(wheels), str(ROOT)]
    subprocess.run(build, check=True)
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    links = f"{os.environ.get('PIP_FIND_LINKS', '')} {wheels}".strip()
    return _bare(where) | pip | {"PATH": os.environ["PATH"], "PIP_FIND_LINKS": links}


def _bare(where: Path) -> dict[str, str]:
    home = where / "home"
    home.mkdir()
    return {"HOME": str(home), "LANG": "C.UTF-8", "COLUMNS": "100"}


def _tidy(printed: str) -> str:
    lines = [line.rstrip() for line in printed.splitlines()]
    return "".join(f"{line}\n" for line in lines if line)


def main() -> None:
    """Walk, and say where the page and the commands differ. Exits with 1 if they do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clean", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    page = PAGE.read_text()
    with tempfile.TemporaryDirectory() as folder:
        aside, empty = Path(folder, "aside"), Path(folder, "empty")
        aside.mkdir()
        empty.mkdir()
        environment = installable(aside) if options.clean else prepared(aside)
        walked = walk(page, empty, environment, clean=options.clean)
    if options.write:
        PAGE.write_text(walked)
    elif timeless(walked) != timeless(page):
        sys.exit(f"The commands print something else than the page shows:\n{walked}")


if __name__ == "__main__":
    main()
