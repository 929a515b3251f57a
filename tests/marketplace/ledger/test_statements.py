"""A statement opens, goes on line by line, and closes with the balances of its instants."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import EPOCH, new_id, utcnow
from marketplace.db.engine import Database
from marketplace.errors import Invalid, NotFound
from marketplace.ledger.actions import Movement, transfers
from marketplace.ledger.folding import fold
from marketplace.ledger.reads import balance
from marketplace.ledger.statements import AccountStatement, StatementLine, statement
from tests.examples import tried
from tests.marketplace.ledger.books import Books, open_books

NOW = utcnow()


async def whole(session: AsyncSession, books: Books, since_h: int, until_h: int) -> list[AccountStatement]:
    """All pages, two lines each."""
    pages: list[AccountStatement] = []
    since, until = NOW + timedelta(hours=since_h), NOW + timedelta(hours=until_h)
    while not pages or pages[-1].next:
        cursor = pages[-1].next if pages else None
        pages.append(await statement(session, books.earnings, since=since, until=until, cursor=cursor, limit=2))
    return pages


@settings(max_examples=tried(6), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    booked=st.lists(st.tuples(st.integers(-90, 0), st.integers(-50, 50)), max_size=9),
    bounds=st.tuples(st.integers(-100, 2), st.integers(-100, 2)).map(sorted),
    folded=st.integers(0, 9),
)
async def test_opening_and_lines_make_the_closing_for_any_instants(
    database: Database, booked: list[tuple[int, int]], bounds: list[int], folded: int
) -> None:
    """booked: hours before now and amounts; the first `folded` of them are in the fold."""
    since_h, until_h = bounds
    async with database.session() as session:
        books = await open_books(session, credit=0)
    for number, (hour, amount) in enumerate(booked):
        if number == folded:
            await fold(database)
        sides = (books.platform, books.earnings) if amount >= 0 else (books.earnings, books.platform)
        async with database.session() as session:
            one = Movement(
                id=new_id(), kind="single", code="x", debit=sides[0], credit=sides[1], amount=abs(amount),
                at=NOW + timedelta(hours=hour),
            )  # fmt: skip
            await transfers(session, [one])
    async with database.session() as session:
        pages = await whole(session, books, since_h, until_h)
        now = await balance(session, books.earnings)
    lines: list[StatementLine] = [line for page in pages for line in page.lines]
    assert now.balance == sum(amount for _, amount in booked)
    assert {(page.opening, page.closing) for page in pages} == {
        (sum(a for h, a in booked if h < since_h), sum(a for h, a in booked if h < until_h))
    }
    assert sorted(line.amount for line in lines) == sorted(a for h, a in booked if since_h <= h < until_h)
    running = pages[0].opening
    for line in lines:
        running += line.amount
        assert line.balance == running
    assert running == pages[0].closing
    assert [(line.at, line.id) for line in lines] == sorted((line.at, line.id) for line in lines)


async def test_holds_are_told_beside_the_balance(session: AsyncSession) -> None:
    books = await open_books(session, credit=100)
    held = Movement(id=new_id(), kind="pending", code="h", debit=books.wallet, credit=books.platform, amount=60)
    await transfers(session, [held])
    await transfers(session, [Movement(id=new_id(), kind="post", code="p", hold_id=held.id, amount=10)])
    found = await statement(session, books.wallet, since=EPOCH, until=utcnow() + timedelta(hours=1))
    assert [(line.kind, line.amount, line.held, line.balance) for line in found.lines] == [
        ("single", 100, 0, 100),
        ("pending", 0, 60, 100),
        ("post", -10, -60, 90),
    ]
    assert (found.opening, found.closing) == (0, 90)


async def test_no_account_and_a_cursor_of_others_are_refused(session: AsyncSession) -> None:
    books = await open_books(session, credit=1)
    with pytest.raises(NotFound):
        await statement(session, new_id(), since=EPOCH, until=utcnow())
    with pytest.raises(Invalid):
        await statement(session, books.wallet, since=EPOCH, until=utcnow(), cursor="no cursor")
