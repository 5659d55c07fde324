"""extractify.sinks: where values go, whole or not at all."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import math
import os
import sqlite3
import subprocess
import sys
from contextlib import closing, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel

from extractify import ConfigurationError, OutputError, Task
from extractify.entries import Entry
from extractify.errors import DocumentError
from extractify.messages import Usage
from extractify.plain import json_text
from extractify.rows import Row
from extractify.sinks import opened
from extractify.sinks.dead import DeadLetters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extractify.rows import RowId


class Address(BaseModel):
    street: str | None
    number: int | None = None


class Invoice(BaseModel):
    id: str
    total: float
    paid: bool = False
    address: Address | None = None
    lines: list[str] = []


TASK = Task(Invoice)
SUFFIXES = [".jsonl", ".csv", ".parquet", ".sqlite"]
INVOICE = {
    "id": "A-1",
    "total": 12.5,
    "paid": True,
    "address": {"street": "Rue Ä", "number": 7},
    "lines": ["a", "b"],
}


def ok(value: Any) -> Entry:
    return Entry("ok", value=json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def written(
    output: Path,
    rows: Iterable[tuple[RowId, Any]],
    target: Any = Invoice,
    *,
    complete: bool = True,
    flat: bool = False,
) -> Path:
    sink = opened(output, Task(target), flat=flat)
    for row_id, value in rows:
        sink.write(row_id, ok(value))
    sink.close(complete=complete)
    return output if complete else Path(f"{output}.part")


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def ids(path: Path, suffix: str) -> list[str]:
    """The ids in a file, by another reader than ours."""
    if suffix == ".jsonl":
        return [str(json.loads(line)["id"]) for line in path.read_text().splitlines()]
    if suffix == ".csv":
        with path.open(newline="") as file:
            return [row["id"] for row in csv.DictReader(file)]
    if suffix == ".parquet":
        return list(pq.read_table(path)["id"].to_pylist())
    with closing(sqlite3.connect(path)) as base:
        return [str(row[0]) for row in base.execute("SELECT id FROM extractions ORDER BY rowid")]


def test_json_lines_hold_the_value_as_the_entry_has_it(tmp_path: Path) -> None:
    path = written(tmp_path / "out.jsonl", [("a", INVOICE), (2, {"id": "ü\u2028\n"})])
    assert path.read_bytes() == (
        b'{"id":"a","value":' + ok(INVOICE).value.encode() + b"}\n"
        b'{"id":2,"value":{"id":"\xc3\xbc\xe2\x80\xa8\\n"}}\n'
    )


def test_json_lines_are_json_whatever_the_value(tmp_path: Path) -> None:
    odd = {"a": [math.nan, math.inf, -math.inf], "b": "NaN and Infinity", "c": "a lone \ud800"}
    path = written(tmp_path / "out.NDJSON", [("\udfff", odd)], dict[str, Any])
    [line] = path.read_text().splitlines()

    def refused(name: str) -> None:
        raise AssertionError(name)

    assert json.loads(line, parse_constant=refused) == {
        "id": "\udfff",
        "value": {**odd, "a": ["NaN", "Infinity", "-Infinity"]},
    }


def test_a_csv_has_a_column_for_each_leaf(tmp_path: Path) -> None:
    rows: list[tuple[RowId, Any]] = [(1, INVOICE)]
    rows += [("b", {**INVOICE, "id": "", "address": None, "lines": []})]
    assert written(tmp_path / "out.csv", rows).read_text() == dedent(
        """\
        id,id_,total,paid,address.street,address.number,lines,_rest
        1,A-1,12.5,true,Rue Ä,7,"[""a"",""b""]",
        b,"",12.5,true,,,[],
        """
    )


@pytest.mark.parametrize("text", ['"', ",", "\n", "\r", " x", "x ", "\t", "=1+1", "ü,ü", "\0", "#"])
def test_any_text_comes_back_from_a_csv(text: str, tmp_path: Path) -> None:
    path = written(tmp_path / "out.csv", [(text, {**INVOICE, "id": text})])
    with path.open(newline="") as file:
        [row] = csv.DictReader(file)
    assert (row["id"], row["id_"]) == (text, text)


def test_a_csv_tells_null_from_an_empty_text(tmp_path: Path) -> None:
    rows = [("a", {"street": "", "number": None}), ("b", {"street": None, "number": 1})]
    path = written(tmp_path / "out.csv", rows, Address)
    assert path.read_text().splitlines()[1:] == ['a,"",,', "b,,1,"]
    telling = pa_csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    table = pa_csv.read_csv(path, convert_options=telling)
    assert table["street"].to_pylist() == ["", None]


def test_parquet_has_the_columns_of_the_target(tmp_path: Path) -> None:
    table = pq.read_table(written(tmp_path / "out.parquet", [(1, INVOICE), ("b", INVOICE)]))
    assert table.schema.field("address").type == pa.struct(
        [("street", pa.string()), ("number", pa.int64())]
    )
    plain = {key: value for key, value in INVOICE.items() if key != "id"}
    assert table.to_pylist() == [
        {"id": "1", "id_": "A-1", **plain, "_rest": None},
        {"id": "b", "id_": "A-1", **plain, "_rest": None},
    ]


def test_a_flat_parquet_has_no_structs(tmp_path: Path) -> None:
    table = pq.read_table(written(tmp_path / "out.parquet", [("a", INVOICE)], flat=True))
    assert table.to_pylist() == [
        {
            "id": "a",
            "id_": "A-1",
            "total": 12.5,
            "paid": True,
            "address.street": "Rue Ä",
            "address.number": 7,
            "lines": ["a", "b"],
            "_rest": None,
        }
    ]


def test_sqlite_has_a_table_of_extractions(tmp_path: Path) -> None:
    rows: list[tuple[RowId, Any]] = [(1, INVOICE), ("b", INVOICE), ("b", INVOICE), (2**70, INVOICE)]
    with closing(sqlite3.connect(written(tmp_path / "out.sqlite", rows))) as base:
        base.row_factory = sqlite3.Row
        found = [dict(row) for row in base.execute("SELECT * FROM extractions ORDER BY rowid")]
        kinds = {row["name"]: row["type"] for row in base.execute("PRAGMA table_info(extractions)")}
    assert [row["id"] for row in found] == [1, "b", "b", str(2**70)]
    assert found[0] == {
        "id": 1,
        "id_": "A-1",
        "total": 12.5,
        "paid": 1,
        "address.street": "Rue Ä",
        "address.number": 7,
        "lines": '["a","b"]',
        "_rest": None,
    }
    assert kinds == {
        "id": "",
        "id_": "TEXT",
        "total": "REAL",
        "paid": "INTEGER",
        "address.street": "TEXT",
        "address.number": "INTEGER",
        "lines": "TEXT",
        "_rest": "TEXT",
    }


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".sqlite"])
def test_what_no_column_takes_is_with_the_rest(suffix: str, tmp_path: Path) -> None:
    odd = {
        **INVOICE,
        "total": math.nan,
        "id": "\ud800",
        "address": {"street": "x", "number": 2**80},
    }
    path = written(tmp_path / f"out{suffix}", [("a", odd)], flat=suffix == ".parquet")
    [row] = read(path, suffix)
    assert json.loads(row["_rest"]) == {"/id": "\ud800", "/address/number": 2**80}
    assert row["address.street"] == "x"
    assert str(row["total"]).lower() == "nan"


def read(path: Path, suffix: str) -> list[dict[str, Any]]:
    if suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    if suffix == ".csv":
        with path.open(newline="") as file:
            return list(csv.DictReader(file))
    with closing(sqlite3.connect(path)) as base:
        base.row_factory = sqlite3.Row
        return [dict(row) for row in base.execute("SELECT * FROM extractions ORDER BY rowid")]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".sqlite"])
def test_an_object_of_nulls_is_told_from_no_object(suffix: str, tmp_path: Path) -> None:
    nothing = {"street": None, "number": None}
    rows = [(1, {**INVOICE, "address": nothing}), (2, {**INVOICE, "address": None})]
    first, second = read(
        written(tmp_path / f"out{suffix}", rows, flat=suffix == ".parquet"), suffix
    )
    assert json.loads(first["_rest"]) == {"/address": nothing}
    assert not second["_rest"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("target", "values"),
    [
        (list[Invoice], [[], [INVOICE]]),
        (int, [0, -5, 2**90]),
        (int | None, [None, 1]),
        (Invoice | None, [None, INVOICE]),
        (dict[str, float], [{}, {"a": 1.5}]),
        (dict[str, Any], [{}, {"a": {"b": [None]}}]),
        (BaseModel, [{}]),
    ],
)
def test_any_target_has_an_output(
    target: Any, values: list[Any], suffix: str, tmp_path: Path
) -> None:
    path = written(tmp_path / f"out{suffix}", list(enumerate(values)), target)
    assert ids(path, suffix) == [str(number) for number in range(len(values))]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_odd_names_of_fields_are_columns_of_their_own(suffix: str, tmp_path: Path) -> None:
    names = ["", "ID", "id", "a.b", 'q"uote', "new\nline", "A.B", "_rest", "_REST", "-- ;"]
    inner = {"a": {"type": "object", "properties": {"b": {"type": "integer"}}}}
    target = {
        "type": "object",
        "properties": {**{name: {"type": "integer"} for name in names}, **inner},
    }
    value = {**{name: number for number, name in enumerate(names)}, "a": {"b": 99}}
    path = written(tmp_path / f"out{suffix}", [("row", value)], target, flat=suffix == ".parquet")
    if suffix != ".jsonl":
        [row] = read(path, suffix)
        assert len({name.lower() for name in row}) == len(names) + 3
        assert [str(cell) for cell in row.values()][:-1] == ["row", *map(str, range(10)), "99"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_rows_give_a_file_without_rows(suffix: str, tmp_path: Path) -> None:
    assert ids(written(tmp_path / f"out{suffix}", []), suffix) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_entries_give_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    rows = [(number, {**INVOICE, "total": number}) for number in range(2_500)]
    first = written(tmp_path / f"first{suffix}", rows).read_bytes()
    assert written(tmp_path / f"second{suffix}", rows).read_bytes() == first


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_was_there_stays_until_the_output_is_complete(suffix: str, tmp_path: Path) -> None:
    output = tmp_path / f"out{suffix}"
    output.write_text("from before")
    Path(f"{output}.part").write_text("torn, and longer than what comes now" * 1_000)
    sink = opened(output, TASK)
    for number in range(1_200):
        sink.write(number, ok(INVOICE))
        assert output.read_text() == "from before"
    sink.close(complete=True)
    assert ids(output, suffix) == [str(number) for number in range(1_200)]
    assert names(tmp_path) == [output.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_output_that_is_not_complete_is_left_readable(suffix: str, tmp_path: Path) -> None:
    output = tmp_path / f"out{suffix}"
    part = written(output, [(number, INVOICE) for number in range(1_200)], complete=False)
    assert ids(part, suffix) == [str(number) for number in range(1_200)]
    assert not output.exists()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_symbolic_link_is_followed(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / f"link{suffix}"
    link.symlink_to(tmp_path / "elsewhere" / "real")
    written(link, [(1, INVOICE)])
    assert link.is_symlink()
    assert ids(tmp_path / "elsewhere" / "real", suffix) == ["1"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_two_runs_do_not_write_the_same_output(suffix: str, tmp_path: Path) -> None:
    output = tmp_path / f"out{suffix}"
    first = opened(output, TASK)
    with pytest.raises(ConfigurationError, match=r"out\.\w+\.part is in use by"):
        opened(output, TASK)
    first.write("a", ok(INVOICE))
    first.close(complete=False)
    assert ids(written(output, [("b", INVOICE)]), suffix) == ["b"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_output_that_is_a_directory_is_refused(suffix: str, tmp_path: Path) -> None:
    output = tmp_path / f"out{suffix}"
    output.mkdir()
    with pytest.raises(ConfigurationError, match="it is a directory; name a file"):
        opened(output, TASK)
    (tmp_path / f"two{suffix}.part").mkdir()
    with pytest.raises(ConfigurationError, match=f"two{suffix}.part: Is a directory"):
        opened(tmp_path / f"two{suffix}", TASK)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_device_or_a_pipe_is_not_replaced(suffix: str, tmp_path: Path) -> None:
    output = tmp_path / f"out{suffix}"
    os.mkfifo(output)
    with pytest.raises(ConfigurationError, match="no regular file"):
        opened(output, TASK)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_directory_that_is_not_there_is_named(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no directory .*nowhere; create it first"):
        opened(tmp_path / "nowhere" / f"out{suffix}", TASK)


CLOSED = """
import os, sys
from extractify import ConfigurationError, Task
from extractify.sinks import opened

