"""Every exception of the library.

    ExtractifyError
    ├── ConfigurationError      an unknown endpoint name, a missing variable, extra or file
    ├── SchemaError             the target can't be compiled
    ├── DocumentError           the document is empty or isn't text that can travel
    ├── JournalError            what a bulk run has done can't be kept or read
    ├── OutputError             a value can't be written where the output is
    ├── TransportError          no answer: timeout, connection
    ├── EndpointError           an answer that says no: status, code, request_id, retry_after
    │   ├── AuthenticationError
    │   ├── RateLimited
    │   ├── QuotaExceeded
    │   ├── InvalidRequest
    │   │   └── ContextTooLong
    │   ├── Overloaded
    │   ├── ContentBlocked
    │   └── InvalidResponse     an answer that isn't a chat completion
    └── ExtractionError         answers came, none was valid: problems, partial
        ├── Refused
        └── Truncated

Each one pickles, carries the `attempts` made before it, and has a message that fits on a screen,
names the next step, and holds neither a secret nor a word of the document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractify.messages import Usage, clipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from extractify.messages import Attempt, JsonValue, Problem
    from extractify.rates import Rate

_SHOWN_ENDPOINT = 160


class Invalid(ValueError):
    """For validators of a target: says what is wrong, and where below the place it is raised.

    pointer: a JSON pointer such as `/lines/2/price`, relative to the value being validated; a
    repair turn then asks for that place alone.
    """

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer if pointer.startswith("/") or not pointer else f"/{pointer}"

    def __reduce__(self) -> tuple[type[Invalid], tuple[str, str]]:
        return Invalid, (self.pointer, str(self))


class ExtractifyError(Exception):
    """The root of them all.

    attempts: the finished exchanges before this error, oldest first. partial: the best value that
    was read in them, as plain data; None where nothing could be read. endpoint: who failed to
    answer, by URL and model, on a TransportError or an EndpointError; tries: how often it was asked
    the same, 0 where it wasn't, since it had failed others of a run. With a fallback, the failure
    of the endpoint before is the `__cause__`.
    """

    endpoint: str | None = None
    tries: int = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.attempts: tuple[Attempt, ...] = ()
        self.partial: JsonValue = None

    @property
    def usage(self) -> Usage:
        """What the attempts cost together; None where an endpoint didn't say."""
        return Usage.total(attempt.usage for attempt in self.attempts)

    def __str__(self) -> str:
        said = super().__str__()
        if self.endpoint is None:
            return said
        tries = f", {self.tries} tries" if self.tries > 1 else ""
        return f"{said} ({clipped(self.endpoint, _SHOWN_ENDPOINT)}{tries})"

    def __reduce__(self) -> tuple[Callable[..., ExtractifyError], tuple[object, ...]]:
        """Pickle by state: the constructors of the subclasses differ."""
        cause = self.__cause__ if isinstance(self.__cause__, ExtractifyError) else None
        return _restore, (type(self), self.args, self.__dict__, cause)


def _restore(
    kind: type[ExtractifyError],
    args: tuple[object, ...],
    state: dict[str, object],
    cause: ExtractifyError | None,
) -> ExtractifyError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    error.__cause__ = cause
    return error


class ConfigurationError(ExtractifyError):
    """The set-up is incomplete; the message says what to set, install or correct."""


class SchemaError(ExtractifyError):
    """The target can't be turned into a schema; the message names the field and the way out."""


class DocumentError(ExtractifyError):
    """The document can't be sent: nothing in it, or characters that no encoding takes."""


class JournalError(ExtractifyError):
    """What a bulk run has done can't be kept or read; the message names the file and what to do.

    What was committed before stays, and a run started again goes on from there.
    """


class OutputError(ExtractifyError):
    """A value can't be written: no room, a broken disk, a callable that raises. The cause says why.

    What stood in the output before the run is there still; the message names the file and what to
    do.
    """


class TransportError(ExtractifyError):
    """No complete answer came: a timeout, a refused or broken connection, a dead server.

    sent: whether the request may have reached the endpoint, and be paid for.
    """

    def __init__(self, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent


class EndpointError(ExtractifyError):
    """The endpoint answered, and the answer isn't a completion.

    status: HTTP status. code: the endpoint's own code, as text. retry_after: seconds the endpoint
    asks to wait. request_id: for the vendor's support. The endpoint's own message is `detail`; it
    stays out of `str(error)`, since some endpoints quote the request in it. retries: how often the
    same request is worth repeating, 0 for never, None for as often as the policy allows. rate: what
    its headers said of the rate it bears.
    """

    retries: int | None = 0
    rate: Rate | None = None

    def __init__(  # the fields that every endpoint's error has, by keyword
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        detail: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.retry_after = retry_after

    @property
    def message(self) -> str:
        """What happened and what to do, without the endpoint's own words."""
        return str(self)


class AuthenticationError(EndpointError):
    """The credentials are missing, wrong or not allowed to do this."""


class RateLimited(EndpointError):
    """Too many requests or tokens for now."""


class QuotaExceeded(EndpointError):
    """The account's money or allowance is used up; waiting a minute won't help."""


class InvalidRequest(EndpointError):
    """The endpoint doesn't take this request as it is."""


class ContextTooLong(InvalidRequest):
    """The document and the prompt together don't fit into the model's context."""


class Overloaded(EndpointError):
    """The endpoint is out of order or out of capacity for now."""


class ContentBlocked(EndpointError):
    """A filter of the endpoint stopped the question or the answer.

    side: "input" or "output". sensitive_type: MiniMax's number of what it is about, 1 to 7, and
    category: its name. None where the endpoint didn't say.
    """

    side: str | None = None
    sensitive_type: int | None = None
    category: str | None = None


class InvalidResponse(EndpointError):
    """The body isn't a chat completion: not JSON, or without an answer in it."""


class ExtractionError(ExtractifyError):
    """Answers came and none was valid.

    problems: what is wrong with the last answer. budget: the part of the repair budget that ended
    the call, "stop", "tokens" or "cost"; None where another try was no use.
    """

    def __init__(
        self,
        message: str,
        *,
        problems: tuple[Problem, ...] = (),
        partial: JsonValue = None,
        budget: str | None = None,
    ) -> None:
        super().__init__(message)
        self.problems = problems
        self.partial = partial
        self.budget = budget


class Refused(ExtractionError):
    """The model declined to answer, or a filter cut it off; asking again isn't tried."""


class Truncated(ExtractionError):
    """The answer was cut off by the output limit."""


class Stopped(Exception):
    """A run that was stopped sends nothing more; its document is left for the next run.

    No failure of a document, and so no ExtractifyError. reason: for people.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
