"""Holds that are posted in part, and holds whose time is over."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.models import Event
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.ledger.actions import Movement, hold, post, transfers, void
from marketplace.ledger.errors import HoldExpired, HoldResolved, OverHold
from marketplace.ledger.expiry import expire_holds
from marketplace.ledger.models import Account, Transfer
from marketplace.ledger.reads import balance
from tests.marketplace.broken_audit import broken_audit
from tests.marketplace.ledger.books import Books, open_books

AGO = timedelta(seconds=1)
RESOLVE = text("""
    insert into transfer
        (id, kind, debit_account_id, credit_account_id, amount, released, currency, pending_id, code, at)
    select gen_random_uuid(), 'post', debit_account_id, credit_account_id, 1, amount + :change, currency, id, 'x',
        now()
    from transfer where id = :id
""")


@pytest.fixture
async def books(session: AsyncSession) -> Books:
    return await open_books(session, credit=1_000)


async def held(session: AsyncSession, books: Books, *, expired: bool = False) -> UUID:
    key, until = new_id(), utcnow() - AGO if expired else utcnow() + timedelta(hours=1)
    await hold(session, id=key, debit=books.wallet, credit=books.platform, amount=400, code="x", expires_at=until)
    return key


async def test_a_hold_posted_in_part_gives_the_rest_back(session: AsyncSession, books: Books) -> None:
    before = await balance(session, books.platform)
    key, posted = await held(session, books), new_id()
    await post(session, id=posted, hold_id=key, amount=150, code="x")
    wallet, platform = await balance(session, books.wallet), await balance(session, books.platform)
    assert (wallet.balance, wallet.debits_pending, wallet.available) == (850, 0, 850)
    assert platform.balance == before.balance + 150
    assert platform.credits_pending == before.credits_pending
    await post(session, id=posted, hold_id=key, amount=150, code="x")
    with pytest.raises(HoldResolved):
        await void(session, id=new_id(), hold_id=key, code="x")


async def test_no_more_is_posted_than_was_held(session: AsyncSession, books: Books) -> None:
    key = await held(session, books)
    with pytest.raises(OverHold) as refused:
        await post(session, id=new_id(), hold_id=key, amount=401, code="x")
    assert refused.value.params["hold_id"] == str(key)
    assert (await balance(session, books.wallet)).debits_pending == 400


async def test_an_expired_hold_is_voided_and_never_posted(session: AsyncSession, books: Books) -> None:
    key = await held(session, books, expired=True)
    assert (await balance(session, books.wallet)).available == 600
    with pytest.raises(HoldExpired):
        await post(session, id=new_id(), hold_id=key, code="x")
    await void(session, id=new_id(), hold_id=key, code="x")
    assert (await balance(session, books.wallet)).available == 1_000


async def test_the_database_itself_refuses_to_post_an_expired_hold(session: AsyncSession, books: Books) -> None:
    key = await held(session, books, expired=True)
    with pytest.raises(IntegrityError, match="transfer_hold_not_expired"):
        await session.execute(
            RESOLVE,
            {"id": key, "change": 0},
        )


@pytest.mark.parametrize("change", [-1, 1])
async def test_the_database_itself_refuses_to_release_another_amount_than_was_held(
    session: AsyncSession, books: Books, change: int
) -> None:
    key = await held(session, books)
    with pytest.raises(IntegrityError, match="transfer_of_its_hold"):
        await session.execute(
            RESOLVE,
            {"id": key, "change": change},
        )


async def test_the_sweep_gives_expired_holds_back_once_with_an_event(database: Database) -> None:
    async with database.session() as session:
        books = await open_books(session, credit=1_000)
        over, posted = await held(session, books, expired=True), await held(session, books)
        await post(session, id=new_id(), hold_id=posted, code="x")
    await expire_holds(database)
    await expire_holds(database)
    async with database.session() as session:
        assert (await balance(session, books.wallet)).available == 600
        voids = await session.scalars(select(Transfer).where(Transfer.pending_id == over))
        assert [(each.kind, each.code) for each in voids] == [("void", "hold_expired")]
        told = await session.scalars(select(Event).where(Event.body["hold"].astext == str(over)))
        assert [(each.name, each.body["amount"]) for each in told] == [("hold:expire", 400)]


async def test_a_hold_that_cannot_be_voided_keeps_no_other_from_it(database: Database, config: Config) -> None:
    async with database.session() as session:
        broken, whole = await open_books(session, credit=1_000), await open_books(session, credit=1_000)
        for books in (broken, whole):
            await held(session, books, expired=True)
        account = await session.get_one(Account, broken.wallet)
    assert account.organisation_id is not None
    with broken_audit(config, account.organisation_id):
        await expire_holds(database)
    async with database.session() as session:
        assert (await balance(session, broken.wallet)).available == 600
        assert (await balance(session, whole.wallet)).available == 1_000
    await expire_holds(database)
    async with database.session() as session:
        assert (await balance(session, broken.wallet)).available == 1_000


@pytest.mark.parametrize("kind", ["single", "post", "void"])
async def test_only_a_hold_can_expire(session: AsyncSession, books: Books, kind: str) -> None:
    resolves = await held(session, books) if kind != "single" else None
    with pytest.raises(ValueError, match="expires"):
        await transfers(
            session,
            [Movement(id=new_id(), kind=kind, code="x", debit=books.wallet, credit=books.platform,
                      amount=None if resolves else 1, hold_id=resolves, expires_at=utcnow())],
        )  # fmt: skip
