"""JSON in any formatting, and any text cut into any chunks."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.sampled_from(["", '"', "\\", "a\nb", "}{", "</think>", "😀", "\u2028", "it's", "1,234"])
)
CONTAINERS = st.recursive(
    st.lists(SCALARS, max_size=4) | st.dictionaries(st.text(max_size=4), SCALARS, max_size=4),
    lambda inner: (
        st.lists(inner | SCALARS, max_size=4)
        | st.dictionaries(st.text(max_size=4), inner | SCALARS, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def written(draw: st.DrawFn, values: st.SearchStrategy[Any] = CONTAINERS) -> tuple[Any, str]:
    """A value, and its JSON in one of the ways that it is written."""
    value = draw(values)
    indent = draw(st.sampled_from([None, 0, 2, "\t"]))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :"), (",\r\n", ":\n")]))
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=draw(st.booleans()))
    return json.loads(text), text


@st.composite
def cut(draw: st.DrawFn, text: str) -> list[str]:
    """The text in chunks."""
    count = draw(st.sampled_from([0, 1, 3, len(text)]))
    if count == len(text):
        return list(text)
    places = draw(st.lists(st.integers(0, len(text)), max_size=count))
    return [text[a:b] for a, b in pairwise([0, *sorted(places), len(text)])]
