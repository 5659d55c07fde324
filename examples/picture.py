"""From a picture, at an endpoint that looks at pictures; one that would ignore them is refused.

python examples/picture.py openai:gpt-5-mini [picture.png]
"""

from __future__ import annotations

import sys
from datetime import time
from pathlib import Path

from pydantic import BaseModel

from extractify import Client, DocumentError, Image, Message

SIGN = Path(__file__).with_name("opening_hours.png")


class Hours(BaseModel):
    days: str
    opens: time
    closes: time


class Sign(BaseModel):
    shop: str
    hours: list[Hours]


def main() -> None:
    endpoint, path = sys.argv[1], Path(sys.argv[2]) if sys.argv[2:] else SIGN
    picture = Image.of(path.read_bytes(), "image/png")
    turns = [Message("user", "The sign at the door of a shop.", images=(picture,))]
    try:
        with Client(endpoint) as client:
            print(client.extract(Sign, turns).value)
    except DocumentError as error:
        print(error)


if __name__ == "__main__":
    main()
