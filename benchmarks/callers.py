"""How each library asks for the same invoice: as its own documentation shows.

A caller is opened on the URL of a server, and then called. Each imports its library where it is
opened, so that a process pays for no other.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from invoices import DOCUMENT, Invoice
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping


MODEL, KEY = "m", "none"
INSTRUCTION = "Extract the invoice."
MESSAGES = [
    {"role": "system", "content": INSTRUCTION},
    {"role": "user", "content": DOCUMENT},
]
KEPT = 1024  # idle connections: as many as are ever in flight, for every library


@dataclass(frozen=True, slots=True)
class Caller:
    """A library in one of its modes.

    needs: the module without which there is none. imports: what a script imports that declares a
    model and makes a call. path: of the server, which tells what it answers.
    """

    needs: str
    imports: str
    path: str
    opened: Callable[[str], AbstractContextManager[Callable[[], BaseModel]]]

    def there(self) -> bool:
        return find_spec(self.needs) is not None


@dataclass(frozen=True, slots=True)
class AsyncCaller:
    needs: str
    path: str
    opened: Callable[[str], AbstractAsyncContextManager[Callable[[], Awaitable[BaseModel]]]]

    def there(self) -> bool:
        return find_spec(self.needs) is not None


# --- bare ------------------------------------------------------------------------------------


def by_hand() -> dict[str, Any]:
    """A request as one writes it without a library."""
    form = {"name": "Invoice", "schema": Invoice.model_json_schema()}
    return {
        "model": MODEL,
        "messages": MESSAGES,
        "response_format": {"type": "json_schema", "json_schema": form},
    }


def as_ours(url: str) -> dict[str, Any]:
    """The request that extractify writes."""
    from extractify import Client

    return dict(Client(_endpoint(url)).build_request(Invoice, DOCUMENT).body)


def read(content: bytes) -> Invoice:
    """The least: no checks, no attempts kept."""
    text = json.loads(content)["choices"][0]["message"]["content"]
    return Invoice.model_validate(json.loads(text))


@contextmanager
def bare(url: str, body: Mapping[str, Any] | None = None) -> Iterator[Callable[[], Invoice]]:
    import httpx

    body = body or by_hand()
    with httpx.Client() as http:
        yield lambda: read(http.post(f"{url}/chat/completions", json=body).content)


@asynccontextmanager
async def bare_aiohttp(url: str) -> AsyncIterator[Callable[[], Awaitable[Invoice]]]:
    import aiohttp

    body = json.dumps(as_ours(url)).encode()
    headers = {"content-type": "application/json"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def call() -> Invoice:
            posted = session.post(f"{url}/chat/completions", data=body, headers=headers)
            async with posted as response:
                return read(await response.read())

        yield call


# --- extractify ------------------------------------------------------------------------------


def _endpoint(url: str, **options: Any) -> Any:  # noqa: ANN401  (imported where it is used)
    from extractify import Endpoint

    return Endpoint(url=url, model=MODEL, **options)


@contextmanager
def extractify(url: str, **options: str) -> Iterator[Callable[[], Invoice]]:
    from extractify import Client, Limits

    limits = Limits(connections=None, kept=KEPT)
    with Client(_endpoint(url, **options), limits=limits) as client:
        yield lambda: client.extract(Invoice, DOCUMENT).value


@asynccontextmanager
async def async_extractify(
    url: str, *, uses_aiohttp: bool
) -> AsyncIterator[Callable[[], Awaitable[Invoice]]]:
    from extractify import AsyncClient, Limits

    limits = Limits(connections=None, kept=KEPT, aiohttp=uses_aiohttp)
    async with AsyncClient(_endpoint(url), limits=limits) as client:

        async def call() -> Invoice:
            return (await client.extract(Invoice, DOCUMENT)).value

        yield call


# --- openai: https://github.com/openai/openai-python#structured-outputs ----------------------


@contextmanager
def openai(url: str) -> Iterator[Callable[[], BaseModel]]:
    from openai import OpenAI

    with OpenAI(base_url=url, api_key=KEY) as client:

        def call() -> BaseModel:
            completion = client.chat.completions.parse(
                model=MODEL, messages=MESSAGES, response_format=Invoice
            )
            parsed: BaseModel = completion.choices[0].message.parsed
            return parsed

        yield call


@asynccontextmanager
async def async_openai(
    url: str, *, uses_aiohttp: bool = False
) -> AsyncIterator[Callable[[], Awaitable[BaseModel]]]:
    async with _many(url, uses_aiohttp=uses_aiohttp) as client:

        async def call() -> BaseModel:
            completion = await client.chat.completions.parse(
                model=MODEL, messages=MESSAGES, response_format=Invoice
            )
            parsed: BaseModel = completion.choices[0].message.parsed
            return parsed

        yield call


def _many(url: str, *, uses_aiohttp: bool = False) -> Any:  # noqa: ANN401  (may be missing)
    """A client that keeps as many connections as the others do; instructor and pydantic-ai too."""
    import httpx2
    from openai import AsyncOpenAI, DefaultAioHttpClient, DefaultAsyncHttpxClient

    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=KEPT)
    http = (DefaultAioHttpClient if uses_aiohttp else DefaultAsyncHttpxClient)(limits=limits)
    return AsyncOpenAI(base_url=url, api_key=KEY, http_client=http)


# --- instructor: https://python.useinstructor.com/integrations/openai/ -----------------------


@contextmanager
def instructor(url: str, mode: str) -> Iterator[Callable[[], BaseModel]]:
    from instructor import Mode, from_openai
    from openai import OpenAI

    with OpenAI(base_url=url, api_key=KEY) as openai:
        client = from_openai(openai, mode=Mode[mode])

        def call() -> BaseModel:
            value: BaseModel = client.create(model=MODEL, messages=MESSAGES, response_model=Invoice)
            return value

        yield call


@asynccontextmanager
async def async_instructor(
    url: str, mode: str
) -> AsyncIterator[Callable[[], Awaitable[BaseModel]]]:
    from instructor import Mode, from_openai

    async with _many(url) as openai:
        client = from_openai(openai, mode=Mode[mode])

        async def call() -> BaseModel:
            value: BaseModel = await client.create(
                model=MODEL, messages=MESSAGES, response_model=Invoice
            )
            return value

        yield call


# --- pydantic-ai: https://ai.pydantic.dev/models/openai/ and https://ai.pydantic.dev/output/ --


@contextmanager
def pydantic_ai(url: str, output: str) -> Iterator[Callable[[], BaseModel]]:
    from pydantic_ai.providers.openai import OpenAIProvider

    agent = _agent(OpenAIProvider(base_url=url, api_key=KEY), output)

    def call() -> BaseModel:
        value: BaseModel = agent.run_sync(DOCUMENT).output
        return value

    yield call


@asynccontextmanager
async def async_pydantic_ai(
    url: str, output: str
) -> AsyncIterator[Callable[[], Awaitable[BaseModel]]]:
    from pydantic_ai.providers.openai import OpenAIProvider

    async with _many(url) as openai:
        agent = _agent(OpenAIProvider(openai_client=openai), output)

        async def call() -> BaseModel:
            value: BaseModel = (await agent.run(DOCUMENT)).output
            return value

        yield call


def _agent(provider: object, output: str) -> Any:  # noqa: ANN401  (may be missing)
    import pydantic_ai
    from pydantic_ai.models.openai import OpenAIChatModel

    return pydantic_ai.Agent(
        OpenAIChatModel(MODEL, provider=provider),
        output_type=getattr(pydantic_ai, output)(Invoice),
        instructions=INSTRUCTION,
    )


# --- all -------------------------------------------------------------------------------------

_MODEL = "from pydantic import BaseModel"
_OURS = f"{_MODEL}; from extractify import Client, Endpoint"
_OPENAI = f"{_MODEL}; from openai import OpenAI"
_INSTRUCTOR = f"{_OPENAI}; import instructor"
_PYDANTIC_AI = (
    f"{_MODEL}; from pydantic_ai import Agent, NativeOutput, ToolOutput; "
    "from pydantic_ai.models.openai import OpenAIChatModel; "
    "from pydantic_ai.providers.openai import OpenAIProvider"
)

CALLERS = {
    "bare httpx": Caller("httpx", f"import json; {_MODEL}; import httpx", "/v1", bare),
    "extractify": Caller("extractify", _OURS, "/v1", extractify),
    "extractify, m2.7": Caller(
        "extractify",
        _OURS,
        "/enveloped",
        partial(extractify, dialect="workers_ai", profile="m2.7"),
    ),
    "openai": Caller("openai", _OPENAI, "/v1", openai),
    "instructor, JSON_SCHEMA": Caller(
        "instructor", _INSTRUCTOR, "/v1", partial(instructor, mode="JSON_SCHEMA")
    ),
    "instructor, TOOLS": Caller(
        "instructor", _INSTRUCTOR, "/tool/Invoice/v1", partial(instructor, mode="TOOLS")
    ),
    "pydantic-ai, NativeOutput": Caller(
        "pydantic_ai", _PYDANTIC_AI, "/v1", partial(pydantic_ai, output="NativeOutput")
    ),
    "pydantic-ai, ToolOutput": Caller(
        "pydantic_ai",
        _PYDANTIC_AI,
        "/tool/final_result/v1",
        partial(pydantic_ai, output="ToolOutput"),
    ),
}

ASYNC_CALLERS = {
    "bare aiohttp": AsyncCaller("aiohttp", "/v1", bare_aiohttp),
    "extractify": AsyncCaller("extractify", "/v1", partial(async_extractify, uses_aiohttp=True)),
    "extractify, base": AsyncCaller(
        "extractify", "/v1", partial(async_extractify, uses_aiohttp=False)
    ),
    "openai": AsyncCaller("openai", "/v1", async_openai),
    "openai, aiohttp": AsyncCaller("openai", "/v1", partial(async_openai, uses_aiohttp=True)),
    "instructor": AsyncCaller("instructor", "/v1", partial(async_instructor, mode="JSON_SCHEMA")),
    "pydantic-ai": AsyncCaller(
        "pydantic_ai", "/v1", partial(async_pydantic_ai, output="NativeOutput")
    ),
}
