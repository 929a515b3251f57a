"""Top-ups by card against a Stripe in its own process: on its page, from a saved method, in two currencies."""

from __future__ import annotations

import traceback
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import update

from marketplace.config import Config, Secret
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.payments.effects import settle
from marketplace.payments.errors import ProviderUnavailable
from marketplace.payments.jobs import sweep
from marketplace.payments.models import TopUp
from marketplace.payments.opening import open_payments
from marketplace.payments.provider import Payments, SeenPayment
from marketplace.payments.stripe_provider import API_VERSION
from marketplace.payments.topups import HEARD_AFTER
from tests.marketplace.payments.books import in_balance, money
from tests.marketplace.payments.fake import Fake
from tests.marketplace.payments.payer import Payer, page_of


async def test_a_page_that_was_paid_credits_the_wallet_once(payer: Payer, database: Database) -> None:
    order = await payer.order()
    assert (order["state"], order["amount_vnd"]) == ("open", 200_000)
    await payer.advance(order["id"])
    assert await money(database, payer.organisation_id) == {}
    payer.fake.do("pay", page_of(order))
    for _ in range(3):
        await payer.advance(order["id"])
    assert await money(database, payer.organisation_id) == {"wallet": 200_000}
    shown = await payer.shown(order["id"])
    assert (shown["state"], shown["paid_vnd"], shown["url"]) == ("paid", 200_000, None)


async def test_a_page_nobody_paid_on_is_over(payer: Payer, database: Database) -> None:
    order = await payer.order()
    payer.fake.do("expire", page_of(order))
    await payer.advance(order["id"])
    assert (await payer.shown(order["id"]))["state"] in ("expired", "failed")
    assert await money(database, payer.organisation_id) == {}


async def test_dollars_are_changed_at_the_rate_of_the_day_the_order_was_made(
    payer: Payer, database: Database
) -> None:
    order = await payer.order(currency="USD", amount=1_999)
    assert (order["amount_vnd"], order["rate_vnd"]) == (499_750, 25_000)
    payer.fake.do("pay", page_of(order))
    await payer.advance(order["id"])
    assert await money(database, payer.organisation_id) == {"wallet": 499_750}
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
    assert await money(database, payer.organisation_id) == {"wallet": 200_000}


async def test_a_saved_method_pays_at_once(payer: Payer, database: Database) -> None:
    method = await payer.method()
    order = await payer.order(kind="saved", method_id=method)
    assert (order["state"], order["paid_vnd"]) == ("paid", 200_000)
    assert await money(database, payer.organisation_id) == {"wallet": 400_000}


async def test_a_declined_method_takes_nothing_and_says_why(payer: Payer, database: Database) -> None:
    method = await payer.method("decline")
    order = await payer.order(kind="saved", method_id=method)
    assert (order["state"], order["decline_code"]) == ("failed", "insufficient_funds")
    assert await money(database, payer.organisation_id) == {"wallet": 200_000}


async def test_a_customer_that_stripe_knows_no_more_is_made_anew(payer: Payer, database: Database) -> None:
    """Deleted there, or of the test mode from before the first real key."""
    method = await payer.method()
    settings = {"method_id": method, "floor_vnd": 1, "amount_vnd": 100_000, "month_limit_vnd": 500_000}
    auto = "/api/v1/wallet/auto-top-up"
    assert (await payer.desk.post(auto, json=settings, token=payer.party.token)).status_code < 300
    payer.fake.do("delete", payer.customer_of(await payer.order()))
    order = await payer.order(status=202)
    assert order["state"] == "starting"
    await payer.advance(order["id"])
    order = await payer.shown(order["id"])
    payer.pay(order)
    await payer.advance(order["id"])
    assert (await payer.shown(order["id"]))["state"] == "paid"
    shown = (await payer.desk.get("/api/v1/wallet/settings", token=payer.party.token)).json()
    assert (shown["methods"], shown["auto"]["paused"]) == ([], "method_removed")
    assert "thẻ đã bị xóa" in shown["auto"]["stopped"]["messages"]["vi"]["why"]
    payer.fake.do("delete", payer.customer_of(order))
    for status in (503, 200):
        assert (await payer.desk.post("/api/v1/wallet/portal", token=payer.party.token)).status_code == status


