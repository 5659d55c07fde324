"""extractify.cli: the commands themselves, against a scripted server on the loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from extractify.cli import app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from typer.testing import Result

    Process = Callable[..., subprocess.Popen[str]]

pytestmark = pytest.mark.slow

MODELS = """
from decimal import Decimal
from pydantic import BaseModel, Field
from extractify import Repair, Task

class Invoice(BaseModel):
    seller: str
    total: Decimal = Field(gt=0)
    due: str | None = None
    paid: bool = False

Invoices = list[Invoice]
task = Task(Invoice, instructions="The seller is in the first line.")
best = Task(Invoice, repair=Repair(stop=1, best_effort=True))
as_json_schema = {"title": "Bill", "type": "object", "properties": {"seller": {"type": "string"}}}
number = 5
"""
GOOD = '{"seller": "Acme", "total": 12.5, "due": null, "paid": false}'
TEXT = "Acme\nThe secret total is 12,50 EUR."


class Server:
    """Answers chat completions from a list; the last answer goes on for ever.

    An answer is the content, an HTTP status, or a function of the request that returns one.
    """

    def __init__(self) -> None:
        self.answers: list[str | int | Callable[[dict[str, Any]], str]] = [GOOD]
        self.requests: list[dict[str, Any]] = []
        self.blocked = threading.Event()  # set it to let an answer "block" pass
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                status, body = outer.reply(json.loads(self.rfile.read(length)))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.http.server_port}/v1#m"

    def reply(self, request: dict[str, Any]) -> tuple[int, bytes]:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, int):
            return answer, b'{"error": {"message": "No, says the server."}}'
        if answer == "block":
            self.blocked.wait(20)
        content = answer if isinstance(answer, str) else answer(request)
        message = {"role": "assistant", "content": content}
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        choice = {"message": message, "finish_reason": "stop"}
        return 200, json.dumps({"choices": [choice], "usage": usage}).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    scripted = Server()
    thread = threading.Thread(target=scripted.http.serve_forever, args=(0.02,))
    thread.start()
    yield scripted
    scripted.blocked.set()
    scripted.http.shutdown()
    scripted.http.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of each test: a file of models, and a document."""
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "good.txt").write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delenv("EXTRACTIFY_ENDPOINT", raising=False)
    return tmp_path


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(app(), arguments, input=stdin)


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def process() -> Iterator[Process]:
    """Starts a run as a user has it; none outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, stdout: int | IO[str] = subprocess.PIPE) -> subprocess.Popen[str]:
        checkout = str(Path(__file__).parents[1])
        run = subprocess.Popen(
            [sys.executable, "-m", "extractify", *arguments],
            env={**os.environ, "PYTHONPATH": checkout, "COLUMNS": "80"},
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(run)
        return run

    yield start
    for run in started:
        with run:  # closes the pipes, and waits
            run.kill()


def extract(server: Server, *files: str, target: str = "models.py:Invoice") -> list[str]:
    return ["extract", *files, "--target", target, "--endpoint", server.endpoint]


# --- extract -----------------------------------------------------------------------------------


def test_a_document_becomes_one_line_of_json(server: Server) -> None:
    result = run(*extract(server, "good.txt"))
    (line,) = lines(result)
    assert line.pop("seconds") >= 0
    assert line["usage"]["total_tokens"] == 15
    del line["usage"]
    evidence = line.pop("evidence")
    assert {pointer: found["status"] for pointer, found in evidence.items()} == {
        "/seller": "exact",
        "/total": "typed",
        "/paid": "missing",
    }
    assert line == {
        "document": "good.txt",
        "value": {"seller": "Acme", "total": "12.5", "due": None, "paid": False},
        "error": None,
        "problems": [],
        "status": {},
        "attempts": 1,
        "fixes": [],
    }
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_failed_document_has_its_line_and_the_others_have_theirs(
    server: Server, folder: Path
) -> None:
    (folder / "latin.txt").write_bytes("Größe".encode("latin-1"))
    (folder / "empty.txt").write_text(" \n")
    wrong = '{"seller": "Acme", "total": "a secret total", "due": null, "paid": false}'
    server.answers = [wrong, wrong, wrong, GOOD]
    files = ["good.txt", "latin.txt", "empty.txt", "absent.txt", ".", "good.txt"]
    result = run(*extract(server, *files))
    found = lines(result)
    assert result.exit_code == 1
    assert [line["document"] for line in found] == files
    assert len({tuple(line) for line in found}) == 1
    kinds = [line["error"] and line["error"]["type"] for line in found]
    assert kinds == ["ExtractionError", *["DocumentError"] * 4, None]
    assert [line["value"] is None for line in found] == [True] * 5 + [False]
    assert found[0]["attempts"] == 3
    assert found[0]["usage"]["total_tokens"] == 45
    assert found[0]["error"]["partial"]["seller"] == "Acme"
    assert [problem["pointer"] for problem in found[0]["error"]["problems"]] == ["/total"]
    told = result.stderr.splitlines()
    assert [line.split(":")[:3] for line in told] == [
        ["error", f" {line['document']}", f" {line['error']['type']}"] for line in found[:5]
    ]
    assert "/total" in told[0]
    assert "UTF-8" in told[1]
    assert "No such file" in told[3]
    assert "secret" not in result.stderr


@pytest.mark.parametrize("total", ['"in words"', "-1"])
def test_a_best_effort_with_problems_is_no_success(server: Server, total: str) -> None:
    server.answers = [GOOD.replace("12.5", total)]
    asked = extract(server, "good.txt", target="models.py:best")
    result = run(*asked)
    (line,) = lines(result)
    assert (result.exit_code, line["error"]) == (1, None)
    assert line["value"]["seller"] == "Acme"
    assert [problem["pointer"] for problem in line["problems"]] == ["/total"]
    assert line["status"]["/total"] == "invalid"
    assert line["status"]["/seller"] == "valid"
    assert result.stderr == "error: good.txt: the value is invalid in part (see problems)\n"
    table = run(*asked, "--format", "table")
    assert table.exit_code == 1
    assert "INVALID in part" in table.stdout
    (row,) = [row for row in table.stdout.splitlines() if "/total" in row]
    assert "in the text" not in row


def test_what_reading_mended_is_in_the_line(server: Server) -> None:
    server.answers = [GOOD.replace("12.5", '"12.5"')]
    server.answers = [f"Here you are:\n```json\n{GOOD}\n```"]
    (line,) = lines(run(*extract(server, "good.txt")))
    assert [fix["kind"] for fix in line["fixes"]]


def test_the_endpoints_own_words_are_in_the_line_only(server: Server) -> None:
    server.answers = [400]
    result = run(*extract(server, "good.txt"))
    (line,) = lines(result)
    assert (line["error"]["type"], line["error"]["detail"]) == (
        "InvalidRequest",
        "No, says the server.",
    )
    assert "says the server" not in result.stderr
    assert (line["error"]["endpoint"], line["error"]["tries"]) == (server.endpoint, 1)
    facts = {"status": 400, "code": None, "retry_after": None, "request_id": None}
    assert {name: line["error"][name] for name in facts} == facts
    told = run(*extract(server, "good.txt"), "--format", "table").stdout
    assert "No, says the server." in " ".join(told.split())


@pytest.mark.parametrize("layout", ["json", "table"])
@pytest.mark.parametrize("status", [401, 402])
def test_what_all_documents_would_meet_ends_the_run(
    server: Server, layout: str, status: int
) -> None:
    server.answers = [GOOD, status]
    files = ["good.txt"] * 5
    result = run(*extract(server, *files), "--format", layout)
    assert result.exit_code == 1
    assert len(server.requests) == 2
    assert "error: 3 documents weren't tried" in result.stderr
    server.answers = [status]
    assert "1 document wasn't tried" in run(*extract(server, "good.txt", "good.txt")).stderr


def test_a_dash_is_standard_input(server: Server) -> None:
    result = run(*extract(server, "-"), stdin=b"\xef\xbb\xbfFrom a pipe")
    assert result.exit_code == 0
    assert lines(result)[0]["document"] == "-"
    sent = server.requests[0]["messages"][-1]["content"]
    assert "<document>\nFrom a pipe" in sent


def test_instructions_are_told_to_the_model(server: Server) -> None:
    run(*extract(server, "good.txt"), "--instructions", "Mind the gap.")
    assert server.requests[0]["messages"][0]["content"].endswith("Mind the gap.")


def test_the_endpoint_comes_from_the_environment_if_none_is_named(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTRACTIFY_ENDPOINT", server.endpoint)
    assert run("extract", "good.txt", "--target", "models.py:Invoice").exit_code == 0
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [([], "EXTRACTIFY_ENDPOINT"), (["--endpoint", "nowhere:x"], "no endpoint 'nowhere:x'")],
)
def test_a_missing_or_unknown_endpoint_is_one_message(endpoint: list[str], said: str) -> None:
    for layout in ("json", "table"):
        command = ["extract", "good.txt", "--target", "models.py:Invoice", "--format", layout]
        result = run(*command, *endpoint)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("error: ")
        assert said in result.stderr


# --- targets -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "answer"),
    [
        ("models:Invoice", GOOD),
        ("models.py:task", GOOD),
        ("models.py:as_json_schema", '{"seller": "Acme"}'),
        ("models.py:Invoices", f'{{"result": [{GOOD}]}}'),
    ],
)
def test_a_target_is_whatever_the_library_takes(server: Server, target: str, answer: str) -> None:
    sys.modules.pop("models", None)
    server.answers = [answer]
    result = run(*extract(server, "good.txt", target=target))
    assert result.exit_code == 0
    assert "Acme" in json.dumps(lines(result)[0]["value"])
    told = "first line" in server.requests[0]["messages"][0]["content"]
    assert told == (target == "models.py:task")


def test_a_file_can_import_its_neighbours_and_isnt_main(server: Server, folder: Path) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "neighbour_of_target.py").write_text(MODELS)
    (elsewhere / "target.py").write_text(
        "import pickle\nfrom neighbour_of_target import Invoice as Base\n"
        "class Invoice(Base):\n    pass\n"
        "assert pickle.loads(pickle.dumps(Invoice)) is Invoice\n"
        "assert __name__ != '__main__'\n"
    )
    assert run(*extract(server, "good.txt", target="elsewhere/target.py:Invoice")).exit_code == 0


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("models.py", "file.py:Name"),
        ("absent.py:Invoice", "no file"),
        ("models.py:Absent", "There is: Invoice, Invoices, task, best, as_json_schema."),
        ("bare.py:Absent", "nothing to extract"),
        ("models.py:number", "a value of int, not a type"),
        ("broken.py:Invoice", "NameError in {folder}/broken.py, line 2"),
        ("unfinished.py:Invoice", "SyntaxError in {folder}/unfinished.py, line 2"),
        ("leaving.py:Invoice", "SystemExit"),
        ("no_such_module:Invoice", "No module named 'no_such_module'"),
    ],
)
def test_a_bad_target_is_one_message_that_says_where(folder: Path, target: str, said: str) -> None:
    (folder / "bare.py").write_text("import json\n")
    (folder / "broken.py").write_text("import json\nnot_there\n")
    (folder / "unfinished.py").write_text("import json\nclass\n")
    (folder / "leaving.py").write_text("raise SystemExit(0)\n")
    result = run("extract", "good.txt", "--target", target, "--endpoint", "http://h/v1#m")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert said.format(folder=folder) in result.stderr
    assert "Traceback" not in result.stderr


def test_what_a_target_file_prints_is_no_result(server: Server, folder: Path) -> None:
    (folder / "loud.py").write_text("print('hello from the file')\nfrom models import Invoice\n")
    result = run(*extract(server, "good.txt", target="loud.py:Invoice"))
    assert [line["document"] for line in lines(result)] == ["good.txt"]
    assert result.stderr == "hello from the file\n"


def test_a_misused_option_exits_with_2() -> None:
    assert run("extract", "good.txt").exit_code == 2
    assert run("extract", "good.txt", "--target", "x:y", "--format", "xml").exit_code == 2


# --- the table ---------------------------------------------------------------------------------


def test_the_table_says_whether_a_value_stands_in_the_text(server: Server) -> None:
    server.answers = [GOOD.replace("null", '"in May"')]
    result = run(*extract(server, "good.txt"), "--format", "table")
    rows = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
    assert [row[-1].strip() for row in rows if row and row[0] in {"/seller", "/total"}] == [
        "yes, exact",
        "yes, typed: 12,50",
    ]
    assert any("/due" in row and "not in the text" in row[-1] for row in rows)
    assert ["good.txt", "1", "attempt,", "15", "tokens", "0.0", "s"] in map(
        str.split, result.stdout.splitlines()
    )
    assert result.stderr == "1 of 1: good.txt, attempt 1\n"
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_a_wait_for_the_endpoint_is_told(server: Server) -> None:
    server.answers = [429, GOOD]
    result = run(*extract(server, "good.txt"), "--format", "table")
    assert result.exit_code == 0
    assert "1 of 1: good.txt: RateLimited, again in 0 s\n" in result.stderr


def test_a_terminal_gets_colours_and_a_spinner(server: Server) -> None:
    colours = {"FORCE_COLOR": "1", "NO_COLOR": None, "TERM": "xterm", "COLUMNS": "80"}
    terminal = CliRunner(env=colours)
    result = terminal.invoke(app(), [*extract(server, "good.txt"), "--format", "table"])
    assert result.exit_code == 0
    assert "\x1b[32myes, exact" in result.stdout
    assert "\x1b[" in result.stderr


def test_a_document_that_streams_has_the_same_line(server: Server) -> None:
    plain = lines(run(*extract(server, "good.txt")))
    result = run(*extract(server, "good.txt"), "--stream")
    assert result.exit_code == 0
    assert [{**each, "seconds": 0} for each in lines(result)] == [
        {**each, "seconds": 0} for each in plain
    ]
    assert [request.get("stream") for request in server.requests] == [None, True]


def test_a_terminal_shows_the_values_of_a_stream_while_they_arrive(server: Server) -> None:
    colours = {"FORCE_COLOR": "1", "NO_COLOR": None, "TERM": "xterm", "COLUMNS": "80"}
    result = CliRunner(env=colours).invoke(
        app(), [*extract(server, "good.txt"), "--stream", "--format", "table"]
    )
    assert result.exit_code == 0
    assert "/seller" in result.stderr
    assert "Acme" in result.stderr
    assert "\x1b[32myes, exact" in result.stdout


def test_a_value_cant_write_on_the_terminal(server: Server) -> None:
    server.answers = [json.dumps({"seller": "[red]A[/] :smile: \x1b[31m\r\n\u202e", "total": 1})]
    result = run(*extract(server, "good.txt"), "--format", "table")
    assert r"[red]A[/] :smile: \x1b[31m" in result.stdout
    assert not {"\x1b", "\r", "\u202e"} & set(result.stdout)


@pytest.mark.parametrize("width", ["50", "80", "120"])
def test_no_word_of_the_table_is_cut_off(server: Server, width: str) -> None:
    words = [f"word{number}" for number in range(40)]
    server.answers = [json.dumps({"seller": " ".join(words), "total": "much " * 9})]
    runner = CliRunner(env={"COLUMNS": width})
    out = runner.invoke(app(), [*extract(server, "good.txt"), "--format", "table"]).stdout
    assert set(words) < set(out.split())
    assert max(map(len, out.splitlines())) <= int(width)


def test_the_table_shows_a_failed_document_with_what_is_wrong_and_the_rest(
    server: Server,
) -> None:
    server.answers = ['{"seller": "Acme", "total": -1}']
    result = run(*extract(server, "good.txt", "absent.txt"), "--format", "table")
    assert result.exit_code == 1
    assert result.stdout.count("FAILED") == 2
    assert "greater than 0" in " ".join(result.stdout.split())
    assert "Acme" in result.stdout
    assert "null" not in result.stdout  # nothing was read of the other one
    assert "error: absent.txt: DocumentError" in result.stderr


# --- schema ------------------------------------------------------------------------------------


def test_ground_shows_where_a_value_stands(folder: Path) -> None:
    (folder / "bill.txt").write_text("Total\nEUR 1.249,50\n")
    arguments = ["ground", str(folder / "bill.txt"), "--value"]
    found = run(*arguments, '{"total": 1249.5}')
    assert found.exit_code == 0
    assert json.loads(found.stdout)["/total"] == {
        "status": "typed",
        "spans": [{"start": 10, "end": 18, "line": 2, "column": 5}],
        "ambiguous": False,
    }
    table = run(*arguments, '{"total": 1249.5, "due": "2024-04-05"}', "--format", "table")
    assert table.exit_code == 1
    assert "yes, typed: 1.249,50" in table.stdout
    assert "not in the text" in table.stdout


def test_ground_wants_json_and_a_file(folder: Path) -> None:
    wrong = run("ground", str(folder / "none.txt"), "--value", "{total}")
    assert wrong.exit_code == 2
    assert "The --value is no JSON" in wrong.stderr
    missing = run("ground", str(folder / "none.txt"), "--value", "1")
    assert missing.exit_code == 2
    assert "can't be read" in missing.stderr


def test_schema_shows_what_is_sent_and_what_is_checked_here() -> None:
    result = run("schema", "models.py:Invoice")
    wire, prompt, checked = result.stdout.split("\n# ")
    assert "profile m2.7" in wire
    payload = json.loads(wire.partition("\n")[2])
    assert list(payload) == ["type", "properties"]
    assert "seller: string" in prompt
    assert "/: required" in checked
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("option", "profile"),
    [
        (["--profile", "llama.cpp"], "llama.cpp"),
        (["--endpoint", "local:smollm2"], "smollm2"),
        (["--endpoint", "cloudflare:minimax/m2.7"], "m2.7"),
        (["--endpoint", "cloudflare:other"], "full"),
        (["--endpoint", "http://127.0.0.1:1/v1#m"], "full"),
    ],
)
def test_schema_needs_no_credentials(option: list[str], profile: str) -> None:
    result = run("schema", "models.py:Invoice", *option)
    assert f"profile {profile} " in result.stdout
    assert ("  nothing" in result.stdout) == (profile == "full")


@pytest.mark.parametrize(
    "option",
    [["--profile", "x"], ["--endpoint", "x"], ["--profile", "full", "--endpoint", "openai:x"]],
)
def test_schema_takes_one_profile_that_exists(option: list[str]) -> None:
    result = run("schema", "models.py:Invoice", *option)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")


# --- demo --------------------------------------------------------------------------------------


def minimal(schema: dict[str, Any]) -> object:
    """The least value that a schema as it is sent accepts."""
    if "enum" in schema or "const" in schema:
        return schema.get("enum", [schema.get("const")])[0]
    if "anyOf" in schema:
        return minimal(schema["anyOf"][-1])
    if schema["type"] == "object":
        return {name: minimal(inner) for name, inner in schema["properties"].items()}
    if schema.get("format") == "date":
        return "2024-01-01"
    plain = {"string": "nobody", "number": 1, "integer": 1, "boolean": True, "array": []}
    return plain.get(schema["type"])


def test_the_demo_shows_the_values_and_a_repair(server: Server) -> None:
    invoice = {
        "invoice_number": "INV-2041",
        "seller": "Acme Ltd",
        "issued": "2024-03-05",
        "total": 1249.5,
        "currency": "EUR",
        "pay_by": None,
    }

    def answer(request: Any) -> str:
        if "INV-2041" in str(request["messages"]):
            return json.dumps(invoice)
        return json.dumps(minimal(request["response_format"]["json_schema"]["schema"]))

    server.answers = ["{}", answer]
    result = run("demo", "--endpoint", server.endpoint)
    assert result.exit_code == 0
    assert result.stdout.startswith("Extracting from ")
    assert "2 attempts, 30 tokens" in result.stdout
    assert "not in the text" in result.stdout
    assert "sent back" in result.stdout
    assert "expected a value; it is missing" in result.stdout
    assert ", attempt 2\n" in result.stderr


def test_the_demo_shows_failures_and_has_run_all_the_same(server: Server) -> None:
    server.answers = ["I don't know."]
    result = run("demo", "--endpoint", server.endpoint)
    assert result.exit_code == 0
    assert "FAILED" in result.stdout
    assert "\n0 of " in result.stdout


def test_a_demo_without_an_answer_exits_with_1(server: Server) -> None:
    server.answers = [401]
    result = run("demo", "--endpoint", server.endpoint)
    assert result.exit_code == 1
    assert "credentials" in result.stdout


def test_the_demo_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['xllamacpp'] = None; sys.argv = ['extractify', 'demo']\n"
        "from extractify.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "pip install" in done.stderr


@pytest.mark.local_model
def test_the_demo_runs_on_the_embedded_model(process: Process) -> None:
    done = process("demo")
    out, err = done.communicate(timeout=300)
    assert done.returncode == 0, err
    assert "local:smollm2" in out.splitlines()[0]
    assert "yes, exact" in out
    assert "documents gave a valid value" in out
    assert max(map(len, out.splitlines())) <= 80
    assert "1 of " in err


# --- the process -------------------------------------------------------------------------------


def test_the_version_is_told() -> None:
    assert run("--version").stdout.startswith("extractify 0.")


def test_help_fits_80_columns_of_ascii() -> None:
    for command in ([], ["extract"], ["schema"], ["demo"]):
        result = run(*command, "--help")
        assert result.exit_code == 0
        assert max(map(len, result.stdout.splitlines())) <= 80


def test_without_the_extra_one_line_says_what_to_install() -> None:
    code = "import sys; sys.modules['typer'] = None; from extractify.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "pip install 'extractify[cli]'" in done.stderr


@pytest.mark.parametrize("layout", ["json", "table"])
def test_characters_that_the_output_cant_carry_are_escaped(server: Server, layout: str) -> None:
    server.answers = [json.dumps({"seller": "Größe 😀", "total": 1})]
    runner = CliRunner(charset="ascii", env={"COLUMNS": "80"})
    result = runner.invoke(app(), [*extract(server, "good.txt"), "--format", layout])
    assert result.exit_code == 0
    if layout == "json":
        assert json.loads(result.stdout)["value"]["seller"] == "Größe 😀"
    else:
        assert r"Gr\xf6" in result.stdout


def test_a_full_disk_is_one_message(server: Server, process: Process) -> None:
    with Path("/dev/full").open("w") as full:
        done = process(*extract(server, "good.txt"), stdout=full)
        _, err = done.communicate()
    assert done.returncode == 1
    assert err == "error: The output can't be written: No space left on device.\n"


def test_a_reader_that_leaves_ends_the_run_quietly(server: Server, process: Process) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = process(*extract(server, "good.txt", "good.txt"), stdout=writer)
    os.close(writer)
    _, err = done.communicate()
    assert (done.returncode, err) == (1, "")


def await_question(server: Server, count: int) -> None:
    """Wait until so many requests came and the last is waited for.

    A signal that comes between Python's last look for one and the system's call that waits is seen
    when that returns, and not before: in such a moment anybody would press Ctrl-C again.
    """
    until = time.monotonic() + 10
    while len(server.requests) < count:
        assert time.monotonic() < until
        time.sleep(0.01)
    time.sleep(0.2)


def test_ctrl_c_keeps_what_is_done(server: Server, process: Process) -> None:
    server.answers = [GOOD, "block"]
    done = process(*extract(server, "good.txt", "good.txt"))
    assert done.stdout is not None
    first = json.loads(done.stdout.readline())
    await_question(server, 2)
    done.send_signal(signal.SIGINT)
    rest, err = done.communicate(timeout=10)
    assert first["value"]["seller"] == "Acme"
    assert (done.returncode, rest, err) == (130, "", "error: interrupted\n")


def test_ctrl_c_prints_the_table_of_what_is_done(server: Server, process: Process) -> None:
    server.answers = [GOOD, "block"]
    done = process(*extract(server, "good.txt", "good.txt"), "--format", "table")
    assert done.stderr is not None
    for expected in ("1 of 2", "2 of 2"):
        assert done.stderr.readline().startswith(expected)
    await_question(server, 2)
    done.send_signal(signal.SIGINT)
    out, err = done.communicate(timeout=10)
    assert "Acme" in out
    assert (done.returncode, err) == (130, "error: interrupted\n")
