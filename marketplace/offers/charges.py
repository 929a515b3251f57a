"""Charges of months as the two sides of an agreement see them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.cursor import PAGE_ROWS, cut, decode_cursor, encode_cursor
from marketplace.offers.schemas import ChargeList, ChargeView

_CHARGES = text("""
    select c.id, c.period, c.code, c.amount_vnd, c.at, c.organisation_id, c.owner_id, c.agreement_id, c.dataset_id,
           d.slug as dataset_slug, c.transfer_id
    from charge c join dataset d on d.id = c.dataset_id join agreement a on a.id = c.agreement_id
    where :party in (c.organisation_id, c.owner_id, a.partner_id)
    and (cast(:period as text) is null or c.period = :period) and c.id < :before order by c.id desc limit :rows
""")
_LAST = UUID(int=2**128 - 1)


async def charges(
    session: AsyncSession, *, party_id: UUID, period: str | None = None, cursor: str | None = None
) -> ChargeList:
    """Newest first; `period` (YYYY-MM): of that month alone. Raises Invalid for a cursor we did not give out."""
    before = decode_cursor(cursor, tuple[UUID])[0] if cursor else _LAST
    asked = {"party": party_id, "period": period, "before": before, "rows": PAGE_ROWS + 1}
    rows, more = cut((await session.execute(_CHARGES, asked)).all(), PAGE_ROWS)
    items = tuple(ChargeView(**row._mapping) for row in rows)
    return ChargeList(items=items, next=encode_cursor(more.id) if more else None)
