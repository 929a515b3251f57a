"""The steps of a month's close: each may be done again, and raises the Problem that stands in its way.

What a step gives is its figures, for the log and the page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Final

from msgspec import Struct
from sqlalchemy import text

from marketplace.calendar import day_of
from marketplace.closing.errors import BooksDiffer, ChargesLeft, UsageDiffers
from marketplace.closing.standing import Apart, Standing, left_of, named
from marketplace.closing.statements import issue_statements
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.invoices.closing import close_month
from marketplace.invoices.months import Month
from marketplace.ledger.outside import Hear
from marketplace.ledger.periods import close_period
from marketplace.ledger.reconcile import reconcile
from marketplace.metering.agreeing import EVENT, agree, compare
from marketplace.offers.charging import charge_months, uncharged

NAMED_MOST: Final = 10
"""Differences that are named; how many there are is always told."""
_WAITING = text("select count(*) as agreements from agreement where unpaid_since is not null")
_DISAGREED = text("""
    select exists (select from event where name = :name and at >= :since and body ->> 'day' = :day
                   and not (body ->> 'agreed')::boolean)
""")
_INVOICED = text("""
    select count(*) as invoices, coalesce(sum(gross_vnd), 0)::bigint as gross_vnd from invoice
    where period = :period and kind = 'invoice'
""")
Told = dict[str, int | str]


class Work(Struct, frozen=True):
    """What steps work on: the month, and the instant of the walk."""

    database: Database
    config: Config
    hear: Hear
    month: Month
    at: datetime


async def charges(work: Work) -> Told:
    """What agreements cost without a query. One that cannot pay is suspended, and holds nothing up.

    Raises ChargesLeft."""
    await charge_months(work.database, at=work.at)
    left = await uncharged(work.database, period=work.month.period, at=work.at)
    if left:
        raise ChargesLeft(agreements=len(left), named=_few(str(each) for each in left))
    waiting = await work.database.one(_WAITING, {})
    return {"waiting_for_money": waiting.agreements if waiting else 0}


async def usage(work: Work) -> Told:
    """Each day has its verdict; one that was apart is looked at again, for somebody may have mended it.

    Raises UsageDiffers."""
    apart: list[Apart] = []
    day, days = day_of(work.month.since), 0
    while day < day_of(work.month.until):
        async with work.database.session() as session:
            await session.execute(text("set local statement_timeout = 0"))
            verdict = await agree(session, day)
        if verdict is None and await _disagreed(work, day):
            async with work.database.snapshot() as session:
                verdict = await compare(session, day)
        if verdict is not None:
            apart += [
                (each.check, f"{each.subject} {day}", each.expected, each.found) for each in verdict.differences
            ]
        day, days = day + timedelta(days=1), days + 1
    left, accepted = await _left(work, "usage", apart)
    if left:
        of_days = {each.subject.rpartition(" ")[2]: each.said for each in reversed(left)}
        raise UsageDiffers(left, days=len(of_days), named=_few(of_days[each] for each in sorted(of_days)))
    return {"days": days, **accepted}


async def books(work: Work) -> Told:
    """Ledger, usage, log and what others say they moved. Raises BooksDiffer."""
    outside = await work.hear(work.database)
    async with work.database.snapshot() as snapshot:
        found = await reconcile(snapshot, work.config.hold_lifetime_s, outside)
    left, accepted = await _left(
        work, "books", ((each.check, each.subject, each.expected, each.found) for each in found)
    )
    if left:
        raise BooksDiffer(left, differences=len(left), named=_few(each.said for each in left))
    return {"others_heard": len(outside), **accepted}


async def trial_balance(work: Work) -> Told:
    """The month is closed in the ledger; the hash stands in the log. Raises BooksUnbalanced, PeriodNotOver."""
    closing = await close_period(work.database, work.month.period)
    return {"transfers": closing.transfers, "sha256": closing.hash}


async def invoices(work: Work) -> Told:
    """Of each startup that was charged. Raises NoSeller, NoRates, MonthNotOver."""
    await close_month(
        work.database, period=work.month.period, at=work.at, close_after_s=work.config.invoice_close_after_s
    )
    row = await work.database.one(_INVOICED, {"period": work.month.period})
    assert row is not None  # an aggregate
    return {"invoices": row.invoices, "gross_vnd": row.gross_vnd}


async def statements(work: Work) -> Told:
    """Of each owner. Raises StatementDiffers."""
    return {"statements": await issue_statements(work.database, month=work.month, at=work.at)}


STEPS: Final[dict[str, Callable[[Work], Awaitable[Told]]]] = {
    "charges": charges,
    "usage": usage,
    "books": books,
    "trial_balance": trial_balance,
    "invoices": invoices,
    "statements": statements,
}
"""In their order."""


async def _disagreed(work: Work, day: date) -> bool:
    async with work.database.reading() as session:
        asked = {"name": EVENT, "since": work.month.since, "day": day.isoformat()}
        return bool(await session.scalar(_DISAGREED, asked))


async def _left(work: Work, step: str, apart: Iterable[Apart]) -> tuple[list[Standing], Told]:
    """What nobody let stand, and how much was."""
    period = work.month.period
    async with work.database.session() as session:
        left, accepted = await left_of(session, period=period, step=step, found=named(period, step, apart))
    return left, {"accepted": accepted} if accepted else {}


def _few(told: Iterable[str]) -> str:
    found = list(told)
    return "; ".join(found[:NAMED_MOST]) + ("; …" if len(found) > NAMED_MOST else "")
