"""The pages of the site that stand elsewhere in the repository, and the links to them.

A link in README.md or in docs/ is written for the repository, where it leads to a file. Whatever it
leads to becomes a page of the site, or is copied there, so that no page needs to know where the
repository is published.
"""

from __future__ import annotations

import ast
import posixpath
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = "docs/"
BESIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples", "benchmarks")
"""What the navigation names outside of docs/."""
_CODE = {".py": "python", ".toml": "toml", "": "make"}
_LINK = re.compile(
    r"(?P<code>^ *(?P<mark>```+|~~~+).*?^ *(?P=mark)`*$)"
    r"|(?P<begin>\]\(|(?:src|href)=\")(?!\w+:|#|/)(?P<to>[^)#\s\"]+)",
    re.MULTILINE | re.DOTALL,
)
"""A fenced block, in which nothing is a link; or else a link, and where it leads."""
_TOLD = {
    "examples": "Each runs in the tests, and by hand as its first lines say.",
    "benchmarks": "`make bench` measures on your machine. Each script says what it compares.",
}


def place(path: str) -> str:
    """The name, in the site, of the file or folder that has this path in the repository."""
    if path.startswith(DOCS):
        return path.removeprefix(DOCS)
    path = _folder_of(path)
    if (ROOT / path).is_dir():
        return f"{path}/index.md"
    return f"{path}.md" if Path(path).suffix in _CODE else path


def links(text: str, path: str) -> list[str]:
    """The paths in the repository that a text at `path` links to."""
    return [_target(found["to"], path) for found in _LINK.finditer(text) if found["to"]]


def relinked(text: str, path: str) -> str:
    """The text of the file at `path`, with links that hold in the site."""
    here = posixpath.dirname(place(path))

    def moved(found: re.Match[str]) -> str:
        if not found["to"]:
            return found[0]
        there = place(_target(found["to"], path))
        return found["begin"] + posixpath.relpath(there, here or ".")

    return _LINK.sub(moved, text)


def brought_in() -> dict[str, str]:
    """Every path outside of docs/ that a page leads to, and the page there; "" if it is copied."""
    pages: dict[str, str] = {}
    left = [*BESIDE]
    for page in sorted((ROOT / DOCS).rglob("*.md")):
        left += links(page.read_text(), page.relative_to(ROOT).as_posix())
    while left:
        path = _folder_of(left.pop())
        there = ROOT / path
        if path in pages or path.startswith(DOCS) or not there.exists():
            continue  # what doesn't exist is told by the strict build
        pages[path] = _page(path)
        left += links(pages[path], path)
    return pages


def _page(path: str) -> str:
    file = ROOT / path
    if file.is_dir():
        return _listing(path)
    if file.suffix == ".md":
        return file.read_text()
    if file.suffix in _CODE:
        return f"# {path}\n\n````{_CODE[file.suffix]}\n{file.read_text()}````\n"
    return ""


def _listing(path: str) -> str:
    """The page of a folder: its README, and a line for each document and each script in it."""
    readme = ROOT / path / "README.md"
    rows = [f"# {path.rpartition('/')[2].capitalize()}\n\n{_TOLD.get(path, '')}\n"]
    if readme.exists():
        rows = [readme.read_text()]
    files = [each for each in (ROOT / path).rglob("*") if each.suffix in {".md", ".py"}]
    for file in sorted(files, key=lambda each: (each.suffix, each)):
        name = file.relative_to(ROOT / path).as_posix()
        if file != readme:
            rows.append(f"- [{name}]({name}): {_says(file)}")
    return "\n".join(rows) + "\n"


def _says(file: Path) -> str:
    """A document's title, or what a script's docstring begins with."""
    text = file.read_text()
    if file.suffix == ".md":
        title = re.search(r"^# (.+)", text, re.MULTILINE)
        return title[1] if title else ""
    said = ast.get_docstring(ast.parse(text)) or ""
    return " ".join(said.partition("\n\n")[0].split())


def _folder_of(path: str) -> str:
    """The folder whose page a README is, but that of the repository; any other path as it is."""
    return path.removesuffix("/README.md")


def _target(link: str, path: str) -> str:
    # The page of a folder stands inside of it.
    here = path if (ROOT / path).is_dir() else posixpath.dirname(path)
    return posixpath.normpath(posixpath.join(here, link))
