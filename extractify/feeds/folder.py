"""A directory of text files, those of its directories too: the id is the relative path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from extractify.errors import DocumentError
from extractify.feeds.fields import name_of
from extractify.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify.feeds.fields import Fields

_PER_CHARACTER = 4  # bytes of UTF-8, at most


def rows(path: Path, fields: Fields) -> Iterator[Row]:
    """The files in the order of their ids; hidden ones are left out, and so are pipes and such."""
    for number, name in enumerate(_names(os.fspath(path), ""), start=1):
        row_id = name_of(name)
        try:
            content = _content(path / name, row_id, fields.largest * _PER_CHARACTER)
        except DocumentError as error:
            yield Row(row_id, None, {fields.id_name: row_id}, error)
        else:
            yield fields.pair(number, row_id, content, row_id)


def count(path: Path) -> int:
    """How many files there are."""
    return sum(1 for _ in _names(os.fspath(path), ""))


def _names(directory: str, before: str) -> Iterator[str]:
    """The relative paths of the files, sorted, with no more than a directory held at a time."""
    with os.scandir(directory) as entries:
        found = sorted(
            (before + entry.name + "/" * entry.is_dir(follow_symlinks=False), entry.path)
            for entry in entries
            if not entry.name.startswith(".") and _is_read(entry)
        )
    for name, path in found:
        if name.endswith("/"):
            yield from _names(path, name)
        else:
            yield name


def _is_read(entry: os.DirEntry[str]) -> bool:
    """Whether it is a directory, a file, or a link to a file or to nothing."""
    if entry.is_dir():
        return not entry.is_symlink()  # it may lead in circles
    return entry.is_file() or (entry.is_symlink() and not Path(entry.path).exists())


def _content(path: Path, name: str, largest: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        raise DocumentError(f"{name} can't be read: {error.strerror}.") from None
    if len(content) > largest:
        raise DocumentError(
            f"{name} has more than {largest:,} bytes. Split the document, or allow more with "
            "largest."
        )
    return content
