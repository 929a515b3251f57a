"""Who runs beside whom: what asks the market is kept together, for each worker that needs one starts its own.

And who may be left out, which one list says.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.schedule import LONG, scope_of

ROOT = Path(__file__).parents[2]


def test_whoever_asks_the_shared_market_is_of_its_scope(request: pytest.FixtureRequest) -> None:
    asking = {
        item.nodeid.partition("::")[0]
        for item in request.session.items
        if item.nodeid.startswith("tests/marketplace/") and "market" in getattr(item, "fixturenames", ())
    }
    assert {file for file in asking if scope_of(file) != "market"} == set()


def test_what_is_long_is_there() -> None:
    starts = [ROOT / start for files in LONG.values() for start in files]
    assert [start for start in starts if not list(start.parent.glob(f"{start.name}*"))] == []


def test_nothing_else_is_called_long() -> None:
    called = {file.name for file in (ROOT / "tests").rglob("*.py") if "mark.long" in file.read_text("utf-8")}
    assert called <= {Path(__file__).name}
