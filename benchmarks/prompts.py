"""What says the target to the model: tokens of each library's first request, but for the document.

Each library asks a loopback server, which keeps the body: the texts of the messages without the
document, and `response_format`, `tools` and `tool_choice` as compact JSON. Tokens are counted by
the embedded model's own tokenizer (bytes, where its engine isn't there). extractify shows the
target in the prompt in a notation of its own, and sends the JSON Schema beside it where the
endpoint's profile has a use for it. The peers are used as their documentation says: instructor's
[modes](https://python.useinstructor.com/modes-comparison/) `TOOLS`, its default, and `JSON_SCHEMA`;
pydantic-ai's [tool output](https://ai.pydantic.dev/output/#tool-output), its default, and
[native output](https://ai.pydantic.dev/output/#native-output); openai's
[`parse`](https://github.com/openai/openai-python/blob/main/helpers.md). What costs few tokens may
say little: whether the answers are right is measured under Quality.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

import loopback
from measured import Cell, Chart, Part, Promise, Table
from prompt_models import FIELDS, models
from report import shown
from tokens import counting

from extractify import Client, Endpoint, ExtractifyError
from extractify.notation import notation
from extractify.profiles import PROFILES
from extractify.schema import compile_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import BaseModel

    from extractify.profiles import Profile

MOST = 0.45
SHOWN = ("Measurement", "Product", "Payment", "Invoice", "Contract")
DOCUMENT = "The document, which says it all."
Count: TypeAlias = "Callable[[str], int]"
Ask: TypeAlias = "Callable[[str, type[BaseModel]], object]"
"""Sends the request for a model to a base URL; whatever is answered."""


@contextmanager
def kept() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that keeps the bodies of requests and refuses them; its base URL, and the bodies."""
    bodies: list[dict[str, Any]] = []

    class Answering(loopback.Handler):
        def answer(self) -> None:
            bodies.append(self.body())
            self.reply({"error": {"message": "kept"}}, 400)

    with loopback.served(Answering) as base:
        yield base, bodies


def ask_ours(base: str, model: type[BaseModel], profile: Profile) -> None:
    with Client(Endpoint(url=base, model="m", profile=profile)) as client:
        client.extract(model, DOCUMENT)


def ask_instructor(base: str, model: type[BaseModel], mode: str) -> None:
    import instructor
    import openai

    plain = openai.OpenAI(base_url=base, api_key="-")
    client = instructor.from_openai(plain, mode=instructor.Mode[mode])
    messages = [{"role": "user", "content": DOCUMENT}]
    client.chat.completions.create(
        model="m", response_model=model, messages=messages, max_retries=0
    )


def ask_pydantic_ai(base: str, model: type[BaseModel], output: str) -> None:
    import pydantic_ai
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    asked = OpenAIChatModel("m", provider=OpenAIProvider(base_url=base, api_key="-"))
    target = getattr(pydantic_ai, output)(model)
    pydantic_ai.Agent(asked, output_type=target).run_sync(DOCUMENT)


def ask_openai(base: str, model: type[BaseModel]) -> None:
    import openai

    openai.OpenAI(base_url=base, api_key="-").chat.completions.parse(
        model="m", messages=[{"role": "user", "content": DOCUMENT}], response_format=model
    )


def ways() -> dict[str, Ask]:
    unseen = replace(PROFILES["full"], native=False)
    found: dict[str, Ask] = {"extractify, prompt alone": partial(ask_ours, profile=unseen)}
    for name in ("full", "m2.7", "openai-strict", "anthropic"):
        found[f"extractify, {name}"] = partial(ask_ours, profile=PROFILES[name])
    if find_spec("instructor"):
        for mode in ("TOOLS", "JSON_SCHEMA"):
            found[f"instructor, {mode}"] = partial(ask_instructor, mode=mode)
    if find_spec("pydantic_ai"):
        for output in ("ToolOutput", "NativeOutput"):
            found[f"pydantic-ai, {output}"] = partial(ask_pydantic_ai, output=output)
    if find_spec("openai"):
        found["openai, parse"] = ask_openai
    return found


def failures() -> tuple[type[Exception], ...]:
    """How the clients say that they were refused."""
    found: list[type[Exception]] = [ExtractifyError]
    if find_spec("openai"):
        import openai

        found.append(openai.OpenAIError)
    if find_spec("instructor"):
        from instructor.core.exceptions import InstructorError

        found.append(InstructorError)
    if find_spec("pydantic_ai"):
        from pydantic_ai.exceptions import AgentRunError

        found.append(AgentRunError)
    return tuple(found)


def said(body: dict[str, Any], count: Count) -> tuple[int, int]:
    """Of a request: what its messages take beside the document, and what is sent beside them."""
    texts = [str(message.get("content") or "") for message in body["messages"]]
    beside = {
        key: body[key] for key in ("response_format", "tools", "tool_choice") if body.get(key)
    }
    written = json.dumps(beside, separators=(",", ":"), ensure_ascii=False) if beside else ""
    return sum(count(text.replace(DOCUMENT, "")) for text in texts), count(written)


def requests(count: Count, unit: str) -> tuple[Table, Table]:
    chosen = {model.__name__: model for model in models() if model.__name__ in SHOWN}
    found: dict[str, dict[str, tuple[int, int]]] = {}
    with kept() as (base, bodies):
        for name, ask in ways().items():
            found[name] = {}
            for model in SHOWN:
                bodies.clear()
                with suppress(*failures()):
                    ask(base, chosen[model])
                if bodies:
                    found[name][model] = said(bodies[0], count)
    largest = SHOWN[-1]
    rows: list[tuple[Cell, ...]] = []
    parts: list[tuple[Cell, ...]] = []
    for name, sizes in found.items():
        rows.append((name, *(sum(sizes[each]) if each in sizes else None for each in SHOWN)))
        parts.append((name, *sizes.get(largest, (None, None))))
    whole = Table(
        title=f"What says the target, in {unit}",
        columns=("way", *SHOWN),
        rows=tuple(rows),
        note="Behind extractify stands the profile of the endpoint. Endpoints differ in whether "
        "what stands beside the messages counts as input.",
        chart=Chart("prompts", "bars", ("Invoice",), f"{unit} of the request for an Invoice"),
    )
    split = Table(
        title=f"Where it stands, for {largest}, in {unit}",
        columns=("way", "in the messages", "beside them"),
        rows=tuple(parts),
    )
    return whole, split


def compact(count: Count) -> tuple[int, int]:
    """What all notations take, and all schemas."""
    brief = asked = 0
    for model in models():
        schema = compile_schema(model)
        brief += count(notation(schema))
        whole = json.dumps(schema.asked, separators=(",", ":"), ensure_ascii=False)
        asked += count(re.sub('"format":"decimal",?', "", whole))  # which doesn't travel
    return brief, asked


def measure(*, quick: bool) -> Part:
    with counting() as (unit, count):
        brief, asked = compact(count)
        tables = () if quick else requests(count, unit)
    what = f"the compact notation of {len(FIELDS)} models, as a share of their JSON Schemas"
    promise = Promise(f"{what}, in {unit}", brief / asked, bound=MOST, wide=MOST)
    return Part(tables, (promise,), headlines(tables[0], unit) if tables else ())


def headlines(table: Table, unit: str) -> tuple[str, ...]:
    column = table.columns.index("Invoice")
    told = [f"{row[0]} {shown(row[column])}" for row in table.rows]
    return (f"{unit.capitalize()} that say the target Invoice: {', '.join(told)}.",)
