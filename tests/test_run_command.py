"""`extractify run`: what it prints, how it ends, and how it is stopped."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from extractify.cli import app
from extractify.messages import Usage
from extractify.plans import Progress
from extractify.progress import Style, display, line
from extractify.testing import Answer, Seen, anything, completion, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typer.testing import Result

    from extractify.messages import JsonValue

pytestmark = pytest.mark.slow

MODELS = """
from pydantic import BaseModel

class Order(BaseModel):
    number: int

class Priced(BaseModel):
    number: int
    total: float | None = None

class Box(BaseModel):
    order: Order
"""


def order(seen: Seen) -> object:
    first = next(turn for turn in seen.body["messages"] if turn["role"] == "user")
    number = int(first["content"].split()[2])
    return {"number": number} if number % 10 != 7 else {"number": "seven"}


def overloaded(_: Seen) -> object:
    return Answer({"error": {"message": "Too much to do."}}, 503)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.py").write_text(MODELS)
    write(tmp_path, range(7))
    return tmp_path


def write(folder: Path, numbers: range) -> None:
    lines = [json.dumps({"id": f"o{number}", "text": f"Order {number}"}) for number in numbers]
    (folder / "in.jsonl").write_text("\n".join(lines) + "\n")


@pytest.fixture
def run(folder: Path) -> Iterator[Callable[..., Result]]:
    del folder
    with serve(order, contract=anything) as server:
        endpoint = f"{server.url}#m"

        def command(*options: str, source: str = "in.jsonl", target: str = "Order") -> Result:
            given = [source, "--target", f"shop.py:{target}", "--endpoint", endpoint, *options]
            return CliRunner().invoke(app(), ["run", *given])

        yield command


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


def lines(path: str) -> list[Any]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_it_writes_a_line_for_each_row_and_a_closing_table(run: Callable[..., Result]) -> None:
    result = run("-o", "out.jsonl")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert lines("out.jsonl")[3] == {"id": "o3", "value": {"number": 3}}
    table = dict(line.split("  ", 1) for line in result.stderr.splitlines() if "  " in line)
    assert table["values"].strip() == "7"
    assert table["output"].strip() == "out.jsonl"
    assert "Order" not in result.stderr


def test_dead_letters_are_counted_and_make_the_exit_code_1(
    run: Callable[..., Result], folder: Path
) -> None:
    write(folder, range(20))
    result = run("-o", "out.jsonl", "--progress", "json")
    assert result.exit_code == 1
    end = json.loads(result.stderr.splitlines()[-1])
    assert (end["event"], end["complete"], end["done"], end["failed"]) == ("end", True, 18, 2)
    assert [letter["id"] for letter in lines("out.jsonl.dead.jsonl")] == ["o7", "o17"]


def test_values_go_to_standard_output_where_it_is_named(run: Callable[..., Result]) -> None:
    result = run("-o", "-", "--progress", "none")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 7
    assert result.stderr == ""


def test_a_folder_becomes_a_parquet_file(run: Callable[..., Result], folder: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    (folder / "texts").mkdir()
    for number in range(3):
        (folder / "texts" / f"{number}.txt").write_text(f"Order {number}")
    assert run("-o", "out.parquet", source="texts").exit_code == 0
    table = parquet.read_table("out.parquet").to_pylist()
    assert [row["number"] for row in table] == [0, 1, 2]
    assert [row["id"] for row in table] == ["0.txt", "1.txt", "2.txt"]


def test_files_and_fields_have_the_names_that_are_given(run: Callable[..., Result]) -> None:
    mails = [{"id": 1, "text": "-", "key": f"k{each}", "mail": f"Order {each}"} for each in (6, 7)]
    Path("in.jsonl").write_text("".join(f"{json.dumps(mail)}\n" for mail in mails))
    fields = ("--id-field", "key", "--text-field", "mail")
    files = ("-o", "out.jsonl", "--dead", "lost.jsonl", "--journal", "kept")
    assert run(*files, *fields).exit_code == 1
    assert [line["id"] for line in lines("out.jsonl")] == ["k6"]
    assert [letter["key"] for letter in lines("lost.jsonl")] == ["k7"]
    made = {path.name for path in Path().iterdir()}
    assert made >= {"kept"}
    assert not made & {"out.jsonl.dead.jsonl", "out.jsonl.journal"}


def test_what_failed_is_asked_again_if_wanted(run: Callable[..., Result], folder: Path) -> None:
    write(folder, range(6, 9))

    def reused(*options: str) -> object:
        told = run("-o", "out.jsonl", "--progress", "json", *options).stderr
        return json.loads(told.splitlines()[-1])["reused"]

    assert [reused(), reused(), reused("--retry-dead")] == [0, 3, 2]


def test_rows_come_as_they_are_done_if_wanted(run: Callable[..., Result]) -> None:
    def first_is_last(seen: Seen) -> object:
        said = completion(json.dumps({"number": 0}))
        return Answer(said, delay=0.5) if "Order 0" in str(seen.body) else order(seen)

    with serve(first_is_last, contract=anything) as server:
        told = ("--as-completed", "--endpoint", f"{server.url}#m")
        assert run("-o", "out.jsonl", *told).exit_code == 0
    ids = [line["id"] for line in lines("out.jsonl")]
    assert (sorted(ids), ids[-1]) == ([f"o{number}" for number in range(7)], "o0")


@pytest.mark.parametrize(("options", "columns"), [((), ["order"]), (("--flat",), ["order.number"])])
def test_parquet_has_structs_or_columns(
    run: Callable[..., Result], options: tuple[str, ...], columns: list[str]
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    with serve(lambda _: {"order": {"number": 3}}, contract=anything) as server:
        told = ("--endpoint", f"{server.url}#m", *options)
        assert run("-o", "out.parquet", *told, target="Box").exit_code == 0
    assert set(columns) <= set(parquet.read_table("out.parquet").column_names)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--max-tokens", "400"), "the budget of 400 tokens is used up"),
        (("--max-failures", "0"), "1 documents failed, more than 0"),
        (("--requests-per-minute", "60", "--max-seconds", "1.5"), "the 1.5 seconds are over"),
        (("--tokens-per-minute", "9600", "--max-seconds", "1.5"), "the 1.5 seconds are over"),
    ],
)
def test_a_limit_ends_it_with_3_and_the_same_command_goes_on_without(
    run: Callable[..., Result], folder: Path, options: tuple[str, ...], reason: str
) -> None:
    write(folder, range(4, 24))

    def metered(seen: Seen) -> Answer:
        usage: JsonValue = {"prompt_tokens": 120, "completion_tokens": 40, "total_tokens": 160}
        return Answer({**completion(json.dumps(order(seen))), "usage": usage})

    with serve(metered, contract=anything) as server:
        told = ("-o", "out.jsonl", "--concurrency", "1", "--endpoint", f"{server.url}#m")
        result = run(*told, *options)
        assert result.exit_code == 3
        way_on = "The" if "seconds" in reason else "With a higher limit the"
        assert f"Stopped before the end: {reason}. {way_on} same command" in result.stderr
        asked = len(server.requests)
        assert asked < 10
        assert run(*told).exit_code == 1
        assert len(server.requests) == 20 + 2 * 3 - 2  # what is never valid is asked three times


def test_a_fallback_is_asked_where_the_endpoint_is_overloaded(
    run: Callable[..., Result], folder: Path
) -> None:
    del folder
    with serve(overloaded, contract=anything) as down:
        told = ("--endpoint", f"{down.url}#m", "--fallback", f"{down.url}#n")
        with serve(order, contract=anything) as second:
            result = run("-o", "out.jsonl", *told, "--fallback", f"{second.url}#m")
            assert len(second.requests) == 7
    assert result.exit_code == 0
    assert [line["value"]["number"] for line in lines("out.jsonl")] == list(range(7))


def test_a_changed_target_is_refused_with_the_ways_out(run: Callable[..., Result]) -> None:
    assert run("-o", "out.jsonl").exit_code == 0
    result = run("-o", "out.jsonl", target="Priced")
    assert result.exit_code == 2
    assert "schema" in result.stderr
    assert "--force" in result.stderr
    assert run("-o", "out.jsonl", "--force", target="Priced").exit_code == 0
    assert lines("out.jsonl")[0] == {"id": "o0", "value": {"number": 0, "total": None}}
    assert run("-o", "out.jsonl", "--new", target="Priced").exit_code == 0
    assert Path("out.jsonl.journal.1").exists()


def test_too_many_failures_stop_it_with_exit_code_3(
    run: Callable[..., Result], folder: Path
) -> None:
    write(folder, range(7, 1000, 10))
    result = run("-o", "out.jsonl", "--max-failures", "10", "--concurrency", "2")
    assert result.exit_code == 3
    assert "more than 10" in result.stderr
    assert "goes on from here" in result.stderr
    assert not Path("out.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["-o", "out.jsonl", "--max-failures", "some"], "neither a number nor a share"),
        (["-o", "out.jsonl", "--max-failures", "300%"], "share"),
        (["-o", "out.jsonl", "--max-tokens", "-1"], "below 0"),
        (["-o", "out.jsonl", "--force", "--new"], "not both"),
        (["-o", "out.jsonl", "--max-cost", "5"], "charges isn't known"),
        (["-o", "out.txt"], "suffix"),
        (["-o", "nowhere/out.jsonl"], "nowhere"),
        (["-o", "out.jsonl", "--journal", "nowhere/j"], "nowhere"),
    ],
)
def test_misuse_is_told_and_ends_with_2(
    run: Callable[..., Result], options: list[str], told: str
) -> None:
    result = run(*options)
    assert result.exit_code == 2
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_a_source_that_is_not_there_is_named(run: Callable[..., Result]) -> None:
    result = run("-o", "out.jsonl", source="absent.jsonl")
    assert result.exit_code == 2
    assert "absent.jsonl" in result.stderr


def test_a_source_that_breaks_off_in_the_middle_ends_it_with_3_and_the_way_on(
    run: Callable[..., Result],
) -> None:
    parquet, arrow = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("pyarrow")
    texts = [f"Order {number} " + str(hash(number)) * 50 for number in range(0, 2560, 10)]
    table = arrow.table({"id": [f"o{at}" for at in range(256)], "text": texts})
    options = {"row_group_size": 128, "compression": "none", "use_dictionary": False}
    parquet.write_table(table, "in.parquet", **options)
    whole = Path("in.parquet").read_bytes()
    column = parquet.ParquetFile("in.parquet").metadata.row_group(1).column(1)
    at = column.data_page_offset
    Path("in.parquet").write_bytes(whole[:at] + b"\xff" * 400 + whole[at + 400 :])
    result = run("-o", "out.jsonl", source="in.parquet")
    assert result.exit_code == 3
    told = result.stderr.splitlines()[-1]
    assert told.startswith("Stopped before the end: the input broke off after 128 rows: in.parquet")
    assert told.endswith("The same command goes on from here.")
    assert ["values", "128"] in [line.split() for line in result.stderr.splitlines()]
    assert len(lines("out.jsonl.part")) == 128
    Path("in.parquet").write_bytes(whole)
    result = run("-o", "out.jsonl", "--progress", "json", source="in.parquet")
    assert result.exit_code == 0
    assert json.loads(result.stderr.splitlines()[-1])["reused"] == 128


def test_an_endpoint_that_fails_is_named_while_the_run_waits(folder: Path) -> None:
    with started(folder, "http://127.0.0.1:9/v1#m") as process:
        assert process.stderr is not None
        told = ""
        while "fails" not in told:
            told = process.stderr.readline()
            assert told, "the run ended"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    name = "http://127.0.0.1:9/v1#m"
    assert told.startswith(f"{name} fails, and is asked again: Can't connect to 127.0.0.1:9: Conn")
    assert "ssl" not in told
    assert process.returncode == 130


def started(
    folder: Path, endpoint: str, *options: str, stdout: int | None = None
) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "extractify", "run", "in.jsonl", "--target", "shop.py:Order"]
    root = str(Path(__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": root, "EXTRACTIFY_ENDPOINT": endpoint}
    return subprocess.Popen(
        [*argv, "-o", "out.jsonl", "--concurrency", "4", *options],
        cwd=folder,
        env=environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


def await_requests(server: Any, count: int) -> None:
    for _ in range(600):
        if len(server.requests) >= count:
            return
        time.sleep(0.05)
    raise AssertionError("the run doesn't ask")


def test_ctrl_c_ends_it_when_what_is_in_flight_is_answered_and_it_goes_on(folder: Path) -> None:
    write(folder, range(0, 3000, 10))
    with serve(order, latency=0.05, contract=anything) as server:
        with started(folder, f"{server.url}#m") as process:
            await_requests(server, 20)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "interrupted" in told
        assert "Traceback" not in told
        asked = len(server.requests)
        assert asked < 300
        with started(folder, f"{server.url}#m") as process:
            process.communicate(timeout=120)
        assert process.returncode == 0
        assert len(server.requests) == 300  # what was in flight was kept
    assert len(lines(str(folder / "out.jsonl"))) == 300


def test_ctrl_c_twice_ends_it_at_once(folder: Path) -> None:
    with serve(order, latency=20.0, contract=anything) as server:
        with started(folder, f"{server.url}#m") as process:
            await_requests(server, 4)
            begun = time.monotonic()
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=15)
        assert time.monotonic() - begun < 15
        assert process.returncode == 130
        assert "Traceback" not in told


def test_a_second_run_on_the_same_journal_is_refused(folder: Path) -> None:
    write(folder, range(0, 400, 10))  # enough to keep the first one busy
    with serve(order, latency=3.0, contract=anything) as server:
        with started(folder, f"{server.url}#m") as process:
            await_requests(server, 1)
            with started(folder, f"{server.url}#m") as second:
                _, told = second.communicate(timeout=60)
            assert second.returncode == 2
            assert str(process.pid) in told
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
        assert process.returncode == 130


def test_a_run_that_waits_for_standard_input_answers_meanwhile_and_is_interrupted(
    folder: Path,
) -> None:
    with serve(order, contract=anything) as server:
        command = [sys.executable, "-m", "extractify", "run", "-", "--target", "shop.py:Order"]
        options = ["-o", "-", "--endpoint", f"{server.url}#m", "--progress", "none"]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            [*command, *options],
            cwd=folder,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=environment(),
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(b'{"text": "Order 3"}\n')
            process.stdin.flush()
            assert process.stdout.readline() == b'{"id":1,"value":{"number":3}}\n'
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 130
            assert process.stderr is not None
            assert b"Fatal" not in process.stderr.read()


def test_a_reader_that_leaves_ends_it_quietly(folder: Path) -> None:
    write(folder, range(300))
    with serve(order, contract=anything) as server:
        command = [sys.executable, "-m", "extractify", "run", "in.jsonl"]
        options = ["--target", "shop.py:Order", "-o", "-", "--endpoint", f"{server.url}#m"]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            [*command, *options, "--progress", "none"], stdout=pipe, stderr=pipe, env=environment()
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.wait(30) == 2
            assert process.stderr.read() == b""
        assert len(server.requests) < 300


def test_telemetry_is_sent_where_the_environment_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for signal_ in ("TRACES", "METRICS"):
        monkeypatch.setenv(f"OTEL_{signal_}_EXPORTER", "console")
    with (
        serve(order, contract=anything) as server,
        started(folder, f"{server.url}#m", "--telemetry", stdout=subprocess.PIPE) as process,
    ):
        told, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert told.count('"name": "extract Order"') == 7
    assert '"name": "gen_ai.client.operation.duration"' in told


def test_without_an_exporter_telemetry_is_misuse(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "carrier-pigeon")
    result = run("-o", "out.jsonl", "--telemetry")
    assert result.exit_code == 2
    assert "OTEL_TRACES_EXPORTER=carrier-pigeon" in result.stderr


def test_without_the_extra_telemetry_is_misuse_with_its_install_command(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "extractify.otel", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    result = run("-o", "out.jsonl", "--telemetry")
    assert result.exit_code == 2
    assert "pip install 'extractify[otel]'" in result.stderr


def test_without_a_journal_a_run_that_stopped_promises_nothing(run: Callable[..., Result]) -> None:
    result = run("-o", "-", "--max-tokens", "0", "--progress", "none")
    assert result.exit_code == 3
    assert "Nothing was kept: name a --journal" in result.stderr


def progress(**told: Any) -> Progress:
    given = {"total": 10, "done": 2, "failed": 0, "reused": 0, "usage": Usage(), "seconds": 1.0}
    return Progress(**{**given, "limit": 4, "in_flight": 3, **told})


def test_a_run_that_is_stopping_says_so_first_and_how_to_end_it_at_once() -> None:
    assert line(progress()).startswith("2 of 10 done")
    told = line(progress(stopping="it was interrupted"))
    assert told.startswith("stopping (another Ctrl-C: at once), 2 of 10 done")


def test_progress_goes_on_when_nobody_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", Gone())
    with display(Style.plain) as show:
        assert show is not None
        show(progress())
