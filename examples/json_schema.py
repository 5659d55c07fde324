"""Without a class: the target is a JSON Schema, and the value plain data that is valid by it.

python examples/json_schema.py [cloudflare:minimax/m2.7]
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from extractify import Client

if TYPE_CHECKING:
    from extractify.messages import JsonValue

TEXT = "Platform 4, the 17:42 to Lindau, runs eight minutes late."
SCHEMA: dict[str, JsonValue] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Departure",
    "type": "object",
    "properties": {
        "time": {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$"},
        "destination": {"type": "string"},
        "platform": {"type": ["string", "null"]},
        "delay": {"type": "integer", "minimum": 0, "description": "minutes"},
    },
    "required": ["time", "destination", "delay"],
    "additionalProperties": False,
}


def main() -> None:
    with Client(*sys.argv[1:2] or ["local:smollm2"]) as client:
        print(json.dumps(client.extract(SCHEMA, TEXT).value, indent=2))


if __name__ == "__main__":
    main()
