"""What a call costs in CPU time, beside the least that could do the job.

500 sequential extractions of a nested model against a loopback server that answers at once, and as
many calls of bare httpx + json.loads + model_validate, in turn, several rounds; medians and their
ratio. The promise is 1.5 at most. Exits with 1 where it is broken.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import date
from decimal import Decimal
from statistics import median
from typing import TYPE_CHECKING

import httpx
from instant_server import running
from pydantic import BaseModel, Field

from extractify import Client, Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROMISE = 1.5
DOCUMENT = """\
Invoice INV-2041, Acme Ltd, Leeds, 5 March 2024.
10 Paper, A4 at 4.50; 2 Toner at 61.25; 1 Delivery at 9.90. Total due: 177.40 EUR.
"""


class Vendor(BaseModel):
    name: str
    city: str | None = None
    vat: str | None = None


class Line(BaseModel):
    text: str = Field(description="what was sold")
    quantity: int = Field(ge=0)
    price: Decimal


class Invoice(BaseModel):
    number: str
    issued: date
    vendor: Vendor
    lines: list[Line]
    total: Decimal
    currency: str
    notes: str | None = None


def cpu_per_call(call: Callable[[], object], calls: int) -> float:
    """Milliseconds of this process's CPU time."""
    started = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - started) / calls * 1000


def bare_call(http: httpx.Client, url: str, body: Mapping[str, object]) -> Invoice:
    """The least: the same request, no prompt built, no checks, no attempts kept."""
    response = http.post(url, json=body)
    content = json.loads(response.content)["choices"][0]["message"]["content"]
    return Invoice.model_validate(json.loads(content))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    bare: list[float] = []
    plain: list[float] = []
    enveloped: list[float] = []
    with running() as base:
        ours = Endpoint(url=f"{base}/v1", model="m")
        m2_7 = Endpoint(url=f"{base}/enveloped", model="m", dialect="workers_ai", profile="m2.7")
        with Client(ours) as client, Client(m2_7) as cloudflare, httpx.Client() as http:
            body = client.build_request(Invoice, DOCUMENT).body
            url = f"{base}/v1/chat/completions"
            expected = bare_call(http, url, body)
            for each in (client, cloudflare):
                if each.extract(Invoice, DOCUMENT).value != expected:
                    print("the values differ", file=sys.stderr)
                    return 2
            for _ in range(options.rounds):
                bare.append(cpu_per_call(lambda: bare_call(http, url, body), options.calls))
                plain.append(cpu_per_call(lambda: client.extract(Invoice, DOCUMENT), options.calls))
                enveloped.append(
                    cpu_per_call(lambda: cloudflare.extract(Invoice, DOCUMENT), options.calls)
                )
    base_cost = median(bare)
    print(f"{options.calls} calls, {options.rounds} rounds, medians of CPU time per call")
    print(f"  bare httpx + json.loads + model_validate  {base_cost:.3f} ms")
    for name, costs in (("any server", plain), ("m2.7 preset", enveloped)):
        print(f"  extractify, {name:<29} {median(costs):.3f} ms  {median(costs) / base_cost:.2f} x")
    worst = max(median(plain), median(enveloped)) / base_cost
    print(f"promise: at most {PROMISE} x; measured {worst:.2f} x")
    return int(worst > PROMISE)


if __name__ == "__main__":
    sys.exit(main())
