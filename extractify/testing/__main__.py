"""`python -m extractify.testing serve ANSWER …`: the scripted model for any program."""

from __future__ import annotations

import argparse
import itertools
import json
import re
import sys
import threading
from contextlib import suppress
from difflib import get_close_matches

from extractify.testing.contract import anything, m2_7
from extractify.testing.faults import FAULTS
from extractify.testing.server import serve

_LIKE_A_FAULT = re.compile(r"(HTTP|Cloudflare|MiniMax) \d+", re.IGNORECASE)


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
    try:
        answers = itertools.cycle([_answer(text) for text in given.answers])
    except ValueError as error:
        parser.error(str(error))
    # A wrong request was answered with the reason; here nobody else wants to know of it.
    with (
        suppress(KeyboardInterrupt, AssertionError),
        serve(lambda _seen: next(answers), contract=contract, latency=given.latency) as server,
    ):
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        threading.Event().wait()


def _answer(text: str) -> object:
    """What an argument stands for. Raises: ValueError on a fault that is misspelt."""
    if text in FAULTS:
        return FAULTS[text]
    with suppress(ValueError):
        value: object = json.loads(text)
        return value
    alike = get_close_matches(text, FAULTS, cutoff=0.75)
    if alike or _LIKE_A_FAULT.match(text):
        known = ", ".join(alike) or "what extractify.testing.FAULTS holds"
        raise ValueError(
            f"{text!r} is no fault. There is: {known}. If the model is to say it, write it as "
            f"JSON: {json.dumps(text)!r}."
        )
    return text


if __name__ == "__main__":
    main()
