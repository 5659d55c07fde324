"""The house rules that no linter knows."""

from __future__ import annotations

import ast
import subprocess
import sys
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

import pytest

import extractify

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
MODULES = {
    str(path.relative_to(ROOT)): path.read_text()
    for path in sorted((ROOT / "extractify").rglob("*.py"))
}
# In typing_cases.py an ignore is the assertion: mypy refuses one where nothing is wrong.
TESTS = [
    path.read_text() for path in (ROOT / "tests").glob("*.py") if path.name != "typing_cases.py"
]

# How often a check is switched off in extractify/ and tests/. These numbers only ever go down.
BUDGET = {"no" + "qa": 9, "type: " + "ignore": 6, "no " + "cover": 0}

Definition: TypeAlias = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public(body: list[ast.stmt], within: str = "") -> Iterator[tuple[str, Definition]]:
    """Every public class and function, and the public methods of those classes."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield f"{within}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{node.name}.")


def is_overload(node: Definition) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "overload" for each in node.decorator_list)


def test_all_is_the_public_namespace() -> None:
    assert sorted(set(extractify.__all__)) == extractify.__all__
    assert dir(extractify) == sorted([*extractify.__all__, "__version__"])
    for name in extractify.__all__:
        value = getattr(extractify, name)
        assert value.__module__.startswith("extractify.")
        assert value.__name__ == name
    there = {
        name
        for name, value in vars(extractify).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert there == {*extractify.__all__, "TYPE_CHECKING", "import_module"}


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'extractive'"):
        attrgetter("extractive")(extractify)


def test_type_checkers_see_every_public_name() -> None:
    imported = {
        alias.asname or alias.name
        for node in ast.walk(ast.parse(MODULES["extractify/__init__.py"]))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("extractify.")
        for alias in node.names
    }
    assert imported == set(extractify.__all__)


@pytest.mark.parametrize("words", BUDGET)
def test_checks_are_switched_off_no_more_often_than_now(words: str) -> None:
    found = sum(text.count(words) for text in [*MODULES.values(), *TESTS])
    assert found <= BUDGET[words]


def test_a_module_has_400_lines_at_most() -> None:
    lines = {name: len(text.splitlines()) for name, text in MODULES.items()}
    assert {name: count for name, count in lines.items() if count > 400} == {}


def test_every_public_class_and_function_has_a_docstring() -> None:
    trees = {name: ast.parse(text) for name, text in MODULES.items()}
    missing = [
        f"{module}: {name}"
        for module, tree in trees.items()
        for name, node in public(tree.body)
        if not ast.get_docstring(node) and not is_overload(node)
    ]
    assert missing == []
    assert [name for name, tree in trees.items() if not ast.get_docstring(tree)] == []


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        (
            "import extractify",
            {"jsonschema", "typer", "rich", "xllamacpp", "httpx", "pydantic", "opentelemetry"},
        ),
        # Where rich is installed, httpx imports it for a command line of its own.
        ("from extractify import *", {"jsonschema", "typer", "xllamacpp", "opentelemetry"}),
    ],
)
def test_the_import_loads_only_what_is_needed(statement: str, unwanted: set[str]) -> None:
    code = f"import sys; {statement}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = {name.partition(".")[0] for name in ran.stdout.decode().split()}
    assert "extractify" in loaded
    assert loaded & unwanted == set()
