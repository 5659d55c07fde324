"""A service that fills in forms from texts.

    POST /forms/{name}   text/plain, or application/json: any document
                         → application/json, or, if the client accepts text/event-stream, the form
                           as it fills: events `partial`, and one `result` or `error` at the end
    GET /forms           the forms, as JSON Schemas
    GET /ready, /live    for whoever watches over it
    GET /                a page that shows a form filling itself

`python -m service --help` in `examples/` runs it. It knows nobody: who may ask is the business of
what stands before it.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from extractify import AsyncClient, ExtractifyError, Retry

from .arriving import document, while_connected
from .filling import Service, Settings, as_json
from .forms import FORMS, Form
from .gate import Full, Gate
from .statuses import PAUSE, Told, told

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from starlette.types import Receive, Scope, Send

PAGE = Path(__file__).with_name("page.html")
NOBODY_LISTENS = 499  # nginx's word in its log: it reaches nobody
FULL = Told(429, {"error": "Full", "message": "All places are taken. Come back soon."}, PAUSE)
routes = APIRouter()


class Events(StreamingResponse):
    """Server-sent events, whose source ends with the connection, or when its time is over.

    seconds: for all of it to be sent: a client that doesn't read would hold its slot for ever.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes], seconds: float) -> None:
        super().__init__(events, headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        source = cast("AsyncGenerator[bytes]", self.body_iterator)
        with suppress(TimeoutError):
            async with asyncio.timeout(self.seconds), aclosing(source):
                await super().__call__(scope, receive, send)


def create(settings: Settings) -> FastAPI:
    """The application, as `uvicorn.run` takes it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        retry = Retry(deadline=settings.seconds)
        async with AsyncClient(settings.endpoint, retry=retry) as client:
            gate = Gate(settings.running, settings.waiting)
            app.state.service = Service(settings, client, gate)
            yield

    app = FastAPI(title="Forms", lifespan=lifespan)
    app.include_router(routes)
    for kind in (ExtractifyError, TimeoutError):
        app.add_exception_handler(kind, lambda _request, error: answer(told(error)))
    app.add_exception_handler(HTTPException, lambda _request, error: answer(refused(error)))
    app.add_exception_handler(Full, lambda _request, _error: answer(FULL))
    app.add_exception_handler(ClientDisconnect, lambda *_: Response(status_code=NOBODY_LISTENS))
    return app


def service(request: Request) -> Service:
    return cast("Service", request.app.state.service)


Shared = Annotated[Service, Depends(service)]


async def place(shared: Shared) -> AsyncIterator[None]:
    with shared.gate.place():  # until the last byte is sent, of a stream too
        yield


def chosen(name: str) -> Form:
    if name not in FORMS:
        raise HTTPException(404, f"There is no such form. There is: {', '.join(FORMS)}.")
    return FORMS[name]


@routes.post("/forms/{name}", dependencies=[Depends(place)])
async def fill(
    form: Annotated[Form, Depends(chosen)], shared: Shared, request: Request
) -> Response:
    settings = shared.settings
    text = await document(request, settings.size, settings.upload)
    if "text/event-stream" in request.headers.get("accept", ""):
        # The extraction has its own limit, which is told in the last event.
        return Events(shared.filling(form, text), settings.seconds + settings.upload)
    return answer(Told(200, await while_connected(request, shared.filled(form, text))))


@routes.get("/forms")
async def forms() -> dict[str, Any]:
    return {name: {"schema": form.schema, "example": form.example} for name, form in FORMS.items()}


@routes.get("/live")
async def live() -> Response:
    return Response("alive")


@routes.get("/ready")
async def ready(shared: Shared) -> Response:
    return Response("draining", 503) if shared.draining else Response("ready")


@routes.get("/")
async def page() -> FileResponse:
    return FileResponse(PAGE)


def refused(error: Exception) -> Told:
    status = HTTPStatus(cast("HTTPException", error).status_code)
    return Told(status, {"error": status.phrase, "message": cast("HTTPException", error).detail})


def answer(said: Told) -> Response:
    headers = {} if said.pause is None else {"retry-after": f"{said.pause:.0f}"}
    return Response(as_json(said.body), said.status, headers, media_type="application/json")
