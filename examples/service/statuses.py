"""What a client is told of an error: whose fault it is, as an HTTP status, and what was wrong."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from extractify import (
    ContentBlocked,
    ContextTooLong,
    DocumentError,
    EndpointError,
    ExtractifyError,
    ExtractionError,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

# The first of an error's classes that has a row counts: wrong credentials are an EndpointError.
DOCUMENTS: Mapping[type[Exception], tuple[int, str]] = {
    DocumentError: (422, "There is nothing to read in the document."),
    ExtractionError: (422, "The document couldn't be read as this form."),
    ContentBlocked: (422, "The model doesn't read this document."),
    ContextTooLong: (413, "The document is too long."),
}
OURS: Mapping[type[Exception], int] = {
    RateLimited: 503,
    Overloaded: 503,
    QuotaExceeded: 503,
    TransportError: 503,
    EndpointError: 502,
    ExtractifyError: 500,
    TimeoutError: 504,
}
PAUSE = 5.0  # seconds until a client should come back, where nobody knows better

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Told:
    """A status, and a body for JSON. pause: seconds until the client should come back."""

    status: int
    body: dict[str, Any]
    pause: float | None = None


def told(error: Exception) -> Told:
    """What the client is told. An error's own message is for whoever runs the service: the log."""
    kind = next(kind for kind in type(error).__mro__ if kind in DOCUMENTS or kind in OURS)
    body: dict[str, Any] = {"error": type(error).__name__}
    if kind in DOCUMENTS:
        status, body["message"] = DOCUMENTS[kind]
        body["problems"] = [asdict(problem) for problem in getattr(error, "problems", ())]
        body["partial"] = getattr(error, "partial", None)
        return Told(status, body)
    _log.error("%s: %s", type(error).__name__, error)
    body["message"] = "This isn't the document's fault. The log of the service says more."
    passes = OURS[kind] == HTTPStatus.SERVICE_UNAVAILABLE
    pause = getattr(error, "retry_after", None) or PAUSE
    return Told(OURS[kind], body, pause if passes else None)
