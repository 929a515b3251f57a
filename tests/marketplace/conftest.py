"""One market for the tests that walk the whole service: adult, listed and agreed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.market import EXAMPLES, Market, open_market


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    opened = open_market(Path(tmp_path_factory.mktemp("market")))
    opened.start()
    opened.credit(50_000_000)
    opened.publish("adult", EXAMPLES / "adult" / "manifest.yaml", EXAMPLES / "adult" / "adult.csv.gz")
    opened.agree("adult")
    yield opened
    opened.stop()
