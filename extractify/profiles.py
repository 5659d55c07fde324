"""What an endpoint can do, as data. A quirk is a field of a row here, never an `if` elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from extractify.messages import Structure

REASONING = ("reasoning_content", "reasoning_details")
_ANY_TOOL_CHOICE = frozenset({"none", "auto", "required"})


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that an endpoint takes of a schema; None where it sets no limit.

    levels: of objects and lists inside one another. properties: in all objects together.
    enum_values: of all enums together. characters: of all names, and all values of enums and
    constants, together. long_enum, long_enum_characters: an enum of more values than this may
    have so many characters in all.
    """

    levels: int | None = None
    properties: int | None = None
    enum_values: int | None = None
    characters: int | None = None
    long_enum: int | None = None
    long_enum_characters: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """The capabilities and quirks of a model behind an endpoint.

    native: whether a `response_format` is sent. strict: whether it is sent with `strict: true`.
    tool: whether the answer is asked for as the arguments of a tool instead. tool_choices: those it
    takes. enforces: whether the endpoint holds the model to the schema (a hint otherwise).
    root_keywords: the only keywords that the schema's root takes, None for all. keywords: those it
    takes anywhere, None for all;
    others are left out, and what stands beside a reference or a union is moved into it.
    number_keywords: those it takes beside a type of number, None for the same. formats: the values
    of `format` it takes, None for all. patterns: any; linear, without lookaround and
    back-references; or plain, of literal characters, classes, groups and repetitions between `^`
    and `$`. closed: whether it takes only objects of declared and required keys, so that others
    travel as lists of pairs.
    decimals_as_text: whether a Decimal is asked for as a string. cycles_may_end: whether what leads
    back to a schema that it is part of must not be required. limits: on the size of a schema.
    envelope: wrap the value as `{"result": …}` always, or only when the target's root isn't an
    object. temperature_range: lowest and highest accepted.
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
    strict: bool = False
    enforces: bool = False
    root_keywords: frozenset[str] | None = None
    keywords: frozenset[str] | None = None
    number_keywords: frozenset[str] | None = None
    formats: frozenset[str] | None = None
    patterns: Literal["any", "linear", "plain"] = "any"
    closed: bool = False
    decimals_as_text: bool = False
    cycles_may_end: bool = False
    limits: Limits = Limits()
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

    def __hash__(self) -> int:
        """By the name alone: it is looked up in every call."""
        return hash(self.name)

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


_COMMON = frozenset(
    {
        "$defs", "$ref", "additionalProperties", "anyOf", "const", "description", "enum", "format",
        "items", "maxItems", "minItems", "properties", "required", "type",
    }
)  # fmt: skip
_BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_LENGTHS = frozenset({"minLength", "maxLength"})

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
"""OpenAI's and Azure's models without `strict`, where any schema is taken and none enforced."""

GROQ = replace(OPENAI, name="groq")
OPENROUTER = Profile(
    name="openrouter", tool_choices=_ANY_TOOL_CHOICE, replayed=("reasoning_details",)
)
TOGETHER = Profile(name="together")
"""These pass a schema on to models of many makers: it is sent whole, and nothing trusted."""

ANTHROPIC = Profile(name="anthropic", tool=True, temperature_range=(0.0, 1.0), replayed=())
"""Anthropic's OpenAI-compatible route ignores `response_format`, and caps the temperature at 1."""

OPENAI_STRICT = replace(
    OPENAI,
    name="openai-strict",
    strict=True,
    enforces=True,
    keywords=_COMMON | _BOUNDS | {"multipleOf", "pattern"},
    formats=frozenset(
        {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
    ),
    patterns="linear",
    closed=True,
    limits=Limits(
        levels=10,
        properties=5_000,
        enum_values=1_000,
        characters=120_000,
        long_enum=250,
        long_enum_characters=15_000,
    ),
)
"""OpenAI's structured outputs with `strict: true`, after the guide's list of supported schemas."""

LLAMA_CPP = Profile(
    name="llama.cpp",
    enforces=True,
    keywords=_COMMON | _BOUNDS | _LENGTHS | {"pattern", "prefixItems"},
    number_keywords=frozenset(),
    formats=frozenset({"date", "time", "date-time", "uuid"}),
    patterns="plain",
    decimals_as_text=True,
    temperature=0.0,
    max_tokens=1024,
    output_ceiling=4096,
    images=False,
)
"""llama.cpp turns the schema into a grammar; what a grammar can't say is enforced on our side."""

OLLAMA = replace(
    LLAMA_CPP,
    name="ollama",
    temperature=None,
    max_tokens=None,
    output_ceiling=None,
    images=True,
)
"""Ollama has llama.cpp make the grammar."""

XGRAMMAR = Profile(
    name="xgrammar",
    enforces=True,
    keywords=_COMMON | _BOUNDS | _LENGTHS | {"pattern", "prefixItems"},
    number_keywords=frozenset(),
    formats=frozenset({"date", "ipv4", "ipv6", "uuid"}),
    patterns="plain",
)
"""A server with xgrammar. It takes some rules for more than they are: times must have an offset,
addresses must be ASCII, numbers with bounds have few decimals; such rules are left out."""

VLLM = replace(XGRAMMAR, name="vllm")
"""vLLM has xgrammar make the grammar; for what that doesn't take, it goes to another engine."""

SGLANG = replace(XGRAMMAR, name="sglang", enforces=False)
"""The same grammar; SGLang holds a thinking model to it only where it runs with a reasoning
parser."""

LLGUIDANCE = Profile(
    name="llguidance",
    enforces=True,
    keywords=_COMMON
    | _BOUNDS
    | _LENGTHS
    | {"multipleOf", "pattern", "patternProperties", "prefixItems"},
    formats=frozenset({"date", "hostname", "ipv4", "ipv6", "uuid"}),
    patterns="linear",
)
"""vLLM and others with llguidance, which refuses what it doesn't know. Those of its formats that
want more than pydantic does are left out: an offset of times, whole seconds, addresses in ASCII."""

GEMINI = Profile(
    name="gemini",
    tool_choices=_ANY_TOOL_CHOICE,
    replayed=(),
    keywords=(_COMMON - {"const"}) | {"maximum", "minimum", "prefixItems"},
    formats=frozenset({"date-time", "date", "time"}),
    cycles_may_end=True,
)
"""Gemini's `responseJsonSchema`: the subset that its page on structured output lists."""

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

_ROWS = (FULL, M2_7, MINIMAX, OPENAI, OPENAI_STRICT, GROQ, GEMINI, OPENROUTER, TOGETHER, ANTHROPIC)
_SELF_HOSTED = (OLLAMA, VLLM, SGLANG, XGRAMMAR, LLGUIDANCE, LLAMA_CPP, LLAMA_SERVER, SMOLLM2)
PROFILES = {profile.name: profile for profile in (*_ROWS, *_SELF_HOSTED)}
