"""The rows of data that the package goes by, as tables: profiles, presets, faults."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

from extractify import profiles
from extractify.endpoints import PRESETS, Preset
from extractify.profiles import PROFILES, Profile
from extractify.testing import FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable

_ASKED = {"native": "`response_format`", "tool": "a tool", "prompt": "the prompt alone"}


def overview() -> str:
    """A row for each profile: how it is asked, and what it takes."""
    heads = ("profile", "asked by", "schema", "is", "temperature", "output, tokens", "images")
    return _table(heads, map(_summary, PROFILES.values()))


def details() -> str:
    """A section for each profile: what is known of it, and each field that isn't as usual."""
    told = _said_of()
    parts: list[str] = []
    for profile in PROFILES.values():
        parts += [f"### {profile.name}", told.get(profile.name, ""), *_unusual(profile), ""]
    return "\n\n".join(parts)


def presets() -> str:
    """A row for each preset: as what it asks, with what, and where."""
    return _table(
        ("preset", "profile", "dialect", "from the environment", "URL"),
        (
            (
                f"`{name}:{row.example}`",
                ", ".join(f"[{each}](#{_anchor(each)})" for each in _profiles_of(row)),
                f"`{row.dialect}`",
                ", ".join(_variables(row)),
                f"`{row.url}`",
            )
            for name, row in PRESETS.items()
        ),
    )


def faults() -> str:
    """A row for each kind of fault, with the faults of `extractify.testing.FAULTS` that are so."""
    alike: dict[str, list[str]] = {}
    for fault in FAULTS.values():
        alike.setdefault(fault.what, []).append(f"`{fault.name}`")
    rows = ((what, ", ".join(names)) for what, names in alike.items())
    return _table(("what the endpoint does", "the faults"), rows)


def _summary(profile: Profile) -> tuple[str, ...]:
    low, high = profile.temperature_range
    schema = "whole" if profile.keywords is None else f"{len(profile.keywords)} keywords"
    if profile.root_keywords is not None:
        schema += ", in an envelope"
    ceiling = "" if profile.output_ceiling is None else f"{profile.output_ceiling} at most"
    usual = "" if profile.max_tokens is None else f"{profile.max_tokens} unless told"
    same = profile.max_tokens == profile.output_ceiling
    return (
        f"[{profile.name}](#{_anchor(profile.name)})",
        _ASKED[profile.structure] + (", `strict`" if profile.strict else ""),
        schema + (", closed objects" if profile.closed else ""),
        "enforced" if profile.enforces else "a hint",
        f"{low:g} to {high:g}",
        ceiling if same else ", ".join(filter(None, (usual, ceiling))),
        "yes" if profile.images else "refused",
    )


def _unusual(profile: Profile) -> list[str]:
    """The fields that differ from a profile of which nothing is known."""
    usual = Profile(name=profile.name)
    lines = [
        f"- `{field.name}`: {_shown(getattr(profile, field.name))}"
        for field in fields(Profile)
        if getattr(profile, field.name) != getattr(usual, field.name)
    ]
    return ["\n".join(lines)] if lines else []


def _shown(value: object) -> str:
    if isinstance(value, frozenset):
        return ", ".join(f"`{each}`" for each in sorted(value)) or "none"
    if isinstance(value, profiles.Limits):
        given = {field.name: getattr(value, field.name) for field in fields(value)}
        return ", ".join(f"{key} {many:,}" for key, many in given.items() if many)
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return ", ".join(f"`{key}` {each}" for key, each in value)
    if isinstance(value, tuple):
        return ", ".join(f"`{each}`" for each in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"`{value}`" if isinstance(value, str) else str(value)


def _said_of() -> dict[str, str]:
    """By profile, the text below it in its module; rows without one share that of the next."""
    told: dict[str, str] = {}
    waiting: list[str] = []
    for node in ast.parse(Path(str(profiles.__file__)).read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = getattr(profiles, node.targets[0].id)
            waiting += [value.name] if isinstance(value, Profile) else []
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            told |= dict.fromkeys(waiting, " ".join(str(node.value.value).split()))
            waiting = []
    return told


def _profiles_of(row: Preset) -> list[str]:
    return list(dict.fromkeys(each.name for each in (*dict(row.profiles).values(), row.profile)))


def _variables(row: Preset) -> list[str]:
    needed = [f"`{name}`" for _, name, _, _ in Formatter().parse(row.url) if name]
    if row.key_variable:
        needed.append(f"`{row.key_variable}`{'' if row.needs_key else ' (optional)'}")
    return needed


def _anchor(name: str) -> str:
    """The heading's anchor, as the builder of the site makes it."""
    return name.replace(".", "")


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
