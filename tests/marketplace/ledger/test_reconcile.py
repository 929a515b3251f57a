"""Reconciling names what differs: which query, which transfer, what was expected, what was found."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import InternalError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.db.base import EPOCH, new_id, utcnow
from marketplace.db.engine import Database
from marketplace.ledger.accounts import account_id
from marketplace.ledger.actions import Movement, transfer, transfers
from marketplace.ledger.outside import Outside, OutsideRecord
from marketplace.ledger.reconcile import reconcile
from tests.marketplace.audit.bodies import settled
from tests.marketplace.ledger.books import Books, open_books


@pytest.fixture
async def books(session: AsyncSession) -> Books:
    return await open_books(session, credit=1_000)


async def test_all_checks_see_one_instant_and_nothing_that_is_booked_meanwhile(database: Database) -> None:
    async with database.session() as session:
        books = await open_books(session, credit=1_000)
    async with database.snapshot() as snapshot:
        before = await reconcile(snapshot)
        for _ in range(3):
            async with database.session() as session:
                await transfer(session, id=new_id(), debit=books.wallet, credit=books.platform, amount=1, code="x")
            async with database.session() as session:  # on purpose wrong, and put right again below
                await session.execute(
                    text("update account_balance set debits_posted = debits_posted + 1 where account_id = :id"),
                    {"id": books.wallet},
                )
        assert await reconcile(snapshot) == before
    async with database.session() as session:
        after = [each for each in await reconcile(session) if each.account_id == books.wallet]
        await session.execute(
            text("update account_balance set debits_posted = debits_posted - 3 where account_id = :id"),
            {"id": books.wallet},
        )
    assert [(each.check, each.expected, each.found) for each in after] == [("balance_is_fold:debits_posted", 3, 6)]


async def test_a_snapshot_writes_nothing(database: Database) -> None:
    with pytest.raises(InternalError, match="read-only"):
        async with database.snapshot() as session:
            await session.execute(text("delete from login_attempt"))


async def test_a_charge_that_the_log_does_not_have_or_has_otherwise_is_named(
    session: AsyncSession, books: Books
) -> None:
    query, dataset = new_id(), new_id()
    await record(session, "query:settle", query_id=query, dataset_id=dataset, price_vnd=7, body=settled())
    found = [(d.check, d.expected, d.found) for d in await reconcile(session) if d.query_id == query]
    assert found == [("usage_is_logged", None, 7)]
    credit = new_id()
    funding = account_id(None, "funding")
    await transfer(session, id=credit, debit=funding, credit=books.wallet, amount=50, code="wallet_credit")
    named = {(d.check, d.expected, d.found) for d in await reconcile(session) if d.transfer_id == credit}
    assert named == {("credit_is_logged", 50, None)}
    await record(session, "wallet:credit", price_vnd=50, body={"transfer": credit, "reference": "x"})
    assert [d for d in await reconcile(session) if d.transfer_id == credit] == []


def paid(books: Books, amount: int, reference: str | None) -> Movement:
    return Movement(
        id=new_id(), kind="single", code="stripe_test", debit=account_id(None, "funding"), credit=books.wallet,
        amount=amount, reference=reference,
    )  # fmt: skip


def returned(books: Books, amount: int, reference: str) -> Movement:
    return Movement(
        id=new_id(), kind="single", code="stripe_test", debit=books.wallet, credit=account_id(None, "funding"),
        amount=amount, reference=reference,
    )  # fmt: skip


async def test_what_the_other_side_has_and_what_is_booked_are_compared_by_reference(
    session: AsyncSession, books: Books
) -> None:
    other, nameless = paid(books, 200, "pi_2"), paid(books, 9, None)
    agreed = [paid(books, 100, "pi_1"), returned(books, 30, "pi_1")]
    await transfers(session, [*agreed, other, nameless, paid(books, 5, "pi_4")])
    outside = Outside(
        name="stripe",
        account_id=account_id(None, "funding"),
        codes=("stripe_test",),
        since=EPOCH,
        until=utcnow() + timedelta(hours=1),
        records=(
            OutsideRecord(reference="pi_1", amount=100),
            OutsideRecord(reference="pi_1", amount=-30),
            OutsideRecord(reference="pi_2", amount=201),
            OutsideRecord(reference="pi_3", amount=1),
            OutsideRecord(reference="pi_4", amount=5),
        ),
    )
    found = [each for each in await reconcile(session, outside=[outside]) if each.check == "outside:stripe"]
    named: set[tuple[str, UUID | None, int | None, int | None]] = {
        (each.subject, each.transfer_id, each.expected, each.found) for each in found
    }
    assert named == {
        ("pi_2", other.id, 201, 200),
        ("pi_3", None, 1, None),
        (str(nameless.id), nameless.id, None, 9),
    }
