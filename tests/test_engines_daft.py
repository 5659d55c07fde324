"""extractify.engines.daft on Daft's own engine, in this process."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, field_validator

from extractify.engines.daft import extractor
from extractify.errors import ConfigurationError
from extractify.many import COLUMNS, RESULT
from extractify.pace import Pace
from extractify.testing import Answer, Seen, anything, serve

if TYPE_CHECKING:
    from extractify import Endpoint

pytestmark = pytest.mark.slow
ROWS = range(100, 600)
SPOILT: dict[int, str | None] = {
    100: None,
    101: "",
    102: "Total \0",
    103: "Total 13",  # never valid
    104: "Total 17",  # crashes the validator
    105: "Total 105 poison",  # fails at the endpoint
}


class Receipt(BaseModel):
    total: int
    note: str | None = None

    @field_validator("total")
    @classmethod
    def told(cls, total: int) -> int:
        if total == 13:
            raise ValueError("13 is no total")
        if total == 17:
            raise LookupError("a bug in the validator")
        return total


@pytest.fixture(scope="module")
def daft() -> Any:
    reason = "Daft isn't installed: pip install 'extractify[daft]'"
    return pytest.importorskip("daft", reason=reason)


def answer(seen: Seen) -> object:
    asked = str(seen.asked["messages"][1]["content"])
    number = int(asked.split("Total ")[1].split(maxsplit=1)[0])
    return Answer("", 400) if "poison" in asked else {"total": number}


def frame(daft: Any, endpoint: Endpoint, **pace: Any) -> Any:
    texts = [SPOILT.get(each, f"Total {each}") for each in ROWS]
    rows = daft.from_pydict({"id": list(ROWS), "body": texts})
    return rows.with_column("extracted", extractor(Receipt, endpoint, Pace(**pace))(rows["body"]))


def test_each_row_has_a_struct_and_the_poisoned_ones_are_rows(daft: Any) -> None:
    with serve(answer, contract=anything, latency=0.02) as server:
        told = frame(daft, server.endpoint).to_pylist()
        at_once = server.connections
    assert [row["id"] for row in told] == list(ROWS)
    rows = {row["id"]: row["extracted"] for row in told}
    assert [rows[each]["_status"] for each in range(100, 106)] == ["invalid"] * 5 + ["failed"]
    assert Counter(row["_status"] for row in rows.values()) == {
        "ok": 494,
        "invalid": 5,
        "failed": 1,
    }
    assert all(rows[each][RESULT]["total"] == each for each in range(106, 600))
    assert rows[100][RESULT] is None
    assert "13 is no total" in rows[103]["_error"]
    assert rows[106]["_error"] == ""
    assert len({row["_key"] for each, row in rows.items() if each > 102}) == 497
    assert 1 < at_once <= 32  # one client for all rows


def test_the_schema_is_known_before_anything_is_asked(daft: Any) -> None:
    with serve(answer, contract=anything) as server:
        made = frame(daft, server.endpoint).schema()["extracted"].dtype.to_arrow_dtype()
        assert not server.requests
    assert [field.name for field in made] == [RESULT, *COLUMNS]
    assert [field.name for field in made.field(RESULT).type] == ["total", "note", "_rest"]


def test_only_what_is_wanted_of_the_frame_is_asked(daft: Any, tmp_path: Any) -> None:
    with serve(answer, contract=anything) as server:
        wanted = frame(daft, server.endpoint, concurrency=4).where(daft.col("id") >= 590)
        wanted.write_parquet(str(tmp_path))
        assert len(server.requests) == 10
        assert server.connections <= 4
    saved = daft.read_parquet(f"{tmp_path}/*.parquet").to_pylist()
    assert [row["extracted"][RESULT]["total"] for row in saved] == list(range(590, 600))


def test_what_is_wrong_with_the_target_is_said_before_there_is_a_frame(daft: Any) -> None:
    assert daft
    with pytest.raises(ConfigurationError, match="nowhere"):
        extractor(Receipt, "nowhere")
