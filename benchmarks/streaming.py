"""What it costs to read an answer while it arrives, in deltas of four characters.

extractify makes a Partial for each delta and validates each line item as it closes. The peers are
used as their documentation says: instructor's `Partial`, which `create_partial` returns
([partial responses](https://python.useinstructor.com/concepts/partial/)); pydantic-ai's
`run_stream` and `stream_output`
([streaming structured output](https://ai.pydantic.dev/output/#streaming-structured-output)), once
with its default debouncing and once without; pydantic's own partial JSON, which is jiter
([partial parsing](https://docs.pydantic.dev/latest/concepts/json/#partial-json-parsing)), from the
start with each delta. CPU and memory are those of the parsers alone, fed in this process
(pydantic-ai: by its
[FunctionModel](https://ai.pydantic.dev/testing/#unit-testing-with-functionmodel)); medians of five
rounds, one where a round takes over a second. Memory is the peak that Python allocated. The
exponent is the slope of CPU over size, both as logarithms: 1 is linear, 2 quadratic.

The first partial is taken over loopback, through each whole client, from a server that sends a
delta every five milliseconds: how many deltas it had sent by then.
"""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from functools import partial
from importlib.util import find_spec
from math import inf
from typing import TYPE_CHECKING, Any, TypeAlias

from growth import PATIENCE, ROUNDS, Growth, growth
from measured import Chart, Part, Promise, Table
from paced_server import Pacing
from pydantic import BaseModel
from pydantic_core import from_json
from report import shown

from extractify import Client, Endpoint
from extractify.partials import Partials
from extractify.schema import compile_schema

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

DELTA = 4
SIZES = (10, 20, 40, 80, 160)  # kilobytes
PACE = 0.005  # seconds between the deltas of the server
Read: TypeAlias = "Callable[[str], int]"
"""Reads an answer in deltas; the number of partials that were shown."""


class Line(BaseModel):
    sku: str
    description: str
    quantity: int
    price: float


class Order(BaseModel):
    buyer: str
    lines: list[Line]


class Note(BaseModel):
    text: str


def order(size: int) -> str:
    """An answer of about `size` kilobytes: line items of about a hundred characters."""
    lines: list[dict[str, object]] = []
    length = 0
    while length < size * 1000:
        number = len(lines)
        line = {
            "sku": f"A-{number:05}",
            "description": f"item number {number} of a long list",
            "quantity": number % 7 + 1,
            "price": 9.75 + number,
        }
        lines.append(line)
        length += len(json.dumps(line)) + 2
    return json.dumps({"buyer": "Zyxomma plc", "lines": lines})


def note(size: int) -> str:
    """An answer of about `size` kilobytes that is one string."""
    return json.dumps({"text": "x" * size * 1000})


def deltas(text: str) -> Iterator[str]:
    for at in range(0, len(text), DELTA):
        yield text[at : at + DELTA]


def ours(text: str, target: type[BaseModel] = Order) -> int:
    partials = Partials(compile_schema(target))
    fed = (partials.feed(delta) for delta in deltas(text))
    shown = sum(each is not None and each.value is not None for each in fed)
    if not partials.is_settled:
        raise AssertionError
    return shown


def jiters(text: str) -> int:
    so_far, shown = "", 0
    for delta in deltas(text):
        so_far += delta
        shown += from_json(so_far, allow_partial="trailing-strings") is not None
    return shown


def instructors(text: str) -> int:
    from instructor.dsl.partial import Partial as Theirs

    model: Any = Theirs[Order]
    return sum(1 for _ in model.model_from_chunks(deltas(text)))


def pydantic_ais(text: str, **debouncing: None) -> int:
    from pydantic_ai import Agent
    from pydantic_ai.models.function import DeltaToolCall, FunctionModel

    async def answer(_messages: object, info: Any) -> AsyncIterator[dict[int, Any]]:  # noqa: ANN401
        name = info.output_tools[0].name
        for delta in deltas(text):
            yield {0: DeltaToolCall(name=name, json_args=delta)}
            name = None

    async def run() -> int:
        agent = Agent(FunctionModel(stream_function=answer), output_type=Order)
        async with agent.run_stream("-") as result:
            return sum([1 async for _ in result.stream_output(**debouncing)])

    return asyncio.run(run())


def ways(*, quick: bool) -> dict[str, Read]:
    """The ways that can be had here, ours first."""
    found: dict[str, Read] = {"extractify": ours}
    if quick:
        return found
    found["jiter, from the start"] = jiters
    if find_spec("instructor"):
        found["instructor"] = instructors
    if find_spec("pydantic_ai"):
        found["pydantic-ai"] = pydantic_ais
        found["pydantic-ai, no debouncing"] = partial(pydantic_ais, debounce_by=None)
    return found


def peak(read: Read, size: int) -> float:
    """The most kilobytes that Python had allocated at once, the text itself left out."""
    answer = order(size)
    tracemalloc.start()
    read(answer)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 1000


Watch: TypeAlias = "Callable[[str, Callable[[], object]], object]"
"""Asks the server at a base URL, and tells of each partial."""


def watch_ours(base: str, seen: Callable[[], object]) -> None:
    with Client(Endpoint(url=base, model="m")) as client, client.stream(Order, "-") as stream:
        for _ in stream:
            seen()


