"""Top-ups by card against a Stripe in its own process: on its page, from a saved method, in two currencies."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import update

from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.payments.effects import note_method
from marketplace.payments.errors import ProviderUnavailable
from marketplace.payments.models import TopUp
from marketplace.payments.opening import open_payments
from marketplace.payments.provider import Payments, SeenMethod
from marketplace.payments.stripe_provider import API_VERSION
from marketplace.payments.topups import HEARD_AFTER, advance
from tests.marketplace.api import Client
from tests.marketplace.parties import Make, Party
from tests.marketplace.payments.books import in_balance, money
from tests.marketplace.payments.conftest import Fake

TOP_UPS = "/api/v1/wallet/top-ups"


class Payer:
    """A startup that pays in."""

    def __init__(self, desk: Client, fake: Fake, party: Party) -> None:
        self.desk, self.fake, self.party = desk, fake, party

    async def order(self, status: int = 201, **wish: Any) -> dict[str, Any]:
        body = {"kind": "checkout", "amount": 200_000, **wish}
        answer = await self.desk.post(TOP_UPS, json=body, token=self.party.token)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def shown(self, top_up_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.desk.get(f"{TOP_UPS}/{top_up_id}", token=self.party.token)).json()
        return found

    advance: Any = None


@pytest.fixture
async def payer(
    desk: Client, fake: Fake, database: Database, make: Make, payments: Payments, cards: Config
) -> Payer:
    payer = Payer(desk, fake, await make.party(database))

    async def go_on(top_up_id: str) -> None:
        await advance(database, payments.require(), cards, UUID(top_up_id))

    payer.advance = go_on
    return payer


async def test_a_page_that_was_paid_credits_the_wallet_once(payer: Payer, database: Database) -> None:
    order = await payer.order()
    assert (order["state"], order["amount_vnd"]) == ("open", 200_000)
    await payer.advance(order["id"])
    assert await money(database, payer.party.organisation.id) == {}
    payer.fake.do("pay", order["url"].rsplit("/", 1)[1])
    for _ in range(3):
        await payer.advance(order["id"])
    assert await money(database, payer.party.organisation.id) == {"wallet": 200_000}
    shown = await payer.shown(order["id"])
    assert (shown["state"], shown["paid_vnd"], shown["url"]) == ("paid", 200_000, None)


async def test_a_page_nobody_paid_on_is_over(payer: Payer, database: Database) -> None:
    order = await payer.order()
    payer.fake.do("expire", order["url"].rsplit("/", 1)[1])
    await payer.advance(order["id"])
    assert (await payer.shown(order["id"]))["state"] in ("expired", "failed")
    assert await money(database, payer.party.organisation.id) == {}


async def test_dollars_are_changed_at_the_rate_of_the_day_the_order_was_made(
    payer: Payer, database: Database
) -> None:
    order = await payer.order(currency="USD", amount=1_999)
    assert (order["amount_vnd"], order["rate_vnd"]) == (499_750, 25_000)
    payer.fake.do("pay", order["url"].rsplit("/", 1)[1])
    await payer.advance(order["id"])
    assert await money(database, payer.party.organisation.id) == {"wallet": 499_750}
    assert await in_balance(database)


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"amount": 19_999}, "wallet.amount_out_of_range"),
        ({"amount": 100_000_000_001}, "wallet.amount_out_of_range"),
        ({"currency": "USD", "amount": 79}, "wallet.amount_out_of_range"),
        ({"kind": "bank", "currency": "USD"}, "payments.wish_unclear"),
        ({"kind": "saved"}, "payments.wish_unclear"),
        ({"kind": "checkout", "method_id": "pm_1"}, "payments.wish_unclear"),
    ],
)
async def test_wishes_that_cannot_be_met(payer: Payer, wish: dict[str, Any], code: str) -> None:
    assert (await payer.order(400, **wish))["code"] == code
    assert (await payer.order(404, kind="saved", method_id="pm_of_nobody"))["code"] == "payments.no_such_method"


async def test_every_call_has_its_key_and_the_pinned_version(payer: Payer) -> None:
    order = await payer.order()
    (asked,) = [one for one in payer.fake.asked("/v1/checkout") if order["id"] in one["key"]]
    assert asked["key"] == f"top-up-{order['id']}-0"
    found = payer.fake.asked("/v1/")
    assert {one["version"] for one in found} == {API_VERSION}
    assert all(one["key"] for one in found)


@pytest.mark.parametrize("fault", ["before", "after", "drop"])
async def test_an_order_that_stripe_did_not_answer_is_finished_later_and_once(
    payer: Payer, database: Database, fault: str
) -> None:
    await payer.order()  # the startup is known at Stripe
    payer.fake.fail(fault)
    order = await payer.order(202)
    assert (order["state"], order["url"]) == ("starting", None)
    for _ in range(3):
        try:
            await payer.advance(order["id"])
        except ProviderUnavailable:
            continue
    shown = await payer.shown(order["id"])
    assert shown["state"] == "open"
    payer.fake.do("pay", shown["url"].rsplit("/", 1)[1])
    await payer.advance(order["id"])
    assert await money(database, payer.party.organisation.id) == {"wallet": 200_000}


async def _keep(payer: Payer, database: Database, behaviour: str = "ok") -> str:
    """A saved method of the startup, known here."""
    order = await payer.order(save_method=True)
    page = order["url"].rsplit("/", 1)[1]
    payer.fake.do("pay", page)
    await payer.advance(order["id"])
    customer = next(
        e["data"]["object"]["customer"] for e in payer.fake.events() if e["data"]["object"]["id"] == page
    )
    method = payer.fake.do("method", customer, behaviour=behaviour)
    async with database.session() as session:
        await note_method(
            session,
            payer.party.organisation.id,
            SeenMethod(id=method["id"], customer_id=customer, brand="visa", last4="4242", expires="2031-05"),
        )
    return str(method["id"])


async def test_a_saved_method_pays_at_once(payer: Payer, database: Database) -> None:
    method = await _keep(payer, database)
    order = await payer.order(kind="saved", method_id=method)
    assert (order["state"], order["paid_vnd"]) == ("paid", 200_000)
    assert await money(database, payer.party.organisation.id) == {"wallet": 400_000}


async def test_a_declined_method_takes_nothing_and_says_why(payer: Payer, database: Database) -> None:
    method = await _keep(payer, database, "decline")
    order = await payer.order(kind="saved", method_id=method)
    assert (order["state"], order["decline_code"]) == ("failed", "insufficient_funds")
    assert await money(database, payer.party.organisation.id) == {"wallet": 200_000}


async def test_a_bank_that_wants_to_see_its_customer_is_linked_to(payer: Payer, database: Database) -> None:
    method = await _keep(payer, database, "action")
    order = await payer.order(kind="saved", method_id=method)
    assert order["state"] == "open"
    payer.fake.do("confirm", order["url"].rsplit("/", 1)[1])
    await payer.advance(order["id"])
    assert (await payer.shown(order["id"]))["state"] == "paid"
    assert await money(database, payer.party.organisation.id) == {"wallet": 400_000}


@pytest.mark.parametrize("fault", ["before", "after", "drop"])
async def test_a_charge_of_which_we_heard_nothing_is_made_once(
    payer: Payer, database: Database, fault: str
) -> None:
    method = await _keep(payer, database)
    payer.fake.fail(fault)
    order = await payer.order(202, kind="saved", method_id=method)
    long_ago = utcnow() - 2 * HEARD_AFTER
    async with database.session() as session:
        await session.execute(update(TopUp).where(TopUp.id == UUID(order["id"])).values(created_at=long_ago))
    for _ in range(3):
        await payer.advance(order["id"])
    assert (await payer.shown(order["id"]))["state"] == "paid"
    assert await money(database, payer.party.organisation.id) == {"wallet": 400_000}


async def test_an_answer_that_takes_too_long_is_none(cards: Config, fake: Fake) -> None:
    impatient = msgspec.structs.replace(cards, stripe_timeout_ms=200)
    async with open_payments(impatient) as payments:
        fake.fail("hang")
        with pytest.raises(ProviderUnavailable):
            await payments.require().new_customer(organisation_id=new_id(), name="x")
