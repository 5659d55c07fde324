"""What an endpoint can do, as data. A quirk is a field of a row here, never an `if` elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class Profile:
    """The capabilities and quirks of a model behind an endpoint.

    native: whether a `response_format` is sent. enforces: whether the endpoint holds the model to
    it (a hint otherwise). root_keywords: the only keywords its schema root takes, None for all.
    unsupported: keywords it takes nowhere. envelope: wrap the value as `{"result": …}` always, or
    only when the target's root isn't an object. temperature_range: lowest and highest accepted.
    temperature: sent when the task names none; None sends none. max_tokens: sent when the task
    names none, in tokens. output_ceiling: the most the model can write, in tokens; None is unknown.
    replays: whether a patch is asked for after the model's last answer and what is wrong with it;
    a small model repeats what it reads there, so it is asked afresh for the failing values alone.
    parameters: sent with every request, unless the endpoint's or the task's extra has the name.
    """

    name: str
    native: bool = True
    enforces: bool = False
    root_keywords: frozenset[str] | None = None
    unsupported: frozenset[str] = frozenset()
    envelope: Literal["always", "when needed"] = "when needed"
    temperature_range: tuple[float, float] = (0.0, 2.0)
    temperature: float | None = None
    max_tokens: int | None = None
    output_ceiling: int | None = None
    replays: bool = True
    parameters: tuple[tuple[str, float], ...] = ()
    output_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"


FULL = Profile(name="full")
"""A chat-completions server of which nothing is known: schemas are sent whole, nothing trusted."""

M2_7 = Profile(
    name="m2.7",
    root_keywords=frozenset({"type", "properties"}),
    envelope="always",
    temperature_range=(0.01, 1.0),
    max_tokens=4096,
    output_ceiling=4096,
)
"""MiniMax M2.7 on Cloudflare: the model page's contract; `response_format` is a hint at best."""

OPENAI = Profile(name="openai", output_tokens_field="max_completion_tokens")

LLAMA_CPP = Profile(
    name="llama.cpp",
    enforces=True,
    unsupported=frozenset({"pattern", "uniqueItems", "multipleOf", "not", "if", "then", "else"}),
    temperature=0.0,
    max_tokens=1024,
    output_ceiling=4096,
)
"""llama.cpp turns the schema into a grammar; what a grammar can't say is enforced on our side."""

SMOLLM2 = replace(
    LLAMA_CPP,
    name="smollm2",
    output_ceiling=1024,
    replays=False,
    parameters=(("dry_multiplier", 0.8), ("dry_allowed_length", 3)),
)
"""The embedded model of 135 million parameters. More room would only let it repeat itself longer,
and the DRY sampler, which makes repeated sequences less likely, ends most of its loops."""

PROFILES = {profile.name: profile for profile in (FULL, M2_7, OPENAI, LLAMA_CPP, SMOLLM2)}
