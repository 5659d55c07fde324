"""`python -m extractify.testing serve ANSWER …`: the scripted model for any program."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import threading
from contextlib import suppress

from extractify.testing.contract import anything, m2_7
from extractify.testing.faults import FAULTS
from extractify.testing.server import serve


def main(arguments: list[str] | None = None) -> None:
    """Serve the answers, over and over, until Ctrl-C. The URL goes to standard output."""
    parser = argparse.ArgumentParser(prog="python -m extractify.testing")
    command = parser.add_subparsers(required=True).add_parser(
        "serve", help="answer on a free port of 127.0.0.1 from the given answers, over and over"
    )
    command.add_argument(
        "answers",
        nargs="+",
        metavar="ANSWER",
        help="a value as JSON, the model's words, or a fault by its name, such as 'HTTP 429'",
    )
    command.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    command.add_argument(
        "--any-request", action="store_true", help="don't check that M2.7 would take the requests"
    )
    given = parser.parse_args(arguments)
    contract = anything if given.any_request else m2_7
    answers = itertools.cycle(map(_answer, given.answers))
    # A wrong request was answered with the reason; here nobody else wants to know of it.
    with (
        suppress(KeyboardInterrupt, AssertionError),
        serve(lambda _seen: next(answers), contract=contract, latency=given.latency) as server,
    ):
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        threading.Event().wait()


def _answer(text: str) -> object:
    if text in FAULTS:
        return FAULTS[text]
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


if __name__ == "__main__":
    main()
