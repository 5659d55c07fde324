"""extractify.folding: what a text says, and where each character of that stood."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractify.folding import BREAK, GAP, Folded, fold

quick = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("The  ANALYTICAL\n Engine", f"the{GAP}analytical{BREAK}engine"),
        ("“q” – ‘x’", "\"q\" - 'x'"),
        ("oﬃce ＡＣＭＥ １２ ٤٢", "office acme 12 42"),
        ("Straße", "strasse"),
        ("cafe\u0301", "café"),
        ("x² ½ ① ⒈", "x² ½ ① ⒈"),
        ("in\u00adfor\u200bma\u2060tion", "information"),
        ("infor-\nmation", "information"),
        ("INV-\n12", "inv-12"),
        ("- item -\n next", f"- item -{BREAK}next"),
        ("日本\n航空", "日本航空"),
        ("AT&amp;T&nbsp;&#8364; &unknown; &amp", "at&t € &unknown; &amp"),
        ("**bold** _it_ `code` ~~no~~", "bold it code no"),
        ("2 * 3, 12*34, a_b, foo**bar**", "2 * 3, 12*34, a_b, foobar"),
        ("[Acme](http://x.y) a\\_b", "acme a_b"),
        ("# Head\n> one\n> two", f"# head{BREAK}one{BREAK}two"),
        ("<b>Ac</b>me<td>1</td><td>2</td>", "acme 1  2 "),
        ("1<b>2</b>3", "1 2 3"),
        ("a < b > c", "a < b > c"),
        ("", ""),
    ],
)
def test_what_says_nothing_is_evened_out(text: str, folded: str) -> None:
    assert Folded(text).text == folded


def test_hyphens_at_the_ends_of_lines_may_be_kept() -> None:
    assert Folded("well-\nknown", hyphen="-").text == "well-known"


def test_gaps_and_breaks_are_spaces_in_a_value() -> None:
    assert fold("  A\n\n B \t C ") == "a b c"


def test_each_folded_character_leads_back_to_what_it_was() -> None:
    text = "Die **Stra\u00dfe** &amp; infor-\nmation"
    folded = Folded(text)
    for part, there in (("strasse", "Straße"), ("&", "&amp;"), ("information", "infor-\nmation")):
        at = folded.text.index(part)
        end = at + len(part)
        assert text[folded.original_start(at) : folded.original_end(end)] == there
    inside = folded.text.index("ss")
    assert text[folded.original_start(inside + 1) : folded.original_end(inside + 1)] == "ß"


SOUP = st.text(
    st.sampled_from("aB1٤ \n\t-\u00ad\u200b\u0301ﬁß&;amp*_`~[](x)<b>/\\#日航“–é\r"), max_size=40
)


@quick
@given(SOUP | st.text(max_size=40))
def test_offsets_lead_back_in_order_and_inside_the_text(text: str) -> None:
    folded = Folded(text)
    starts = [folded.original_start(at) for at in range(len(folded.text))]
    ends = [folded.original_end(at + 1) for at in range(len(folded.text))]
    assert starts == sorted(starts)
    assert ends == sorted(ends)
    assert all(0 <= start < end <= len(text) for start, end in zip(starts, ends, strict=True))
    assert len(folded.spaced) == len(folded.text)


@quick
@given(SOUP)
def test_no_digit_is_made_or_lost(text: str) -> None:
    digits = [str(int(char)) for char in text if char.isdecimal()]
    assert [char for char in Folded(text).text if char.isdecimal()] == digits
