"""What makes two extractions the same: the key of a document under a task at an endpoint.

A key is a SHA-256 of what is asked (the messages, the schema, the parameters, the URL, the model)
and of the document's text, so that runs on one machine and on many agree on what is done.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from extractify.conversation import first_request

if TYPE_CHECKING:
    from extractify.conversation import Setting
    from extractify.task import Task

VERSION = 1
"""Of the keys: another one where our own words in the prompt change, or where the same answer would
be read into another value."""
_STAND_IN = "A document."


@dataclass(frozen=True, slots=True)
class Identity:
    """What a run asks, whom, and for what, each as a SHA-256 in hex. name: of the endpoint.

    asking: the messages but the document, and the parameters, without what the schema says of
    them. schema: the target's, and how its values are read.
    """

    schema: str
    asking: str
    endpoint: str
    name: str = ""

    @classmethod
    def of(cls, task: Task[Any], setting: Setting) -> Identity:
        """The identity of a task at an endpoint. Raises: as the first request of a call."""
        request = first_request(task, _STAND_IN, setting)
        reading = [asdict(task.numbers) if task.numbers else None, task.policy, task.on_missing]
        asking = {
            "instructions": task.instructions,
            # The last message is the document, and the first holds the schema's notation.
            "examples": [[turn.role, turn.content] for turn in request.messages[1:-1]],
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
            "extra": dict(request.extra),
            "parameters": asdict(request.parameters),
            "structure": request.structure,
        }
        return cls(
            schema=_digest([VERSION, task.schema.fingerprint, reading]),
            asking=_digest([VERSION, asking]),
            endpoint=_digest([setting.name]),
            name=setting.name,
        )

    def key(self, text: str) -> bytes:
        """The key of a document: 32 bytes."""
        digest = sha256(self.schema.encode())
        digest.update(self.asking.encode())
        digest.update(self.endpoint.encode())
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.digest()


def _digest(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
