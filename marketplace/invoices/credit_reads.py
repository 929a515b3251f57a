"""Credits as operator and regulator see them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.cursor import PAGE_ROWS, cut, decode_cursor, encode_cursor
from marketplace.invoices.schemas import CreditPage, CreditView

_VIEW = """
    select c.id, c.invoice_id, c.state, c.reason, c.version_id, c.proposed_by, c.proposed_at, c.decided_by,
           c.decided_at, c.note_id, i.amount_vnd, i.uses
    from credit c cross join lateral (
        select sum(amount_vnd)::bigint as amount_vnd, count(*) as uses from credit_item where credit_id = c.id) i
"""
_SOME = text(f"{_VIEW} where c.id = any(cast(:ids as uuid[])) order by c.id desc")
_PAGE = text(f"""
    {_VIEW} where (cast(:state as text) is null or c.state = :state) and c.id < :before
    order by c.id desc limit :rows
""")
_LAST = UUID(int=2**128 - 1)


async def credits(session: AsyncSession, ids: Sequence[UUID]) -> tuple[CreditView, ...]:
    """Those with these ids, newest first."""
    return tuple(CreditView(**row._mapping) for row in await session.execute(_SOME, {"ids": list(ids)}))


async def list_credits(
    session: AsyncSession, *, state: str | None = None, cursor: str | None = None, limit: int = PAGE_ROWS
) -> CreditPage:
    """A page of all. Raises Invalid."""
    (before,) = decode_cursor(cursor, tuple[UUID]) if cursor else (_LAST,)
    rows = await session.execute(_PAGE, {"state": state, "before": before, "rows": limit + 1})
    shown, more = cut(rows.all(), limit)
    items = tuple(CreditView(**row._mapping) for row in shown)
    return CreditPage(items=items, next=encode_cursor(more.id) if more else None)
