"""A Stripe of ours in its own process, and the API in front of it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from marketplace.config import Config, Secret
from marketplace.db.engine import Database
from marketplace.payments import api
from marketplace.payments.opening import open_payments
from marketplace.payments.provider import Payments
from tests.marketplace.api import Client, small_app
from tests.marketplace.payments.stripe.server import KEY

ROOT = Path(__file__).resolve().parents[3]
SECRETS = ("whsec_new", "whsec_old")


class Fake:
    """What a test does at Stripe besides what we ask of it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=20)

    def do(self, verb: str, about: str, **form: str) -> dict[str, Any]:
        """Something happens to an object: `pay`, `dispute`, `end-dispute`, … The object that came of it."""
        answer = self._http.post(f"/_test/{verb}/{about}", data=form)
        found: dict[str, Any] = answer.json()
        assert answer.status_code in (200, 402), found
        return found

    def fail(self, kind: str, times: int = 1) -> None:
        """The next POSTs: `before` or `after` it is done, `drop` the answer, `hang`."""
        self._http.post("/_faults", data={"kind": kind, "times": str(times)})

    def asked(self, path: str) -> list[dict[str, Any]]:
        """The POSTs that came to a path."""
        found = self._http.get("/_asked").json()["asked"]
        return [one for one in found if one["path"].startswith(path) and one["method"] == "POST"]

    def events(self) -> list[dict[str, Any]]:
        """All of them, newest first."""
        found: list[dict[str, Any]] = []
        more: dict[str, str] = {}
        while True:
            page = self._http.get(
                "/v1/events", params={"limit": "100", **more}, headers={"Authorization": f"Bearer {KEY}"}
            ).json()
            found += page["data"]
            if not page["has_more"]:
                return found
            more = {"starting_after": found[-1]["id"]}


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
async def cardless(database: Database, config: Config) -> AsyncIterator[Client]:
    """The API where STRIPE_API_KEY is unset."""
    async with _client(database, config, Payments(None)) as client:
        yield client


@contextlib.asynccontextmanager
async def _client(database: Database, config: Config, payments: Payments) -> AsyncIterator[Client]:
    app = small_app(api.handlers, database=database, config=config, payments=payments)
    # In the test's own loop, which the provider's connections belong to.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as http:
        yield Client(http)
