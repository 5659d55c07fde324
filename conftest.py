"""The Python blocks of README.md and docs/ are tests, against a scripted model on this machine.

Properties have no deadline.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from hypothesis import settings
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

from tests.loopback import KEY, Loopback, environment
from tests.readme_answers import answer

# What a machine does beside the tests isn't judged by them; benchmarks/ is about time.
settings.register_profile("gate", deadline=None)
settings.load_profile("gate")

_STACK = "_the_environment_of_this_document"


def _set_up(namespace: dict[str, Any]) -> None:
    stack = namespace[_STACK] = ExitStack()
    server = stack.enter_context(Loopback(answer))
    stack.enter_context(
        environment(
            CLOUDFLARE_ACCOUNT_ID="0123456789abcdef",
            CLOUDFLARE_API_TOKEN=KEY,
            CLOUDFLARE_AI_BASE_URL=server.url,
            EXTRACTIFY_ENDPOINT="cloudflare:minimax/m2.7",
        )
    )


def _tear_down(namespace: dict[str, Any]) -> None:
    namespace.pop(_STACK).close()


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md"],
    excludes=["docs/tutorial.md"],  # tests/test_site.py does what it says, with the real model
    setup=_set_up,
    teardown=_tear_down,
).pytest()
