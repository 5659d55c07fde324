"""From a conversation instead of a text: what came of it is extracted from all turns together.

python examples/conversation.py [cloudflare:minimax/m2.7]
"""

from __future__ import annotations

import sys
from datetime import time
from typing import Literal

from pydantic import BaseModel

from extractify import Client, Message

CHAT = [
    Message("system", "These are turns at the booking desk of Dr Brand's surgery."),
    Message("user", "Could I come on Tuesday at nine?"),
    Message("assistant", "Tuesday is full. Would Wednesday at 9:30 do?"),
    Message("user", "It would. My name is Ines Faro."),
]


class Appointment(BaseModel):
    patient: str
    day: Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
    at: time


def main() -> None:
    with Client(*sys.argv[1:2] or ["local:smollm2"]) as client:
        result = client.extract(Appointment, CHAT)
    print(result.value)
    for pointer, found in result.evidence.items():  # in what the user said
        print(f"  {pointer}: {found.status}")


if __name__ == "__main__":
    main()
