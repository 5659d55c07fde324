"""A folder of invoices, as text, to a table.

A model that read a line wrong is told that the sum isn't the total, and reads again. Where it can't
make an invoice add up, the row has what was read, and says what is wrong with it.

    python examples/invoices.py [folder] [--endpoint cloudflare:minimax/m2.7] > invoices.csv

Without an endpoint the embedded model reads, which is too small for sums: most rows stay wrong.
"""

from __future__ import annotations

import argparse
import csv
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, Field, model_validator

from extractify import Client, Document, ExtractifyError, Repair, Task

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "invoices"
COLUMNS = ["file", "number", "vendor", "issued", "currency", "lines", "total", "turns", "wrong"]


class Line(BaseModel):
    text: str
    amount: Decimal = Field(description="of the whole line, without the currency")


class Invoice(BaseModel):
    number: str
    vendor: str
    issued: date
    currency: str = Field(pattern="^[A-Z]{3}$")
    lines: list[Line] = Field(max_length=20, description="taxes and carriage are lines too")
    total: Decimal

    @model_validator(mode="after")
    def lines_add_up(self) -> Self:
        total = sum(line.amount for line in self.lines)
        if total != self.total:
            raise ValueError(f"the lines come to {total}, and the total is {self.total}")
        return self


TASK = Task(Invoice, repair=Repair(stop=3, best_effort=True))  # two repair turns at most


def row(client: Client, path: Path) -> dict[str, object]:
    """What one file comes to; a failure is a row too."""
    try:
        result = client.extract(TASK, Document(path.read_text("utf-8"), path.name))
    except (ExtractifyError, UnicodeDecodeError) as error:
        return {"file": path.name, "wrong": error}
    data = result.data if isinstance(result.data, dict) else {}
    lines = data.get("lines")
    return {
        **{name: data.get(name) for name in COLUMNS},
        "file": path.name,
        "lines": len(lines) if isinstance(lines, list) else 0,
        "turns": len(result.attempts),
        "wrong": "; ".join(str(problem) for problem in result.problems),
    }


def rows(client: Client, folder: Path, at_once: int) -> Iterator[dict[str, object]]:
    """In the order of the names, however long each takes. One client serves all threads."""
    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(lambda path: row(client, path), sorted(folder.glob("*.txt")))


def cell(name: str, value: object) -> object:
    """A text that a spreadsheet would run as a formula is one that it shows."""
    may_run = name != "total" and isinstance(value, str)
    return f"'{value}" if may_run and str(value).startswith(("=", "+", "-", "@")) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    parser.add_argument("--endpoint", default="local:smollm2")
    parser.add_argument("--at-once", type=int, default=4)
    options = parser.parse_args()
    table = csv.DictWriter(sys.stdout, COLUMNS)
    table.writeheader()
    with Client(options.endpoint) as client:
        for each in rows(client, options.folder, options.at_once):
            table.writerow({name: cell(name, value) for name, value in each.items()})
            sys.stdout.flush()


if __name__ == "__main__":
    main()
