"""A step of a pipeline: JSON Lines in, Parquet out, resumable; and the same on a data frame.

Kill it and run it again: what is done is not asked for again. It needs the extra `etl`, and polars
for the frame.

    python examples/etl.py tickets.jsonl tickets.parquet [cloudflare:minimax/m2.7]
    python examples/etl.py --frame tickets.jsonl tickets.parquet [cloudflare:minimax/m2.7]

A line of the input is `{"id": "t1", "text": "The lamp flickers. Order 4711."}`.
"""

from __future__ import annotations

import sys
from typing import Literal

from pydantic import BaseModel

from extractify import Budget, Client, Pace, Plan, Task, extract_column


class Ticket(BaseModel):
    product: str
    order: int | None
    mood: Literal["calm", "angry"]


# A small model can go round in circles: without a limit of its own, the answer gets more room.
TASK = Task(Ticket, max_tokens=200)


def run(client: Client, source: str, output: str) -> bool:
    """The step as a run from file to file, with its journal beside the output."""
    plan = Plan(pace=Pace(concurrency=16), budget=Budget(failures=0.05))
    report = client.run(TASK, source, output, plan)
    progress = report.progress
    print(f"{progress.done} tickets, {progress.failed} dead letters, {progress.reused} done before")
    if report.stopped:
        print(f"stopped: {report.stopped}; run it again to go on")
    return report.ok


def run_frame(client: Client, source: str, output: str) -> bool:
    """The same within a pipeline of frames; a journal makes it resumable, too."""
    import polars as pl

    tickets = pl.read_ndjson(source)
    plan = Plan(journal=f"{output}.journal")
    found = extract_column(tickets, "text", TASK, client=client, plan=plan)
    joined = pl.concat([tickets, found], how="horizontal")
    joined.write_parquet(output)
    print(joined.select("id", "product", "order", "_status"))
    return bool((joined["_status"] == "ok").all())


def main() -> int:
    step = run_frame if "--frame" in sys.argv else run
    source, output, *named = [each for each in sys.argv[1:] if each != "--frame"]
    with Client(named[0] if named else "local:smollm2") as client:
        return 0 if step(client, source, output) else 1


if __name__ == "__main__":
    sys.exit(main())
