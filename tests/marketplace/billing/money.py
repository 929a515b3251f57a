"""A query's money, one step at a time, in a session."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.billing.actions import query_charge, query_hold, query_void, require_held
from marketplace.db.together import perform
from marketplace.ledger.actions import booking, transfers


async def hold_query(session: AsyncSession, *, query_id: UUID, startup_id: UUID, amount_vnd: int) -> UUID:
    hold = query_hold(query_id=query_id, startup_id=startup_id, amount_vnd=amount_vnd)
    require_held((await perform(session, booking([hold]))).one(), hold)
    return hold.id


async def charge_query(
    session: AsyncSession, *, hold_id: UUID, query_id: UUID, owner_id: UUID, amount_vnd: int
) -> None:
    movements = query_charge(hold_id=hold_id, query_id=query_id, owner_id=owner_id, amount_vnd=amount_vnd)
    await transfers(session, movements)


async def void_query(session: AsyncSession, *, hold_id: UUID, query_id: UUID) -> None:
    await transfers(session, query_void(hold_id=hold_id, query_id=query_id))
