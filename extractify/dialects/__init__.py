"""How families of APIs are written and read. One module a family, all behind one Protocol.

A dialect is pure: a Request becomes a path, headers and bytes; a status, headers and bytes become
a Completion or a typed error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from extractify.dialects import cloudflare_run, minimax, openai, openrouter, workers_ai
from extractify.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extractify.messages import Completion, Request
    from extractify.profiles import Profile


class Dialect(Protocol):
    """One family of APIs. `path` follows the endpoint's base URL."""

    path: str

    def write(self, request: Request, profile: Profile) -> bytes:
        """Write the body of a POST."""

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Completion:
        """Read an answer. Raises: EndpointError for anything but a completion."""


DIALECTS: Mapping[str, Dialect] = {
    "cloudflare_run": cloudflare_run.CloudflareRun(),
    "minimax": minimax.MiniMax(),
    "openai": openai.OpenAI(),
    "openrouter": openrouter.OpenRouter(),
    "workers_ai": workers_ai.WorkersAI(),
}


def named(name: str) -> Dialect:
    """Look a dialect up. Raises: ConfigurationError, which lists those there are."""
    try:
        return DIALECTS[name]
    except KeyError:
        message = f"There is no dialect {name!r}. Known: {', '.join(sorted(DIALECTS))}."
        raise ConfigurationError(message) from None
