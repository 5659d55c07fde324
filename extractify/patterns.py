"""The patterns of a JSON Schema, matched in bounded time.

Most need no backtracking, and take linear time; the others are Python's, within limits.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema

MOST_BACKTRACKED = 200
"""Characters of the longest text that is held against a pattern which only Python can read."""
SHORT, FEW = 20, 3
"""Characters of a text, and repetitions in a pattern, that backtracking can't make much of."""

_GROUP_OR_REPEAT = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]|[*+]|\{\d+,\d*\}", re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern is found in a text; False too where that can't be seen in bounded time."""
    engine = linear(pattern)
    if engine is not None:
        return engine.isinstance_python(text)
    return _is_bounded(pattern, len(text)) and re.search(pattern, text) is not None


@lru_cache(maxsize=256)
def linear(pattern: str) -> SchemaValidator | None:
    """A matcher that never backtracks; None where a pattern looks around or refers back."""
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError:
        return None


def _is_bounded(pattern: str, length: int) -> bool:
    """Whether backtracking ends soon: a short text, or few repetitions and none of a group."""
    repeats = len(re.findall(r"[*+{]", pattern))
    nested = re.search(r"\)[*+{]", pattern) is not None
    return length <= SHORT or (length <= MOST_BACKTRACKED and repeats <= FEW and not nested)


def is_catastrophic(pattern: str) -> bool:
    """Whether a group that holds a repetition or an alternative is repeated without end."""
    risky = [False]  # of the groups around, the outermost first
    closed = False  # whether the group that ends here is risky
    for token in _GROUP_OR_REPEAT.finditer(pattern):
        text = token.group()
        if text == "(":
            risky.append(False)
        elif text == ")" and len(risky) > 1:
            closed = risky.pop()
            risky[-1] = risky[-1] or closed
            following = pattern[token.end() : token.end() + 1]
            if closed and following and following in "*+{":
                return True
        elif text in {"|", "*", "+"} or text.startswith("{"):
            risky[-1] = True
    return False
