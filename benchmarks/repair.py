"""What mending an answer costs in output tokens and turns, beside the peers on the same script.

200 broken answers (5, 50 and 300 records, 1 to 8 wrong leaves) meet a scripted model that returns
exactly what it is asked for: the broken answer first, then the values that a patch asks for, or the
whole corrected. 20 more answers are cut off in the middle; what completes them is compared to the
whole again, which is the least that a client without a way to continue can ask for. Tokens are
counted by the embedded model's own tokenizer. instructor and pydantic-ai are used as their
documentation on JSON schemas and retries says, where they are installed; they are no dependency.
Exits with 1 where the promise is broken: from 50 records on, at most 5 % of asking for the whole
again.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import threading
from contextlib import contextmanager
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from statistics import mean
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import BaseModel, Field

from extractify import Client, Endpoint, Repair, Task
from extractify.local import LocalModel, LocalServer
from extractify.nodes import at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHARE = 0.05
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
    """The scripted model: what it has written for the case at hand, and in how many turns."""

    def __init__(self, cases: list[Case]) -> None:
        self.cases = cases
        self.written: list[str] = []

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

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            text, reason = script.answer(body)
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "message": message, "finish_reason": reason}
            head = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
            reply = json.dumps({**head, "choices": [choice]}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_arguments: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


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


Spent = dict[str, dict[int, list[tuple[int, int]]]]
"""By way and size of the answer: tokens and turns of each case."""


def measured(cases: list[Case], count: Callable[[str], int]) -> Spent:
    script = Script(cases)
    ways = {"extractify": ours}
    if find_spec("instructor"):
        ways["instructor"] = instructors
    if find_spec("pydantic_ai"):
        ways["pydantic-ai"] = pydantic_ais
    spent: Spent = {name: {size: [] for size in SIZES} for name in [*ways, "the whole again"]}
    with served(script) as base:
        for name, way in ways.items():
            extract = way(base)
            for number, case in enumerate(cases):
                script.written.clear()
                if extract(f"The orders of case-{number}.") != case.right:
                    sys.exit(f"{name} got case {number} wrong")
                mended = script.written[1:]
                spent[name][case.records].append((sum(map(count, mended)), len(mended)))
    for case in cases:
        spent["the whole again"][case.records].append((count(json.dumps(case.right)), 1))
    return spent


def completed(cases: list[Case], count: Callable[[str], int]) -> tuple[float, float]:
    """Mean tokens that complete an answer that was cut off, and of the whole again."""
    script = Script(cases)
    tokens = []
    with served(script) as base:
        extract = ours(base)
        for number, case in enumerate(cases):
            script.written.clear()
            if extract(f"The orders of case-{number}.") != case.right:
                sys.exit(f"case {number} was completed wrongly")
            tokens.append(sum(map(count, script.written[1:])))
    return mean(tokens), mean(count(json.dumps(case.right)) for case in cases)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=float, default=1.0, help="share of the 200 answers")
    options = parser.parse_args()
    dice = random.Random(2041)  # noqa: S311  (data, no secrets)
    cases = [
        Case(records, 1 + n % 8, dice)
        for records, count in SIZES.items()
        for n in range(max(1, int(count * options.cases)))
    ]
    with LocalServer(LocalModel.find("smollm2")) as model, httpx.Client(timeout=60) as http:
        address = model.url.removesuffix("/v1") + "/tokenize"

        def count(text: str) -> int:
            return len(http.post(address, json={"content": text}).json()["tokens"])

        spent = measured(cases, count)
        cut = [Case(300, 0, dice, share=0.05 + 0.9 * n / 20) for n in range(20)]
        rest, whole = completed(cut, count)
    print(f"{len(cases)} broken answers; mean output tokens and turns to mend one")
    shares = []
    for size in SIZES:
        print(f"  {size} records")
        again = mean(tokens for tokens, _ in spent["the whole again"][size])
        for name, sizes in spent.items():
            tokens, turns = (mean(column) for column in zip(*sizes[size], strict=True))
            print(f"    {name:<16} {tokens:8.0f} tokens {tokens / again:7.1%} {turns:5.1f} turns")
            if name == "extractify" and size >= PROMISED_FROM:
                shares.append(tokens / again)
    print(f"  {len(cut)} answers of 300 records, cut off between 5 % and 95 %")
    print(f"    continued {rest:.0f} tokens, {rest / whole:.1%} of the whole again")
    print(
        f"promise: at most {SHARE:.0%} from {PROMISED_FROM} records on; measured {max(shares):.1%}"
    )
    return int(max(shares) > SHARE)


if __name__ == "__main__":
    sys.exit(main())
