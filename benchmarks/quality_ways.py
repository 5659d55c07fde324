"""Ways to have one model read one document, each used as its documentation says.

All ask the same server for the same target, at temperature 0 and with the same bound on the tokens
of an answer. What the server says it was asked and wrote is added up over all turns.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import httpx
from pydantic import BaseModel, Field, ValidationError, create_model

import extractify
from extractify import Client, ExtractionError, Numbers, Parameters, Task
from extractify.folding import fold
from extractify.notations.dates import _whole_dates
from extractify.notations.figures import readings

if TYPE_CHECKING:
    from extractify.messages import Attempt

MOST_TOKENS = 200
PATIENCE = 120.0  # seconds for an answer
COPIED = "copied as it is written"
ASKED = "Extract the data from this document:\n\n"


@dataclass(frozen=True, slots=True)
class Spent:
    """What the server said, over all turns; seconds by the clock."""

    turns: int = 0
    prompt: int = 0
    written: int = 0
    seconds: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.turns + other.turns,
            self.prompt + other.prompt,
            self.written + other.written,
            self.seconds + other.seconds,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """The value, None where there is none that is valid. first: what the first turn alone gave."""

    value: BaseModel | None
    spent: Spent
    first: Outcome | None = None


Way: TypeAlias = Callable[[type[BaseModel], str], Outcome]


@dataclass(slots=True)
class Tally:
    """Adds up what the server says of each answer, seen by the HTTP client below a library."""

    spent: Spent = field(default_factory=Spent)
    fault: str = ""

    def took(self, response: httpx.Response) -> None:
        self._add(response.status_code, response.read())

    async def took_later(self, response: httpx.Response) -> None:
        self._add(response.status_code, await response.aread())

    def _add(self, status: int, body: bytes) -> None:
        if status != httpx.codes.OK:
            self.fault = f"the server answered {status}: {body[:300]!r}"
            return
        usage = json.loads(body)["usage"]
        self.spent += Spent(1, usage["prompt_tokens"], usage["completion_tokens"])


def timed(tally: Tally, work: Callable[[], BaseModel | None]) -> Outcome:
    """Do the work. Raises: RuntimeError where the server failed: that is no invalid answer."""
    tally.spent = Spent()
    started = time.perf_counter()
    value = work()
    if tally.fault:
        raise RuntimeError(tally.fault)
    return Outcome(value, replace(tally.spent, seconds=time.perf_counter() - started))


# --- extractify ---------------------------------------------------------------------------------


def ours(client: Client, structure: Literal["native", "prompt"] | None = None) -> Way:
    """As it comes: three turns at most."""
    parameters = Parameters(structure=structure)

    def way(target: type[BaseModel], text: str) -> Outcome:
        task: Task[Any] = Task(
            target, temperature=0.0, max_tokens=MOST_TOKENS, parameters=parameters
        )
        value: BaseModel | None = None
        try:
            extraction = client.extract(task, text)
            attempts, value = extraction.attempts, extraction.value
        except ExtractionError as error:
            attempts = error.attempts
        first = value if len(attempts) == 1 else None
        return Outcome(value, _sum(attempts), Outcome(first, _sum(attempts[:1])))

    return way


def _sum(attempts: Iterable[Attempt]) -> Spent:
    spent = Spent()
    for each in attempts:
        usage = each.completion.usage
        told = Spent(1, usage.prompt_tokens or 0, usage.completion_tokens or 0, each.seconds)
        spent += told
    return spent


def reworded(client: Client, http: httpx.Client, edit: Callable[[str], str]) -> Way:
    """The first turn alone, with another system message."""
    tally = Tally()
    http.event_hooks["response"].append(tally.took)

    def way(target: type[BaseModel], text: str) -> Outcome:
        task: Task[Any] = Task(target, temperature=0.0, max_tokens=MOST_TOKENS)
        request = client.build_request(task, text)
        body = json.loads(json.dumps(request.body))
        system = body["messages"][0]
        system["content"] = edit(system["content"])
        return timed(tally, lambda: _read(http.post(request.url, json=body), target))

    return way


def _read(response: httpx.Response, target: type[BaseModel]) -> BaseModel | None:
    choice = response.json()["choices"][0]
    reading = extractify.read(choice["message"]["content"], target)
    whole = choice["finish_reason"] != "length"
    return reading.value if reading.ok and whole else None


def without_type(system: str) -> str:
    """The system message without the type of the answer."""
    before, _, after = system.partition(" of this type, nothing else:")
    return f"{before}, nothing else.\n{after[after.rindex('}') + 1 :].strip()}"


def without_formats(system: str) -> str:
    """The system message without the rules on how numbers and dates are written."""
    return re.sub(r"Numbers: .+? Dates: YYYY-MM-DD\. ", "", system)


# --- numbers and dates as they are written ------------------------------------------------------

_NUMERAL = re.compile(r"[0-9](?:[0-9.,' ]*[0-9])?")
_SCALE = re.compile(r" ?(k|thousand|million|billion|trillion)\b")


def verbatim(asking: Way) -> Way:
    """Ask for numbers and dates as they are written, and convert them here."""

    def way(target: type[BaseModel], text: str) -> Outcome:
        outcome = asking(copied(target), text)
        return replace(outcome, value=converted(outcome.value, target))

    return way


@cache
def copied(target: type[BaseModel]) -> type[BaseModel]:
    """The target, with strings in the place of numbers and dates."""
    fields: dict[str, Any] = {}
    for name, info in target.model_fields.items():
        if info.annotation in {Decimal, date}:
            fields[name] = (str, Field(description=COPIED))
        elif info.annotation == int | None:
            fields[name] = (str | None, Field(None, description=COPIED))
        else:
            fields[name] = (info.annotation, info)
    return create_model(target.__name__, **fields)


def converted(value: BaseModel | None, target: type[BaseModel]) -> BaseModel | None:
    """What was copied, as the target wants it; None where that can't be told."""
    if value is None:
        return None
    told = dict(value)
    for name, info in target.model_fields.items():
        if isinstance(told[name], str) and info.annotation is date:
            told[name] = day(told[name])
        elif isinstance(told[name], str) and info.annotation in {Decimal, int | None}:
            told[name] = number(told[name])
    try:
        return target.model_validate(told)
    except ValidationError:
        return None


