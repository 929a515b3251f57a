"""A fold loses no transfer, whatever the order in which they are committed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database, DatabaseBusy
from marketplace.ledger import folding
from marketplace.ledger.actions import Movement, transfers
from marketplace.ledger.folding import fold
from marketplace.ledger.reads import balance
from marketplace.ledger.reconcile import reconcile
from tests.marketplace.ledger.books import Books, open_books


@pytest.fixture
async def books(database: Database) -> Books:
    async with database.session() as session:
        return await open_books(session, credit=0)


def moves(books: Books, amount: int, *, days_ago: int = 0) -> Movement:
    return Movement(
        id=new_id(), kind="single", code="x", debit=books.platform, credit=books.earnings, amount=amount,
        at=utcnow() - timedelta(days=days_ago),
    )  # fmt: skip


async def earned(database: Database, books: Books) -> int:
    async with database.session() as session:
        return (await balance(session, books.earnings)).balance


async def folded(database: Database, books: Books) -> int:
    """What the fold alone says of it."""
    row = await database.one(
        text("select coalesce(sum(credits_posted), 0)::bigint as sum from account_day where account_id = :id"),
        {"id": books.earnings},
    )
    return int(row.sum) if row else 0


async def test_a_fold_and_what_came_after_it_are_the_balance(database: Database, books: Books) -> None:
    async with database.session() as session:
        await transfers(session, [moves(books, 5), moves(books, 6, days_ago=3)])
    assert (await folded(database, books), await earned(database, books)) == (0, 11)
    await fold(database)
    assert (await folded(database, books), await earned(database, books)) == (11, 11)
    async with database.session() as session:
        await transfers(session, [moves(books, 7, days_ago=3)])
    assert (await folded(database, books), await earned(database, books)) == (11, 18)
    async with database.session() as session:
        then = await balance(session, books.earnings, at=utcnow() - timedelta(days=2))
    assert then.balance == 13


@pytest.mark.parametrize("commits", [True, False])
async def test_a_fold_waits_for_an_earlier_number_that_is_still_on_its_way(
    database: Database, books: Books, commits: bool
) -> None:
    async with database.engine.connect() as connection:
        await connection.execute(
            text("""
                insert into transfer (id, kind, debit_account_id, credit_account_id, amount, currency, code, at)
                values (gen_random_uuid(), 'single', :debit, :credit, 100, 'VND', 'x', now())"""),
            {"debit": books.platform, "credit": books.earnings},
        )
        async with database.session() as session:  # numbered later, committed earlier
            await transfers(session, [moves(books, 1)])
        folds = asyncio.create_task(fold(database))
        await asyncio.sleep(0.1)
        assert not folds.done()
        assert (await folded(database, books), await earned(database, books)) == (0, 1)
        await (connection.commit() if commits else connection.rollback())
    await folds
    whole = 101 if commits else 1
    assert (await folded(database, books), await earned(database, books)) == (whole, whole)


async def test_a_writer_that_does_not_end_makes_the_fold_give_up_and_fold_nothing(
    database: Database, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "WAIT_MAX_S", 0.05)
    async with database.session() as session:
        await transfers(session, [moves(books, 3)])
        with pytest.raises(DatabaseBusy):
            await fold(database)
    assert (await folded(database, books), await earned(database, books)) == (0, 3)


async def test_folds_among_writers_that_commit_and_abort_in_any_order_lose_nothing(
    database: Database, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "STEP", 7)
    kept: list[int] = []

    class Abort(Exception):
        pass

    async def write(number: int) -> None:
        for turn in range(6):
            amount = 1 + number * 10 + turn
            try:
                async with database.session() as session:
                    await transfers(session, [moves(books, amount, days_ago=number % 3)])
                    await asyncio.sleep((number * 7 + turn * 13) % 11 / 1000)
                    if (number + turn) % 3 == 0:
                        raise Abort
            except Abort:
                continue
            kept.append(amount)

    async def keep_folding(writers: asyncio.Future[list[None]]) -> None:
        while not writers.done():
            await fold(database)

    writers = asyncio.gather(*(write(n) for n in range(24)))
    await asyncio.gather(writers, keep_folding(writers), keep_folding(writers))
    await fold(database)
    assert sum(kept) == await earned(database, books) == await folded(database, books)
    async with database.session() as session:
        assert [each for each in await reconcile(session) if each.check.startswith("fold_is_sum")] == []


async def test_reconcile_names_an_account_and_a_day_whose_fold_is_wrong(database: Database, books: Books) -> None:
    async with database.session() as session:
        await transfers(session, [moves(books, 5)])
    await fold(database)
    async with database.session() as session:
        await session.execute(
            text("update account_day set credits_posted = credits_posted + 1 where account_id = :id"),
            {"id": books.earnings},
        )
        found = [each for each in await reconcile(session) if each.check == "fold_is_sum:credits_posted"]
        await session.rollback()
    assert [(each.account_id, each.expected, each.found) for each in found] == [(books.earnings, 5, 6)]
