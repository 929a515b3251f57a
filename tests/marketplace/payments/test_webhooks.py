"""Webhooks over HTTP: who may tell us something, and that telling it again, late or never changes nothing."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from stripe import WebhookSignature

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.payments.errors import ProviderUnavailable, SignatureWrong
from marketplace.payments.notices import OVERLAP, catch_up
from marketplace.payments.opening import open_payments
from marketplace.payments.provider import Notice, Provider, SeenPayment
from marketplace.payments.signature import check_signature
from tests.marketplace.api import Client
from tests.marketplace.parties import Make
from tests.marketplace.payments.books import in_balance, money
from tests.marketplace.payments.conftest import desk_of
from tests.marketplace.payments.fake import SECRETS, signed, start_fake, with_cards
from tests.marketplace.payments.payer import Payer

HOOK = "/api/v1/webhooks/stripe"


async def test_only_what_is_signed_lately_with_one_of_our_secrets_is_heard(
    payer: Payer, database: Database
) -> None:
    payment = payer.pay(await payer.order())
    event = payer.events(payment)[-1]
    now = time.time()
    refused = [
        await payer.tell(event, "whsec_of_nobody"),
        await payer.tell(event, at_s=now - 400),
        await payer.tell(event, at_s=now + 400),
        await payer.desk.post(HOOK, content=json.dumps(event).encode()),
    ]
    body = json.dumps(event).encode()
    longer = signed(body, SECRETS[0], now).replace("v1=", "v1=0")
    for header in ("", "t=1", "v1=00", "t=x,v1=y", longer):
        refused.append(await payer.desk.post(HOOK, content=body, headers={"Stripe-Signature": header}))
    other = {"Stripe-Signature": signed(body, SECRETS[0], now)}
    refused.append(await payer.desk.post(HOOK, content=body.replace(b"pi_", b"pi-"), headers=other))
    assert {(one.status_code, one.json()["code"]) for one in refused} == {(400, "payments.signature_wrong")}
    assert all("whsec" not in one.text for one in refused)
    assert await money(database, payer.organisation_id) == {}


@pytest.mark.parametrize("secret", SECRETS)
async def test_while_a_secret_is_replaced_both_are_good(payer: Payer, database: Database, secret: str) -> None:
    payment = payer.pay(await payer.order())
    answers = [await payer.tell(event, secret) for event in payer.events(payment) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert [answer.json()["taken"] for answer in answers] == [True, False] * (len(answers) // 2)
    assert await money(database, payer.organisation_id) == {"wallet": 200_000}


async def test_the_object_as_it_stands_wins_over_what_the_event_says(payer: Payer, database: Database) -> None:
    order = await payer.order()
    payment = payer.pay(order)
    event = payer.events(payment)[-1]
    event["data"]["object"]["amount_received"] = event["data"]["object"]["amount"] = 99_000_000
    event["data"]["object"]["status"] = "canceled"
    assert (await payer.tell(event)).json() == {"taken": True}
    assert await money(database, payer.organisation_id) == {"wallet": 200_000}


async def test_events_of_nobodys_orders_are_kept_and_move_nothing(payer: Payer, database: Database) -> None:
    event = {
        "id": f"evt_{time.time_ns()}", "object": "event", "type": "payment_intent.succeeded", "created": 1,
        "data": {"object": {"id": "pi_gone", "object": "payment_intent"}},
    }  # fmt: skip
    assert (await payer.tell(event)).json() == {"taken": True}
    assert (await payer.tell(event)).json() == {"taken": False}
    strange = {
        **event,
        "id": f"{event['id']}x",
        "type": "new.thing",
        "data": {"object": {"id": "x", "object": "y"}},
    }
    assert (await payer.tell(strange)).json() == {"taken": True}


async def test_what_cannot_be_looked_at_is_not_taken_and_comes_again(
    desk: Client, cardless: Client, payer: Payer, database: Database
) -> None:
    payment = payer.pay(await payer.order())
    event = payer.events(payment)[-1]
    body = json.dumps(event).encode()
    header = {"Stripe-Signature": signed(body, SECRETS[0], time.time())}
    refused = await cardless.post(HOOK, content=body, headers=header)
    assert (refused.status_code, refused.json()["code"]) == (503, "payments.not_configured")
    payer.fake.fail("away")
    assert (await payer.tell(event)).status_code == 503
    assert await money(database, payer.organisation_id) == {}
    assert (await payer.tell(event)).json() == {"taken": True}
    assert await money(database, payer.organisation_id) == {"wallet": 200_000}


async def test_a_month_of_events_of_which_nobody_told_is_caught_up_with_once(
    database: Database, config: Config, make: Make
) -> None:
    with start_fake() as fake:
        cards = with_cards(config, fake)
        async with open_payments(cards) as payments, desk_of(database, cards, payments) as desk:
            payer = Payer(desk, fake, await make.party(database), database, payments, cards)
            payer.pay(await payer.order())
            told = len(fake.events())
            assert await catch_up(database, payments.require(), utcnow()) == told > 0
            assert await money(database, payer.organisation_id) == {"wallet": 200_000}
            assert await catch_up(database, payments.require(), utcnow()) == 0
            for event in fake.events():
                assert (await payer.tell(event)).json() == {"taken": False}
    assert await money(database, payer.organisation_id) == {"wallet": 200_000}
    assert await in_balance(database)


class Stumbling:
    """The provider, where one payment cannot be looked at."""

    def __init__(self, provider: Provider, payment_id: str, error: Exception) -> None:
        self._provider, self._payment_id, self._error = provider, payment_id, error
        self.asked_since: list[datetime] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)

    async def payment(self, payment_id: str) -> SeenPayment:
        if payment_id == self._payment_id:
            raise self._error
        return await self._provider.payment(payment_id)

    def notices(self, since: datetime) -> AsyncIterator[Notice]:
        self.asked_since.append(since)
        return self._provider.notices(since)


@pytest.mark.parametrize("error", [AssertionError(), ProviderUnavailable()])
async def test_one_event_that_cannot_be_taken_keeps_no_other_and_is_asked_for_again(
    database: Database, config: Config, make: Make, error: Exception
) -> None:
    with start_fake() as fake:
        cards = with_cards(config, fake)
        async with open_payments(cards) as payments, desk_of(database, cards, payments) as desk:
            payer = Payer(desk, fake, await make.party(database), database, payments, cards)
            payer.pay(await payer.order())
            bad, provider = payer.pay(await payer.order()), payments.require()
            stumbling = Stumbling(provider, bad, error)
            later = utcnow() + timedelta(days=10)
            await catch_up(database, cast(Provider, stumbling), later)
            assert await money(database, payer.organisation_id) == {"wallet": 200_000}
            await catch_up(database, cast(Provider, stumbling), later)
            assert stumbling.asked_since[1] < utcnow() - OVERLAP, "what was missed is not left behind"
            now = utcnow()
            await catch_up(database, provider, now)
            assert await money(database, payer.organisation_id) == {"wallet": 400_000}
            restarted = Stumbling(provider, bad, error)
            await catch_up(database, cast(Provider, restarted), now + timedelta(seconds=1))
            assert restarted.asked_since == [now - OVERLAP]


async def test_every_credit_has_its_row_its_transfer_and_its_event(payer: Payer, database: Database) -> None:
    payment = await payer.paid()
    rows = await database.all(
        text("""
        select p.amount_vnd, t.amount, e.price_vnd from payment p
        join transfer t on t.reference = 'stripe:' || p.id join event e on e.body ->> 'payment' = p.id
        where p.id = :id
        """),
        {"id": payment},
    )
    assert [tuple(row) for row in rows] == [(200_000, 200_000, 200_000)]


@given(st.binary(max_size=80), st.integers(0, 2**33), st.integers(-300, 300), st.text("abc_", min_size=1))
def test_the_signature_is_the_one_that_stripes_own_library_makes(
    body: bytes, at_s: int, late_s: int, secret: str
) -> None:
    text_body = body.decode("latin1")
    header = WebhookSignature.generate_signature_header(text_body, secret, at_s)
    sent = text_body.encode()
    check_signature(sent, header, secrets=("x", secret), now_s=at_s + late_s, tolerance_s=300)
    for wrong in ({"secrets": ("x",)}, {"now_s": at_s + 301.5}, {"now_s": at_s - 301.5}):
        asked = {"secrets": (secret,), "now_s": float(at_s), "tolerance_s": 300, **wrong}
        with pytest.raises(SignatureWrong):
            check_signature(sent, header, **asked)  # type: ignore[arg-type]
