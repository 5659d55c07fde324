"""The options of Cloudflare's AI Gateway, sent as `cf-aig-*` headers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from extractify.errors import ConfigurationError

_MOST_METADATA = 5
_NAME = re.compile(r"[!-~]{1,256}")


@dataclass(frozen=True, slots=True)
class Gateway:
    """How a gateway treats a request. None leaves an option to the gateway's own settings.

    id: of the gateway; the account's default otherwise. cache_ttl: seconds an answer is kept.
    cache_key: instead of the one made of the request. skip_cache: ask the model anyhow. timeout:
    seconds until the first byte. metadata: at most 5 entries, shown in the gateway's log, so no
    secrets. collect_log: whether the log keeps the exchange, document included.

    The gateway's own retries aren't offered: they would multiply with ours. Sources conflict on
    whether answers of MiniMax are cached at all. Raises: ConfigurationError on what no header
    takes.
    """

    id: str | None = None
    cache_ttl: int | None = None
    cache_key: str | None = None
    skip_cache: bool | None = None
    timeout: float | None = None
    metadata: Mapping[str, str | int | float | bool | None] | None = None
    collect_log: bool | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without asking."""
        for name, text in (("id", self.id), ("cache_key", self.cache_key)):
            if text is not None and not _NAME.fullmatch(text):
                raise ConfigurationError(
                    f"Gateway({name}=…) takes 1 to 256 characters of plain ASCII without spaces."
                )
        if self.metadata is not None and len(self.metadata) > _MOST_METADATA:
            raise ConfigurationError(
                f"Gateway(metadata=…) has {len(self.metadata)} entries, and the gateway takes "
                f"{_MOST_METADATA}. Leave some out."
            )
        if self.cache_ttl is not None and self.cache_ttl < 0:
            raise ConfigurationError("Gateway(cache_ttl=…) takes seconds, 0 or more.")
        if self.timeout is not None and not 0 < self.timeout < float("inf"):
            raise ConfigurationError("Gateway(timeout=…) takes seconds above 0.")

    def headers(self) -> dict[str, str]:
        """The options that are set, as they travel."""
        metadata = None if self.metadata is None else json.dumps(dict(self.metadata))
        options = {
            "cf-aig-gateway-id": self.id,
            "cf-aig-cache-ttl": self.cache_ttl,
            "cf-aig-cache-key": self.cache_key,
            "cf-aig-skip-cache": _flag(self.skip_cache),
            "cf-aig-request-timeout": self.timeout and max(1, round(self.timeout * 1000)),
            "cf-aig-metadata": metadata,
            "cf-aig-collect-log": _flag(self.collect_log),
        }
        return {name: str(value) for name, value in options.items() if value is not None}


def _flag(value: object) -> str | None:
    return None if value is None else str(value).lower()
