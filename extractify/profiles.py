"""What an endpoint can do, as data. A quirk is a field of a row here, never an `if` elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from extractify.messages import Structure

REASONING = ("reasoning_content", "reasoning_details")
_ANY_TOOL_CHOICE = frozenset({"none", "auto", "required"})


@dataclass(frozen=True, slots=True)
class Profile:
    """The capabilities and quirks of a model behind an endpoint.

    native: whether a `response_format` is sent. tool: whether the answer is asked for as the
    arguments of a tool instead. tool_choices: those it takes. enforces: whether the endpoint holds
    the model to the schema (a hint otherwise). root_keywords: the only keywords that the schema's
    root takes, None for all.
    unsupported: keywords it takes nowhere. envelope: wrap the value as `{"result": …}` always, or
    only when the target's root isn't an object. temperature_range: lowest and highest accepted.
    temperature: sent when the task names none; None sends none. max_tokens: sent when the task
    names none, in tokens. output_ceiling: the most the model can write, in tokens; None is unknown.
    replays: whether a patch is asked for after the model's last answer and what is wrong with it;
    a small model repeats what it reads there, so it is asked afresh for the failing values alone.
    parameters: sent with every request, unless the endpoint's or the task's extra has the name.
    images: whether pictures are looked at; ones that would be ignored are refused. single_system:
    whether there may be one system message only, and that first. replayed: the fields of an
    answer's reasoning that go back with it in a repair turn.
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
    tool: bool = False
    tool_choices: frozenset[str] = frozenset({"none", "auto"})
    images: bool = True
    single_system: bool = False
    replayed: tuple[str, ...] = REASONING

    @property
    def structure(self) -> Structure:
        """How JSON is asked for."""
        if self.tool:
            return "tool"
        return "native" if self.native else "prompt"

    def asking(self, structure: Structure | None) -> Profile:
        """The same endpoint, asked in another way; None changes nothing."""
        if structure is None or structure == self.structure:
            return self
        return replace(self, native=structure != "prompt", tool=structure == "tool")


FULL = Profile(name="full")
"""A chat-completions server of which nothing is known: schemas are sent whole, nothing trusted."""

M2_7 = Profile(
    name="m2.7",
    root_keywords=frozenset({"type", "properties"}),
    envelope="always",
    temperature_range=(0.01, 1.0),
    max_tokens=4096,
    output_ceiling=4096,
    images=False,
    single_system=True,
)
"""MiniMax M2.7 on Cloudflare: the model page's contract; `response_format` is a hint at best."""

MINIMAX = replace(
    M2_7,
    name="minimax",
    max_tokens=10_240,
    output_ceiling=None,
    output_tokens_field="max_completion_tokens",
    parameters=(("reasoning_split", True),),
)
"""MiniMax's own API: thoughts come apart from the answer where that is asked for. Its page names no
ceiling but the context; `max_tokens` is its own default, and deprecated as a name."""

OPENAI = Profile(
    name="openai",
    output_tokens_field="max_completion_tokens",
    tool_choices=_ANY_TOOL_CHOICE,
    replayed=(),
)
GROQ = replace(OPENAI, name="groq")
GEMINI = Profile(name="gemini", tool_choices=_ANY_TOOL_CHOICE, replayed=())
OPENROUTER = Profile(
    name="openrouter", tool_choices=_ANY_TOOL_CHOICE, replayed=("reasoning_details",)
)
TOGETHER = Profile(name="together")
ANTHROPIC = Profile(name="anthropic", tool=True, temperature_range=(0.0, 1.0), replayed=())
"""Anthropic's OpenAI-compatible route ignores `response_format`, and caps the temperature at 1."""

OLLAMA = Profile(name="ollama", enforces=True)
VLLM = Profile(name="vllm", enforces=True)
SGLANG = Profile(name="sglang")
"""SGLang holds a thinking model to the schema only where it runs with a reasoning parser."""

LLAMA_CPP = Profile(
    name="llama.cpp",
    enforces=True,
    unsupported=frozenset({"pattern", "uniqueItems", "multipleOf", "not", "if", "then", "else"}),
    temperature=0.0,
    max_tokens=1024,
    output_ceiling=4096,
    images=False,
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

LLAMA_SERVER = replace(
    LLAMA_CPP,
    name="llamacpp",
    temperature=None,
    max_tokens=None,
    output_ceiling=None,
    images=True,
    tool_choices=_ANY_TOOL_CHOICE,
)
"""A llama.cpp server of which only the program is known, not the model."""

_ROWS = (FULL, M2_7, MINIMAX, OPENAI, GROQ, GEMINI, OPENROUTER, TOGETHER, ANTHROPIC)
_SELF_HOSTED = (OLLAMA, VLLM, SGLANG, LLAMA_CPP, LLAMA_SERVER, SMOLLM2)
PROFILES = {profile.name: profile for profile in (*_ROWS, *_SELF_HOSTED)}
