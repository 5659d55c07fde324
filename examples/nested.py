"""Models in models, and one that holds itself: the parts of a thing, and their parts.

python examples/nested.py [cloudflare:minimax/m2.7]
"""

from __future__ import annotations

import sys

from pydantic import BaseModel, Field

from extractify import Client

TEXT = """\
The cart has a deck of oak and two axles. On each axle sit two wheels, and each wheel is made of a
rim, a hub and twelve spokes.
"""


class Part(BaseModel):
    name: str = Field(description="one word")
    pieces: int = Field(description="for one of what it is part of")
    parts: list[Part]


class Thing(BaseModel):
    name: str
    parts: list[Part]


def show(parts: list[Part], indent: str = "  ", each: int = 1) -> None:
    for part in parts:
        print(f"{indent}{part.name}: {part.pieces * each}")
        show(part.parts, indent + "  ", part.pieces * each)


def main() -> None:
    with Client(sys.argv[1]) as client:
        thing = client.extract(Thing, TEXT).value
    print(thing.name)
    show(thing.parts)


if __name__ == "__main__":
    main()
