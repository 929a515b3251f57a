"""What Stripe has and what the ledger has: alike, or each difference is named."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from marketplace.audit.models import Event
from marketplace.config import Config
from marketplace.db.base import EPOCH, new_id, utcnow
from marketplace.db.engine import Database
from marketplace.ledger import nightly
from marketplace.ledger.accounts import account_id, open_account
from marketplace.ledger.actions import transfer
from marketplace.ledger.outside import Outside, Silent, compare, note_agreed
from marketplace.ledger.reconcile import reconcile
from marketplace.payments.moved import reading_since
from marketplace.payments.notices import catch_up
from marketplace.payments.opening import open_payments
from marketplace.payments.outside import stripe_outside
from marketplace.payments.provider import Provider
from marketplace.payments.readers import hear_outside
from tests.marketplace.parties import Make
from tests.marketplace.payments.conftest import desk_of
from tests.marketplace.payments.fake import start_fake, with_cards
from tests.marketplace.payments.payer import Payer


async def differing(
    database: Database, provider: Provider, since: datetime
) -> list[tuple[str, int | None, int | None]]:
    found = []
    async with database.session() as session:
        for outside in await stripe_outside(session, provider, since=since, until=utcnow()):
            found += await compare(session, outside)
    return [(each.reference, each.expected, each.found) for each in found]


async def test_payments_refunds_and_disputes_agree_and_what_nobody_heard_of_is_named(
    database: Database, config: Config, make: Make
) -> None:
    since = utcnow().replace(microsecond=0) + timedelta(seconds=1)
    await asyncio.sleep(
        (since - utcnow()).total_seconds()
    )  # Stripe tells whole seconds; others booked in this one
    with start_fake() as fake:
        cards = with_cards(config, fake)
        async with open_payments(cards) as payments, desk_of(database, cards, payments) as desk:
            provider = payments.require()
            payer = Payer(desk, fake, await make.party(database), database, payments, cards)
            dongs, dollars = await payer.paid(), await payer.paid(currency="USD", amount=1_000)
            failed = fake.do("refund", dongs, amount="30000")
            fake.do("refund", dollars, amount="250")
            await catch_up(database, provider, utcnow())
            fake.do("end-refund", failed["id"], status="failed")
            never = fake.do("refund", dongs, amount="40000", status="pending")
            fake.do("end-refund", never["id"], status="failed")
            lost = fake.do("dispute", dongs)
            fake.do("end-dispute", lost["id"], status="lost")
            await catch_up(database, provider, utcnow())
            assert await differing(database, provider, since) == []
            since = utcnow() + timedelta(seconds=1)  # what moved of older payments is read too
            await asyncio.sleep((since - utcnow()).total_seconds())
            unheard = payer.pay(await payer.order())
            fake.do("refund", dollars, amount="100")
            given_back = payer.pay(await payer.order())  # in and out again past us: together nothing
            fake.do("refund", given_back, amount="200000")
            named = await differing(database, provider, since)
            assert (f"stripe:{unheard}", 200_000, None) in named
            assert [(told, found) for reference, told, found in named if unheard not in reference] == [
                (-100, None)
            ]
            await catch_up(database, provider, utcnow())
            assert await differing(database, provider, since) == []


async def test_the_daily_job_names_what_stripe_and_the_bank_have_otherwise(
    database: Database, config: Config, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "utcnow", lambda: utcnow() + timedelta(days=40_000))  # a day without verdict
    never_told = f"SDLX{new_id().hex[:8]}"
    with start_fake() as fake:
        cards = with_cards(config, fake)
        async with open_payments(cards) as payments, desk_of(database, cards, payments) as desk:
            payer = Payer(desk, fake, await make.party(database), database, payments, cards)
            heard, unheard = await payer.paid(), payer.pay(await payer.order())
        async with database.session() as session:
            clearing = await open_account(session, organisation_id=None, kind="payout_clearing")
            await transfer(
                session, id=new_id(), debit=clearing,
                credit=account_id(None, "funding"), amount=5, code="payout_paid", reference=never_told,
            )  # fmt: skip
        found = await nightly.reconcile_today(database, 600, partial(hear_outside, cards))
        assert await nightly.reconcile_today(database, 600, partial(hear_outside, cards)) is None
    named = {(each.check, each.subject): (each.expected, each.found) for each in found or ()}
    assert named["outside:stripe", f"stripe:{unheard}"] == (200_000, None)
    assert named["outside:payouts", never_told] == (None, -5)
    assert ("outside:stripe", f"stripe:{heard}") not in named
    async with database.reading() as session:
        told = await session.scalar(
            select(Event.body).where(Event.name == "ledger:reconcile").order_by(Event.id.desc()).limit(1)
        )
    assert told is not None
    assert told["checks"]["outside:payouts"] >= 1
    assert told["differences"] == len(found or ())


async def test_a_reading_begins_some_days_before_where_the_last_one_agreed(database: Database) -> None:
    now, name = utcnow(), f"somebody {new_id()}"
    sides = [
        Outside(name=name, account_id=new_id(), codes=(), since=EPOCH, until=until, records=())
        for until in (now, now - timedelta(days=9))
    ]
    async with database.session() as session:
        assert await reading_since(session, name, until=now) == EPOCH
        await note_agreed(session, (sides[0],), differing=[name])
        assert await reading_since(session, name, until=now) == EPOCH
        for side in sides:  # one that was read earlier and noted later takes nothing back
            await note_agreed(session, (side, Silent("other")), differing=["other"])
        assert await reading_since(session, name, until=now) == now - timedelta(days=3)
        assert await reading_since(session, name, until=now + timedelta(days=26)) == EPOCH
        assert await reading_since(session, name, "never agreed", until=now) == EPOCH


async def test_a_stripe_that_is_away_is_a_difference_and_no_key_is_none(
    database: Database, config: Config
) -> None:
    with start_fake() as fake:
        cards = with_cards(config, fake)
    heard = await hear_outside(cards, database)
    assert Silent("stripe") in heard
    assert [each.name for each in await hear_outside(config, database)] == ["payouts", "payouts unanswered"]
    async with database.reading() as session:
        found = await reconcile(session, outside=[Silent("stripe")])
    assert ("outside:stripe", "unavailable") in {(each.check, each.subject) for each in found}