def number(text: str) -> Decimal | None:
    """The one number in a few words."""
    folded = fold(text)
    found = list(_NUMERAL.finditer(folded))
    if len(found) != 1:
        return None
    numeral, scale = found[0].group(), _SCALE.match(folded, found[0].end())
    plain = Numbers(words=True).read(f"{numeral} {scale[1]}" if scale else numeral)
    meant = {Decimal(str(plain))} if plain is not None else readings(numeral)
    return next(iter(meant)) if len(meant) == 1 else None


def day(text: str) -> date | None:
    """The one day that a few words say, whatever the notation."""
    days = {each for _, _, said in _whole_dates(fold(text)) for each in said}
    return date(*days.pop()) if len(days) == 1 else None


# --- the peers ----------------------------------------------------------------------------------


def instructors(url: str, model: str, mode: str) -> Way:
    """`from_openai` and a mode, its retries as they come."""
    import instructor
    import openai
    from instructor.core.exceptions import InstructorError

    logging.getLogger("instructor").setLevel(logging.CRITICAL)  # it tells each failure at length
    tally = Tally()
    http = httpx.Client(event_hooks={"response": [tally.took]}, timeout=PATIENCE)
    client = instructor.from_openai(
        openai.OpenAI(base_url=url, api_key="-", http_client=http, max_retries=0),
        mode=instructor.Mode[mode],
    )

    def way(target: type[BaseModel], text: str) -> Outcome:
        def work() -> BaseModel | None:
            try:
                found: BaseModel = client.chat.completions.create(
                    model=model,
                    response_model=target,
                    messages=[{"role": "user", "content": ASKED + text}],
                    temperature=0.0,
                    max_tokens=MOST_TOKENS,
                )
            except InstructorError:
                return None
            return target.model_validate(found.model_dump())  # it is of a subclass

        return timed(tally, work)

    return way


def pydantic_ais(url: str, model: str, output: str) -> Way:
    """An agent with an output mode, its retries as they come."""
    import httpx2
    import pydantic_ai
    from pydantic_ai.exceptions import UnexpectedModelBehavior
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider
    from pydantic_ai.settings import ModelSettings

    tally = Tally()
    http = httpx2.AsyncClient(event_hooks={"response": [tally.took_later]}, timeout=PATIENCE)
    chat = OpenAIChatModel(
        model, provider=OpenAIProvider(base_url=url, api_key="-", http_client=http)
    )
    wrapped = getattr(pydantic_ai, output)
    settings = ModelSettings(temperature=0.0, max_tokens=MOST_TOKENS)

    def way(target: type[BaseModel], text: str) -> Outcome:
        agent = pydantic_ai.Agent(chat, output_type=wrapped(target), model_settings=settings)

        def work() -> BaseModel | None:
            try:
                found: BaseModel = agent.run_sync(ASKED + text).output
            except UnexpectedModelBehavior:
                return None
            return found

        return timed(tally, work)

    return way
