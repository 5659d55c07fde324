"""extractify.feeds: every record becomes a row, and a bad one is a row that says why."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet as parquet_files
from pyarrow.dataset import dataset

from extractify.documents import Document
from extractify.errors import ConfigurationError, DocumentError
from extractify.feeds import comma_separated, count, rows

if TYPE_CHECKING:
    from extractify.rows import Row, RowId

MEGABYTE = 1_000_000
# A file that opens, and fails when it is read, whoever asks.
UNREADABLE = Path("/proc/self/mem")
needs_proc = pytest.mark.skipif(not UNREADABLE.exists(), reason="there is no /proc here")


def read(source: object, **options: Any) -> list[Row]:
    feed = rows(source, **options)
    assert isinstance(feed, Iterator)
    return list(feed)


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def texts(found: Iterable[Row]) -> list[tuple[RowId, str | None]]:
    return [(row.id, row.text) for row in found]


def reason(row: Row) -> str:
    assert row.text is None
    assert isinstance(row.error, DocumentError)
    return str(row.error)


def fed_back(found: Iterable[Row], path: Path, **options: Any) -> list[Row]:
    """What a file of dead letters made of these rows is read as."""
    lines = [json.dumps({**row.given, "_error": {"type": "X"}, "_attempts": 1}) for row in found]
    return read(written(path, "\n".join(lines)), **options)


# --- JSON lines -------------------------------------------------------------------------------


def test_json_lines_are_rows_under_their_ids(tmp_path: Path) -> None:
    source = written(
        tmp_path / "in.jsonl", '{"id": "a", "text": "A", "by": "x"}\n{"id": 7, "text": "B"}'
    )
    first, second = read(source)
    assert (first.id, first.text, first.error) == ("a", "A", None)
    assert first.given == {"id": "a", "text": "A", "by": "x"}
    assert (second.id, second.text) == (7, "B")
    assert count(source) == 2


def test_a_row_without_an_id_has_its_number_also_when_it_is_fed_back(
    tmp_path: Path,
) -> None:
    source = written(tmp_path / "in.ndjson", '{"text": "A"}\n\n  \n{"text": "B", "id": null}\n')
    found = read(str(source))
    assert texts(found) == [(1, "A"), (2, "B")]
    assert texts(fed_back(found[1:], tmp_path / "dead.jsonl")) == [(2, "B")]


def test_a_field_that_is_named_is_required(tmp_path: Path) -> None:
    source = written(
        tmp_path / "in.jsonl",
        '{"key": "a", "body": "A"}\n{"id": 1, "body": "B"}\n{"key": "", "body": "C"}\n'
        '{"key": "d", "text": "D"}\n{"key": "e", "body": ["E"]}',
    )
    found = read(source, id_field="key", text_field="body")
    assert texts(found) == [("a", "A"), (2, None), (3, None), ("d", None), ("e", None)]
    assert reason(found[1]) == "in.jsonl, row 2 has no id: its field 'key' is missing or empty."
    assert reason(found[3]) == "in.jsonl, row 4 can't be read: its field 'body' is missing."
    assert "is a list, not a text" in reason(found[4])
    again = fed_back(found, tmp_path / "dead.jsonl", id_field="key", text_field="body")
    assert texts(again) == texts(found)


def test_ids_that_repeat_are_rows_like_others(tmp_path: Path) -> None:
    source = written(tmp_path / "in.jsonl", '{"id": 1, "text": "A"}\n{"id": 1, "text": "B"}\n')
    assert texts(read(source)) == [(1, "A"), (1, "B")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"id": 1, "text": "a', "isn't JSON: Unterminated string .* may have been cut off"),
        (b"{'id': 1}\n", "isn't JSON: .* at character 1 of its line.$"),
        (b'["text"]\n', "is a list. Write an object a line"),
        (b"[" * 100_000 + b"\n", "isn't JSON that can be read"),
        (b'{"id": ' + b"1" * 5000 + b"}\n", "isn't JSON that can be read"),
        (b"\x7fELF\x00\x01\n", "isn't UTF-8 text: it has NUL bytes"),
        (b'{"text": "caf\xe9"}\n', r"isn't UTF-8 text \(byte 13\)"),
    ],
)
def test_a_line_that_is_no_record_is_a_row_that_says_why(
    line: bytes, expected: str, tmp_path: Path
) -> None:
    source = written(tmp_path / "in.jsonl", b'{"id": "a", "text": "A"}\n' + line)
    good, bad = read(source)
    assert good.text == "A"
    assert bad.id == 2
    with pytest.raises(DocumentError, match=f"^in.jsonl, row 2 {expected}"):
        raise bad.error or AssertionError
    assert bad.given == {"id": 2, "_line": line.decode("utf-8", "backslashreplace")}
    assert texts(fed_back([bad], tmp_path / "dead.jsonl")) == [(2, None)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "its text is empty"),
        (" \n\t", "its text is empty"),
        ("a\0b", "has NUL characters"),
        ("a\ud83d", "lone surrogate at character 1"),
        ("x" * 101, "101 characters, and 100 are the most"),
        (3, "a int, not a text"),
        (None, "is missing"),
    ],
)
def test_a_text_that_no_model_can_read_is_a_row_that_says_why(
    text: object, expected: str, tmp_path: Path
) -> None:
    source = written(tmp_path / "in.jsonl", json.dumps({"id": "a", "text": text}))
    (row,) = read(source, largest=100)
    assert row.id == "a"
    assert expected in reason(row)
    assert fed_back([row], tmp_path / "dead.jsonl", largest=100)[0].id == "a"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(True, "a bool"), ([1], "a list"), (1.5, "a float"), ("\ud800", "surrogate")],
)
def test_an_id_is_a_text_or_a_whole_number(raw: object, expected: str, tmp_path: Path) -> None:
    (row,) = read(written(tmp_path / "in.jsonl", json.dumps({"id": raw, "text": "A"})))
    assert row.id == 1
    assert expected in reason(row)
    assert row.given == {"id": raw, "text": "A"}


def test_an_id_that_no_column_of_numbers_holds_is_its_digits(tmp_path: Path) -> None:
    source = written(tmp_path / "in.jsonl", json.dumps({"id": 2**63, "text": "A"}))
    assert texts(read(source)) == [(str(2**63), "A")]


def test_a_byte_order_mark_and_returns_are_no_part_of_a_line(tmp_path: Path) -> None:
    lines = b'\xef\xbb\xbf{"text": "A"}\r\n{"text": "B\\u2028"}\r\n\r\n'
    assert texts(read(written(tmp_path / "IN.JSONL", lines))) == [(1, "A"), (2, "B\u2028")]


@pytest.mark.slow
def test_a_line_of_50_megabytes_is_passed_over_and_never_held(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    with source.open("wb") as file:
        file.write(b'{"text": "A"}\n{"text": "')
        for _ in range(50):
            file.write(b"x" * MEGABYTE)
        file.write(b'"}\n{"text": "B"}\n')
    tracemalloc.start()
    found = read(source, largest=MEGABYTE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert texts(found) == [(1, "A"), (2, None), (3, "B")]
    assert "a line of more than 7,000,000 bytes" in reason(found[1])
    assert len(json.dumps(dict(found[1].given))) < 2000
    assert peak < 25 * MEGABYTE


def test_a_line_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    assert count(tmp_path / "pipe.jsonl") is None
    end = os.open(tmp_path / "pipe.jsonl", os.O_RDWR)
    feed = rows(tmp_path / "pipe.jsonl")
    assert isinstance(feed, Iterator)
    os.write(end, b'{"text": "A"}\n')
    assert next(feed).text == "A"
    os.close(end)
    assert list(feed) == []


@pytest.mark.slow
def test_standard_input_is_json_lines() -> None:
    code = (
        "from extractify.feeds import count, rows\n"
        "assert count('-') is None\n"
        "print([(row.id, row.text, str(row.error)) for row in rows('-')])"
    )
    line = '{"id": "é", "text": "A"}\n['.encode()
    ran = subprocess.run([sys.executable, "-c", code], input=line, capture_output=True, check=True)
    assert b"'A', 'None'), (2, None, \"standard input, row 2 isn't JSON" in ran.stdout


@pytest.mark.slow
def test_standard_input_that_is_closed_is_said_to_be() -> None:
    code = "import sys; sys.stdin = None; from extractify.feeds import rows; rows('-')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert b"ConfigurationError: There is no standard input to read: it is closed." in ran.stderr


# --- CSV --------------------------------------------------------------------------------------


def test_a_csv_file_is_rows_by_its_header(tmp_path: Path) -> None:
    source = written(
        tmp_path / "in.csv",
        '\ufeffid,text,by\r\n1,"A, ""quoted""\r\nline",x\r\n\r\n2,B\r\n"",C,y\r\n',
    )
    found = read(source)
    assert texts(found) == [("1", 'A, "quoted"\r\nline'), ("2", "B"), (3, "C")]
    assert found[0].given == {"id": "1", "text": 'A, "quoted"\r\nline', "by": "x"}
    assert texts(fed_back(found, tmp_path / "dead.jsonl")) == texts(found)
    assert count(source) == 4  # the blank line too: it is for showing


def test_a_cell_may_be_larger_than_what_the_standard_library_takes(tmp_path: Path) -> None:
    large = "line,\n" * 50_000
    source = written(tmp_path / "in.csv", f'text\n"{large}"\nB\n')
    limit = csv.field_size_limit()
    assert texts(read(source)) == [(1, large), (2, "B")]
    assert csv.field_size_limit() == limit < len(large)
    assert count(source) == 2


@pytest.mark.slow
@pytest.mark.parametrize("quote", ['"', ""])
def test_a_cell_of_50_megabytes_is_passed_over_and_never_held(quote: str, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    with source.open("w") as file:
        file.write(f"text,id\nA,1\n{quote}")
        for _ in range(50):
            file.write("x" * MEGABYTE)
        file.write(f"{quote},2\nB,3\n")
    tracemalloc.start()
    found = read(source, largest=MEGABYTE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert texts(found) == [("1", "A"), (2, None), ("3", "B")]
    assert "more than 2,000,000 characters" in reason(found[1])
    assert len(json.dumps(dict(found[1].given))) < 2000
    assert peak < 10 * MEGABYTE


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1,A, with a comma\n", "has 3 cells, and the header 2"),
        ('1,"A\nB,C\n', "ends in the middle of a quoted cell"),
        ("1", "the file was cut off there"),
        ("1\n", "its field 'text' is missing"),
        ("1,\n", "its text is empty"),
        ("1,A\0\n", "NUL"),
        (b"1,caf\xe9\n", "lone surrogate|isn't UTF-8"),
    ],
)
def test_a_csv_row_that_is_none_says_why(line: str | bytes, expected: str, tmp_path: Path) -> None:
    start = b"id,text\n0,good\n"
    source = written(
        tmp_path / "in.csv", start + (line.encode() if isinstance(line, str) else line)
    )
    good, bad = read(source)
    assert good.text == "good"
    with pytest.raises(DocumentError, match=f"^in.csv, row 2.*({expected})"):
        raise bad.error or AssertionError
    assert fed_back([bad], tmp_path / "dead.jsonl")[0].text is None


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("id;text\n1;A\n", {}, "has no column 'text'; it has 'id;text'"),
        ("id,text\n1,A\n", {"id_field": "key"}, "has no column 'key'; it has 'id', 'text'"),
        ("text,text\nA,B\n", {}, "has 2 columns 'text'"),
        ("", {}, "in.csv is empty: it has no header"),
        ('"text', {}, "its first row ends in the middle of a quoted cell"),
    ],
)
def test_a_csv_file_without_the_columns_is_refused(
    content: str, options: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    source = written(tmp_path / "in.csv", content)
    with pytest.raises(ConfigurationError, match=expected):
        read(source, **options)
    assert count(source) == max(content.count("\n") - 1, 0)


def test_a_csv_file_in_another_encoding_says_so(tmp_path: Path) -> None:
    source = written(tmp_path / "in.csv", "id,text\n1,Caf\u00e9\n2,Tea\n".encode("latin-1"))
    bad, good = read(source)
    assert str(bad.error).startswith(
        "in.csv, row 1 isn't UTF-8 text. Convert the file, for example"
    )
    assert good.text == "Tea"
    source = written(tmp_path / "in.csv", "id,text\n1,Tea\n".encode("utf-16"))
    with pytest.raises(ConfigurationError, match=r"in.csv isn't UTF-8 text\. Convert the file"):
        read(source)


def test_an_id_of_too_many_digits_is_its_rows_misfortune() -> None:
    first, second = read([(10**5000, "A"), (2, "B")])
    assert str(first.error) == "Item 1: its id has too many digits. Make it a text."
    assert second.text == "B"


CELLS = st.lists(st.lists(st.text('a,"\r\n é', max_size=6), min_size=1, max_size=4), max_size=5)


@given(CELLS, st.integers(1, 5))
def test_what_the_standard_library_writes_is_read_back(table: list[list[str]], size: int) -> None:
    stream = io.StringIO()
    csv.writer(stream).writerows(table)
    assert split(stream.getvalue(), size) == table


@settings(max_examples=300)
@given(st.text('a,"\r\n', max_size=30), st.integers(1, 5))
def test_any_text_is_split_as_the_standard_library_splits_it(text: str, size: int) -> None:
    assert split(text, size) == [line for line in csv.reader(io.StringIO(text, newline="")) if line]


@settings(max_examples=300)
@given(st.text('aa,"\r\n', max_size=30), st.integers(1, 5), st.integers(1, 12))
def test_after_a_row_that_is_too_long_the_next_begins_where_it_does(
    text: str, size: int, limit: int
) -> None:
    expected = [line for line in csv.reader(io.StringIO(text, newline="")) if line]
    found = list(comma_separated.lines(pieces(text, size), limit))
    assert len(found) == len(expected)
    for line, cells in zip(found, expected, strict=True):
        assert line.cells == cells if not line.problem else len(",".join(line.cells)) <= limit


def test_the_cells_of_a_row_that_is_too_long_are_not_held() -> None:
    text = "," * 10_000 + '"\n,"' + "," * 10_000 + "\nA,B"
    long, short = comma_separated.lines(pieces(text, 64), 100)
    assert len(long.cells) <= 100
    assert "has more than 100 characters" in long.problem
    assert short.cells == ["A", "B"]


def split(text: str, size: int) -> list[list[str]]:
    return [line.cells for line in comma_separated.lines(pieces(text, size), 1000)]


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


# --- Parquet ----------------------------------------------------------------------------------


def parquet(path: Path, **columns: Any) -> Path:
    parquet_files.write_table(pa.table(columns), path, row_group_size=200)
    return path


def test_a_parquet_file_is_rows_by_its_columns(tmp_path: Path) -> None:
    source = parquet(
        tmp_path / "in.parquet",
        id=range(500),
        text=[f"text {number}" for number in range(500)],
        vector=[[0.0]] * 500,
    )
    found = read(source)
    assert texts(found) == [(number, f"text {number}") for number in range(500)]
    assert found[0].given == {"id": 0, "text": "text 0"}
    assert count(source) == 500


def test_texts_that_are_not_utf8_are_rows_that_say_so(tmp_path: Path) -> None:
    raw = pa.array([b"A", b"caf\xe9", None, "é".encode(), b"a\0"], pa.binary())
    for number, kind in enumerate([pa.string(), pa.binary()]):
        source = parquet(tmp_path / f"{number}.parquet", text=raw.view(kind))
        found = read(source)
        assert texts(found) == [(1, "A"), (2, None), (3, None), (4, "é"), (5, None)]
        assert "isn't UTF-8 text (byte 3)" in reason(found[1])
        assert "is missing" in reason(found[2])
        assert texts(fed_back(found, tmp_path / "dead.jsonl")) == texts(found)


@pytest.mark.parametrize("cut", [0, 4, 100, -20])
def test_a_parquet_file_that_is_broken_is_refused(cut: int, tmp_path: Path) -> None:
    source = parquet(tmp_path / "in.parquet", text=["A"] * 500)
    source.write_bytes(source.read_bytes()[:cut])
    with pytest.raises(ConfigurationError, match="isn't a Parquet file, or is broken"):
        read(source)
    assert count(source) is None


def test_a_parquet_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    source = parquet(tmp_path / "in.parquet", body=["A"])
    with pytest.raises(
        ConfigurationError, match=r"in\.parquet has no column 'text'; it has 'body'"
    ):
        read(source)
    assert texts(read(source, text_field="body")) == [(1, "A")]


@pytest.mark.slow
def test_without_pyarrow_the_error_names_the_extra(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from extractify.feeds import rows; list(rows(sys.argv[1]))"
    )
    source = parquet(tmp_path / "in.parquet", text=["A"])
    ran = subprocess.run([sys.executable, "-c", code, source], capture_output=True, check=False)
    assert b"This needs pyarrow. Run: pip install 'extractify[etl]'" in ran.stderr


@pytest.mark.slow
def test_the_feeds_load_no_table_library_before_there_is_a_table() -> None:
    code = "import sys, extractify.feeds; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert not {"pyarrow", "pandas", "polars"} & set(ran.stdout.decode().split())


# --- a directory ------------------------------------------------------------------------------


def test_a_directory_is_its_text_files_by_relative_path(tmp_path: Path) -> None:
    for name in ("b.txt", "a.d", "a/z.txt", "a/b/c.md", "a/.hidden", ".git/config", "é.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        written(tmp_path / name, f"\ufeff{name}")
    (tmp_path / "around").symlink_to(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "b.txt")
    os.mkfifo(tmp_path / "pipe")
    found = read(tmp_path)
    names = ["a.d", "a/b/c.md", "a/z.txt", "b.txt", "link", "é.txt"]
    assert [row.id for row in found] == names == sorted(names)
    assert [row.text for row in found if row.id != "link"] == [n for n in names if n != "link"]
    assert found[0].given == {"id": "a.d", "text": "a.d"}
    assert count(str(tmp_path)) == 6


@needs_proc
def test_a_file_that_is_no_text_is_a_row_that_says_why(tmp_path: Path) -> None:
    written(tmp_path / "binary", b"\x7fELF\0")
    written(tmp_path / "empty", b"")
    written(tmp_path / "huge", b"x" * 401)
    written(tmp_path / "latin", b"caf\xe9")
    written(tmp_path / "long", b"x" * 101)
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere")
    (tmp_path / "unreadable").symlink_to(UNREADABLE)
    found = read(tmp_path, largest=100, text_field="body", id_field="name")
    said = {row.id: reason(row) for row in found}
    for name, expected in {
        "binary": "isn't UTF-8 text: it has NUL bytes",
        "empty": "has nothing in it",
        "huge": "has more than 400 bytes",
        "latin": "isn't UTF-8 text (byte 3)",
        "long": "has 101 characters, and 100 are the most",
        "lost": "can't be read: No such file or directory",
        "unreadable": "can't be read: Input/output error",
    }.items():
        assert said.pop(name).startswith(f"{name} {expected}")
    assert said == {}
    assert all(row.given == {"name": row.id} for row in found)


def test_a_file_name_that_is_not_utf8_is_an_id_that_can_be_written(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    try:
        written(tmp_path / name, "A")
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    assert texts(read(tmp_path)) == [("caf\\xe9.txt", "A")]
    written(tmp_path / os.fsdecode(b"\xe9.jsonl"), "[")
    assert reason(*read(tmp_path / os.fsdecode(b"\xe9.jsonl"))).startswith("\\xe9.jsonl, row 1 ")


# --- a source that isn't there, or fails ------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("nowhere.jsonl", "^nowhere.jsonl can't be read: No such file or directory"),
        ("", "^The path of the source is empty"),
        (Path("nowhere"), "^nowhere can't be read"),
        ("a\0b", "can't be read: no such path can be"),
        ("Invoice 7. " * 1000, "^Invoice 7.{10,160}… can't be read: File name too long"),
        (__file__, "^test_feeds.py is no source of rows. Pass a path that ends in .jsonl"),
    ],
)
def test_a_path_that_is_no_source_is_refused_before_anything_is_read(
    source: str | Path, expected: str
) -> None:
    for ask in (rows, count):
        with pytest.raises(ConfigurationError, match=expected):
            ask(source)


@pytest.mark.parametrize("source", [b"bytes", 7, None, Document("A"), io.StringIO("{}")])
def test_what_is_no_source_is_refused_with_what_is(source: object) -> None:
    with pytest.raises(ConfigurationError, match=r"is no source of rows\. Pass a path"):
        rows(source)


@needs_proc
@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_a_file_that_fails_is_told_from_one_that_ends(suffix: str, tmp_path: Path) -> None:
    source = tmp_path / f"in.{suffix}"
    source.symlink_to(UNREADABLE)
    with pytest.raises(ConfigurationError, match=f"in.{suffix} "):
        read(source)
    if suffix != "parquet":
        with pytest.raises(ConfigurationError, match="can't be read: Input/output error"):
            count(source)


@pytest.mark.parametrize(
    "options",
    [{"id_field": 1}, {"text_field": None}, {"largest": "4"}, {"largest": True}, {"largest": 0}],
)
def test_an_option_of_the_wrong_type_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"rows\("):
        rows([], **options)


# --- what a program gives ---------------------------------------------------------------------


def test_pairs_documents_texts_and_mappings_are_rows() -> None:
    found = read(
        [
            ("a", "A"),
            [2, Document("B", "b.txt")],
            Document("C", "c.txt"),
            Document("D"),
            "E",
            {"id": "f", "text": "F", "when": date(2026, 1, 2)},
            (None, Document("G", "g.txt")),
            {"text": Document("H", "h.txt")},
        ]
    )
    assert texts(found) == [
        ("a", "A"),
        (2, "B"),
        ("c.txt", "C"),
        (4, "D"),
        (5, "E"),
        ("f", "F"),
        ("g.txt", "G"),
        ("h.txt", "H"),
    ]
    assert found[5].given == {"id": "f", "text": "F"}


def test_a_mapping_is_ids_to_texts() -> None:
    assert texts(read({"a": "A", "b": Document("B")})) == [("a", "A"), ("b", "B")]
    assert count({"a": "A"}) == 1


def test_ids_that_are_written_in_one_way_are_texts() -> None:
    ids = [UUID(int=7), date(2026, 1, 2), Decimal("1.50"), 3.0]
    found = [row.id for row in read((row_id, "A") for row_id in ids)]
    assert found == ["00000000-0000-0000-0000-000000000007", "2026-01-02", "1.50", 3]


@pytest.mark.parametrize("item", [7, None, ("a", "A", "B"), ("a", 7), (object(), "A")])
def test_what_is_no_document_is_a_row_that_says_so(item: object, tmp_path: Path) -> None:
    good, bad = read([("a", "A"), item])
    assert good.text == "A"
    assert reason(bad).startswith("Item 2")
    assert fed_back([bad], tmp_path / "dead.jsonl")[0].id


def test_an_iterable_is_read_as_it_is_asked_for_and_its_exception_goes_through() -> None:
    def source() -> Iterator[tuple[str, str]]:
        yield "a", "A"
        raise ZeroDivisionError

    feed = rows(source())
    assert isinstance(feed, Iterator)
    assert next(feed).id == "a"
    with pytest.raises(ZeroDivisionError):
        next(feed)
    assert count(source()) is None
    assert count(["a"]) == 1


def test_an_async_iterable_makes_an_async_iterator() -> None:
    async def source() -> AsyncIterator[object]:
        yield "a", "A"
        yield Document("B", "b.txt")
        yield b"\xff"
        raise ZeroDivisionError

    async def all_of_it() -> list[tuple[RowId, str | None]]:
        feed = rows(source())
        assert isinstance(feed, AsyncIterator)
        found = [await anext(feed) for _ in range(3)]
        with pytest.raises(ZeroDivisionError):
            await anext(feed)
        return texts(found)

    assert asyncio.run(all_of_it()) == [("a", "A"), ("b.txt", "B"), (3, None)]
    assert count(source()) is None


# --- tables -----------------------------------------------------------------------------------

COLUMNS = {"id": ["a", "b", None, "d"], "text": ["A", None, "C", ""], "n": [1, 2, 3, 4]}
TABLES = {
    "pandas": lambda: pd.DataFrame(COLUMNS),
    "pandas, nullable": lambda: pd.DataFrame(COLUMNS).convert_dtypes(),
    "pandas, of objects": lambda: pd.DataFrame(COLUMNS).astype(object),
    "polars": lambda: pl.DataFrame(COLUMNS),
    "pyarrow": lambda: pa.table(COLUMNS),
    "a batch": lambda: pa.record_batch(COLUMNS),
    "batches": lambda: pa.table(COLUMNS).to_reader(max_chunksize=1),
    "a dictionary": lambda: pa.table(
        {**COLUMNS, "text": pa.array(COLUMNS["text"]).dictionary_encode()}
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_rows_by_its_columns(name: str, tmp_path: Path) -> None:
    found = read(TABLES[name]())
    assert texts(found) == [("a", "A"), ("b", None), (3, "C"), ("d", None)]
    assert "row 2 can't be read: its field 'text' is missing." in reason(found[1])
    assert "row 4 has nothing in it" in reason(found[3])
    assert found[0].given == {"id": "a", "text": "A"}
    assert texts(fed_back(found, tmp_path / "dead.jsonl")) == texts(found)
    assert count(TABLES[name]()) == (None if name == "batches" else 4)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_its_columns_by_any_name(name: str) -> None:
    found = read(TABLES[name](), id_field="n", text_field="id")
    assert texts(found) == [(1, "a"), (2, "b"), (3, None), (4, "d")]
    with pytest.raises(ConfigurationError, match="has no column 'body'; it has 'id', 'text', 'n'"):
        read(TABLES[name](), text_field="body")
    with pytest.raises(ConfigurationError, match="has no column 'key'"):
        read(TABLES[name](), id_field="key")


def test_numbers_beside_missing_ones_are_still_whole_in_pandas() -> None:
    frame = pd.DataFrame({"id": [1, None], "text": ["A", "B"]})
    assert texts(read(frame)) == [(1, "A"), (2, "B")]


def test_times_are_ids_unless_they_are_missing() -> None:
    frame = pd.DataFrame({"id": pd.to_datetime(["2026-01-02", None]), "text": ["A", "B"]})
    assert texts(read(frame)) == [("2026-01-02 00:00:00", "A"), (2, "B")]


def test_a_column_is_texts_and_an_arrow_column_is_refused() -> None:
    assert texts(read(pd.Series(["A", "B"]))) == [(1, "A"), (2, "B")]
    assert texts(read(pl.Series(["A", "B"]))) == [(1, "A"), (2, "B")]
    with pytest.raises(ConfigurationError, match="A ChunkedArray has no columns"):
        read(pa.chunked_array([["A"]]))


def test_texts_that_are_not_utf8_are_found_however_arrow_holds_them() -> None:
    plain = pa.array([b"A", b"caf\xe9"], pa.binary()).view(pa.string())
    for column in (
        plain,
        plain.view(pa.binary()).cast(pa.large_binary()).view(pa.large_string()),
        pa.DictionaryArray.from_arrays(pa.array([0, 1]), plain),
    ):
        good, bad = read(pa.table({"text": column}))
        assert good.text == "A"
        assert "isn't UTF-8 text (byte 3)" in reason(bad)


def test_a_dataset_of_many_files_is_read_by_its_reader(tmp_path: Path) -> None:
    (tmp_path / "in.parquet").mkdir()
    for number in range(2):
        parquet(tmp_path / "in.parquet" / f"{number}.parquet", text=[f"text {number}"])
    with pytest.raises(ConfigurationError, match="is a directory, as engines write"):
        rows(tmp_path / "in.parquet")
    reader = dataset(tmp_path / "in.parquet").scanner().to_reader()
    assert sorted(row.text or "" for row in read(reader)) == ["text 0", "text 1"]


def test_what_arrays_hold_is_read_as_what_it_is() -> None:
    texts_of_numpy = pd.Series(["A", "B"]).to_numpy(dtype="U1")
    ids: list[Any] = [texts_of_numpy[1], pd.Series([7]).to_numpy()[0], texts_of_numpy]
    first, second, third = read([(row_id, texts_of_numpy[0]) for row_id in ids])
    assert [first.id, second.id] == ["B", 7]
    assert [type(first.id), type(first.text), type(second.id)] == [str, str, int]
    assert reason(third) == "Item 3: its id is a ndarray. Make it a text or a whole number."


def test_a_lazy_frame_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="A LazyFrame is no source"):
        rows(pl.LazyFrame(COLUMNS))


# --- anything at all --------------------------------------------------------------------------


@settings(max_examples=60)
@given(content=st.binary(max_size=200), suffix=st.sampled_from(["jsonl", "csv"]))
def test_no_bytes_at_all_make_a_file_fail(
    content: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / f"in.{suffix}"
    header = b"text,id\n" if suffix == "csv" else b'{"text": "A"}\n'
    written(path, header + content)
    for row in read(path):
        assert (row.text is None) == (row.error is not None)
        assert isinstance(row.id, str | int)
        json.dumps(dict(row.given))
    assert count(path) is not None
