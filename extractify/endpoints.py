"""Where to ask: URL, credentials, model, dialect, profile; and the named presets, as data rows.

Besides the command line, this is the only reader of the environment, and only through the mapping
it is given.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter
from urllib.parse import urlsplit

from extractify import profiles
from extractify.checks import JSON, POSITIVE, TEXT, check, instance
from extractify.dialects import named
from extractify.errors import ConfigurationError
from extractify.gateway import Gateway
from extractify.messages import JsonValue, Prices
from extractify.profiles import FULL, LLAMA_CPP, M2_7, OPENAI, PROFILES, SMOLLM2, Profile

DEFAULT_VARIABLE = "EXTRACTIFY_ENDPOINT"
"""Names the endpoint of calls that name none."""
KEY_VARIABLE = "EXTRACTIFY_API_KEY"
"""Holds the key for an endpoint that is given by URL; optional."""
_URL = re.compile(r"[^\s\x00-\x1f\x7f]+")
_KEY = re.compile(r"[!-~]+")
_LIKE_A_KEY = re.compile(r"(sk|pk|gsk|hf|xai)[-_].+|(?=.*\d)[\w.~+/=-]{20,}", re.IGNORECASE)
_CLOUDFLARE = ("workers_ai", "cloudflare_run")
LOCAL = "local:"
"""The URL of a model that the client runs itself while it is open."""


class Secret(str):
    """A text that shows as `***`: by repr, str and format, in a dict or a tuple too."""

    __slots__ = ()

    def revealed(self) -> str:
        """The text itself."""
        return str.__str__(self)

    def __repr__(self) -> str:
        return "'***'"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return Secret, (self.revealed(),)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A frozen, picklable description of where to ask. Its repr hides the key.

    url: the base, to which the dialect adds its path, such as `https://api.openai.com/v1`.
    api_key: sent as a bearer token, kept as a Secret. profile: a Profile, or the name of one.
    extra: vendor parameters for every request body. prices: fill in the cost of each `usage`.
    gateway: options of Cloudflare's, for its dialects. requests_per_minute: what it is known to
    bear, for runs of many documents, until its headers say so. Raises: ConfigurationError on a URL
    or a key that can't be used.
    """

    url: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    dialect: str = "openai"
    profile: Profile | str = FULL
    extra: Mapping[str, JsonValue] = field(default_factory=dict)
    prices: Prices | None = None
    gateway: Gateway | None = None
    requests_per_minute: float | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without asking."""
        check(self, url=TEXT, model=TEXT, api_key=TEXT.optional, dialect=TEXT, extra=JSON)
        check(self, profile=instance(Profile, str), prices=instance(Prices).optional)
        check(self, gateway=instance(Gateway).optional, requests_per_minute=POSITIVE.optional)
        named(self.dialect)
        if self.gateway is not None and self.dialect not in _CLOUDFLARE:
            message = (
                f"Only Cloudflare's dialects ({', '.join(_CLOUDFLARE)}) take a Gateway, "
                f"not {self.dialect!r}. Leave it out."
            )
            raise ConfigurationError(message)
        if self.api_key:
            _check_key(self.api_key)
            if not isinstance(self.api_key, Secret):
                object.__setattr__(self, "api_key", Secret(self.api_key))
        if isinstance(self.profile, str) and self.profile not in PROFILES:
            known = ", ".join(sorted(PROFILES))
            message = f"There is no profile {self.profile!r}. Known: {known}."
            raise ConfigurationError(message)
        if self.url == LOCAL:
            return
        _check_url(self.url)

    @property
    def name(self) -> str:
        """The URL and the model, as errors, events and attempts name it."""
        return f"{self.url}#{self.model}"

    @property
    def capabilities(self) -> Profile:
        """The profile itself, also where it was given by name."""
        return PROFILES[self.profile] if isinstance(self.profile, str) else self.profile

    @classmethod
    def parse(cls, text: str, env: Mapping[str, str]) -> Endpoint:
        """Read `preset:model`, such as `cloudflare:minimax/m2.7`, or `http://host/v1#model`.

        env: any mapping; a preset takes its credentials from there. Raises: ConfigurationError,
        which names the unknown preset or the missing variable.
        """
        if text.startswith(("http://", "https://")):
            url, _, model = text.partition("#")
            if not model:
                message = f"Name the model behind the URL, as in {_shown(url)}#model-name."
                raise ConfigurationError(message)
            return cls(url=url, model=model, api_key=env.get(KEY_VARIABLE) or None)
        name, _, model = text.partition(":")
        preset = PRESETS.get(name)
        if preset is None or not model:
            message = (
                f"There is no endpoint {_shown(text)!r}. Use preset:model, as in "
                f"cloudflare:minimax/m2.7, with a preset of {', '.join(PRESETS)}; or "
                "http://host/v1#model."
            )
            raise ConfigurationError(message)
        return preset.endpoint(model, env)


@dataclass(frozen=True, slots=True)
class Preset:
    """One named endpoint. url: the default base; `{variable}`s in it come from the environment.

    url_variable: overrides the whole base where it is set. key_variable: holds the key, None where
    there is none; needs_key: whether it has to be set. profiles: of particular models; `profile` is
    that of the others.
    """

    example: str
    url: str
    url_variable: str | None = None
    key_variable: str | None = None
    needs_key: bool = True
    dialect: str = "openai"
    profile: Profile = FULL
    extra: tuple[tuple[str, JsonValue], ...] = ()
    profiles: tuple[tuple[str, Profile], ...] = ()
    prices: tuple[tuple[str, Prices], ...] = ()
    requests_per_minute: tuple[tuple[str, float], ...] = ()

    def endpoint(self, model: str, env: Mapping[str, str]) -> Endpoint:
        """Fill the row in. Raises: ConfigurationError, which names each missing variable."""
        override = env.get(self.url_variable) if self.url_variable else None
        wanted = [] if override else _variables(self.url)
        if self.key_variable and self.needs_key:
            wanted.append(self.key_variable)
        missing = [name for name in wanted if not env.get(name)]
        if missing:
            message = (
                f"Set {' and '.join(missing)} to use this endpoint: "
                f"export {' '.join(f'{name}=…' for name in missing)}"
            )
            raise ConfigurationError(message)
        return Endpoint(
            url=override
            or self.url.format_map({name: env[name].rstrip("/") for name in _variables(self.url)}),
            model=model,
            api_key=env.get(self.key_variable) if self.key_variable else None,
            dialect=self.dialect,
            profile=dict(self.profiles).get(model, self.profile),
            extra=dict(self.extra),
            prices=dict(self.prices).get(model),
            requests_per_minute=dict(self.requests_per_minute).get(model),
        )


# US dollars, as the model's page on Cloudflare and MiniMax's own price list say.
_M2_7_PRICES = Prices(input=0.30, output=1.20, cached=0.06)

PRESETS: Mapping[str, Preset] = {
    "cloudflare": Preset(
        example="minimax/m2.7",
        url="https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai/v1",
        url_variable="CLOUDFLARE_AI_BASE_URL",
        key_variable="CLOUDFLARE_API_TOKEN",
        dialect="workers_ai",
        profiles=(("minimax/m2.7", M2_7),),
        prices=(("minimax/m2.7", _M2_7_PRICES),),
        requests_per_minute=(("minimax/m2.7", 200.0),),  # a gateway, under Unified Billing
    ),
    "cloudflare-run": Preset(
        example="minimax/m2.7",
        url="https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai",
        url_variable="CLOUDFLARE_AI_RUN_BASE_URL",
        key_variable="CLOUDFLARE_API_TOKEN",
        dialect="cloudflare_run",
        profiles=(("minimax/m2.7", M2_7),),
        prices=(("minimax/m2.7", _M2_7_PRICES),),
        requests_per_minute=(("minimax/m2.7", 200.0),),  # a gateway, under Unified Billing
    ),
    "minimax": Preset(
        example="MiniMax-M2.7",
        url="https://api.minimax.io/v1",
        url_variable="MINIMAX_BASE_URL",
        key_variable="MINIMAX_API_KEY",
        dialect="minimax",
        profile=profiles.MINIMAX,
        prices=(("MiniMax-M2.7", _M2_7_PRICES),),
        requests_per_minute=(("MiniMax-M2.7", 500.0),),
    ),
    "openai": Preset(
        example="gpt-5-mini",
        url="https://api.openai.com/v1",
        url_variable="OPENAI_BASE_URL",
        key_variable="OPENAI_API_KEY",
        profile=OPENAI,
    ),
    "openrouter": Preset(
        example="minimax/minimax-m2.7",
        url="https://openrouter.ai/api/v1",
        url_variable="OPENROUTER_BASE_URL",
        key_variable="OPENROUTER_API_KEY",
        dialect="openrouter",
        profile=profiles.OPENROUTER,
        # Otherwise it may choose a route that ignores `response_format`.
        extra=(("provider", {"require_parameters": True}),),
    ),
    "groq": Preset(
        example="openai/gpt-oss-20b",
        url="https://api.groq.com/openai/v1",
        url_variable="GROQ_BASE_URL",
        key_variable="GROQ_API_KEY",
        profile=profiles.GROQ,
    ),
    "together": Preset(
        example="openai/gpt-oss-20b",
        url="https://api.together.xyz/v1",
        url_variable="TOGETHER_BASE_URL",
        key_variable="TOGETHER_API_KEY",
        profile=profiles.TOGETHER,
    ),
    "azure": Preset(
        example="my-deployment",
        url="{AZURE_OPENAI_ENDPOINT}/openai/v1",
        key_variable="AZURE_OPENAI_API_KEY",
        profile=OPENAI,
    ),
    "gemini": Preset(
        example="gemini-2.5-flash",
        url="https://generativelanguage.googleapis.com/v1beta/openai",
        url_variable="GEMINI_BASE_URL",
        key_variable="GEMINI_API_KEY",
        profile=profiles.GEMINI,
    ),
    "anthropic": Preset(
        example="claude-haiku-4-5",
        url="https://api.anthropic.com/v1",
        url_variable="ANTHROPIC_BASE_URL",
        key_variable="ANTHROPIC_API_KEY",
        profile=profiles.ANTHROPIC,
    ),
    "ollama": Preset(
        example="qwen3:8b",
        url="http://127.0.0.1:11434/v1",
        url_variable="OLLAMA_BASE_URL",
        profile=profiles.OLLAMA,
    ),
    "vllm": Preset(
        example="MiniMaxAI/MiniMax-M2.7",
        url="http://127.0.0.1:8000/v1",
        url_variable="VLLM_BASE_URL",
        key_variable="VLLM_API_KEY",
        needs_key=False,
        profile=profiles.VLLM,
    ),
    "sglang": Preset(
        example="MiniMaxAI/MiniMax-M2.7",
        url="http://127.0.0.1:30000/v1",
        url_variable="SGLANG_BASE_URL",
        key_variable="SGLANG_API_KEY",
        needs_key=False,
        profile=profiles.SGLANG,
    ),
    "llamacpp": Preset(
        example="any",
        url="http://127.0.0.1:8080/v1",
        url_variable="LLAMACPP_BASE_URL",
        key_variable="LLAMACPP_API_KEY",
        needs_key=False,
        profile=profiles.LLAMA_SERVER,
    ),
    "local": Preset(
        example="smollm2",
        url=LOCAL,
        profile=LLAMA_CPP,
        profiles=(("smollm2", SMOLLM2),),
    ),
}


def profile_of(text: str) -> Profile:
    """The profile of the endpoint that `Endpoint.parse` would read; it takes no credentials.

    Raises: ConfigurationError on a name that `Endpoint.parse` doesn't know.
    """
    name, _, model = text.partition(":")
    preset = PRESETS.get(name)
    if preset is None or not model:
        return Endpoint.parse(text, {}).capabilities
    return dict(preset.profiles).get(model, preset.profile)


def _variables(template: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(template) if name]


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"} or not _URL.fullmatch(url):
        message = (
            f"The endpoint's URL isn't one of http:// or https:// with a host: {_shown(url)!r}. "
            "Correct it, as in http://127.0.0.1:8080/v1."
        )
        raise ConfigurationError(message)
    if "@" in parts.netloc:
        message = (
            f"The endpoint's URL for {host} has credentials in it. Pass them as api_key instead: "
            "URLs end up in logs."
        )
        raise ConfigurationError(message)
    if parts.query or parts.fragment:
        message = (
            f"The endpoint's URL for {host} has a query or a fragment, behind which no path fits. "
            "Leave it out; the model's name goes into model=."
        )
        raise ConfigurationError(message)


def _check_key(key: str) -> None:
    if not _KEY.fullmatch(key):
        message = (
            "The API key has a character that no header takes, such as a space or a line break. "
            "Check how it was read; strip() removes white space around it."
        )
        raise ConfigurationError(message)


def _shown(text: str) -> str:
    """A URL or a name as a message may show it: what may be credentials is masked."""
    scheme, _, rest = text.partition(":")
    if not rest and _LIKE_A_KEY.fullmatch(text):
        return "***"
    # A model's name may begin with an @, as Cloudflare's own do.
    return f"{scheme}:***" if "@" in rest[1:] else text


def resolve(endpoint: Endpoint | str | None) -> Endpoint:
    """Take an endpoint, or look up its name, or the default's, in the process's environment.

    Raises: ConfigurationError, which says what to set.
    """
    if isinstance(endpoint, Endpoint):
        return endpoint
    given: object = endpoint  # a caller without a type checker passes anything
    if given is not None and not isinstance(given, str):
        kind = type(given).__name__
        raise ConfigurationError(f"A {kind} is no endpoint. Pass an Endpoint, or the name of one.")
    name = endpoint or os.environ.get(DEFAULT_VARIABLE)
    if not name:
        message = (
            f"No endpoint is named. Pass one, or set {DEFAULT_VARIABLE}, for example: "
            f"export {DEFAULT_VARIABLE}=cloudflare:minimax/m2.7"
        )
        raise ConfigurationError(message)
    return Endpoint.parse(name, os.environ)
