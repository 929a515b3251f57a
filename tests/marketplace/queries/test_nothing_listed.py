"""A dataset whose version its owner took back: what a question about it is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from marketplace.queries.errors import NothingListed, SqlNotUnderstood
from marketplace.queries.prepare import understand
from tests.marketplace.queries.test_understanding import ASKER, reading


@pytest.mark.parametrize("named", ["bhxh", "BHXH"])
async def test_a_table_taken_back_is_told_as_that_and_not_as_one_that_nobody_knows(named: str) -> None:
    facts: Any = [SimpleNamespace(slug="bhxh", own=())]  # of all that is known of an agreement only these are read
    with pytest.raises(NothingListed) as refused:
        await understand(reading(1_000), ASKER, f"SELECT count(*) FROM {named}", facts, [None])
    assert refused.value.params == {"dataset": "bhxh"}
    with pytest.raises(SqlNotUnderstood) as unknown:
        await understand(reading(1_000), ASKER, "SELECT count(*) FROM bhxh_", facts, [None])
    assert unknown.value.code == "sql.unknown_table"
