"""What mending an answer costs, beside the peers on the same script.

200 broken answers (5, 50 and 300 records, 1 to 8 wrong leaves) meet a scripted model on loopback
that returns exactly what it is asked for: the broken answer first, then the values that a patch
asks for, or the whole corrected. What comes after the first turn is counted. 20 more answers are
cut off in the middle; what completes them is compared to the whole again, which is the least that a
client without a way to continue can ask for. Tokens are counted by the embedded model's own
tokenizer (bytes, where its engine isn't there). Money is a parameter: at the prices of MiniMax M2.7
by extractify's own preset, per million tokens 0.30 for input, which are the messages and the schema
that a turn sends, and 1.20 for output; nothing is taken for cached. The peers are used as their
documentation says: instructor by
[`max_retries`](https://python.useinstructor.com/concepts/retrying/), pydantic-ai by
[`retries`](https://ai.pydantic.dev/agents/#reflection-and-self-correction) and
[native output](https://ai.pydantic.dev/output/#native-output).
"""

from __future__ import annotations

import json
import random
import re
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from statistics import mean
from typing import TYPE_CHECKING, Any, TypeAlias

import loopback
from measured import Cell, Chart, Part, Promise, Table
from pydantic import BaseModel, Field
from report import shown
from tokens import counting

from extractify import Client, Endpoint, Repair, Task
from extractify.endpoints import PRESETS
from extractify.messages import Usage
from extractify.nodes import at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHARE = 0.05
PRICES = dict(PRESETS["cloudflare"].prices)["minimax/m2.7"]
PROMISED_FROM = 50
SIZES = {5: 80, 50: 80, 300: 40}
"""Records in an answer, and how many answers of that size."""


class Color(Enum):
    RED = "RED"
    GREEN = "GREEN"
    BLUE = "BLUE"


class Order(BaseModel):
    number: int
    customer: str
    color: Color
    quantity: int = Field(ge=1)
    price: float = Field(ge=0)


class Book(BaseModel):
    title: str
    orders: list[Order]


WRONG = {"color": "PURPLE", "quantity": 0, "price": "a few", "number": "none"}


class Case:
    """A right answer, and the same with wrong leaves, or cut off at a share of its length."""

    def __init__(
        self, records: int, wrong: int, dice: random.Random, *, share: float | None = None
    ) -> None:
        self.records = records
        self.wrong = wrong
        self.share = share
        self.right: dict[str, Any] = {
            "title": "Orders of March",
            "orders": [
                {
                    "number": 1000 + n,
                    "customer": dice.choice(["Acme Ltd", "Blue Door", "Quick Couriers"]),
                    "color": dice.choice(["RED", "GREEN", "BLUE"]),
                    "quantity": dice.randint(1, 40),
                    "price": round(dice.uniform(1, 900), 2),
                }
                for n in range(records)
            ],
        }
        self.broken = json.loads(json.dumps(self.right))
        places = [(n, key) for n in range(records) for key in WRONG]
        for n, key in dice.sample(places, min(wrong, len(places))):
            self.broken["orders"][n][key] = WRONG[key]

    @property
    def first(self) -> tuple[str, str]:
        """The answer that has to be mended, and why it ended."""
        if self.share is None:
            return json.dumps(self.broken), "stop"
        text = json.dumps(self.right)
        return text[: int(len(text) * self.share)], "length"


class Script:
    """The scripted model: what it was told and has written for the case at hand, turn by turn."""

    def __init__(self, cases: list[Case]) -> None:
        self.cases = cases
        self.told: list[str] = []
        self.written: list[str] = []

    def begin(self) -> None:
        self.told.clear()
        self.written.clear()

    def answer(self, body: dict[str, Any]) -> tuple[str, str]:
        messages = body["messages"]
        case = self.cases[int(re.findall(r"case-(\d+)", json.dumps(messages))[0])]
        schema = body["response_format"]["json_schema"]["schema"]
        asked = schema.get("properties", {}).get("patch", {}).get("properties")
        text, reason = json.dumps(case.right), "stop"
        if all(message["role"] in {"system", "user"} for message in messages):
            text, reason = case.first
        elif asked is not None:
            given = json.loads(messages[-2]["content"])
            values = {pointer: self.value(case, pointer, given) for pointer in asked}
            text = json.dumps({"patch": values})
        said = [str(message["content"]) for message in messages]
        self.told.append("\n".join([*said, json.dumps(schema, separators=(",", ":"))]))
        self.written.append(text)
        return text, reason

    @staticmethod
    def value(case: Case, pointer: str, given: dict[str, Any]) -> object:
        """What stands at a pointer, or behind the items that were given."""
        if pointer == "/orders/-":
            return case.right["orders"][len(given["orders"]) :]
        return at(case.right, pointer)


