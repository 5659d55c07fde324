"""One of several kinds: the answer says which, and a `match` goes on from there.

python examples/unions.py [cloudflare:minimax/m2.7]
"""

from __future__ import annotations

import sys
from typing import Literal

from pydantic import BaseModel, Field

from extractify import Client, Task

LETTERS = [
    "The kettle I bought from you leaks. I want my money back!",
    "Please send me two more of the blue kettles.",
]


class Complaint(BaseModel):
    kind: Literal["complaint"]
    article: str = Field(max_length=40)
    wants: Literal["refund", "repair", "replacement"] | None


class Purchase(BaseModel):
    kind: Literal["purchase"]
    article: str = Field(max_length=40)
    pieces: int = Field(ge=1)


class Other(BaseModel):
    kind: Literal["other"]


TASK = Task(Complaint | Purchase | Other, instructions="It is a letter to a shop.")


def main() -> None:
    with Client(*sys.argv[1:2] or ["local:smollm2"]) as client:
        for letter in LETTERS:
            match client.extract(TASK, letter).value:
                case Complaint(article=article, wants=wants):
                    print(f"complaint about the {article}: {wants or 'they say no more'}")
                case Purchase(article=article, pieces=pieces):
                    print(f"order: {pieces} x {article}")
                case Other():
                    print("for a person to read")


if __name__ == "__main__":
    main()