async def test_a_bank_that_wants_to_see_its_customer_is_linked_to(payer: Payer, database: Database) -> None:
    method = await payer.method("action")
    order = await payer.order(kind="saved", method_id=method)
    assert order["state"] == "open"
    payer.fake.do("confirm", page_of(order))
    await payer.advance(order["id"])
    assert (await payer.shown(order["id"]))["state"] == "paid"
    assert await money(database, payer.organisation_id) == {"wallet": 400_000}


@pytest.mark.parametrize("fault", ["before", "after", "drop"])
async def test_a_charge_of_which_we_heard_nothing_is_made_once(
    payer: Payer, database: Database, fault: str
) -> None:
    method = await payer.method()
    payer.fake.fail(fault)
    order = await payer.order(202, kind="saved", method_id=method)
    long_ago = utcnow() - 2 * HEARD_AFTER
    async with database.session() as session:
        await session.execute(update(TopUp).where(TopUp.id == UUID(order["id"])).values(created_at=long_ago))
    for _ in range(3):
        await payer.advance(order["id"])
    assert (await payer.shown(order["id"]))["state"] == "paid"
    assert await money(database, payer.organisation_id) == {"wallet": 400_000}


async def test_an_answer_that_takes_too_long_is_none(cards: Config, fake: Fake) -> None:
    impatient = msgspec.structs.replace(cards, stripe_timeout_ms=200)
    async with open_payments(impatient) as payments:
        fake.fail("hang")
        with pytest.raises(ProviderUnavailable):
            await payments.require().new_customer(organisation_id=new_id(), name="x")


async def test_a_key_that_stripe_refuses_is_told_nowhere_and_what_was_begun_waits(
    cards: Config, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = msgspec.structs.replace(cards, stripe_api_key=Secret("sk_live_of_nobody"))
    async with open_payments(wrong) as payments:
        with pytest.raises(ProviderUnavailable) as waits:
            await payments.require().new_customer(organisation_id=new_id(), name="x")
    assert "401" in caplog.text
    told = [caplog.text, *traceback.format_exception(waits.value), repr(waits.value.params), repr(wrong)]
    assert not any("sk_live" in one for one in told)


def _waiting(order: dict[str, Any]) -> SeenPayment:
    payment_id, top_up_id = f"pi_{new_id().hex}", UUID(order["id"])
    return SeenPayment(
        id=payment_id, top_up_id=top_up_id, currency="VND", amount=0, state="waiting", at=utcnow()
    )  # fmt: skip


async def test_a_payment_told_before_its_page_is_written_down_does_not_lose_the_page(
    payer: Payer, database: Database
) -> None:
    await payer.order()  # the startup is known at Stripe
    payer.fake.fail("drop")
    order = await payer.order(202)
    async with database.session() as session:
        await settle(session, _waiting(order))
    await payer.advance(order["id"])
    shown = await payer.shown(order["id"])
    assert (shown["state"], bool(shown["url"])) == ("open", True)


async def test_an_order_left_open_without_its_page_gets_it_and_one_that_goes_wrong_keeps_no_other_waiting(
    payer: Payer, database: Database, cards: Config, payments: Payments
) -> None:
    wrong, lost = await payer.order(), await payer.order()
    lose = update(TopUp).where(TopUp.id == UUID(lost["id"]))
    spoil = update(TopUp).where(TopUp.id == UUID(wrong["id"]))
    async with database.session() as session:
        await session.execute(lose.values(provider_id=None, url=None))
        await session.execute(spoil.values(kind="saved", state="starting", looked_at=utcnow() - timedelta(days=1)))
    ago = timedelta(seconds=-60)
    await sweep(database, payments.require(), cards, unheard_after=ago, look_again_after=ago)
    shown = await payer.shown(lost["id"])
    assert (shown["state"], bool(shown["url"])) == ("open", True)
    async with database.session() as session:  # nobody's sweep meets it again
        await session.execute(spoil.values(state="failed"))
