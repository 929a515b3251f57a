"""A market that this folder may kill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.market import EXAMPLES, Market
from tests.pay import publish_pay
from tests.prepared import Prepared


@pytest.fixture(scope="package")
def fragile(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    market = prepared.open_market(Path(tmp_path_factory.mktemp("fragile")), SANDULIEU_SWEEP_INTERVAL_S="1")
    market.start()
    market.credit(10_000_000)
    market.publish("adult", EXAMPLES / "adult" / "manifest.yaml", EXAMPLES / "adult" / "adult.csv.gz")
    market.agree("adult")
    publish_pay(market, Path(tmp_path_factory.mktemp("pay")))
    yield market
    market.stop()


@pytest.fixture
def alive(fragile: Market) -> Market:
    """The market, serving as usual, whatever the test before did to it."""
    if not fragile.lives:
        fragile.start()
    elif not fragile.as_usual:
        fragile.stop()
        fragile.start()
    return fragile
