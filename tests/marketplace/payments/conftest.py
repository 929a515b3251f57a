"""A Stripe of ours in its own process, and the API in front of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.payments import api, cards_api
from marketplace.payments.opening import open_payments
from marketplace.payments.provider import Payments
from tests.marketplace.api import Client, small_app
from tests.marketplace.parties import Make
from tests.marketplace.payments.fake import Fake, start_fake, with_cards
from tests.marketplace.payments.payer import Payer


@pytest.fixture(scope="session")
def fake() -> Iterator[Fake]:
    with start_fake() as fake:
        yield fake


@pytest.fixture(scope="session")
def cards(config: Config, fake: Fake) -> Config:
    """This run's home, with Stripe."""
    return with_cards(config, fake)


@pytest.fixture(scope="session")
async def payments(cards: Config) -> AsyncIterator[Payments]:
    async with open_payments(cards) as opened:
        yield opened


@pytest.fixture
async def desk(database: Database, cards: Config, payments: Payments) -> AsyncIterator[Client]:
    """The API where cards are taken."""
    async with desk_of(database, cards, payments) as client:
        yield client


@pytest.fixture
async def payer(
    desk: Client, fake: Fake, database: Database, make: Make, payments: Payments, cards: Config
) -> Payer:
    """A fresh startup at the desk."""
    return Payer(desk, fake, await make.party(database), database, payments, cards)


@pytest.fixture
async def cardless(database: Database, config: Config) -> AsyncIterator[Client]:
    """The API where STRIPE_API_KEY is unset."""
    async with desk_of(database, config, Payments(None)) as client:
        yield client


@contextlib.asynccontextmanager
async def desk_of(database: Database, config: Config, payments: Payments) -> AsyncIterator[Client]:
    """The API in this process."""
    app = small_app((*api.handlers, *cards_api.handlers), database=database, config=config, payments=payments)
    # In the test's own loop, which the provider's connections belong to.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as http:
        yield Client(http)
