"""Typed data out of text with language models, with nothing lost.

Declare a pydantic model; `Client.extract` asks a chat-completions endpoint for it, reads and
validates the answer, sends back what is wrong, and returns a valid value or raises an error that
carries all that was seen.
"""

from extractify.client import AsyncClient, Client, extract
from extractify.documents import Document
from extractify.endpoints import Endpoint
from extractify.errors import (
    AuthenticationError,
    ConfigurationError,
    ContentBlocked,
    ContextTooLong,
    DocumentError,
    EndpointError,
    ExtractifyError,
    ExtractionError,
    InvalidRequest,
    InvalidResponse,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    Refused,
    SchemaError,
    TransportError,
    Truncated,
)
from extractify.extraction import Extraction
from extractify.messages import Attempt, Completion, Fix, Message, Problem, Request, Usage
from extractify.profiles import Profile
from extractify.reading import Reading, read
from extractify.task import Repair, Task
from extractify.transport import Retry

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "Attempt",
    "AuthenticationError",
    "Client",
    "Completion",
    "ConfigurationError",
    "ContentBlocked",
    "ContextTooLong",
    "Document",
    "DocumentError",
    "Endpoint",
    "EndpointError",
    "ExtractifyError",
    "Extraction",
    "ExtractionError",
    "Fix",
    "InvalidRequest",
    "InvalidResponse",
    "Message",
    "Overloaded",
    "Problem",
    "Profile",
    "QuotaExceeded",
    "RateLimited",
    "Reading",
    "Refused",
    "Repair",
    "Request",
    "Retry",
    "SchemaError",
    "Task",
    "TransportError",
    "Truncated",
    "Usage",
    "extract",
    "read",
]
