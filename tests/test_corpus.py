"""A corpus of targets: what goes in as an answer comes out as the value, whatever the profile."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from extractify import read
from extractify.lowering import lower
from extractify.notation import notation
from extractify.profiles import PROFILES, Profile
from extractify.reading import read_answer
from extractify.schema import compile_schema
from extractify.shapes import lowered, raised
from extractify.validation import without_idle_nulls
from tests.corpus import CASES

pytestmark = pytest.mark.filterwarnings("ignore:.*using the `ReadOnly` qualifier")
IDS = [str(number) for number in range(len(CASES))]
each_case = pytest.mark.parametrize(("target", "answer", "value"), CASES, ids=IDS)


def test_the_corpus_holds_150_targets_at_least() -> None:
    assert len({repr(target) for target, _, _ in CASES}) >= 150


@each_case
def test_an_answer_is_read_as_the_value(target: Any, answer: Any, value: Any) -> None:
    reading = read(json.dumps(answer), target)
    assert reading.ok, reading.problems
    assert reading.value == value
    assert type(reading.value) is type(value)


@each_case
def test_both_schemas_are_valid_and_take_the_answer(target: Any, answer: Any, value: Any) -> None:
    del value
    schema = compile_schema(target)
    for node in (schema.canonical, schema.asked, schema.flat.asked):
        jsonschema.Draft202012Validator.check_schema(node)
    data = lowered(schema, PROFILES["full"], without_idle_nulls(schema, answer))
    jsonschema.validate(data, schema.asked, cls=jsonschema.Draft202012Validator)


@each_case
def test_an_answer_survives_lowering_and_raising(target: Any, answer: Any, value: Any) -> None:
    for profile in PROFILES.values():
        survives(profile, target, answer, value)


def survives(profile: Profile, target: Any, answer: Any, value: Any) -> None:
    schema = compile_schema(target)
    wire = lower(schema, profile)
    assert wire.format is not None
    sent = lowered(schema, profile, without_idle_nulls(schema, answer))
    travelling = {"result": sent} if wire.enveloped else sent
    payload: Any = wire.format.schema
    jsonschema.Draft202012Validator.check_schema(payload)
    jsonschema.validate(travelling, payload, cls=jsonschema.Draft202012Validator)
    back = without_idle_nulls(schema, raised(schema, profile, sent))
    assert lowered(schema, profile, back) == sent
    reading = read_answer(
        json.dumps(travelling),
        schema,
        enveloped=wire.enveloped,
        raising=lambda data: raised(schema, profile, data),
    )
    assert reading.ok, (profile.name, reading.problems)
    assert reading.value == value


@each_case
def test_the_notation_names_every_key(target: Any, answer: Any, value: Any) -> None:
    del answer, value
    schema = compile_schema(target)
    for profile in (PROFILES["full"], PROFILES["openai-strict"]):
        text = notation(schema, shape=lower(schema, profile).shape)
        assert text == notation(schema, shape=lower(schema, profile).shape)
        assert "undefined" not in text
    assert all(
        name in notation(schema) or json.dumps(name) in notation(schema)
        for name in schema.property_names
    )
