"""What agreements cost in a month without a query: found out, charged once, or the agreement waits for money."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.billing.charging import MonthDue, month_charge
from marketplace.billing.price import due_at_end, due_at_start
from marketplace.billing.terms import Terms
from marketplace.calendar import month_of, month_start, next_month
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.ledger.actions import transfers
from marketplace.ledger.errors import AtOnce, InsufficientFunds
from marketplace.offers.models import Charge

logger = logging.getLogger(__name__)

SETTLED_AFTER = timedelta(hours=1)
"""A month's last queries have ended, and what they cost is known, so long after it; where the service stood still
meanwhile, they are waited for."""
LOOKED_BACK = timedelta(days=400)
_AGREEMENTS = """
select a.id as agreement_id, a.startup_id as organisation_id, a.owner_id, a.partner_id, a.lead_basis_points,
       a.dataset_id, a.valid_from, least(a.ended_at, a.expires_at) as until, a.unpaid_since, o.terms,
       (select coalesce(jsonb_object_agg(c.code || ' ' || c.period, c.amount_vnd), '{}') from charge c
        where c.agreement_id = a.id) as charged,
       (select coalesce(jsonb_object_agg(m.month, m.vnd), '{}') from (select month, sum(vnd) as vnd
        from month_spend where agreement_id = a.id group by month) m) as spent,
       array(select to_char(q.created_at at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM')
        from query q join query_line l on l.query_id = q.id
        where q.state in ('queued', 'running') and l.agreement_id = a.id) as unsettled,
       (select coalesce(jsonb_agg(jsonb_build_array(v.created_at, w.withdrawn_at) order by v.number), '[]')
        from dataset_version v left join version_withdrawal w on w.version_id = v.id
        where v.dataset_id = a.dataset_id) as listed
from agreement a join offer o on o.id = a.offer_id
where o.terms ?| array['month_vnd', 'statutory_fee', 'minimum_month_vnd'] and a.valid_from <= :at
and (least(a.ended_at, a.expires_at) > :since or a.unpaid_since is not null)
"""
_ALL = text(f"{_AGREEMENTS} order by a.id")
_ONE = text(f"{_AGREEMENTS} and a.id = :agreement")
_SUSPEND = text("""
update agreement set unpaid_since = :at where id = :agreement and unpaid_since is null returning id
""")
_RESUME = text("""
update agreement set unpaid_since = null where id = :agreement and unpaid_since is not null returning id
""")


async def charge_months(database: Database, *, at: datetime) -> int:
    """Charge what is due and was not charged yet, each in a transaction of its own. How many were.

    An agreement whose startup cannot pay asks nothing until it can; the next call tries again, as it does where
    something is wrong with an agreement, which keeps no other from being charged. Raises Unavailable.
    """
    rows = await database.all(_ALL, {"at": at, "since": at - LOOKED_BACK})
    made = 0
    for row in rows:
        try:
            made += await _charge_all(database, row, at=at)
        except Unavailable:
            raise
        except Exception:
            logger.exception("agreement %s is not charged", row.agreement_id)
    return made


async def uncharged(database: Database, *, period: str, at: datetime) -> list[UUID]:
    """Agreements that could pay, with something due up to the end of the month that was not charged."""
    rows = await database.all(_ALL, {"at": at, "since": at - LOOKED_BACK})
    return [
        row.agreement_id
        for row in rows
        if row.unpaid_since is None and any(due.period <= period for due in dues(row, at=at))
    ]


async def charge_agreement(database: Database, agreement_id: UUID, *, at: datetime) -> int:
    """As `charge_months`, of one agreement: who asks in a month that has just begun pays for it first."""
    row = await database.one(_ONE, {"agreement": agreement_id, "at": at, "since": at - LOOKED_BACK})
    if row is None:
        return 0
    return await _charge_all(database, row, at=at)


async def _charge_all(database: Database, row: Any, *, at: datetime) -> int:
    """How much of an agreement's dues was charged now, oldest first, until its startup cannot pay."""
    made = 0
    for due in dues(row, at=at):
        try:
            made += await _charge_once(database, due, at=at)
        except InsufficientFunds as short:
            await _suspend(database, due, short, at=at)
            return made  # what came later is not paid before it
    if row.unpaid_since is not None:
        await _resume(database, row)
    return made


def dues(row: Any, *, at: datetime) -> Iterator[MonthDue]:
    """What of an agreement is due and not charged, oldest first."""
    terms = msgspec.convert(row.terms, Terms)
    whose = {
        name: getattr(row, name)
        for name in MonthDue.__struct_fields__
        if name not in ("code", "period", "amount_vnd")
    }
    versions = msgspec.convert(row.listed, list[tuple[datetime, datetime | None]])
    for period in _periods(row.valid_from, min(row.until, at)):
        if not _listed_in(versions, period, at=at):
            continue  # there was nothing that could be asked
        spent_vnd = None if period in row.unsettled else int(row.spent.get(period, 0))
        for code, amount_vnd in _of_month(terms, period, spent_vnd, at=at):
            if f"{code} {period}" not in row.charged:
                yield MonthDue(**whose, code=code, period=period, amount_vnd=amount_vnd)


def _periods(since: datetime, until: datetime) -> Iterator[str]:
    """Months that the time from `since` to `until` touches; none if it is empty."""
    period = month_of(since)
    while since < until and month_start(period) < until:
        yield period
        period = next_month(period)


def _listed_in(versions: Sequence[tuple[datetime, datetime | None]], period: str, *, at: datetime) -> bool:
    """Whether one stood at any time of the month up to `at`. Each: since when, and when it was taken back."""
    since, until = month_start(period), min(month_start(next_month(period)), at)
    ends = [created for created, _ in versions[1:]] + [until]
    return any(
        created < until and min(end, taken_back or end) > since
        for (created, taken_back), end in zip(versions, ends, strict=True)
    )


def _of_month(terms: Terms, period: str, spent_vnd: int | None, *, at: datetime) -> Sequence[tuple[str, int]]:
    """`spent_vnd` None: it is not known yet."""
    found = due_at_start(terms)
    if spent_vnd is not None and at >= month_start(next_month(period)) + SETTLED_AFTER:
        found += due_at_end(terms, queries_vnd=spent_vnd)
    return found


async def _charge_once(database: Database, due: MonthDue, *, at: datetime) -> int:
    """As `_charge`, whoever charges the same at this moment."""
    try:
        return await _charge(database, due, at=at)
    except AtOnce:  # the other one's stands by now
        return await _charge(database, due, at=at)


async def _charge(database: Database, due: MonthDue, *, at: datetime) -> int:
    """1; 0 if somebody charged it before. Raises InsufficientFunds."""
    async with database.session() as session:
        if not await transfers(session, month_charge(due, at=at)):
            return 0
        session.add(
            Charge(
                id=new_id(),
                organisation_id=due.organisation_id,
                owner_id=due.owner_id,
                dataset_id=due.dataset_id,
                agreement_id=due.agreement_id,
                code=due.code,
                period=due.period,
                amount_vnd=due.amount_vnd,
                transfer_id=due.transfer_id,
                at=at,
            )
        )
        await session.flush()
        told = {"code": due.code, "period": due.period, "transfer": due.transfer_id}
        await _record(session, "charge:make", due, price_vnd=due.amount_vnd, body=told)
    return 1


async def _suspend(database: Database, due: MonthDue, short: InsufficientFunds, *, at: datetime) -> None:
    async with database.session() as session:
        if await session.scalar(_SUSPEND, {"agreement": due.agreement_id, "at": at}) is None:
            return
        told = {
            "code": due.code,
            "period": due.period,
            "amount_vnd": due.amount_vnd,
            "missing_vnd": short.params["missing_vnd"],
        }
        await _record(session, "agreement:suspend", due, price_vnd=None, body=told)


async def _resume(database: Database, row: Any) -> None:
    async with database.session() as session:
        if await session.scalar(_RESUME, {"agreement": row.agreement_id}) is not None:
            await _record(session, "agreement:resume", row, price_vnd=None, body={})


async def _record(
    session: AsyncSession, name: str, of: Any, *, price_vnd: int | None, body: dict[str, Any]
) -> UUID:
    beside = () if of.partner_id is None else (of.partner_id,)
    return await record(
        session,
        name,
        parties=(of.organisation_id, of.owner_id, *beside),
        dataset_id=of.dataset_id,
        agreement_id=of.agreement_id,
        price_vnd=price_vnd,
        body=body,
    )
