"""extractify.choice: which of several places is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extractify.grounding import ground

if TYPE_CHECKING:
    from extractify.messages import JsonValue


def best(value: JsonValue, document: str) -> dict[str, int]:
    return {pointer: found.spans[0].start for pointer, found in ground(value, document).items()}


def test_the_label_before_a_value_tells_which_is_meant() -> None:
    document = "Subtotal: 100.00\nShipping: 0.00\nTotal: 100.00\n"
    assert best({"subtotal": 100, "total": 100}, document) == {
        "/subtotal": document.index("100"),
        "/total": document.rindex("100"),
    }


def test_a_label_may_stand_on_the_line_above() -> None:
    document = "Order\n77\nCustomer\n77\n"
    assert best({"customer": 77, "order": 77}, document) == {"/customer": 18, "/order": 6}


def test_a_value_stands_by_its_neighbours() -> None:
    document = "Ada, Berlin, teacher\nBob, Paris, nurse\nEve, Paris, teacher\n"
    value: JsonValue = {"name": "Eve", "city": "Paris", "job": "teacher"}
    line = document.index("Eve")
    assert all(at >= line for at in best(value, document).values())


def test_items_that_are_alike_have_their_turns() -> None:
    document = "Widget 2 10.00\nGadget 2 10.00\n"
    value: JsonValue = {
        "lines": [
            {"name": "Widget", "count": 2, "price": 10},
            {"name": "Gadget", "count": 2, "price": 10},
        ]
    }
    found = best(value, document)
    assert found["/lines/0/count"] < found["/lines/1/name"] < found["/lines/1/count"]
    assert found["/lines/0/price"] < found["/lines/1/name"] < found["/lines/1/price"]


@pytest.mark.parametrize(
    ("items", "starts"),
    [
        (["ant", "bee", "ant"], [0, 4, 8]),
        (["ant", "ant", "ant", "ant"], [0, 8, 12, 12]),
        (["cat", "ant"], [16, 0]),
        (["bee", "ant"], [4, 8]),
    ],
)
def test_items_of_a_list_keep_the_order_of_the_document(
    items: list[JsonValue], starts: list[int]
) -> None:
    assert list(best(items, "ant bee ant ant cat").values()) == starts


def test_of_very_many_places_the_one_near_the_neighbour_is_found() -> None:
    document = "7 x\n" * 3000 + "Ada 7\n" + "7 x\n" * 3000
    value: Any = {"name": "Ada", "count": 7}
    evidence = ground(value, document)["/count"]
    assert evidence.spans[0].start == document.index("Ada") + 4
    assert len(evidence.spans) <= 1001
