"""extractify.totals: sums of what was told."""

from __future__ import annotations

from extractify.messages import Usage
from extractify.totals import Totals


def test_what_was_never_told_is_unknown_and_what_was_is_summed() -> None:
    totals = Totals().plus(2, 1, [Usage(1, 2, 3), Usage(), Usage(10, cost=0.5)])
    assert totals == Totals(2, 1, Usage(11, 2, 3, None, None, 0.5))
    assert totals.plus(failed=-1) == Totals(2, 0, totals.usage)
