"""Typed data out of text with language models, with nothing lost.

Declare a pydantic model; `Client.extract` asks a chat-completions endpoint for it, reads and
validates the answer, sends back what is wrong, and returns a valid value or raises an error that
carries all that was seen.

The names are loaded when they are first asked for, so that a program pays for what it uses.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractify.client import AsyncClient, Client, extract
    from extractify.coercion import Numbers
    from extractify.documents import Document
    from extractify.endpoints import Endpoint
    from extractify.entries import Entry
    from extractify.errors import (
        AuthenticationError,
        ConfigurationError,
        ContentBlocked,
        ContextTooLong,
        DocumentError,
        EndpointError,
        ExtractifyError,
        ExtractionError,
        Invalid,
        InvalidRequest,
        InvalidResponse,
        JournalError,
        OutputError,
        Overloaded,
        QuotaExceeded,
        RateLimited,
        Refused,
        SchemaError,
        TransportError,
        Truncated,
    )
    from extractify.evidence import Evidence, Span
    from extractify.extraction import Extraction
    from extractify.frames import extract_column
    from extractify.gateway import Gateway
    from extractify.grounding import ground
    from extractify.holds import Hold, with_state
    from extractify.limits import Limits
    from extractify.markers import Aliases, Grounding, Quote
    from extractify.messages import (
        Attempt,
        Completion,
        Fix,
        Image,
        Message,
        Parameters,
        Prices,
        Problem,
        Request,
        Tool,
        ToolCall,
        Usage,
    )
    from extractify.pace import Pace
    from extractify.partials import Partial
    from extractify.plans import Budget, Plan, Progress, Report
    from extractify.profiles import Profile
    from extractify.reading import Reading, read
    from extractify.repair import Repair
    from extractify.retrying import Retry
    from extractify.streams import AsyncItems, AsyncStream, Items, Stream
    from extractify.task import Task

__version__ = "0.1.0"

__all__ = [
    "Aliases",
    "AsyncClient",
    "AsyncItems",
    "AsyncStream",
    "Attempt",
    "AuthenticationError",
    "Budget",
    "Client",
    "Completion",
    "ConfigurationError",
    "ContentBlocked",
    "ContextTooLong",
    "Document",
    "DocumentError",
    "Endpoint",
    "EndpointError",
    "Entry",
    "Evidence",
    "ExtractifyError",
    "Extraction",
    "ExtractionError",
    "Fix",
    "Gateway",
    "Grounding",
    "Hold",
    "Image",
    "Invalid",
    "InvalidRequest",
    "InvalidResponse",
    "Items",
    "JournalError",
    "Limits",
    "Message",
    "Numbers",
    "OutputError",
    "Overloaded",
    "Pace",
    "Parameters",
    "Partial",
    "Plan",
    "Prices",
    "Problem",
    "Profile",
    "Progress",
    "QuotaExceeded",
    "Quote",
    "RateLimited",
    "Reading",
    "Refused",
    "Repair",
    "Report",
    "Request",
    "Retry",
    "SchemaError",
    "Span",
    "Stream",
    "Task",
    "Tool",
    "ToolCall",
    "TransportError",
    "Truncated",
    "Usage",
    "extract",
    "extract_column",
    "ground",
    "read",
    "with_state",
]

# Where each name is defined; the errors have one module.
_HOMES = {
    "client": "AsyncClient Client extract",
    "coercion": "Numbers",
    "documents": "Document",
    "entries": "Entry",
    "endpoints": "Endpoint",
    "evidence": "Evidence Span",
    "frames": "extract_column",
    "extraction": "Extraction",
    "gateway": "Gateway",
    "grounding": "ground",
    "limits": "Limits",
    "markers": "Aliases Grounding Quote",
    "messages": (
        "Attempt Completion Fix Image Message Parameters Prices Problem Request Tool ToolCall Usage"
    ),
    "holds": "Hold with_state",
    "pace": "Pace",
    "partials": "Partial",
    "plans": "Budget Plan Progress Report",
    "profiles": "Profile",
    "reading": "Reading read",
    "repair": "Repair",
    "retrying": "Retry",
    "streams": "AsyncItems AsyncStream Items Stream",
    "task": "Task",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


if not TYPE_CHECKING:  # for a type checker every name would exist

    def __getattr__(name: str) -> object:
        """Load a public name from the module that defines it."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = import_module(f"{__name__}.{_HOME_OF.get(name, 'errors')}")
        value = globals()[name] = getattr(home, name)
        return value


def __dir__() -> list[str]:
    """The public names, also those not yet loaded."""
    return [*__all__, "__version__"]
