"""An owner's payout through Stripe goes out once, whatever goes wrong; what is taken back is the owner's again."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct
from sqlalchemy import text

from marketplace.accounts.callers import Approver, Operator, narrow
from marketplace.billing.split import rates_at, split
from marketplace.config import Config
from marketplace.db.base import EPOCH, new_id, utcnow
from marketplace.db.engine import Database, database_url
from marketplace.ledger.outside import compare
from marketplace.ledger.reads import balance
from marketplace.payments.errors import ProviderUnavailable
from marketplace.payments.notices import catch_up
from marketplace.payments.outside import payouts_outside
from marketplace.payments.paying_out import CAPABLE_WITHIN, NOT_CAPABLE, send_payout
from marketplace.payments.provider import Payments
from marketplace.payouts.actions import propose, release, require_carried, set_account
from marketplace.payouts.bank_file import Notice
from marketplace.payouts.booking import earnings
from marketplace.payouts.errors import AccountMalformed
from marketplace.payouts.reads import batch_file, list_payouts, read_statement
from marketplace.payouts.settling import settle_notices
from tests.marketplace.invoices.bills import afterwards, charged, rich, this_month
from tests.marketplace.parties import Make
from tests.marketplace.payments.fake import Fake
from tests.marketplace.payments.killed import killed_at, pay_out

PRICE_VND = 200_000
STATE = text("select state from payout where id = :id")
EVENTS = text("select name, body from event where body ->> 'payout' = :id order by id")


class Way(Struct, frozen=True):
    """One owner's released payout."""

    owner_id: UUID
    payout_id: UUID
    reference: str
    amount_vnd: int
    batch_id: UUID
    operator: Operator


async def ways(database: Database, make: Make, *destinations: str) -> list[Way]:
    """Owners that earned, each with an account at Stripe; proposed by one person, released by another."""
    startup, maker = await rich(database, make, PRICE_VND * len(destinations))
    checker = await make.party(database, kind="operator")
    owners = []
    for destination in destinations:
        owner = await make.party(database, kind="owner")
        await charged(database, startup, owner, dataset_id=new_id(), price=PRICE_VND)
        async with database.session() as session:
            await set_account(
                session, by=narrow(owner.caller, Approver, "owner", None), bank_code="stripe",
                account_number=destination, holder="Bệnh viện", at=utcnow(),
            )  # fmt: skip
        owners.append(owner.organisation.id)
    proposer, releaser = (narrow(each.caller, Operator, "operator", None) for each in (maker, checker))
    async with database.session() as session:
        batch = await propose(
            session, period=this_month().period, least_vnd=1_000, by=proposer, at=afterwards()
        )  # fmt: skip
    async with database.session() as session:
        await release(session, batch_id=batch, by=releaser, at=utcnow())
    rows = {
        row.owner_id: row
        for row in await database.all(text("select * from payout where batch_id = :id"), {"id": batch})
    }
    return [
        Way(owner, rows[owner].id, rows[owner].reference, rows[owner].amount_vnd, batch, releaser)
        for owner in owners
    ]


async def left(database: Database, way: Way) -> int:
    async with database.reading() as session:
        return (await balance(session, earnings(way.owner_id))).available


async def state(database: Database, way: Way) -> str:
    row: Any = await database.one(STATE, {"id": way.payout_id})
    return str(row.state)


async def told(database: Database, way: Way) -> list[str]:
    return [row.name for row in await database.all(EVENTS, {"id": str(way.payout_id)})]


async def made(payments: Payments, way: Way) -> list[Any]:
    found = [each async for each in payments.require().transfers(EPOCH)]
    return [each for each in found if each.reference == way.reference]


async def differs(database: Database, payments: Payments, way: Way) -> list[tuple[int | None, int | None]]:
    """What differs read from the beginning, which is what differs read since this second."""
    async with database.reading() as session:
        whole, since = [
            await compare(session, await payouts_outside(session, payments.require(), since=since, until=utcnow()))
            for since in (EPOCH, utcnow() - timedelta(seconds=60))
        ]
    found = [each for each in whole if each.reference == way.reference]
    assert found == [each for each in since if each.reference == way.reference]
    return [(each.expected, each.found) for each in found if each.reference == way.reference]


async def test_it_goes_out_once_whatever_stripe_answers_and_however_many_send_it(
    database: Database, make: Make, payments: Payments, fake: Fake
) -> None:
    provider = payments.require()
    sent = await ways(database, make, *(f"acct_{n:08d}" for n in range(4)))
    for fault, way in zip(("before", "after", "drop", ""), sent, strict=True):
        if fault:
            fake.fail(fault)
            with pytest.raises(ProviderUnavailable):
                await send_payout(database, provider, way.payout_id)
            assert (await state(database, way), await left(database, way)) == ("released", 0)
        turns = [send_payout(database, provider, way.payout_id) for _ in range(1 if fault else 8)]
        for ended in await asyncio.gather(*turns, return_exceptions=True):
            assert ended is None or isinstance(ended, ProviderUnavailable)  # 409: its key is in use
        with contextlib.suppress(ProviderUnavailable):
            await send_payout(database, provider, way.payout_id)
        assert await state(database, way) == "paid", fault
        (transfer,) = await made(payments, way)
        assert (transfer.amount_vnd, transfer.reversals) == (way.amount_vnd, ())
        assert await told(database, way) == ["payout:release", "payout:paid"]
        assert await differs(database, payments, way) == []


