"""Who is asked when the first endpoint is out of reach, or can't make a valid answer of it.

Nobody listens where this asks first, unless you name two endpoints:

    python examples/fallback.py [cloudflare:minimax/m2.7 openai:gpt-5-mini]
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pydantic import BaseModel

from extractify import Client
from extractify.events import FellBack

if TYPE_CHECKING:
    from extractify.events import Event

TEXT = "Ferry Aurora leaves Piraeus at 07:25."


class Sailing(BaseModel):
    ferry: str
    port: str


def told(event: Event) -> None:
    if isinstance(event, FellBack):
        print(f"{event.endpoint}: {event.error}; now {event.next}")


def main() -> None:
    first, *others = sys.argv[1:] or ["http://127.0.0.1:9/v1#nobody", "local:smollm2"]
    with Client(first, fallback=others, retry=2, on_event=told) as client:
        result = client.extract(Sailing, TEXT)
    print(result.value, "by", result.attempts[-1].endpoint)


if __name__ == "__main__":
    main()
