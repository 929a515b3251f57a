"""A Stripe of ours in its own process, and the API in front of it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from marketplace.config import Config, Secret
from marketplace.db.engine import Database
from marketplace.payments import api, cards_api
from marketplace.payments.opening import open_payments
from marketplace.payments.provider import Payments
from tests.marketplace.api import Client, small_app
from tests.marketplace.parties import Make
from tests.marketplace.payments.fake import SECRETS, Fake
from tests.marketplace.payments.payer import Payer
from tests.marketplace.payments.stripe.server import KEY

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def fake() -> Iterator[Fake]:
    command = [sys.executable, "-m", "tests.marketplace.payments.stripe.server"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield Fake(process.stdout.readline().strip())
        process.kill()


@pytest.fixture(scope="session")
def cards(config: Config, fake: Fake) -> Config:
    """This run's home, with Stripe."""
    return msgspec.structs.replace(
        config,
        stripe_api_key=Secret(KEY),
        stripe_webhook_secrets=tuple(Secret(secret) for secret in SECRETS),
        stripe_api_url=fake.url,
        stripe_timeout_ms=5_000,
        usd_rates_vnd="2026-01-01=25000",
    )


@pytest.fixture(scope="session")
async def payments(cards: Config) -> AsyncIterator[Payments]:
    async with open_payments(cards) as opened:
        yield opened


@pytest.fixture
async def desk(database: Database, cards: Config, payments: Payments) -> AsyncIterator[Client]:
    """The API where cards are taken."""
    async with _client(database, cards, payments) as client:
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
    async with _client(database, config, Payments(None)) as client:
        yield client


@contextlib.asynccontextmanager
async def _client(database: Database, config: Config, payments: Payments) -> AsyncIterator[Client]:
    app = small_app((*api.handlers, *cards_api.handlers), database=database, config=config, payments=payments)
    # In the test's own loop, which the provider's connections belong to.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as http:
        yield Client(http)