def watch_instructors(base: str, seen: Callable[[], object]) -> None:
    import instructor
    import openai

    client = instructor.from_openai(openai.OpenAI(base_url=base, api_key="-"))
    messages = [{"role": "user", "content": "-"}]
    for _ in client.create_partial(model="m", response_model=Order, messages=messages):
        seen()


def watch_async_instructors(base: str, seen: Callable[[], object]) -> None:
    import instructor
    import openai

    async def run() -> None:
        client = instructor.from_openai(openai.AsyncOpenAI(base_url=base, api_key="-"))
        messages = [{"role": "user", "content": "-"}]
        async for _ in client.create_partial(model="m", response_model=Order, messages=messages):
            seen()

    asyncio.run(run())


def watch_pydantic_ais(base: str, seen: Callable[[], object]) -> None:
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    async def run() -> None:
        model = OpenAIChatModel("m", provider=OpenAIProvider(base_url=base, api_key="-"))
        async with Agent(model, output_type=Order).run_stream("-") as result:
            async for _ in result.stream_output():
                seen()

    asyncio.run(run())


def watched(watch: Watch, base: str, pacing: Pacing) -> list[int]:
    """How many deltas were sent at each partial."""
    told: list[int] = []
    watch(base, lambda: told.append(pacing.sent))
    return told


def first_partials() -> Table:
    """After how many deltas each client showed something."""
    watches: dict[str, Watch] = {"extractify": watch_ours}
    if find_spec("instructor"):
        watches["instructor"] = watch_instructors
        watches["instructor, async"] = watch_async_instructors
    if find_spec("pydantic_ai"):
        watches["pydantic-ai"] = watch_pydantic_ais
    pacing = Pacing(list(deltas(order(1))), PACE)
    rows = []
    with pacing.served() as base:
        for name, watch in watches.items():
            told = watched(watch, base, pacing)
            rows.append((name, told[0], len(told)))
    return Table(
        title="The first partial",
        columns=("client", "deltas sent by the first partial", "partials in all"),
        rows=tuple(rows),
        note=f"Of an answer of {len(pacing.pieces)} deltas, {PACE * 1000:.0f} ms apart.",
    )


def measure(*, quick: bool) -> Part:
    read = ways(quick=quick)
    rounds = 3 if quick else ROUNDS
    grown = {name: growth(each, order, SIZES, rounds=rounds) for name, each in read.items()}
    strings = growth(lambda text: ours(text, Note), note, SIZES, rounds=rounds)
    grown["extractify, one string"] = strings
    promises = tuple(
        Promise(
            what=f"growth of CPU with the size of a stream ({name})",
            measured=grown[name].exponent or inf,
            bound=1.15,
            wide=1.35,
        )
        for name in ("extractify", "extractify, one string")
    )
    raw = {name: each.rounds for name, each in grown.items()}
    cpu = Table(
        title="CPU of a stream by its size",
        columns=("kB", *grown),
        rows=tuple(
            (size, *(each.seconds[place] for each in grown.values()))
            for place, size in enumerate(SIZES)
        ),
        note=f"Seconds of CPU; a dash where it would take more than about {PATIENCE:.0f}.",
        chart=Chart("streaming", "lines", tuple(grown), "seconds of CPU", logarithmic=True),
    )
    if quick:
        return Part(tables=(cpu,), promises=promises, raw=raw)
    first = first_partials()
    return Part((cpu, growths(read, grown), first), promises, headlines(grown, first), raw)


def growths(read: dict[str, Read], grown: dict[str, Growth]) -> Table:
    small, large = SIZES[0], SIZES[-1]
    rows = []
    for name, each in read.items():
        found = grown[name]
        is_short = (found.seconds[-1] or PATIENCE) < PATIENCE / 5  # tracing costs as much again
        most = peak(each, small), peak(each, large) if is_short else None
        rows.append(
            (name, found.exponent, found.first if isinstance(found.first, int) else None, *most)
        )
    columns = ("way", "exponent", f"partials of {small} kB")
    return Table(
        title="Growth, partials and memory of a stream",
        columns=(*columns, *(f"peak of {size} kB, kB" for size in (small, large))),
        rows=tuple(rows),
        note="extractify makes no partial for a delta that changes nothing, as within a key. "
        "pydantic-ai joins what comes within 0.1 s unless told otherwise, and leaves out what "
        "isn't valid yet, as a line item without its price.",
    )


def headlines(grown: dict[str, Growth], first: Table) -> tuple[str, ...]:
    ours = grown["extractify"]
    told = []
    for name, each in grown.items():
        known = [place for place, seconds in enumerate(each.seconds) if seconds]
        if not name.startswith("extractify") and len(known) > 1:
            theirs, mine = each.seconds[known[-1]], ours.seconds[known[-1]]
            ratio = (theirs or 0) / (mine or 1)
            told.append(f"{name} {shown(ratio)} times as much at {SIZES[known[-1]]} kB")
    begins = ", ".join(f"{name} {count}" for name, count, _ in first.rows)
    cost = (
        f"Partials of {SIZES[-1]} kB in {DELTA}-character deltas take {shown(ours.seconds[-1])} s "
        f"of CPU, which grows with the size to the power of {shown(ours.exponent)}; "
    )
    return (
        f"{cost}{', '.join(told)}.",
        f"Deltas that were sent by the time of the first partial: {begins}.",
    )