opened("there.jsonl", Task(int)).close(complete=True)
os.mkdir("locked")
os.chmod("locked", 0)
os.chmod(".", 0o555)
if os.getuid() == 0:
    os.setuid(65534)
for output in ("out.jsonl", "there.jsonl", "locked/out.jsonl"):
    try:
        opened(output, Task(int))
    except ConfigurationError as error:
        print(str(error).replace(os.getcwd(), "HERE"))
sys.stdout.flush()
os._exit(0)  # whoever measures coverage may not write here any more
"""


def test_a_place_without_the_right_to_write_is_refused() -> None:
    with TemporaryDirectory() as directory:  # which others may enter
        Path(directory).chmod(0o755)
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        ran = subprocess.run(
            [sys.executable, "-c", CLOSED],
            capture_output=True,
            check=True,
            cwd=directory,
            env=environment,
        )
        (Path(directory) / "locked").chmod(0o755)
    said = ran.stdout.decode().splitlines()
    read_only = "can't be written: the directory HERE is read-only; name another place."
    assert said == [
        f"The output out.jsonl {read_only}",
        f"The output there.jsonl {read_only}",
        "The output locked/out.jsonl can't be written: Permission denied; name another place.",
    ]


@pytest.mark.parametrize("name", ["x" * 300, "x" * 250, "a\0b"])
def test_a_name_that_no_file_can_have_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"File name too long|null"):
        opened(tmp_path / f"{name}.csv", TASK)


def test_who_may_not_read_the_output_from_before_may_not_read_the_new_one(tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    output.touch(0o600)
    sink = opened(output, TASK)
    assert Path(f"{output}.part").stat().st_mode & 0o777 == 0o600
    sink.close(complete=True)
    assert output.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("output", ["out", "out.xlsx", "jsonl", ".jsonl", "out.jsonl.gz", ""])
def test_a_name_without_a_known_suffix_is_refused(output: str) -> None:
    with pytest.raises(ConfigurationError, match=r"\.jsonl, \.csv, \.parquet or \.sqlite"):
        opened(output, TASK)


@pytest.mark.parametrize("output", ["-", "out.csv", "out.jsonl", print])
def test_flat_is_for_parquet(output: Any) -> None:
    with pytest.raises(ConfigurationError, match="flat is for Parquet"):
        opened(output, TASK, flat=True)


def test_too_many_columns_for_sqlite_are_refused(tmp_path: Path) -> None:
    target: dict[str, Any] = {
        "type": "object",
        "properties": {f"f{number}": {"type": "integer"} for number in range(2_000)},
    }
    with pytest.raises(ConfigurationError, match=r"2002 columns.*2000 at most.*Parquet"):
        opened(tmp_path / "out.sqlite", Task(target))
    assert names(tmp_path) == []


LIMITED = """
import os, resource, sys
from pathlib import Path
from extractify import OutputError, Task
from extractify.entries import Entry
from extractify.sinks import opened

