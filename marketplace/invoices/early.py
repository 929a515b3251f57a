"""Bills the uses of a withdrawn version at once, in months that are not closed too, so that they can be credited.

The month's own invoice then takes what is left: a use is billed once, and a month's invoices sum to its charges.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.invoices.closing import bill
from marketplace.invoices.months import month_of, rates_of
from marketplace.invoices.numbering import lock_billing

_UNBILLED = text("""
    select u.organisation_id, to_char(u.at at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM') as period from usage u
    where u.version_id = :version and not exists (select from invoice_item i where i.source_id = u.id)
    group by 1, 2 having sum(u.price_vnd) > 0 order by 1, 2
""")


async def bill_version(session: AsyncSession, *, version_id: str, by: Operator, at: datetime) -> None:
    """An invoice a startup and month with uses of the version that no invoice has. Raises NoSeller, NoRates."""
    due = (await session.execute(_UNBILLED, {"version": version_id})).all()
    # All of these before the first number: who closes a month takes them in this order, a startup at a time.
    for organisation_id in sorted({row.organisation_id for row in due}):
        await lock_billing(session, organisation_id)
    for row in due:
        month = month_of(row.period)
        await bill(
            session,
            organisation_id=row.organisation_id,
            month=month,
            rates=rates_of(month),
            at=at,
            by=by,
            version_id=version_id,
        )
