"""For tests of code that extracts: a scripted model, in this process or on a loopback socket.

    from extractify import Client
    from extractify.testing import ScriptedEndpoint

    with Client(ScriptedEndpoint([{"total": 3}])) as client:
        assert client.extract(Receipt, "Total 3").value.total == 3

The whole of extractify runs but the network: prompts, retries, reading, validation and repair.
The names are loaded when they are first asked for: pytest loads this package in every project.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractify.testing.answers import Answer, Seen, completion
    from extractify.testing.contract import ContractBroken, anything, m2_7
    from extractify.testing.faults import FAULTS, Fault
    from extractify.testing.recording import Recording
    from extractify.testing.script import ScriptedEndpoint
    from extractify.testing.server import Server, serve

__all__ = [
    "FAULTS",
    "Answer",
    "ContractBroken",
    "Fault",
    "Recording",
    "ScriptedEndpoint",
    "Seen",
    "Server",
    "anything",
    "completion",
    "m2_7",
    "serve",
]

_HOMES = {
    "answers": "Answer Seen completion",
    "contract": "ContractBroken anything m2_7",
    "faults": "FAULTS Fault",
    "recording": "Recording",
    "script": "ScriptedEndpoint",
    "server": "Server serve",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


if not TYPE_CHECKING:  # for a type checker every name would exist

    def __getattr__(name: str) -> object:
        """Load a public name from the module that defines it."""
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
        return value
