"""A query's money, one step at a time, in a session."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.billing.actions import Part, query_charge, query_hold, query_void, require_held
from marketplace.db.base import new_id
from marketplace.db.together import perform
from marketplace.ledger.actions import booking, transfers


async def hold_query(session: AsyncSession, *, query_id: UUID, startup_id: UUID, amount_vnd: int) -> UUID:
    hold = query_hold(_part(query_id, new_id(), new_id(), amount_vnd), startup_id=startup_id)
    require_held((await perform(session, booking([hold]))).one(), [hold])
    return hold.id


async def charge_query(
    session: AsyncSession,
    *,
    hold_id: UUID,
    query_id: UUID,
    owner_id: UUID,
    amount_vnd: int,
    dataset_id: UUID | None = None,
) -> None:
    await transfers(session, query_charge(_part(query_id, hold_id, owner_id, amount_vnd, dataset_id)))


async def void_query(session: AsyncSession, *, hold_id: UUID, query_id: UUID) -> None:
    await transfers(session, [query_void(_part(query_id, hold_id, new_id(), 0))])


def _part(query_id: UUID, hold_id: UUID, owner_id: UUID, amount_vnd: int, dataset_id: UUID | None = None) -> Part:
    return Part(
        query_id=query_id,
        dataset_id=dataset_id or new_id(),
        owner_id=owner_id,
        hold_id=hold_id,
        amount_vnd=amount_vnd,
    )