@contextmanager
def served(script: Script) -> Iterator[str]:
    """Serve the script as chat completions; gives the base URL."""

    class Answering(loopback.Handler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.body()
            text, reason = script.answer(body)
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "message": message, "finish_reason": reason}
            head = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
            self.reply({**head, "choices": [choice]})

    with loopback.served(Answering) as base:
        yield base


def ours(base: str) -> Callable[[str], object]:
    client = Client(Endpoint(url=base, model="m"))
    task = Task(Book, repair=Repair(stop=4))
    return lambda text: client.extract(task, text).value.model_dump(mode="json")


def instructors(base: str) -> Callable[[str], object]:
    # https://python.useinstructor.com: from_openai, Mode.JSON_SCHEMA, max_retries.
    import instructor
    import openai

    client = instructor.from_openai(
        openai.OpenAI(base_url=base, api_key="-"), mode=instructor.Mode.JSON_SCHEMA
    )

    def extract(text: str) -> object:
        book = client.chat.completions.create(
            model="m",
            response_model=Book,
            max_retries=3,
            messages=[{"role": "user", "content": text}],
        )
        return book.model_dump(mode="json")

    return extract


def pydantic_ais(base: str) -> Callable[[str], object]:
    # https://ai.pydantic.dev: models/openai (OpenAI-compatible), output (NativeOutput), retries.
    from pydantic_ai import Agent, NativeOutput
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    model = OpenAIChatModel("m", provider=OpenAIProvider(base_url=base, api_key="-"))
    agent = Agent(model, output_type=NativeOutput(Book), retries=3)
    return lambda text: agent.run_sync(text).output.model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class Mended:
    """What mending one answer took: tokens in and out, and turns."""

    case: Case
    told: int
    written: int
    turns: int

    @property
    def money(self) -> float:
        usage = Usage(prompt_tokens=self.told, completion_tokens=self.written)
        return PRICES.cost(usage) or 0.0


Spent: TypeAlias = dict[str, list[Mended]]
"""By way: each case."""


def ways(*, quick: bool) -> dict[str, Callable[[str], Callable[[str], object]]]:
    found: dict[str, Callable[[str], Callable[[str], object]]] = {"extractify": ours}
    if find_spec("instructor") and not quick:
        found["instructor"] = instructors
    if find_spec("pydantic_ai") and not quick:
        found["pydantic-ai"] = pydantic_ais
    return found


def mended(cases: list[Case], count: Callable[[str], int], *, quick: bool) -> Spent:
    """What each way takes beyond the first turn. Raises: ValueError where one comes out wrong."""
    script = Script(cases)
    spent: Spent = {}
    with served(script) as base:
        for name, way in ways(quick=quick).items():
            extract = way(base)
            spent[name] = []
            for number, case in enumerate(cases):
                script.begin()
                if extract(f"The orders of case-{number}.") != case.right:
                    raise ValueError(f"{name} got case {number} wrong")
                told, written = script.told[1:], script.written[1:]
                tokens = sum(map(count, told)), sum(map(count, written))
                spent[name].append(Mended(case, *tokens, len(written)))
    return spent


