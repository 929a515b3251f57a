"""A closed period stays as it was closed; its trial balance stands in the log."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from marketplace.audit.models import Event
from marketplace.calendar import VIETNAM
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.ledger import nightly
from marketplace.ledger.actions import Movement, transfers
from marketplace.ledger.batch import transfer_each
from marketplace.ledger.errors import PeriodClosed, PeriodMalformed, PeriodNotOver
from marketplace.ledger.nightly import reconcile_today
from marketplace.ledger.outside import Heard
from marketplace.ledger.periods import close_period, end_of
from marketplace.ledger.reconcile import Difference, reconcile
from tests.marketplace.ledger.books import Books, open_books

DAY = timedelta(days=1)


@pytest.fixture
async def books(database: Database) -> Books:
    async with database.session() as session:
        return await open_books(session, credit=0)


@pytest.fixture
async def period(database: Database) -> str:
    """A month that no test has closed; every earlier one is."""
    row = await database.one(text("select coalesce(max(until), '1990-01-01') as until from period_fence"), {})
    assert row is not None
    return f"{(row.until + DAY).astimezone(VIETNAM):%Y-%m}"


def moves(books: Books, amount: int, at: datetime) -> Movement:
    return Movement(
        id=new_id(), kind="single", code="x", debit=books.platform, credit=books.earnings, amount=amount, at=at
    )


async def book(database: Database, *movements: Movement) -> None:
    async with database.session() as session:
        await transfers(session, list(movements))


async def differences(database: Database) -> list[Difference]:
    async with database.snapshot() as session:
        return [each for each in await reconcile(session) if each.check.startswith("closed_period")]


@pytest.mark.parametrize(
    ("period", "until"),
    [("2026-11", datetime(2026, 12, 1, tzinfo=VIETNAM)), ("2026-12", datetime(2027, 1, 1, tzinfo=VIETNAM))],
)
def test_a_period_is_a_month_of_viet_nam(period: str, until: datetime) -> None:
    assert end_of(period) == until


@pytest.mark.parametrize("wrong", ["2026", "2026-13", "2026-1", "11-2026", "2026-11-01", "9999-12", ""])
def test_what_is_no_month_is_no_period(wrong: str) -> None:
    with pytest.raises(PeriodMalformed):
        end_of(wrong)


async def test_a_period_that_is_not_over_is_not_closed(database: Database) -> None:
    with pytest.raises(PeriodNotOver):
        await close_period(database, f"{utcnow().astimezone(VIETNAM):%Y-%m}")
    assert await database.all(text("select from period_fence where until > now()"), {}) == []


async def test_a_closed_period_takes_no_transfer_and_the_next_one_does(
    database: Database, books: Books, period: str
) -> None:
    until = end_of(period)
    inside = moves(books, 7, until - DAY)
    await book(database, inside, moves(books, 3, until))
    closing = await close_period(database, period)
    for late in (until - DAY, until - timedelta(microseconds=1)):
        with pytest.raises(PeriodClosed) as refused:
            await book(database, moves(books, 1, utcnow()), moves(books, 1, late))
        assert refused.value.params["line"] == 2
    await book(database, inside)  # made before: the same again changes nothing
    await book(database, moves(books, 1, until))
    async with database.session() as session:
        (told,) = await transfer_each(session, [[moves(books, 1, until - DAY)]])
        assert (told.became, type(told.cause)) == ("refused", PeriodClosed)
        row = (
            await session.execute(
                text("select credits_posted from period_balance where period = :p and account_id = :a"),
                {"p": period, "a": books.earnings},
            )
        ).one()
        event = await session.get_one(Event, closing.event_id)
    assert row.credits_posted == 7
    assert (event.name, event.body["period"]) == ("ledger:close", period)
    assert event.body["trial_balance_sha256"] == closing.hash
    assert [each for each in closing.totals if each.debits != each.credits] == []
    assert await differences(database) == []


async def test_the_database_itself_refuses_a_transfer_into_a_closed_period(
    database: Database, books: Books, period: str
) -> None:
    await close_period(database, period)
    with pytest.raises(IntegrityError, match="transfer_in_open_period"):
        async with database.session() as session:
            await session.execute(
                text("""
                    insert into transfer
                        (id, kind, debit_account_id, credit_account_id, amount, currency, code, at)
                    values (gen_random_uuid(), 'single', :debit, :credit, 1, 'VND', 'x', :at)"""),
                {"debit": books.platform, "credit": books.earnings, "at": end_of(period) - DAY},
            )


async def test_closing_twice_and_at_once_is_closing_once(database: Database, books: Books, period: str) -> None:
    await book(database, moves(books, 5, end_of(period) - DAY))
    closings = await asyncio.gather(*(close_period(database, period) for _ in range(4)))
    again = await close_period(database, period)
    assert {each.hash for each in (*closings, again)} == {again.hash}
    assert [each.already for each in closings].count(False) == 1
    assert again.already
    async with database.session() as session:
        events = await session.scalars(select(Event).where(Event.body["period"].astext == period))
        assert len(events.all()) == 1


async def test_what_is_being_booked_while_a_period_closes_is_in_it_or_refused(
    database: Database, books: Books, period: str
) -> None:
    at = end_of(period) - DAY
    async with database.session() as session:
        await transfers(session, [moves(books, 11, at)])
        closes = asyncio.create_task(close_period(database, period))
        while not await database.all(  # noqa: ASYNC110
            text("select from period_fence where period = :p"), {"p": period}
        ):
            await asyncio.sleep(0.01)
        with pytest.raises(PeriodClosed):
            await book(database, moves(books, 1, at))
        assert not closes.done()
    await closes
    row = await database.one(
        text("select credits_posted from period_balance where period = :p and account_id = :a"),
        {"p": period, "a": books.earnings},
    )
    assert row is not None
    assert row.credits_posted == 11
    assert await differences(database) == []


async def test_reconcile_names_a_closed_period_that_was_tampered_with(
    database: Database, books: Books, period: str
) -> None:
    await book(database, moves(books, 5, end_of(period) - DAY))
    await close_period(database, period)
    async with database.session() as session:
        # As nobody of the service's can: a row of the trial balance more.
        await session.execute(
            text("""insert into period_balance values (:p, :a, 'VND', 0, 9, 0, 0)"""),
            {"p": period, "a": books.wallet},
        )
        found = {(each.check, each.subject, each.expected, each.found) for each in await reconcile(session)
                 if each.check.startswith("closed_period")}  # fmt: skip
        await session.rollback()
    assert found == {
        ("closed_period:credits_posted", f"{books.wallet} {period}", 9, 0),
        ("closed_period_hash", period, None, None),
    }


async def nobody(_: Database) -> Heard:
    return ()


async def test_the_day_s_verdict_is_logged_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "utcnow", lambda: utcnow() - 400 * DAY)
    assert await reconcile_today(database, 600, nobody) is None  # the log had not begun
    tomorrow = utcnow() + DAY
    monkeypatch.setattr(nightly, "utcnow", lambda: tomorrow)

    async def told() -> list[Event]:
        async with database.session() as session:
            day = f"{tomorrow.astimezone(VIETNAM):%Y-%m-%d}"
            return list(
                await session.scalars(
                    select(Event).where(Event.name == "ledger:reconcile", Event.body["day"].astext == day)
                )
            )

    first, second = [await reconcile_today(database, 600, nobody) for _ in range(2)]
    assert second is None
    (verdict,) = await told()
    assert first is not None
    assert verdict.body["differences"] == len(first)
    assert sum(verdict.body["checks"].values()) == len(first)
