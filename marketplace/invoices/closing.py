"""Closes a month: an invoice for each startup that was charged in it, of exactly the uses that no invoice has yet.

A month's charges without a query (per month, minimum, statutory fee) are on the invoice of the month in which they
were charged. Closing again finds nothing to bill. A use that came late (its process stood still for an hour) makes
a further invoice of the same month, so the invoices of a month always sum to what was charged in it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.billing.charging import STATUTORY, tax_transfer_id
from marketplace.billing.split import vat_within
from marketplace.calendar import VIETNAM
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.faults import point
from marketplace.invoices.document import Document, Line
from marketplace.invoices.errors import MonthNotOver, MonthStuck
from marketplace.invoices.months import Month, Rate, month_of, rates_of
from marketplace.invoices.numbering import lock_billing, lock_series, next_number, series_of
from marketplace.invoices.rounding import round_tax
from marketplace.invoices.writing import parties, write

logger = logging.getLogger(__name__)

AT_ONCE = 4
"""Startups billed at the same time: only their numbers wait for each other."""
_WHO = text("""
    select s.organisation_id from (
        select id, organisation_id, price_vnd as vnd from usage where at >= :since and at < :until
        union all
        select id, organisation_id, amount_vnd from charge where at >= :since and at < :until
    ) s where not exists (select from invoice_item i where i.source_id = s.id)
    group by s.organisation_id having sum(s.vnd) > 0 order by s.organisation_id
""")
_ITEMS = text("""
    with rate as (
        select * from unnest(cast(:sinces as timestamptz[]), cast(:untils as timestamptz[]),
            cast(:permilles as bigint[])) as r (since, until, vat_permille)
    ), due as (
        select u.id, u.query_id, u.dataset_id, 'query' as code, u.bytes, u.price_vnd as vnd, r.vat_permille
        from usage u join rate r on u.at >= r.since and u.at < r.until
        where u.organisation_id = :organisation and u.at >= :since and u.at < :until
        and (cast(:version as text) is null or u.version_id = :version)
        and not exists (select from invoice_item i where i.source_id = u.id)
        union all
        select c.id, null, c.dataset_id, c.code, 0, c.amount_vnd,
               case when c.code = :untaxed then 0 else r.vat_permille end
        from charge c join rate r on c.at >= r.since and c.at < r.until
        where c.organisation_id = :organisation and c.at >= :since and c.at < :until
        and cast(:version as text) is null and not exists (select from invoice_item i where i.source_id = c.id)
    ), put as (
        insert into invoice_item (source_id, invoice_id, dataset_id, code, vat_permille, query_id, gross_vnd)
        select id, :invoice, dataset_id, code, vat_permille, query_id, vnd from due
    )
    select due.dataset_id, coalesce(d.slug, '') as dataset_slug, coalesce(d.title_vi, '') as dataset_title,
           due.code, due.vat_permille, count(*) as queries, sum(due.bytes)::bigint as bytes,
           sum(due.vnd)::bigint as gross_vnd, coalesce(sum(x.amount), 0)::bigint as tax_booked_vnd,
           encode(sha256(convert_to(string_agg(due.id || ' ' || due.vnd, E'\\n' order by due.id), 'UTF8')),
                  'hex') as items_sha256
    from due left join dataset d on d.id = due.dataset_id
    left join transfer x on x.query_id = due.query_id and x.dataset_id = due.dataset_id and x.code = 'share_tax'
    group by due.dataset_id, d.slug, d.title_vi, due.code, due.vat_permille
    order by gross_vnd desc, due.dataset_id, due.code, due.vat_permille
""")
_CHARGES = text("""
    select c.transfer_id from charge c join invoice_item i on i.source_id = c.id where i.invoice_id = :invoice
""")
_STUCK = text("""
    select period, step from month_step where period <= :period and state = 'stuck'
    and step not in ('invoices', 'statements') order by period desc limit 1
