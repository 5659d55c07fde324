"""extractify.patterns: every pattern ends soon, whatever it is held against."""

from __future__ import annotations

import re

import pytest

from extractify.patterns import is_catastrophic, linear, matches


@pytest.mark.parametrize("pattern", [r"^\d{3}$", "b", r"^(?!00)\d\d$", r"(a)\1", "^(a|b)*$"])
def test_a_pattern_is_searched_for_as_python_would(pattern: str) -> None:
    for text in ("123", "12", "00", "abc", "aa", ""):
        assert matches(pattern, text) is bool(re.search(pattern, text))


def test_only_lookaround_and_back_references_backtrack() -> None:
    assert linear("^(a+)+$") is not None
    assert linear("(?=a)b") is None
    assert linear(r"(a)\1") is None


def test_a_text_that_may_take_for_ever_doesnt_match() -> None:
    assert matches("(?=a)(a+)+$", "a" * 10)
    assert not matches("(?=a)(a+)+$", "a" * 60)


@pytest.mark.parametrize(
    ("pattern", "catastrophic"),
    [("^(a+)+$", True), ("(a|b)*", True), ("(ab)+c*", False), (r"(\()+[)+*]", False)],
)
def test_a_repeated_group_with_a_choice_in_it_is_catastrophic(
    pattern: str, *, catastrophic: bool
) -> None:
    assert is_catastrophic(pattern) is catastrophic
