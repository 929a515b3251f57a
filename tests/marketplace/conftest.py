"""One market for the tests that walk the whole service: adult, listed and agreed; and where citizens sign in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.market import EXAMPLES, Market
from tests.marketplace.identity.signing import citizen, provider
from tests.pay import publish_pay
from tests.prepared import Prepared


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sign-in service in its own process, at which forgeries can be had too."""
    file = Path(tmp_path_factory.mktemp("citizens")) / "citizens.csv"
    file.write_text("so\n" + "\n".join(citizen(n) for n in range(40)) + "\n", encoding="utf-8")
    with provider(file) as address:
        yield address


@pytest.fixture(scope="session")
def market(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory, issuer: str) -> Iterator[Market]:
    opened = prepared.open_market(
        Path(tmp_path_factory.mktemp("market")),
        SANDULIEU_OIDC_ISSUER=issuer,
        SANDULIEU_SUBJECT_SIGN_INS_PER_WINDOW="1000",
        SANDULIEU_SUBJECT_USAGE_REFRESH_S="1",
    )
    opened.start()
    opened.credit(50_000_000)
    opened.publish("adult", EXAMPLES / "adult" / "manifest.yaml", EXAMPLES / "adult" / "adult.csv.gz")
    opened.agree("adult")
    yield opened
    opened.stop()


@pytest.fixture(scope="session")
def several(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Market:
    """Adult, and pay of another owner in another mode; both agreed with the startup."""
    publish_pay(market, Path(tmp_path_factory.mktemp("pay")))
    return market
