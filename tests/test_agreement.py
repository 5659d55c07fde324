"""The JSON-Schema-Test-Suite: one verdict of a schema as it was given and as it is used.

For every instance: the original schema and our validation agree; and for every profile, a valid
instance can be said within the payload, and comes back as it was.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from extractify.errors import SchemaError
from extractify.lowering import lower
from extractify.profiles import PROFILES
from extractify.schema import Schema, compile_schema
from extractify.shapes import lowered, raised
from extractify.validation import validate, without_idle_nulls

if TYPE_CHECKING:
    from collections.abc import Iterator

SUITE = Path(__file__).parents[2] / "shared" / "cases" / "json-schema-test-suite"
pytestmark = pytest.mark.skipif(not SUITE.is_dir(), reason="the shared test suite isn't here")

DRAFTS: list[tuple[str, Any]] = [
    ("draft2020-12", jsonschema.Draft202012Validator),
    ("draft7", jsonschema.Draft7Validator),
]
# What is refused, and how often: documents that aren't there, dynamic references that can mean
# several schemas, patterns that Python can't compile.
REFUSED = {"another document": 37, "several schemas": 10, "is not a 'regex'": 14}
# Values that say something only by what they leave out: a null that is asked for stays in them,
# because it is a value there, and breaks a rule between keys.
MOST_CHANGED = 10
# A closed object can't hold keys that nobody declared, and a schema that doesn't name its type is
# taken to mean the one it speaks of.
MOST_UNSAID = {"openai-strict": 140}


def groups(draft: str) -> Iterator[tuple[str, dict[str, Any], list[Any]]]:
    """Yield where a schema stands, the schema and the instances to judge by it."""
    for path in sorted((SUITE / draft).rglob("*.json")):
        for group in json.loads(path.read_text()):
            given = group["schema"]
            if isinstance(given, bool):
                given = {} if given else {"not": {}}
            if draft == "draft7":
                given = {"$schema": "http://json-schema.org/draft-07/schema#", **given}
            tests = group["tests"]
            yield f"{path.name}: {group['description']}", given, tests


def compiled(draft: str) -> Iterator[tuple[str, Schema[Any], dict[str, Any], list[Any]]]:
    for place, given, tests in groups(draft):
        try:
            yield place, compile_schema(given), given, tests
        except SchemaError:
            continue


def test_few_schemas_are_refused_and_each_says_why() -> None:
    reasons = dict.fromkeys(REFUSED, 0)
    for draft, _ in DRAFTS:
        for place, given, _tests in groups(draft):
            try:
                compile_schema(given)
            except SchemaError as error:
                told = str(error)
                assert len(told) < 600
                reason = next((reason for reason in REFUSED if reason in told), place + told)
                reasons[reason] = reasons.get(reason, 0) + 1
    assert reasons == REFUSED


@pytest.mark.parametrize(("draft", "judge"), DRAFTS)
def test_the_original_schema_and_our_validation_agree_on_every_instance(
    draft: str, judge: Any
) -> None:
    differing = []
    for place, schema, given, tests in compiled(draft):
        for test in tests:
            data = test["data"]
            ours = validate(schema, data)
            verdict = not ours.problems and not ours.fixes
            wanted = judge(given).is_valid(without_idle_nulls(schema, data))
            # `dependencies` is an extension of 2020-12, which the suite wants and we have.
            if verdict != wanted and not ("dependencies-compat" in place and not test["valid"]):
                differing.append((place, test["description"]))
    assert differing == []


# Those whose schemas differ.
@pytest.mark.slow
@pytest.mark.no_cover
@pytest.mark.parametrize("name", ["full", "openai-strict", "llama.cpp", "llguidance", "gemini"])
def test_a_valid_instance_can_be_said_and_comes_back_as_it_was(name: str) -> None:
    profile = PROFILES[name]
    changed, unsaid = [], []
    for draft, _ in DRAFTS:
        for place, schema, _given, tests in compiled(draft):
            wire = lower(schema, profile)
            assert wire.format is not None
            payload = jsonschema.Draft202012Validator(dict(wire.format.schema))
            for test in tests:
                verdict = validate(schema, test["data"])
                if verdict.problems or verdict.fixes:
                    continue
                data = without_idle_nulls(schema, test["data"])
                sent = lowered(schema, profile, data)
                if not payload.is_valid({"result": sent} if wire.enveloped else sent):
                    unsaid.append((place, test["description"]))
                    continue
                back = without_idle_nulls(schema, raised(schema, profile, sent))
                if type(back) is not type(data):  # of a schema that names no type
                    unsaid.append((place, test["description"]))
                    continue
                assert without_nulls(back, data) == data, (place, test["description"])
                if not schema.validator.is_valid(back):
                    changed.append((place, test["description"]))
    assert len(changed) <= MOST_CHANGED
    assert len(unsaid) <= MOST_UNSAID.get(profile.name, 3)


def without_nulls(back: Any, data: Any) -> Any:
    """Leave out each null of the first that the second doesn't have."""
    if isinstance(back, dict) and isinstance(data, dict):
        return {
            key: without_nulls(value, data.get(key))
            for key, value in back.items()
            if value is not None or key in data
        }
    if isinstance(back, list) and isinstance(data, list) and len(back) == len(data):
        return [without_nulls(one, two) for one, two in zip(back, data, strict=True)]
    return back
