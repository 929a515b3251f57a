"""Closing a period: from then on nothing is booked into it, and the hash of its trial balance stands in the log.

In this order, so that the trial balance is of all that will ever count in the period:

1. a fence is committed: whoever inserts a transfer from now on is refused if it counts before the fence;
2. every transaction that was writing transfers at that moment is waited for: it may not have seen the fence;
3. the trial balance, its hash, and the event are written in one transaction.

Killed in between, the fence stands and the next call goes on.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.calendar import month_start, next_month
from marketplace.db.base import ms_of, utcnow
from marketplace.db.engine import Database
from marketplace.ledger.errors import BooksUnbalanced, PeriodMalformed, PeriodNotOver
from marketplace.ledger.folding import writers_ended
from marketplace.ledger.sides import SUMS, sides

GRACE = timedelta(minutes=5)
"""After its end, until a period may be closed: clocks that are behind by less still book into the next one."""

_CLOSED = text("select hash, transfers, event_id from period_close where period = :period")
_FENCE = text("""
insert into period_fence (period, until, at) values (:period, :until, now()) on conflict do nothing
""")
_ALONE = text("select pg_advisory_xact_lock(hashtextextended('ledger period', 0))")
_NO_LIMIT = text("set local statement_timeout = 0")
_TRIAL = text(f"""
insert into period_balance (period, account_id, currency, debits_posted, credits_posted, debits_pending,
    credits_pending)
select :period, account_id, currency, {SUMS} from ({sides("t.at < :until", more=", t.currency")}) side
group by account_id, currency
""")
_COUNT = text("select count(*) from transfer where at < :until")
_CLOSE = text("""
insert into period_close (period, hash, transfers, event_id, at) values (:period, :hash, :transfers, :event, now())
""")
# Of the month's close, which is above and is read by name. What is frozen here never changes again.
_DIFFERENCES = text("""
insert into period_difference (period, place, step, rule, subject, expected, found, reason, proposed_by,
    accepted_by)
select period, row_number() over (order by id), step, rule, subject, expected, found, reason, proposed_by,
    decided_by
from difference_acceptance where period = :period and state = 'accepted'
""")
_LET_STAND = text("""
select step, rule, subject, expected, found, reason, proposed_by, accepted_by
from period_difference where period = :period order by place
""")
_LINES = text("""
select account_id, currency, debits_posted, credits_posted, debits_pending, credits_pending
from period_balance where period = :period order by account_id
""")


class Total(Struct, frozen=True, kw_only=True):
    """What was posted in a currency up to the end of a period, over all accounts, in its smallest unit."""

    currency: str
    debits: int
    credits: int


class Closing(Struct, frozen=True, kw_only=True):
    """A closed period. `transfers`: all that count before its end; `already`: it was closed before this call."""

    period: str
    hash: str
    transfers: int
    totals: tuple[Total, ...]
    event_id: UUID
    already: bool


async def close_period(database: Database, period: str) -> Closing:
    """Close the month `period` (YYYY-MM, Viet Nam's time) and all before it. Again is harmless.

    Raises PeriodMalformed, PeriodNotOver, BooksUnbalanced, DatabaseBusy (a writer does not end).
    """
    until = end_of(period)
    if until + GRACE > utcnow():
        raise PeriodNotOver(period=period, until=(until + GRACE).isoformat())
    async with database.session() as session:
        if (closed := await _closed(session, period)) is not None:
            return closed
        await session.execute(_FENCE, {"period": period, "until": until})
    await writers_ended(database)
    async with database.session() as session:
        await session.execute(_NO_LIMIT)
        await session.execute(_ALONE)
        return await _closed(session, period) or await _close(session, period, until)


def end_of(period: str) -> datetime:
    """The first instant after a month. Raises PeriodMalformed."""
    try:
        return month_start(next_month(period))
    except (ValueError, OverflowError) as e:
        raise PeriodMalformed(period=period) from e


async def period_hash(session: AsyncSession, period: str, transfers: int) -> bytes:
    """SHA-256 of [period, its end in ms, transfers, [[account, currency, debits and credits posted, debits and
    credits held], …]] as JSON without blanks, accounts in the order of their ids. Where differences were let
    stand, they are its fifth element."""
    lines = [[str(row.account_id), *row[1:]] for row in await session.execute(_LINES, {"period": period})]
    told: list[object] = [period, ms_of(end_of(period)), transfers, lines]
    if let_stand := await _let_stand(session, period):
        told.append([list(each.values()) for each in let_stand])
    return hashlib.sha256(msgspec.json.encode(told)).digest()


async def _let_stand(session: AsyncSession, period: str) -> list[dict[str, object]]:
    """step, rule, subject, expected, found, reason, proposed_by, accepted_by of each, in the order of proposal."""
    return [dict(row._mapping) for row in await session.execute(_LET_STAND, {"period": period})]


async def _close(session: AsyncSession, period: str, until: datetime) -> Closing:
    await session.execute(_TRIAL, {"period": period, "until": until})
    transfers = int((await session.execute(_COUNT, {"until": until})).scalar_one())
    totals = await _totals(session, period)
    for total in totals:
        if total.debits != total.credits:
            raise BooksUnbalanced(currency=total.currency, debits=total.debits, credits=total.credits)
    await session.execute(_DIFFERENCES, {"period": period})
    digest = await period_hash(session, period, transfers)
    event_id = await record(
        session,
        "ledger:close",
        body={
            "period": period,
            "trial_balance_sha256": digest.hex(),
            "transfers": transfers,
            "totals": [[each.currency, each.debits, each.credits] for each in totals],
            "let_stand": await _let_stand(session, period),
        },
    )
    await session.execute(_CLOSE, {"period": period, "hash": digest, "transfers": transfers, "event": event_id})
    return Closing(
        period=period, hash=digest.hex(), transfers=transfers, totals=totals, event_id=event_id, already=False
    )


async def _closed(session: AsyncSession, period: str) -> Closing | None:
    row = (await session.execute(_CLOSED, {"period": period})).one_or_none()
    if row is None:
        return None
    return Closing(
        period=period,
        hash=row.hash.hex(),
        transfers=row.transfers,
        totals=await _totals(session, period),
        event_id=row.event_id,
        already=True,
    )


async def _totals(session: AsyncSession, period: str) -> tuple[Total, ...]:
    found: dict[str, list[int]] = {}
    for row in await session.execute(_LINES, {"period": period}):
        total = found.setdefault(row.currency, [0, 0])
        total[0] += row.debits_posted
        total[1] += row.credits_posted
    return tuple(Total(currency=each, debits=found[each][0], credits=found[each][1]) for each in sorted(found))