limit = int(sys.argv[2])
if limit:
    sink = opened(sys.argv[1], Task(dict[str, str]))
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit or 500, before[1]))
try:
    sink = sink if limit else opened(sys.argv[1], Task(dict[str, str]))
    for number in range(limit // 100 or 5):
        sink.write(number, Entry("ok", value='{"a":"%s"}' % os.urandom(200).hex()))
    sink.close(complete=True)
except OutputError as error:
    print(error)
    print(type(error.__cause__).__name__)
    if "sink" in globals():
        sink.close(complete=False)
resource.setrlimit(resource.RLIMIT_FSIZE, before)  # what watches the tests writes at the end
"""


@pytest.mark.parametrize("limit", ["0", "200_000"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_is_told_and_the_output_from_before_is_there(
    suffix: str, limit: str, tmp_path: Path
) -> None:
    output = tmp_path / f"out{suffix}"
    output.write_text("from before")
    command = [sys.executable, "-W", "error", "-c", LIMITED, str(output), limit]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    message, cause = ran.stdout.splitlines()
    assert message.startswith(f"{output}.part can't be written: ")
    assert "Make room there, or name another place, and run the same again" in message
    assert cause in {"OSError", "OperationalError"}
    assert output.read_text() == "from before"
    assert names(tmp_path) == [output.name, f"{output.name}.part"]


def test_a_parquet_file_is_written_in_groups_as_the_rows_come(tmp_path: Path) -> None:
    path = written(tmp_path / "out.parquet", ((number, INVOICE) for number in range(10_500)))
    metadata = pq.ParquetFile(path).metadata
    rows = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    assert rows == [1_000] * 10 + [500]


def test_large_values_make_smaller_groups(tmp_path: Path) -> None:
    large = "x" * 5_000_000
    rows = ((number, {"street": large, "number": number}) for number in range(5))
    metadata = pq.ParquetFile(written(tmp_path / "out.parquet", rows, Address)).metadata
    rows_of = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    assert rows_of == [4, 1]


@pytest.mark.parametrize("read_frame", [pd.read_parquet, pl.read_parquet])
def test_pandas_and_polars_read_what_was_written(read_frame: Any, tmp_path: Path) -> None:
    frame = read_frame(written(tmp_path / "out.parquet", [("a", INVOICE)]))
    assert list(frame["total"]) == [12.5]


PRINTED = """
import sys
from extractify import Task
from extractify.entries import Entry
from extractify.sinks import opened

sink = opened("-", Task(str))
sys.stdout.write("before\\n")
sink.write("ü", Entry("ok", value='"\\U0001f600"'))
sink.write(2, Entry("ok", value='NaN'))
{more}
sink.close(complete=True)
"""


def test_standard_output_gets_lines_of_utf_8_at_once() -> None:
    command = [sys.executable, "-c", PRINTED.format(more="import os; os._exit(0)")]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ran = subprocess.run(command, capture_output=True, check=True, env=environment)
    assert ran.stdout.decode().splitlines() == [
        "before",
        '{"id":"ü","value":"\U0001f600"}',
        '{"id":2,"value":"NaN"}',
    ]


def test_standard_output_may_be_any_text_stream() -> None:
    with redirect_stdout(io.StringIO()) as stream:
        sink = opened("-", Task(str))
        sink.write(1, ok("a"))
        sink.close(complete=True)
    assert stream.getvalue() == '{"id":1,"value":"a"}\n'


def test_a_reader_that_leaves_is_a_broken_pipe() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as pipe, redirect_stdout(pipe):
        sink = opened("-", Task(str))
        with pytest.raises(BrokenPipeError):
            sink.write(1, ok("a"))
        os.dup2(os.open(os.devnull, os.O_WRONLY), write_end)


def test_standard_output_that_is_full_or_closed_is_told() -> None:
    with Path("/dev/full").open("w") as full, redirect_stdout(full):
        sink = opened("-", Task(str))
        with pytest.raises(OutputError, match="standard output can't be written: No space left"):
            sink.write(1, ok("a"))
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())
    with redirect_stdout(None), pytest.raises(ConfigurationError, match="no standard output"):
        opened("-", Task(str))


def test_a_callable_gets_each_entry() -> None:
    given: list[tuple[RowId, Entry]] = []
    sink = opened(lambda row_id, entry: given.append((row_id, entry)), TASK)
    sink.write("a", ok(INVOICE))
    sink.close(complete=True)
    assert [(row_id, entry.data) for row_id, entry in given] == [("a", INVOICE)]


def test_a_callable_that_raises_is_named_and_its_error_the_cause() -> None:
    def save(row_id: RowId, entry: Entry) -> None:
        raise KeyError(f"{row_id} {entry.value}")

    with pytest.raises(OutputError) as caught:
        opened(save, TASK).write("row 7", ok("secret"))
    assert "save raised KeyError for the row 'row 7' (see the cause)" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_callable_that_would_have_to_be_awaited_is_refused() -> None:
    async def save(row_id: RowId, entry: Entry) -> None:
        del row_id, entry

    class Saving:
        async def __call__(self, row_id: RowId, entry: Entry) -> None:
            del row_id, entry

    for output in (save, Saving()):
        with pytest.raises(ConfigurationError, match="is a coroutine function"):
            opened(output, TASK)
    queue: asyncio.Queue[Any] = asyncio.Queue()
    with pytest.raises(OutputError, match="gave a coroutine"):
        opened(lambda *row: queue.put(row), TASK).write(1, ok(INVOICE))


LETTER = Entry(
    "invalid",
    error=json_text({"type": "ExtractionError", "message": "No.", "partial": {"a": [1]}}),
    attempts=2,
    usage=Usage(10, 5, 15),
)


def test_a_dead_letter_is_the_record_and_what_became_of_it(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "dead.jsonl")
    letters.write(Row(7, "Ä", {"body": "Ä\ud800", "when": math.inf, "_error": "older"}), LETTER)
    letters.write(Row("x", "text"), LETTER)
    letters.write(Row(9, None, {"id": 9}, DocumentError("Empty.")), LETTER)
    letters.close(complete=True)
    became = {
        "_error": {"type": "ExtractionError", "message": "No.", "partial": {"a": [1]}},
        "_status": "invalid",
        "_attempts": 2,
        "_usage": {name: getattr(Usage(10, 5, 15), name) for name in Usage.__dataclass_fields__},
    }
    lines = (tmp_path / "dead.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": 7, "body": "Ä\ud800", "when": "Infinity", **became},
        {"id": "x", "text": "text", **became},
        {"id": 9, **became},
    ]


def test_a_record_of_things_that_json_does_not_know_is_a_dead_letter_too(tmp_path: Path) -> None:
    given: dict[str, Any] = {"id": "a", "when": pd.Timestamp("2024-02-29"), "tags": {1}}
    letters = DeadLetters(tmp_path / "dead.jsonl")
    letters.write(Row("a", "text", given), LETTER)
    letters.close(complete=True)
    letter = json.loads((tmp_path / "dead.jsonl").read_text())
    assert (letter["when"], letter["tags"]) == ("2024-02-29T00:00:00", [1])


def test_no_dead_letters_are_no_file_and_empty_the_one_of_an_earlier_run(tmp_path: Path) -> None:
    path = tmp_path / "dead.jsonl"
    DeadLetters(path).close(complete=True)
    DeadLetters(path).close(complete=False)
    assert names(tmp_path) == []
    path.write_text("from before")
    DeadLetters(path).close(complete=False)
    assert path.read_text() == "from before"
    DeadLetters(path).close(complete=True)
    assert path.read_text() == ""
    assert names(tmp_path) == ["dead.jsonl"]


def test_dead_letters_of_a_run_that_stopped_are_left_as_a_part(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "dead.jsonl")
    letters.write(Row(1, "text"), LETTER)
    letters.close(complete=False)
    assert names(tmp_path) == ["dead.jsonl.part"]


@pytest.mark.parametrize("suffix", [*SUFFIXES, ""])
def test_a_sink_may_be_closed_again_after_it_failed_or_ended(suffix: str, tmp_path: Path) -> None:
    sink = opened(tmp_path / f"out{suffix}" if suffix else print, TASK)
    sink.write(1, ok(INVOICE))
    sink.close(complete=True)
    sink.close(complete=False)
    assert names(tmp_path) == ([f"out{suffix}"] if suffix else [])


def test_without_pyarrow_only_parquet_is_missing(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from extractify import ConfigurationError, Task\n"
        "from extractify.sinks import opened\n"
        "for suffix in ('csv', 'jsonl', 'sqlite', 'parquet'):\n"
        "    try: opened(f'{sys.argv[1]}/out.{suffix}', Task(int)).close(complete=True)\n"
        "    except ConfigurationError as error: print(error)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, check=True)
    assert ran.stdout.decode().strip() == "This needs pyarrow. Run: pip install 'extractify[etl]'"
    assert names(tmp_path) == ["out.csv", "out.jsonl", "out.sqlite"]