@pytest.mark.parametrize("point", ["payout-sent", "payout-before-commit"])
async def test_killed_on_its_way_it_is_sent_once_and_booked_once(
    database: Database, make: Make, payments: Payments, cards: Config, point: str
) -> None:
    (way,) = await ways(database, make, "acct_killed000")
    assert await asyncio.to_thread(killed_at, point, pay_out, cards, database_url(cards), way.payout_id)
    assert await state(database, way) == "released"
    for _ in range(2):
        await send_payout(database, payments.require(), way.payout_id)
    assert (await state(database, way), len(await made(payments, way))) == ("paid", 1)
    assert await differs(database, payments, way) == []


async def test_what_is_taken_back_in_parts_is_the_owners_again_once(
    database: Database, make: Make, payments: Payments, fake: Fake
) -> None:
    (way,) = await ways(database, make, "acct_reversed0")
    await send_payout(database, payments.require(), way.payout_id)
    (transfer,) = await made(payments, way)
    few = [1_000] * 11  # more than the object itself shows
    rounds = ([way.amount_vnd // 3], [*few, way.amount_vnd - way.amount_vnd // 3 - sum(few)])
    for parts, stands in zip(rounds, ("paid", "returned"), strict=True):
        for part in parts:
            fake.do("reverse", transfer.id, amount=str(part))
        assert len(await differs(database, payments, way)) == 1, "unheard of, it is named"
        for _ in range(2):
            await catch_up(database, payments.require(), utcnow())
        assert await state(database, way) == stands
        assert await differs(database, payments, way) == []
    assert await left(database, way) == way.amount_vnd
    assert await told(database, way) == ["payout:release", "payout:paid", *["payout:return"] * 13]
    async with database.reading() as session:
        month = await read_statement(session, way.owner_id, this_month().period)
    assert (month.paid_out_vnd, month.returned_vnd) == (way.amount_vnd, way.amount_vnd)
    assert month.opening_vnd + month.earned_vnd == month.closing_vnd == split(PRICE_VND, rates_at(utcnow())).owner


async def test_what_is_taken_back_of_another_transfer_is_nobodys(
    database: Database, make: Make, payments: Payments, fake: Fake
) -> None:
    (way,) = await ways(database, make, "acct_bytwice00")
    fake.post(
        "/v1/transfers", f"payout-{way.payout_id}-0", amount="1", currency="vnd", destination="acct_other000"
    )
    await send_payout(database, payments.require(), way.payout_id)  # its key is somebody else's by now
    assert (await state(database, way), await left(database, way)) == ("released", 0)
    await send_payout(database, payments.require(), way.payout_id)
    assert await state(database, way) == "paid"
    again = fake.post(
        "/v1/transfers", str(new_id()), amount=str(way.amount_vnd), currency="vnd", destination="acct_bytwice00",
        transfer_group=way.reference, **{"metadata[payout]": str(way.payout_id)},
    )  # fmt: skip
    assert len(await differs(database, payments, way)) == 1
    fake.do("reverse", again["id"], amount=str(way.amount_vnd))
    await catch_up(database, payments.require(), utcnow())
    assert (await state(database, way), await left(database, way)) == ("paid", 0)
    assert await differs(database, payments, way) == []


async def test_a_refusal_gives_it_back_and_an_empty_balance_or_an_unchecked_account_waits(
    database: Database, make: Make, payments: Payments, fake: Fake
) -> None:
    accounts = ("acct_00000gone", "acct_patient00", "acct_0unchecked")
    refused, waits, unchecked = await ways(database, make, *accounts)
    await send_payout(database, payments.require(), refused.payout_id)
    assert (await state(database, refused), await left(database, refused)) == ("returned", refused.amount_vnd)
    rows = await database.all(EVENTS, {"id": str(refused.payout_id)})
    assert (rows[-1].name, rows[-1].body["reason"]) == ("payout:return", "account_invalid")
    fake.do("balance", "empty")
    await send_payout(database, payments.require(), waits.payout_id)
    assert (await state(database, waits), await left(database, waits)) == ("released", 0)
    fake.do("balance", "full")
    await send_payout(database, payments.require(), waits.payout_id)
    assert await state(database, waits) == "paid"
    # An account that Stripe still checks has three days; then its owner has the money, and the reason.
    await send_payout(database, payments.require(), unchecked.payout_id)
    async with database.session() as session:
        assert [one.reason for one in (await list_payouts(session, unchecked.owner_id)).items] == [NOT_CAPABLE]
        before = {"batch": unchecked.batch_id, "at": utcnow() - CAPABLE_WITHIN}
        await session.execute(text("update payout_batch set decided_at = :at where id = :batch"), before)
    assert (await state(database, unchecked), await left(database, unchecked)) == ("released", 0)
    await send_payout(database, payments.require(), unchecked.payout_id)
    assert (await state(database, unchecked), await left(database, unchecked)) == (
        "returned",
        unchecked.amount_vnd,
    )
    rows = await database.all(EVENTS, {"id": str(unchecked.payout_id)})
    assert (rows[-1].name, rows[-1].body["reason"]) == ("payout:return", NOT_CAPABLE)
    assert await differs(database, payments, unchecked) == []


async def test_the_bank_knows_nothing_of_it_and_nobody_is_paid_there_without_a_key(
    database: Database, make: Make, config: Config
) -> None:
    (way,) = await ways(database, make, "acct_nobank000")
    line = Notice(
        bank_reference=f"FT{way.reference}", reference=way.reference, status="PAID", amount_vnd=way.amount_vnd,
        booked_on=utcnow().date(), reason="",
    )  # fmt: skip
    async with database.session() as session:
        assert way.reference.encode() not in await batch_file(session, way.batch_id)
        report = await settle_notices(session, [line], by=way.operator, at=utcnow())
    assert [one.why for one in report.odd] == ["unknown_reference"]
    with pytest.raises(AccountMalformed):
        require_carried("stripe", config)
