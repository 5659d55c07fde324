"""What mypy infers from the public names; one run of it over one snippet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]

HEADER = """
from typing import Annotated, Any, Literal, reveal_type

from pydantic import BaseModel, Field

from extractify import AsyncClient, Client, Endpoint, Extraction, Reading, Task, extract, read


class Invoice(BaseModel):
    total: int


class Receipt(BaseModel):
    paid: int


node: dict[str, Any] = {"type": "object"}
"""
TARGETS = {
    "Invoice": "Invoice",
    "list[Invoice]": "list[Invoice]",
    "dict[str, Invoice]": "dict[str, Invoice]",
    "Invoice | Receipt": "Invoice | Receipt",
    "Invoice | None": "Invoice | None",
    'Literal["a", "b"]': "Literal['a'] | Literal['b']",
    "Annotated[int, Field(gt=0)]": "int",
    "int": "int",
    "tuple[int, str]": "tuple[int, str]",
}
CALLS = {
    "Task({})": "Task[{}]",
    'read("", {})': "Reading[{}]",
    'read("", {}).value': "{}",
    'extract({}, "")': "Extraction[{}]",
    'Client("").extract({}, "")': "Extraction[{}]",
    'Client("").extract({}, "").value': "{}",
    'Client("").extract(Task({}), "")': "Extraction[{}]",
    'extract(Task({}), "").value': "{}",
    'await AsyncClient("").extract({}, "")': "Extraction[{}]",
    'await AsyncClient("").extract(Task({}), "")': "Extraction[{}]",
}
REFUSED = [
    'read("", Invoice(total=1))',
    "Task(Invoice(total=1))",
    'extract(Invoice(total=1), "")',
    'Client("").extract(Invoice(total=1), "")',
    'await AsyncClient("").extract(Invoice(total=1), "")',
    "task: Task[Invoice] = Task(Invoice, examples=[('', Receipt(paid=1))])",
    "Task(Invoice, instruction='')",
    'x: Extraction[Receipt] = extract(Invoice, "")',
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What mypy says about each expression; one run takes seconds."""
    folder = tmp_path_factory.mktemp("typing")
    expressions = [call.format(target) for target in (*TARGETS, "node") for call in CALLS]
    lines = [
        *HEADER.splitlines(),
        "async def main() -> None:",
        *(f"    reveal_type({expression})" for expression in expressions),
        *(f"    {statement}" for statement in REFUSED),
    ]
    snippet = folder / "snippet.py"
    snippet.write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", folder / "cache",
         "--config-file=", "--follow-imports=silent", "--no-error-summary", "--no-pretty",
         "--hide-error-context", "--python-version=3.11", snippet.name],
        cwd=folder,
        env={"MYPYPATH": str(REPO), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )  # fmt: skip
    first = lines.index("async def main() -> None:") + 2
    found: dict[str, str] = {}
    for line in run.stdout.splitlines():
        file, number, message = line.split(":", 2)
        assert file == "snippet.py", line
        # The first word on a line is the verdict; notes of overloads follow it.
        found.setdefault(str([*expressions, *REFUSED][int(number) - first]), message.strip())
    assert run.stderr == ""
    return found


def revealed(message: str) -> str:
    """The type that a note names, with the modules left out."""
    kind = message.removeprefix("note: Revealed type is ").strip('"')
    for module in ("snippet.", "builtins.", "extractify.task.", "extractify.reading."):
        kind = kind.replace(module, "")
    return kind.replace("extractify.extraction.", "")


@pytest.mark.parametrize(("target", "kind"), TARGETS.items())
def test_the_type_of_the_value_is_inferred(told: dict[str, str], target: str, kind: str) -> None:
    inferred = {call: revealed(told[call.format(target)]) for call in CALLS}
    assert inferred == {call: of.format(kind) for call, of in CALLS.items()}


@pytest.mark.parametrize("call", CALLS)
def test_a_json_schema_gives_a_json_value(told: dict[str, str], call: str) -> None:
    inferred = revealed(told[call.format("node")])
    assert all(kind in inferred for kind in ("int | float | str | list[", "dict[str, ", " | None"))
    assert "Any" not in inferred


@pytest.mark.parametrize("statement", REFUSED)
def test_a_mistake_is_an_error(told: dict[str, str], statement: str) -> None:
    assert told[statement].startswith("error:")
