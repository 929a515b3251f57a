"""Against localstripe, which others wrote: intents, its own signed webhooks, refunds, methods."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import msgspec
import pytest

from marketplace.config import Config, Secret
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.payments.customers import ensure_customer
from marketplace.payments.opening import open_payments
from marketplace.payments.provider import Payments
from tests.marketplace.parties import Make
from tests.marketplace.payments.books import money
from tests.marketplace.payments.real import localstripe
from tests.marketplace.payments.serving import serving

SECRET = "whsec_local"
CARD = {"type": "card", "card[number]": "4242424242424242", "card[exp_month]": "5", "card[exp_year]": "2031",
        "card[cvc]": "123"}  # fmt: skip
HEARD_S = 20


@pytest.fixture(scope="module")
def local() -> Iterator[str]:
    with localstripe() as url:
        yield url


@pytest.fixture
async def here(local: str, config: Config) -> AsyncIterator[tuple[Config, Payments]]:
    configured = msgspec.structs.replace(
        config,
        stripe_api_key=Secret("sk_test_local"),
        stripe_api_url=local,
        stripe_webhook_secrets=(Secret(SECRET),),
    )
    async with open_payments(configured) as payments:
        yield configured, payments


async def test_a_payment_at_localstripe_is_told_by_its_webhook_and_refunded(
    database: Database, make: Make, here: tuple[Config, Payments], local: str
) -> None:
    config, payments = here
    startup, operator = await make.party(database), await make.party(database, kind="operator")
    customer = await ensure_customer(database, payments.require(), startup.organisation.id)
    async with (
        serving(database, config, payments) as url,
        httpx.AsyncClient(base_url=local, auth=("sk_test_local", ""), timeout=20) as stripe,
        httpx.AsyncClient(base_url=url, timeout=20) as desk,
    ):

        async def at_stripe(path: str, **form: str) -> dict[str, Any]:
            answer = await stripe.post(path, data=form)
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            return found

        hook = {"url": f"{url}/api/v1/webhooks/stripe", "secret": SECRET}
        await stripe.post(f"/_config/webhooks/{new_id().hex}", json=hook)
        method = await at_stripe("/v1/payment_methods", **CARD)
        await at_stripe(f"/v1/payment_methods/{method['id']}/attach", customer=customer)
        ordered = await desk.post(
            "/api/v1/wallet/top-ups",
            json={"kind": "bank", "amount": 300_000},
            headers={"Authorization": f"Bearer {startup.token}"},
        )
        intent = await at_stripe(
            "/v1/payment_intents",
            amount="300000", currency="vnd", customer=customer, payment_method=method["id"], confirm="true",
            **{"metadata[top_up]": ordered.json()["id"]},
        )  # fmt: skip
        assert intent["status"] == "succeeded"
        for _ in range(HEARD_S * 10):
            if await money(database, startup.organisation.id):
                break
            await asyncio.sleep(0.1)
        assert await money(database, startup.organisation.id) == {"wallet": 300_000}
        path = f"/api/v1/wallet/payments/{intent['id']}/refunds"
        body = {"reason": "x", "amount": 120_000}
        sent = await desk.post(path, json=body, headers={"Authorization": f"Bearer {operator.token}"})
        assert (sent.status_code, sent.json()["state"]) == (201, "paid")
        refunds = (await stripe.get("/v1/refunds", params={"payment_intent": intent["id"]})).json()["data"]
        assert [one["amount"] for one in refunds] == [120_000]
        assert await money(database, startup.organisation.id) == {"wallet": 180_000}
        shown = await payments.require().method(method["id"])
        assert (shown.customer_id, shown.last4, shown.expires) == (customer, "4242", "2031-05")
        await payments.require().forget_method(method["id"])
        assert (await payments.require().method(method["id"])).customer_id is None
