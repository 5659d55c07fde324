"""An endpoint that has no name here: any server that speaks chat completions.

HOUSE_KEY=… python examples/custom_endpoint.py http://127.0.0.1:8080/v1 [model]
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace

from pydantic import BaseModel

from extractify import Client, Endpoint, Limits, Prices, Retry
from extractify.profiles import PROFILES

TEXT = "Meridian Foods, 3 crates of lemons, to be collected on Friday."

# What the model behind it can do: vLLM's abilities here, but a shorter answer than vLLM allows.
HOUSE = replace(PROFILES["vllm"], name="house", output_ceiling=2000, temperature=0.2)


class Pickup(BaseModel):
    customer: str
    crates: int
    day: str


def main() -> None:
    url, model = sys.argv[1], (sys.argv[2:] or ["house-model"])[0]
    endpoint = Endpoint(
        url=url,
        model=model,
        api_key=os.environ.get("HOUSE_KEY"),
        profile=HOUSE,
        extra={"seed": 7},  # in every request's body
        prices=Prices(input=0.20, output=0.80),  # for a million tokens
    )
    retry, limits = Retry(stop=2, deadline=60), Limits(connections=4, total=30)
    with Client(endpoint, timeout=20, retry=retry, limits=limits) as client:
        result = client.extract(Pickup, TEXT)
    print(result.value)
    print(f"{result.usage.total_tokens} tokens, {result.usage.cost:.6f} in the currency of prices")


if __name__ == "__main__":
    main()
