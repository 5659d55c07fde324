"""extractify.markers: what a target says of where its values come from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from extractify import Aliases, Grounding, Quote, ground, read
from extractify.lowering import lower
from extractify.markers import Marks, label_words, without_quotes
from extractify.notation import notation
from extractify.profiles import FULL, M2_7
from extractify.schema import compile_schema

if TYPE_CHECKING:
    from extractify.messages import JsonValue


class Line(BaseModel):
    name: Annotated[str, Grounding.required]
    count: Annotated[int | None, Quote] = None


class Job(BaseModel):
    kind: Annotated[Literal["full-time", "part-time"], Aliases({"full-time": ["Vollzeit"]})]
    remote: Annotated[bool, Aliases({True: ["home office"]})] = False
    skills: list[Annotated[str, Grounding.off]] = []
    email: Annotated[str | None, Quote] = Field(default=None, description="where to apply")
    sector: Annotated[str, Grounding.inferred] = ""
    lines: Annotated[list[Line], Grounding.reported] = []


@dataclass
class AsDataclass:
    name: Annotated[str, Grounding.required]


class AsTypedDict(TypedDict):
    name: Annotated[str, Grounding.required]


@pytest.mark.parametrize(
    ("target", "pointer", "policy"),
    [
        (Job, "/skills/12", "off"),
        (Job, "/sector", "inferred"),
        (Job, "/kind", None),
        (Job, "/lines/3/name", "required"),
        (Job, "/lines/3/count", "reported"),
        (Job, "/nothing/there", None),
        (AsDataclass, "/name", "required"),
        (AsTypedDict, "/name", "required"),
        (list[Line], "/7/name", "required"),
        (Annotated[str, Grounding.required], "", "required"),
        ({"type": "object", "properties": {"a": {"x-grounding": "off"}}}, "/a", "off"),
    ],
)
def test_a_marker_is_found_wherever_it_stands(
    target: Any, pointer: str, policy: str | None
) -> None:
    assert compile_schema(target).marks.at(pointer).policy == policy


def test_no_model_is_shown_a_marker() -> None:
    schema = compile_schema(Job)
    shown = [json.dumps(schema.asked), notation(schema)]
    for profile in (FULL, M2_7):
        wire = lower(schema, profile)
        assert wire.format is not None
        shown.append(wire.format.encoded)
    assert not any("x-" in text for text in shown)


def test_a_quote_is_asked_for_beside_its_value_and_taken_out_again() -> None:
    asked = compile_schema(Job).asked
    names = list(asked["properties"])
    assert names.index("email_quote") == names.index("email") + 1
    assert "email_quote" in asked["required"]
    assert "email_quote: string | null" in notation(compile_schema(Job))
    answer = {"kind": "full-time", "email": "a@b.cd", "email_quote": "Mail: a@b.cd"}
    answer_lines: Any = {**answer, "lines": [{"name": "x", "count": 2, "count_quote": "2 x"}]}
    reading = read(json.dumps(answer_lines), Job)
    assert reading.value == Job(kind="full-time", email="a@b.cd", lines=[Line(name="x", count=2)])
    failed = read(json.dumps({**answer, "kind": "none"}), Job)
    assert failed.partial == {"kind": "none", "email": "a@b.cd"}


def test_a_field_that_only_ends_like_a_quote_stays() -> None:
    class Saying(BaseModel):
        famous: str
        famous_quote: str

    data: JsonValue = {"famous": "a", "famous_quote": "b"}
    assert without_quotes(compile_schema(Saying).marks, data) == data

    class Own(BaseModel):
        famous: Annotated[str, Quote]
        famous_quote: str

    assert list(compile_schema(Own).asked["properties"]) == ["famous", "famous_quote"]
    assert read(json.dumps(data), Own).value == Own(famous="a", famous_quote="b")


def test_declared_aliases_stand_for_a_value() -> None:
    evidence = ground(Job(kind="full-time", remote=True), "Vollzeit, home office möglich")
    assert evidence["/kind"].status == evidence["/remote"].status == "typed"
    assert evidence["/kind"].spans == ((0, 8),)
    assert ground(Job(kind="part-time"), "Vollzeit")["/kind"].status == "missing"


def test_a_policy_holds_for_an_instance_of_the_class() -> None:
    evidence = ground(Job(kind="full-time", skills=["law"], sector="it"), "full-time")
    assert "/skills/0" not in evidence
    assert evidence["/sector"].status == "inferred"


def test_labels_are_the_words_of_name_and_description() -> None:
    assert label_words("invoiceNumber_total of the year") == ["invoice", "total", "year"]
    marks = Marks(compile_schema(Job).canonical)
    assert marks.at("/email").words == ("email", "where", "apply")
    assert marks.at("/skills/3").words == ("skills",)