def table(spent: Spent, again: dict[int, float], unit: str) -> Table:
    """By size of the answer; again: what the whole takes."""
    rows: list[tuple[Cell, ...]] = []
    for size in SIZES:
        for name, each in spent.items():
            of_size = [mended for mended in each if mended.case.records == size]
            written = mean(mended.written for mended in of_size)
            turns = mean(mended.turns for mended in of_size)
            money = mean(mended.money for mended in of_size) * 1000
            told = mean(mended.told for mended in of_size)
            share = f"{written / again[size]:.1%}"
            rows.append((size, name, written, share, told, turns, money))
    columns = ("records", "way", f"output {unit}", "of the whole again", f"input {unit}", "turns")
    return Table(
        title="To mend one answer, by its size",
        columns=(*columns, "money for 1,000 answers"),
        rows=tuple(rows),
        note=f"At {PRICES.input:.2f} and {PRICES.output:.2f} for a million tokens in and out.",
    )


def by_errors(spent: Spent, unit: str) -> Table:
    """By the number of wrong leaves, at one size."""
    of_size = {
        name: [mended for mended in each if mended.case.records == PROMISED_FROM]
        for name, each in spent.items()
    }
    numbers = sorted({mended.case.wrong for mended in of_size["extractify"]})
    return Table(
        title=f"To mend one answer of {PROMISED_FROM} records, by its mistakes",
        columns=("wrong leaves", *of_size),
        rows=tuple(
            (
                number,
                *(
                    mean(mended.written for mended in each if mended.case.wrong == number)
                    for each in of_size.values()
                ),
            )
            for number in numbers
        ),
        note=f"Output {unit}.",
        chart=Chart("repair", "lines", tuple(of_size), f"output {unit}", logarithmic=True),
    )


def completed(cases: list[Case], count: Callable[[str], int]) -> tuple[float, float]:
    """Mean tokens that complete an answer that was cut off, and of the whole again."""
    script = Script(cases)
    tokens = []
    with served(script) as base:
        extract = ours(base)
        for number, case in enumerate(cases):
            script.begin()
            if extract(f"The orders of case-{number}.") != case.right:
                raise ValueError(f"case {number} was completed wrongly")
            tokens.append(sum(map(count, script.written[1:])))
    return mean(tokens), mean(count(json.dumps(case.right)) for case in cases)


def measure(*, quick: bool) -> Part:
    dice = random.Random(2041)  # noqa: S311  (data, no secrets)
    cases = [
        Case(records, 1 + n % 8, dice)
        for records, number in SIZES.items()
        for n in range(number // 10 if quick else number)
    ]
    with counting() as (unit, count):
        spent = mended(cases, count, quick=quick)
        again = {
            size: mean(count(json.dumps(case.right)) for case in cases if case.records == size)
            for size in SIZES
        }
        whole = table(spent, again, unit)
        promise = Promise(
            what=f"output to mend an answer of {PROMISED_FROM} records or more, as a share of it",
            measured=max(
                mean(each.written for each in spent["extractify"] if each.case.records == size)
                / again[size]
                for size in SIZES
                if size >= PROMISED_FROM
            ),
            bound=SHARE,
            wide=SHARE,
        )
        if quick:
            return Part((whole,), (promise,))
        cut = [Case(300, 0, dice, share=0.05 + 0.9 * n / 20) for n in range(20)]
        rest, all_of_it = completed(cut, count)
    ending = Table(
        title=f"To complete one answer of 300 records, cut off between 5 % and 95 %, in {unit}",
        columns=("way", f"output {unit}"),
        rows=(("extractify, continued", rest), ("the whole again", all_of_it)),
    )
    tables = (whole, by_errors(spent, unit), ending)
    return Part(tables, (promise,), headlines(spent, unit))


def headlines(spent: Spent, unit: str) -> tuple[str, ...]:
    told = []
    for name, each in spent.items():
        of_size = [mended for mended in each if mended.case.records == PROMISED_FROM]
        written = mean(mended.written for mended in of_size)
        money = mean(mended.money for mended in of_size) * 1000
        told.append(f"{name} {shown(written)} output {unit} and {shown(money)} for 1,000 answers")
    line = (
        f"To mend an answer of {PROMISED_FROM} records with 1 to 8 mistakes: {'; '.join(told)} (at "
        f"{PRICES.input:.2f} and {PRICES.output:.2f} for a million tokens in and out)."
    )
    return (line,)
