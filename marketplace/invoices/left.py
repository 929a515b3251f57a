"""What is left of each billed query: its price less what approved credits gave back.

What was charged without a query is not given back by credits.
"""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_LOCK = text("select pg_advisory_xact_lock(hashtextextended('credit ' || :invoice, 0))")
_LEFT = text("""
    select i.source_id, i.query_id, i.dataset_id, i.code, i.vat_permille, i.gross_vnd,
           i.gross_vnd - coalesce(g.vnd, 0)::bigint as left_vnd
    from invoice_item i left join (
        select c.source_id, sum(c.amount_vnd) as vnd from credit_item c join credit k on k.id = c.credit_id
        where k.invoice_id = :invoice and k.state = 'approved' group by c.source_id
    ) g on g.source_id = i.source_id
    where i.invoice_id = :invoice and i.query_id is not null order by i.source_id
""")


class Left(Struct, frozen=True, kw_only=True):
    """One billed use and what can still be given back of it."""

    source_id: UUID
    query_id: UUID
    dataset_id: UUID
    code: str
    vat_permille: int
    gross_vnd: int
    left_vnd: int

    @property
    def line(self) -> tuple[UUID, str, int]:
        """Its line on the invoice: dataset, code, rate."""
        return self.dataset_id, self.code, self.vat_permille


async def lock_credits(session: AsyncSession, invoice_id: UUID) -> None:
    """Whoever else gives something of the invoice back waits until this unit of work has ended."""
    await session.execute(_LOCK, {"invoice": str(invoice_id)})


async def left_of(session: AsyncSession, invoice_id: UUID) -> tuple[Left, ...]:
    """Every query on the invoice."""
    return tuple(Left(**row._mapping) for row in await session.execute(_LEFT, {"invoice": invoice_id}))
