"""SIGKILL between any two steps: orders, payments, ledger and log agree afterwards, each thing happened once."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from marketplace.accounts.callers import Operator, narrow
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database, database_url
from marketplace.payments.bank import Line, book_line
from marketplace.payments.jobs import sweep
from marketplace.payments.notices import take_notice
from marketplace.payments.provider import Payments
from marketplace.payments.refunds import ask_refund
from marketplace.payments.topups import Wish, start_top_up
from tests.marketplace.parties import Make
from tests.marketplace.payments.books import agree, in_balance, money
from tests.marketplace.payments.fake import SECRETS, signed
from tests.marketplace.payments.killed import book, hear, killed_at, pay, send_back
from tests.marketplace.payments.payer import Payer

AT_ONCE = timedelta(seconds=-1)


async def swept(database: Database, payments: Payments, config: Config) -> None:
    """The sweeps of later minutes: what is young now is old enough for them. What other tests left open is looked
    at too, a batch at a time."""
    for _ in range(8):
        await sweep(database, payments.require(), config, unheard_after=AT_ONCE, look_again_after=AT_ONCE)


@pytest.mark.parametrize("point", ["top-up-sent", "top-up-before-commit", "top-up-settled"])
async def test_a_charge_killed_on_its_way_is_made_once_and_booked_once(
    payer: Payer, database: Database, payments: Payments, cards: Config, point: str
) -> None:
    method = await payer.method()
    top_up_id = new_id()
    async with database.session() as session:
        await start_top_up(
            session, cards, by=payer.admin, top_up_id=top_up_id,
            wish=Wish(kind="saved", currency="VND", amount=150_000, method_id=method), payments=payments,
        )  # fmt: skip
    assert await asyncio.to_thread(killed_at, point, pay, cards, database_url(cards), top_up_id)
    for _ in range(2):
        await swept(database, payments, cards)
    assert await money(database, payer.organisation_id) == {"wallet": 350_000}
    made = [e for e in payer.fake.events() if e["data"]["object"].get("payment_method") == method]
    assert [e["type"] for e in made] == ["payment_intent.succeeded"]
    assert await agree(database, payer.organisation_id) == []


@pytest.mark.parametrize("point", ["notice-looked", "notice-before-commit", "notice-stored"])
async def test_a_notice_killed_on_its_way_is_stored_with_its_effect_or_not_at_all(
    payer: Payer, database: Database, payments: Payments, cards: Config, point: str
) -> None:
    payment = payer.pay(await payer.order())
    body = json.dumps(payer.events(payment)[-1]).encode()
    notice = payments.require().open_notice(body, signed(body, SECRETS[0], time.time()))
    assert await asyncio.to_thread(killed_at, point, hear, cards, database_url(cards), notice)
    stored = await database.one(text("select 1 from provider_event where id = :id"), {"id": notice.id})
    paid = await money(database, payer.organisation_id)
    assert (stored is not None, paid) == (point == "notice-stored", {"wallet": 200_000} if stored else {})
    assert await agree(database, payer.organisation_id) == []
    assert await take_notice(database, payments.require(), notice) == (stored is None)
    assert await money(database, payer.organisation_id) == {"wallet": 200_000}
    assert await agree(database, payer.organisation_id) == []


@pytest.mark.parametrize("point", ["refund-sent", "refund-before-commit"])
async def test_a_refund_killed_on_its_way_is_made_once_and_booked_once(
    payer: Payer, database: Database, payments: Payments, cards: Config, make: Make, point: str
) -> None:
    payment, refund_id = await payer.paid(), new_id()
    party = await make.party(database, kind="operator")
    operator = narrow(party.caller, Operator, "operator", "operator")
    async with database.session() as session:
        await ask_refund(session, by=operator, refund_id=refund_id, payment_id=payment, amount=90_000, reason="x")
    assert await asyncio.to_thread(killed_at, point, send_back, cards, database_url(cards), refund_id)
    for _ in range(2):
        await swept(database, payments, cards)
    assert await money(database, payer.organisation_id) == {"wallet": 110_000}
    assert [e["type"] for e in payer.events(payment)].count("refund.created") == 1
    assert await agree(database, payer.organisation_id) == []
    assert await in_balance(database)


@pytest.mark.parametrize("named", [True, False])
async def test_a_line_of_the_bank_killed_before_its_end_is_none_and_is_booked_once_when_typed_again(
    payer: Payer, database: Database, cards: Config, make: Make, named: bool
) -> None:
    operator = narrow((await make.party(database, kind="operator")).caller, Operator, "operator", "operator")
    order = await payer.order(kind="bank", amount=70_000)
    line = Line(
        bank_reference=f"FT{secrets.token_hex(6)}", amount_vnd=70_000, received_on=date(2026, 11, 20),
        memo=order["reference"] if named else "khong ma",
    )  # fmt: skip
    assert await asyncio.to_thread(
        killed_at, "bank-line-before-commit", book, cards, database_url(cards), (operator, line)
    )
    stored = text("select count(*) as n from bank_line where bank_reference = upper(:number)")
    assert (await database.all(stored, {"number": line.bank_reference}))[0].n == 0
    assert await money(database, payer.organisation_id) == {}
    for _ in range(2):
        async with database.session() as session:
            await book_line(session, by=operator, line=line)
    assert await money(database, payer.organisation_id) == ({"wallet": 70_000} if named else {})
    assert (await database.all(stored, {"number": line.bank_reference}))[0].n == 1
    assert await agree(database, payer.organisation_id) == []
    assert await in_balance(database)