""")
_BOOKED = text("select coalesce(sum(amount), 0)::bigint from transfer where id = any(cast(:ids as uuid[]))")


async def close_month(
    database: Database, *, period: str, at: datetime, close_after_s: int, by: Operator | None = None
) -> tuple[Document, ...]:
    """The invoices that were issued now; each startup's in a unit of work of its own, so a stop leaves whole ones.

    Raises MonthNotOver, MonthStuck, Invalid, NoSeller, NoRates; once all others are billed, what kept the first.
    """
    month = month_of(period)
    ready = month.until + timedelta(seconds=close_after_s)
    if at < ready:
        raise MonthNotOver(period=period, ready=ready.astimezone(VIETNAM).isoformat(timespec="minutes"))
    stuck = await database.one(_STUCK, {"period": period})
    if stuck is not None:
        raise MonthStuck(period=period, stuck=stuck.period, step=stuck.step)
    rates = rates_of(month)
    async with database.reading() as session:
        who = list((await session.scalars(_WHO, {"since": month.since, "until": month.until})).all())
    issued: list[Document] = []
    failures: list[Exception] = []

    async def bill_some() -> None:
        while who:
            organisation_id = who.pop()
            try:
                async with database.session() as session:
                    made = await bill(
                        session, organisation_id=organisation_id, month=month, rates=rates, at=at, by=by
                    )
            except Exception as failure:  # one startup that cannot be billed keeps no other from it
                logger.exception("organisation %s is not billed for %s", organisation_id, period)
                failures.append(failure)
            else:
                issued.extend([made] if made else [])

    await asyncio.gather(*(bill_some() for _ in range(AT_ONCE)))
    if failures:
        raise failures[0]
    return tuple(sorted(issued, key=lambda one: one.number))


async def bill(
    session: AsyncSession,
    *,
    organisation_id: UUID,
    month: Month,
    rates: Sequence[Rate],
    at: datetime,
    by: Operator | None,
    version_id: str | None = None,
) -> Document | None:
    """One startup's invoice of what is not billed yet, of one version's uses if it is told; None: nothing is."""
    await lock_billing(session, organisation_id)
    invoice_id = new_id()
    found = await session.execute(
        _ITEMS, _parameters(invoice_id, organisation_id, month, rates) | {"version": version_id}
    )
    rows = found.all()
    if not rows:
        return None
    seller, buyer = await parties(session, organisation_id)
    series = series_of("invoice", at)
    await lock_series(session, series)
    document = Document(
        id=invoice_id,
        kind="invoice",
        series=series,
        year=at.astimezone(VIETNAM).year,
        number=await next_number(session, series, at),
        organisation_id=organisation_id,
        period=month.period,
        issued_at=at,
        seller=seller,
        buyer=buyer,
        lines=tuple(_line(position, row) for position, row in enumerate(rows, start=1)),
    )
    await write(session, document, by=by)
    point("invoice-written")
    booked_vnd = sum(row.tax_booked_vnd for row in rows) + await _booked_of_charges(session, invoice_id)
    await round_tax(session, document, booked_vnd=booked_vnd)
    point("invoice-before-commit")
    return document


async def _booked_of_charges(session: AsyncSession, invoice_id: UUID) -> int:
    """The tax that was set aside of what is no query."""
    charged = await session.scalars(_CHARGES, {"invoice": invoice_id})
    return int(await session.scalar(_BOOKED, {"ids": [tax_transfer_id(each) for each in charged]}))


def _parameters(invoice_id: UUID, organisation_id: UUID, month: Month, rates: Sequence[Rate]) -> dict[str, Any]:
    return {
        "invoice": invoice_id,
        "organisation": organisation_id,
        "since": month.since,
        "until": month.until,
        "untaxed": STATUTORY,
        "sinces": [rate.since for rate in rates],
        "untils": [rate.until for rate in rates],
        "permilles": [rate.vat_permille for rate in rates],
    }


def _line(position: int, row: Any) -> Line:
    return Line(
        position=position,
        code=row.code,
        dataset_id=row.dataset_id,
        dataset_slug=row.dataset_slug,
        dataset_title=row.dataset_title,
        vat_permille=row.vat_permille,
        queries=row.queries,
        bytes=row.bytes,
        gross_vnd=row.gross_vnd,
        vat_vnd=vat_within(row.gross_vnd, row.vat_permille),
        items_sha256=row.items_sha256,
    )
