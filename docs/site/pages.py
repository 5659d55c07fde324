"""The pages of the site that stand elsewhere in the repository, and the links to them.

A link in README.md or in docs/ is written for the repository, where it leads to a file. Whatever it
leads to becomes a page of the site, or is copied there, so that no page needs to know where the
repository is published.
"""

from __future__ import annotations

import ast
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

DOCS = "docs/"
_BESIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples", "benchmarks")
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


@dataclass(frozen=True, slots=True)
class Repository:
    """The files of a checkout, named by their paths from its root, as in `docs/targets.md`."""

    root: Path

    def place(self, path: str) -> str:
        """The name, in the site, of a file or folder."""
        if path.startswith(DOCS):
            return path.removeprefix(DOCS)
        path = _folder_of(path)
        if (self.root / path).is_dir():
            return f"{path}/index.md"
        return f"{path}.md" if Path(path).suffix in _CODE else path

    def links(self, text: str, path: str) -> list[str]:
        """What the text of a file links to."""
        return [self._target(found["to"], path) for found in _LINK.finditer(text) if found["to"]]

    def relinked(self, text: str, path: str) -> str:
        """The text of a file, with links that hold in the site."""
        here = posixpath.dirname(self.place(path))

        def moved(found: re.Match[str]) -> str:
            if not found["to"]:
                return found[0]
            there = self.place(self._target(found["to"], path))
            return found["begin"] + posixpath.relpath(there, here or ".")

        return _LINK.sub(moved, text)

    def brought_in(self) -> dict[str, str]:
        """Everything outside of docs/ that a page leads to, and its page; "" if it is copied."""
        pages: dict[str, str] = {}
        left = [*_BESIDE]
        for page in sorted((self.root / DOCS).rglob("*.md")):
            left += self.links(page.read_text(), page.relative_to(self.root).as_posix())
        while left:
            path = _folder_of(left.pop())
            if path in pages or path.startswith(DOCS) or not (self.root / path).exists():
                continue  # what doesn't exist is told by the strict build
            pages[path] = self._page(path)
            left += self.links(pages[path], path)
        return pages

    def _page(self, path: str) -> str:
        file = self.root / path
        if file.is_dir():
            return self._listing(path)
        if file.suffix == ".md":
            return file.read_text()
        if file.suffix in _CODE:
            return f"# {path}\n\n````{_CODE[file.suffix]}\n{file.read_text()}````\n"
        return ""

    def _listing(self, path: str) -> str:
        """The page of a folder: its README, and a line for each document and each script in it."""
        folder = self.root / path
        readme = folder / "README.md"
        rows = [f"# {path.rpartition('/')[2].capitalize()}\n\n{_TOLD.get(path, '')}\n"]
        if readme.exists():
            rows = [readme.read_text()]
        files = [each for each in folder.rglob("*") if each.suffix in {".md", ".py"}]
        for file in sorted(files, key=lambda each: (each.suffix, each)):
            name = file.relative_to(folder).as_posix()
            if file != readme:
                rows.append(f"- [{name}]({name}): {_says(file)}")
        return "\n".join(rows) + "\n"

    def _target(self, link: str, path: str) -> str:
        # The page of a folder stands inside of it.
        here = path if (self.root / path).is_dir() else posixpath.dirname(path)
        return posixpath.normpath(posixpath.join(here, link))


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
