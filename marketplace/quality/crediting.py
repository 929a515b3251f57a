"""A month's broken promises become credits of what its queries cost; another person of the operator decides."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.invoices.crediting import propose
from marketplace.invoices.errors import NothingLeft
from marketplace.invoices.left import left_of
from marketplace.quality.models import QualityCredit

_LOCK = text("select pg_advisory_xact_lock(hashtextextended('quality credit ' || :period, 0))")
_BROKEN = text("""
select b.agreement_id, i.invoice_id, max(b.credit_permille) as permille, array_agg(distinct i.source_id) as uses
from quality_breach b join usage u on u.agreement_id = b.agreement_id join invoice_item i on i.source_id = u.id
where b.period = :period and to_char(u.at at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM') = b.period
and not exists (select from quality_credit c
    where c.agreement_id = b.agreement_id and c.period = b.period and c.invoice_id = i.invoice_id)
group by b.agreement_id, i.invoice_id order by b.agreement_id, i.invoice_id
""")


async def propose_for_breaches(
    session: AsyncSession, *, period: str, reason: str, by: Operator, at: datetime
) -> tuple[UUID, ...]:
    """Propose the share that each agreement's offer promised, of what is left of the month's billed queries.

    However many promises broke, once an agreement, month and invoice; what was billed later is for a next call.
    Raises NothingLeft if there is none.
    """
    await session.execute(_LOCK, {"period": period})
    made = []
    for row in (await session.execute(_BROKEN, {"period": period})).all():
        uses = set(row.uses)
        left = sum(one.left_vnd for one in await left_of(session, row.invoice_id) if one.source_id in uses)
        amount = left * row.permille // 1000
        if not amount:
            continue
        credit_id = await propose(
            session, invoice_id=row.invoice_id, reason=reason, by=by, at=at, source_ids=uses, amount_vnd=amount
        )
        kept = {"agreement_id": row.agreement_id, "period": period, "invoice_id": row.invoice_id}
        await session.execute(insert(QualityCredit).values(**kept, credit_id=credit_id))
        made.append(credit_id)
    if not made:
        raise NothingLeft
    return tuple(made)
