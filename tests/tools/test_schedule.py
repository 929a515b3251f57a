"""Who runs beside whom: what asks the market is kept together, for each worker that needs one starts its own."""

from __future__ import annotations

import pytest

from tests.schedule import scope_of


def test_whoever_asks_the_shared_market_is_of_its_scope(request: pytest.FixtureRequest) -> None:
    asking = {
        item.nodeid.partition("::")[0]
        for item in request.session.items
        if item.nodeid.startswith("tests/marketplace/") and "market" in getattr(item, "fixturenames", ())
    }
    assert {file for file in asking if scope_of(file) != "market"} == set()
