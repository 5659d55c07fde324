"""For pytest: the fixture `extractify_endpoint`, and the option `--extractify-record`.

pytest loads this module in every project where extractify is installed, so it imports nothing else
until the fixture is used.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zlib import crc32

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from extractify.endpoints import Endpoint
    from extractify.testing.script import ScriptedEndpoint

_FOLDER = "recordings"


class Endpoints:
    """What the fixture `extractify_endpoint` gives: endpoints for one test.

    Each answer is an argument of its own; a list is one answer, of a target that is a list. At the
    end of the test each endpoint is closed: what was wrong fails the test, whatever caught it.
    path: the file of this test's recording, `recordings/<module>/<test>.json` beside the test.
    """

    def __init__(self, path: Path, *, records: bool) -> None:
        self.path = path
        self._records = records
        self._made: list[ScriptedEndpoint] = []

    def __call__(self, *answers: object) -> ScriptedEndpoint:
        """An endpoint that gives these answers, in order."""
        from extractify.testing.script import ScriptedEndpoint

        self._made.append(ScriptedEndpoint(answers))
        return self._made[-1]

    def close(self) -> None:
        """Raise what was wrong with the requests, and what is left of the answers."""
        for endpoint in self._made:
            endpoint.close()

    def recorded(self, endpoint: Endpoint | str) -> Endpoint:
        """What was recorded of a real endpoint; with `--extractify-record`, that endpoint itself.

        endpoint: or its name; replaying needs no credentials. Once a test: each call starts the
        recording anew. Raises: ContractBroken if nothing was recorded, or, from an extraction, if
        its request wasn't.
        """
        from extractify.testing.recording import RecordingEndpoint, stand_in
        from extractify.testing.script import ScriptedEndpoint

        if self._records:
            from extractify.endpoints import resolve

            return RecordingEndpoint(resolve(endpoint), self.path)
        self._made.append(ScriptedEndpoint(self.path, like=stand_in(endpoint)))
        return self._made[-1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that switches recording on."""
    parser.getgroup("extractify").addoption(
        "--extractify-record",
        action="store_true",
        help="ask the real endpoints of recorded tests, and keep what they answer",
    )


@pytest.fixture
def extractify_endpoint(request: pytest.FixtureRequest) -> Iterator[Endpoints]:
    """Endpoints for tests: `extractify_endpoint(*answers)`, `extractify_endpoint.recorded(…)`."""
    name = ".".join(request.node.nodeid.split("::")[1:])
    plain = re.sub(r"[^\w.]+", "-", name).strip("-")
    if plain != name:  # of two parameters, what is left may be the same
        plain += f"-{crc32(name.encode()):08x}"
    path = request.path.parent / _FOLDER / request.path.stem / f"{plain}.json"
    endpoints = Endpoints(path, records=request.config.getoption("--extractify-record"))
    yield endpoints
    endpoints.close()
