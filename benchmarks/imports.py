"""What importing extractify costs in CPU time, beside its dependencies pydantic, httpx, tenacity.

Each import runs in a fresh interpreter, in turn, several rounds; medians and their ratios. The
promise is 1.2 at most for the bare import; what a script pays that declares a model and opens a
client is shown beside it. Exits with 1 where the promise is broken.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from statistics import median

PROMISE = 1.2
MEASURE = "import time; t = time.process_time(); {}; print(time.process_time() - t)"
# Each pair: the dependencies alone, and with extractify. Pydantic and extractify load their classes
# when they are asked for, so the second pair asks for them.
PAIRS = {
    "the bare import": (
        "import pydantic, httpx, tenacity",
        "import extractify",
    ),
    "a script's imports": (
        "import httpx, tenacity; from pydantic import BaseModel, TypeAdapter",
        "from pydantic import BaseModel, TypeAdapter; from extractify import Client, Task",
    ),
}


def import_cost(statement: str) -> float:
    """Milliseconds of CPU time in a new interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.format(statement)],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout) * 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    for statement in (each for pair in PAIRS.values() for each in pair):
        import_cost(statement)  # compiles the bytecode
    print(f"{options.rounds} rounds, medians of CPU time per import")
    ratios = {}
    for name, (dependencies, ours) in PAIRS.items():
        costs = [(import_cost(dependencies), import_cost(ours)) for _ in range(options.rounds)]
        theirs, mine = (median(column) for column in zip(*costs, strict=True))
        ratios[name] = mine / theirs
        print(f"  {name:<20} dependencies {theirs:.0f} ms, with extractify {mine:.0f} ms", end="")
        print(f"  {mine / theirs:.2f} x")
    promised = ratios["the bare import"]
    print(f"promise: at most {PROMISE} x for the bare import; measured {promised:.2f} x")
    return int(promised > PROMISE)


if __name__ == "__main__":
    sys.exit(main())
