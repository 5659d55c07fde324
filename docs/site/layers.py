"""The layers of the package, drawn from the contract that the gate enforces (pyproject.toml)."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "extractify"


@dataclass(frozen=True, slots=True)
class Module:
    """One module. says: the first sentence of its docstring. core: whether it must not do I/O."""

    name: str
    says: str
    core: bool


def layers() -> list[list[Module]]:
    """The layers, the highest first; modules of one layer don't know of each other."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    order = next(each for each in contracts if each.get("containers") == [PACKAGE])
    pure = next(each for each in contracts if "no I/O" in each["name"])["source_modules"]
    return [
        [
            Module(name, first_sentence(name), f"{PACKAGE}.{name}" in pure)
            for name in map(str.strip, layer.split("|"))
        ]
        for layer in order["layers"]
    ]


def picture() -> str:
    """The layers as boxes on one another, in HTML."""
    rows = "".join(f'<div class="layer">{"".join(map(_box, layer))}</div>' for layer in layers())
    return f'<div class="layers">{rows}</div>'


def table() -> str:
    """What each module is for, in Markdown."""
    rows = [
        f"| {number} | `{module.name}` | {module.says.replace('|', chr(92) + '|')} |"
        for number, layer in enumerate(layers(), 1)
        for module in layer
    ]
    return "\n".join(["| layer | module | |", "|---|---|---|", *rows])


def first_sentence(name: str) -> str:
    """What a module's docstring begins with."""
    path = ROOT / PACKAGE / f"{name}.py"
    if not path.exists():
        path = ROOT / PACKAGE / name / "__init__.py"
    said = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(said.partition("\n\n")[0].split())


def _box(module: Module) -> str:
    kind = "core" if module.core else "shell"
    return f'<span class="{kind}" title="{escape(module.says)}">{module.name}</span>'
