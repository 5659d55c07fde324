"""extractify.lenient: what can be mended in one way, and what can't."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from extractify.lenient import MAX_DEPTH, mend
from extractify.messages import Fix, JsonValue
from extractify.quoting import MAX_MENDS, NotJson
from tests.pickling import pickled

SHARED = Path(__file__).parents[2] / "shared"
CASES = SHARED / "cases" / "parse_cases.json"
REPLAY = SHARED / "datasets" / "sob_replay"


def kinds(text: str) -> set[str]:
    return {fix.kind for fix in mend(text).fixes}


def refused(text: str) -> NotJson:
    with pytest.raises(NotJson) as caught:
        mend(text)
    return caught.value


def is_valid(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def verdict(text: str, expected: JsonValue) -> str:
    try:
        mended = mend(text)
    except NotJson as error:
        return "truncated" if error.truncated else "declined"
    return "right" if mended.value == expected else "wrong"


# --- what is mended --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1 "b": 2}', {"a": 1, "b": 2}),
        ('{"a": "x" "b": 2}', {"a": "x", "b": 2}),
        ('{"a": "x"\n "b": 2}', {"a": "x", "b": 2}),
        ('["a" "b"\n"c"]', ["a", "b", "c"]),
        ('[{"a": 1} {"b": [2]}]', [{"a": 1}, {"b": [2]}]),
        ('{"a": "x",}', {"a": "x"}),
        ('{"a": [1, "x",],}', {"a": [1, "x"]}),
        ("[1\n2]", [1, 2]),
    ],
)
def test_a_comma_is_added_or_left_out(text: str, value: JsonValue) -> None:
    assert mend(text).value == value
    assert kinds(text) == {"comma"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': 'x'}", {"a": "x"}),
        ("{`a`: `x`}", {"a": "x"}),
        ("{“a”: “x”, ‘b’: ‘it’s’}", {"a": "x", "b": "it's".replace("'", "’")}),
        ("{”a”: ”x”}", {"a": "x"}),
        ("""{'a': "it's"}""", {"a": "it's"}),
        ("['it's', 'the dogs' bone']", ["it's", "the dogs' bone"]),
        ('{"a": value with space}', {"a": "value with space"}),
        ('{"a": value "b": 1}', {"a": "value", "b": 1}),
        ('{"a": 1/3, "b": 2x}', {"a": "1/3", "b": "2x"}),
        ('{"a": 2024-01-05}', {"a": "2024-01-05"}),
        ('{"a": 12:30, "b": http://x.org/y}', {"a": "12:30", "b": "http://x.org/y"}),
        ('{"a": 5f3d9c60-450b-482c-81b9-4be77e95dee2}', None),
        ("[one, two]", ["one", "two"]),
        ('["a", b, "c"]', ["a", "b", "c"]),
        ('{"a": +491761234567}', {"a": "+491761234567"}),
        ('{"a": 007}', {"a": "007"}),
    ],
)
def test_quotes_of_another_kind_or_none_at_all_are_quotes(text: str, value: JsonValue) -> None:
    found = mend(text).value
    assert found == (value or {"a": "5f3d9c60-450b-482c-81b9-4be77e95dee2"})
    assert kinds(text) <= {"quote", "comma"}


def test_keys_may_stand_without_quotes() -> None:
    text = "{a: 1, some key: 2, 5: 3, null: 4, True: 5}"
    assert mend(text).value == {"a": 1, "some key": 2, "5": 3, "null": 4, "True": 5}
    assert mend(text).fixes[1] == Fix("/some key", "key", "some key")


@pytest.mark.parametrize(
    "text",
    [
        '// c\n{"a": "x"} # d',
        '{"a": "x" // "quoted"\n}',
        '{"a": /* "b": 2 */ "x"}',
        '{"a": "x", # c\n}',
        '{"a": x // c\n}',
        '{# c\n"a": "x" /* d */}',
    ],
)
def test_comments_are_passed_over(text: str) -> None:
    assert mend(text).value == {"a": "x"}
    assert "comment" in kinds(text)


def test_literals_of_python_and_javascript_are_read() -> None:
    assert mend("[True, False, None, undefined, NULL]").value == [True, False, None, None, None]
    assert kinds("[True]") == {"literal"}
    assert mend('{"a": True story}').value == {"a": "True story"}
    assert repr(mend("[1, NaN, -Infinity,]").value) == "[1, nan, -inf]"
    assert mend("[inf]").fixes == (Fix("/0", "literal", "inf"),)


def test_numbers_that_json_spells_otherwise_are_read() -> None:
    assert mend("[1., .5, +1, -.5, 1.e2]").value == [1.0, 0.5, 1, -0.5, 100.0]
    assert kinds("[1.]") == {"number"}
    assert mend('{"a": -2,000.00, "b": 1}').value == {"a": "-2,000.00", "b": 1}


def test_raw_control_characters_stay_in_the_string() -> None:
    assert mend('{"a": "one\n\ttwo"}').value == {"a": "one\n\ttwo"}
    assert kinds('{"a": "one\ntwo"}') == {"control character"}


def test_a_bad_escape_is_a_backslash() -> None:
    assert mend(r'["\d+ \(x\)", "it\'s"]').value == [r"\d+ \(x\)", "it's"]
    assert kinds(r'["\d"]') == {"escape"}
    assert mend(r"""{'a': 'b\n\u00e9'}""").value == {"a": "b\né"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('["some"thing with quotes"]', ['some"thing with quotes']),
        ('{"a": "one, "two" three "four". Five"}', {"a": 'one, "two" three "four". Five'}),
        ('[{"a": "v"alu,e", "b": "x"}]', [{"a": 'v"alu,e', "b": "x"}]),
        ('{"a": "he said "no""}', {"a": 'he said "no"'}),
        ('{"a": "<b id="c">d</b>"}', {"a": '<b id="c">d</b>'}),
        ('{"a": "a 5" pipe"}', {"a": 'a 5" pipe'}),
        ('["x "a" y, "b" ", "z"]', ['x "a" y, "b" ', "z"]),
        ('{"k"e"y": 1}', {'k"e"y': 1}),
    ],
)
def test_a_quote_within_a_string_is_text(text: str, value: JsonValue) -> None:
    assert mend(text).value == value
    assert kinds(text) == {"quote"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "New York, "b": "x"}', {"a": "New York", "b": "x"}),
        ('{"a": "New York,\n "b": "x"}', {"a": "New York", "b": "x"}),
        ('{"a": "one two. }', {"a": "one two."}),
        ('{"a": ["one]}', {"a": ["one"]}),
        ('{"a:"x"}', {"a": "x"}),
    ],
)
def test_a_missing_closing_quote_is_evident_from_what_follows(text: str, value: JsonValue) -> None:
    assert mend(text).value == value
    assert kinds(text) == {"quote"}


def test_quotes_may_be_doubled() -> None:
    assert mend('{""a"":""5"", ""b"":[{""c"":\'\'x\'\'}]}').value == {"a": "5", "b": [{"c": "x"}]}
    assert mend('{"a": ""x"}').value == {"a": "x"}
    refused('{"a": ""x""}')  # or is it a title, quoted?
    refused("{'a': ''x'}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [{"b": 1], "c": 2}', {"a": [{"b": 1}], "c": 2}),
        ("{a: [}", {"a": []}),
        ('{"a": ["x"}, "b": ["y"]}', {"a": ["x"], "b": ["y"]}),
        ('[{"a": 1}},{"b": 2}]', [{"a": 1}, {"b": 2}]),
        ('{"a": {"b": 1}}}', {"a": {"b": 1}}),
        ('{"a": {"b": [[1}, "c": 2}', {"a": {"b": [[1]]}, "c": 2}),
    ],
)
def test_one_bracket_may_be_missing_wrong_or_too_many(text: str, value: JsonValue) -> None:
    assert mend(text).value == value
    assert "bracket" in kinds(text)


def test_tuples_are_lists_and_parentheses_around_one_value_are_nothing() -> None:
    text = '{"a": (1, 2), "b": (), "c": ("x"), "d": (1,), "e": ((1, 2), 3)}'
    assert mend(text).value == {"a": [1, 2], "b": [], "c": "x", "d": [1], "e": [[1, 2], 3]}


def test_an_ellipsis_is_left_out_and_recorded() -> None:
    assert mend("[1, 2, ... , 3, …]").value == [1, 2, 3]
    assert [fix.kind for fix in mend('["a", ...]').fixes] == ["ellipsis"]
    refused("[...]")
    refused('{"a": 1, ...}')


def test_invisible_characters_and_wide_spaces_are_space() -> None:
    assert mend('\ufeff{\xa0"a": 1}').value == {"a": 1}
    assert kinds("\ufeff[1]") == {"space"}


def test_a_fix_names_its_place_and_what_stood_there() -> None:
    text = "{'a/b': [1, {c: True}],}"
    assert mend(text).fixes == (
        Fix("/a~1b", "quote", "'"),
        Fix("/a~1b/1/c", "key", "c"),
        Fix("/a~1b/1/c", "literal", "True"),
        Fix("", "comma", ","),
    )
    assert len(mend("[" + "x" * 500 + "]").fixes[0].got) == 60
    assert mend(f'{{"{"k" * 500}": [x, {{"a": y}}]}}').fixes[0].pointer == ""


def test_a_key_given_twice_with_different_values_is_a_conflict() -> None:
    assert mend('{"x": [{"a": 1, "a": 2}], "b": 1, "b": 1}').conflicts == ("/x/0/a",)
    assert mend('{"a": 1, "b": 1, "a": true, "c": 3}').conflicts == ("/a",)
    assert mend('{"a": 1, "a": 2}').value == {"a": 2}
    assert mend('{"a": 1, x: 1, "a": 2, "b": 3, "c": 4}').conflicts == ("/a",)
    assert mend('{"a": [1], "b": 2, "a": [1], x: 1}').conflicts == ()


# --- what isn't ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON at all",
        "{,}",
        "[1,,2]",
        '{"a": }',
        '{"a": , "b": 1}',
        '{"a"}',
        '{"a" 1}',
        "{'a', 'b'}",
        '["a": 1]',
        '{"a": 1} {"b": 2}',
        '{"a": 1}, "b": 2}',
        "[1]]",
        "[1}]]]",
        '{"a": {"b": 1}, "c": 2}}',
        '{"a": [1}, "b": [2}, "c": 3}',
        "[(1]",
        "[(1 2)]",
        '[("a" "b")]',
        "[(see above)]",
        "[(5,575)]",
        "[1 2]",
        "[one two, three]",
        '[Zhou, Guangwei, "Dargie"]',
        "[a\nb]",
        "[0.40.5]",
        '[a "b"]',
        '{"a": b: c}',
        '{"a": one, two}',
        '{"a": "x" "y"}',
        '["x" y", "z"]',
        '["x "y", "z"]',
        '["a""b"]',
        '{"a": "he said "no"}',
        '{"a": "x", 5}',
        '{"a": "the "b": c"}',
        '{"a": "x"; "b": "y"}',
        "['x'; 'y']",
        '{"k "e" y": 1}',
        '{""a" b": 1}',
        '{"a": ""x"y"}',
        '{"a": AWD # 5",\n"b": 1}',
        "[/]",
        '["a\\\nb"]',
        '["' + "\\é" + '"]',
        "[" + "1" * 5000 + "]",
        "{[1]: 2}",
    ],
)
def test_what_can_be_read_in_two_ways_or_in_none_is_not_json(text: str) -> None:
    error = refused(text)
    assert not error.truncated
    assert str(error) == f"not JSON at character {error.at}"


@pytest.mark.parametrize("text", [r'["\(\tau\)"]', r'["C:\Users\new"]', r'["\(", "\nabla"]'])
def test_beside_a_backslash_that_was_not_doubled_no_escape_can_be_trusted(text: str) -> None:
    assert not refused(text).truncated


@pytest.mark.parametrize(
    "text",
    ["{", "[1", '{"a', "{a", '{"a": "x', '["x}', '["x,]', '["(x]', "[tru", "[/* x", '"abc', "[(1"],
)
def test_what_was_cut_off_says_so(text: str) -> None:
    error = refused(text)
    assert error.truncated
    assert str(error).startswith("cut off")
    assert pickled(error).truncated


def test_depth_is_bounded() -> None:
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert mend(deepest).value == json.loads(deepest)
    assert not refused(f"[{deepest}]").truncated
    assert not refused("[" * 100_000).truncated


# --- properties ------------------------------------------------------------------------------

WORDS = st.text("abcdefghij XYZ0189éß_-").map(lambda text: f"k{' '.join(text.split())}q")
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=15,
)
SIMPLE: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner),
    max_leaves=8,
)
CONTAINERS = st.lists(JSON, min_size=1) | st.dictionaries(st.text(), JSON, min_size=1)
SIMPLE_OBJECTS = st.dictionaries(WORDS, SIMPLE, min_size=2)
INDENTS = st.sampled_from([None, 0, 2])


@settings(max_examples=60)
@given(value=JSON, indent=INDENTS, ascii_only=st.booleans())
def test_valid_json_is_read_as_json_loads_reads_it(
    value: JsonValue, indent: int | None, *, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    mended = mend(text)
    assert repr(mended.value) == repr(json.loads(text))
    assert (mended.fixes, mended.conflicts) == ((), ())


@settings(max_examples=60)
@given(JSON, INDENTS)
def test_valid_json_beside_a_mistake_is_read_as_well(value: JsonValue, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert mend(f'{{"a": {text}, "b": True}}').value == {"a": value, "b": True}
    assert mend(f"[None, {text}, 1]").value == [None, value, 1]


@pytest.mark.slow
@pytest.mark.no_cover
@settings(max_examples=60)
@given(CONTAINERS, INDENTS, st.data())
def test_no_beginning_of_a_json_container_is_a_value(
    value: JsonValue, indent: int | None, data: st.DataObject
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    begun = text[: data.draw(st.integers(1, len(text) - 1))]
    # A closing bracket in the string that was cut could be all that is missing: see _cut_off.
    assume(not begun.rstrip().endswith(("]", "}")))
    assert refused(begun).truncated


@pytest.mark.slow
@pytest.mark.no_cover
@settings(max_examples=60)
@given(SIMPLE_OBJECTS, st.data())
def test_one_missing_comma_between_members_is_put_back(
    value: dict[str, JsonValue], data: st.DataObject
) -> None:
    members = [f"{json.dumps(key)}: {json.dumps(held)}" for key, held in value.items()]
    gap = data.draw(st.integers(1, len(members) - 1))
    text = f"{{{', '.join(members[:gap])} {', '.join(members[gap:])}}}"
    assert mend(text).value == value
    assert kinds(text) == {"comma"}


@settings(max_examples=60)
@given(st.dictionaries(WORDS, WORDS, min_size=2), st.sampled_from(["'", "`", ""]), st.data())
def test_one_string_in_other_quotes_is_the_same_string(
    value: dict[str, str], quote: str, data: st.DataObject
) -> None:
    text = json.dumps(value, ensure_ascii=False)
    word = data.draw(st.sampled_from([*value, *value.values()]))
    changed = text.replace(json.dumps(word, ensure_ascii=False), f"{quote}{word}{quote}", 1)
    assert mend(changed).value == value


@pytest.mark.slow
@pytest.mark.no_cover
@settings(max_examples=60)
@given(SIMPLE_OBJECTS)
def test_what_python_prints_is_read(value: dict[str, JsonValue]) -> None:
    assert mend(repr(value)).value == value


@settings(max_examples=300)
@given(st.text() | st.text("[]{}()\"'`,:\\/*# \n1.-+ax“”…").map(lambda text: f'{{"a": [{text}'))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        value = mend(text).value
    except NotJson:
        return
    json.dumps(value)


# --- its cost --------------------------------------------------------------------------------

REPEATED = [
    ("", "["), ("", '{"a":'), ("", '"'), ('["', '"'), ("", "'"), ('["', "',"), ('["', '",'),
    ('["', '" '), ('{"a":"', '" '), ('{"a":"', '",'), ('{"a": "', "k: v "), ("", "\\"),
    ('["', "\\"), ('["', "\\d"), ("", "/*"), ("[", "/*"), ("[", "//\n"), ("[", '{"k": "v"'),
    ("[", '{"k": "v"}'), ("{", '"k": "v" '), ("[", "a,"), ("{", "k:v,"), ("[", "'a',"),
    ('["x', ' "a" b'), ('{"k":"x', ', "a" b'), ("['x", "'s"), ("[1", " "), ("[1", "\xa0"),
    ("[a", " "), ("[a", " b"), ('{"a":1', "}"), ("[", "[1},"), ("[", "(1),"), ("[1", ",..."),
    ('{"a":"x"', '}" '), ("['a", '\',"'), ('{"a":"x"\n', "b b: "), ("[", '{"a":1,"a":2},'),
    ("{", '"k":[1,2],'), ("[", "1.,"), ("[", "[[[]]],"), ("[", '"\\ud83d",'), ("[", "a:b,"),
    ('{"' + "k" * 10_000 + '":[', "x,"), ("{" + '"kkkk":{' * 150, 'a:"b",'),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.no_cover
@pytest.mark.parametrize(("head", "unit"), REPEATED)
def test_the_cost_is_linear_whatever_the_text(head: str, unit: str) -> None:
    def cost(size: int) -> float:
        text = head + unit * (size // len(unit))
        begun = time.process_time()
        for tail in ("", '"]'):
            verdict(text + tail, None)
        return time.process_time() - begun

    # Four times the text: four times the cost, not sixteen. The rest is for the clock.
    assert cost(32_000) < 8 * cost(8_000) + 0.3


@pytest.mark.slow
@pytest.mark.no_cover
def test_a_text_that_needs_too_many_mends_is_not_json() -> None:
    assert len(mend(f"[{'x,' * (MAX_MENDS - 1)}]").fixes) == MAX_MENDS
    refused(f"[{'x,' * MAX_MENDS}]")
    refused("{" + '"a": 1,' * (MAX_MENDS + 2) + "}")


# --- other people's cases --------------------------------------------------------------------


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases aren't here")
def test_the_shared_cases_are_read_or_declined_never_read_wrong() -> None:
    # Read otherwise on purpose: enum aliases and `-2,000.00` are the schema's to judge, a newline
    # in a key stays, and `"v"alue"` ends at its last quote.
    other = {
        "list_of_enums_2",
        "test_class_list",
        "test_escaping/4",
        "test_parse_object_edge_cases/3",
    }
    found: Counter[str] = Counter()
    wrong = set()
    for case in json.loads(CASES.read_text()):
        text = case["input"].strip()
        if case["policy"] == "safe" and text.startswith(("{", "[")) and not is_valid(text):
            how = verdict(text, case["expected"])
            found[how] += 1
            if how == "wrong" and not any(case["id"].endswith(each) for each in other):
                wrong.add(case["id"])
    assert wrong == set()
    assert found["right"] >= 54


@pytest.mark.skipif(not REPLAY.exists(), reason="the shared datasets aren't here")
def test_a_mistake_put_into_a_real_answer_is_mended_or_declined() -> None:
    found: Counter[str] = Counter()
    for line in (REPLAY / "records.jsonl").read_text().splitlines():
        gold = json.loads(line)["gold"]
        text = json.dumps(gold, indent=2, ensure_ascii=False)
        assert verdict(repr(gold), gold) == "right"
        for at in range(0, len(text), max(1, len(text) // 20)):
            assert verdict(text[:at] or "[", gold) == "truncated"
        for wrong, right in ((",\n", "\n"), ('",\n', ",\n"), ("\n  ]", "\n  }"), ('": "', '":')):
            found[verdict(text.replace(wrong, right, 1), gold)] += 1
    assert found["wrong"] == 0
    assert found["right"] >= 200


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a", "b"}', ["a", "b"]),
        ("{'a', 'b',}", ["a", "b"]),
        ("{1, 2.5}", [1, 2.5]),
        ('{"tags": {"a"}, "n": 1}', {"tags": ["a"], "n": 1}),
        ('{{"a": 1}}', {"a": 1}),
        ('{{"a": {{"b": {"c": 1}}}}}', {"a": {"b": {"c": 1}}}),
        ('{{"a": 1}, {"a": 2}}', [{"a": 1}, {"a": 2}]),
    ],
)
def test_a_set_is_a_list_and_doubled_braces_are_one_pair_where_sets_are_read(
    text: str, value: JsonValue
) -> None:
    found = mend(text, sets=True)
    assert found.value == value
    assert "bracket" in [fix.kind for fix in found.fixes]
    with pytest.raises(NotJson):
        mend(text)


@pytest.mark.parametrize(
    "text",
    ['{"a", "b": 1}', '{"a": 1, "b"}', "{a, b}", '{"a" "b": 1}', '{{"a": 1}, "b": 2}', "{,}"],
)
def test_an_object_with_a_broken_member_is_no_set(text: str) -> None:
    with pytest.raises(NotJson):
        mend(text, sets=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": """x"""}', "x"),
        ("{'a': '''it's \"x\"'''}", 'it\'s "x"'),
        ('{"a": """def f(x):\n    return x["k"], {}""", }', 'def f(x):\n    return x["k"], {}'),
        ('{"a": """""", "b": """x"""}', None),
        ('{"a": """\nx\n"""}', None),  # whether the line breaks are its own, nobody knows
        ('{"a": """x\\ny"""}', None),  # an escape, or code with one in it
        ('{"a": """x""" """y"""}', None),
        ('{"a": """x""""}', None),
        ('{"a": """x"}', None),
        ('{"""a""": "x"}', None),
    ],
)
def test_a_triple_quoted_string_is_what_stands_in_it(text: str, said: str | None) -> None:
    if said is None:
        with pytest.raises(NotJson):
            mend(text)
    else:
        assert mend(text).value == {"a": said}
