"""What a tenant and an address may have without paying, of a real service with what is usual or less."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from marketplace.cli.client import Answer
from tests.market import PURPOSE, SMALL_SQL, Market
from tests.prepared import Prepared

AT_ONCE = 600
DATASETS, QUOTE, QUERIES = "/api/v1/datasets", "/api/v1/queries/quote", "/api/v1/queries"


@pytest.fixture(scope="module")
def scarce(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """So much at once and next to nothing that comes back: what is told is exact."""
    bounds = {
        f"SANDULIEU_{payer}_FREE_POINTS_{what}": str(points)
        for payer in ("TENANT", "ADDRESS")
        for what, points in (("AT_ONCE", AT_ONCE), ("PER_MINUTE", 1))
    }
    market = prepared.open_market(
        tmp_path_factory.mktemp("scarce") / "home", **bounds, SANDULIEU_SWEEP_INTERVAL_S="1"
    )
    try:
        yield market
    finally:
        market.end()


def asked(market: Market, sql: str = SMALL_SQL, purpose: str = PURPOSE) -> dict[str, Any]:
    return {"agreement_ids": [market.agreements["adult"]], "purpose": purpose, "sql": sql}


def statuses(answers: list[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)
