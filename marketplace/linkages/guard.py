"""One population, one lineage: who shows persons jointly shows them nowhere else.

Cohorts hide persons within a lineage. If an owner also listed the same persons by itself, the difference between
that dataset and the joint one would be exactly those who are not in the other owner's file, however few.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.linkages.models import Linkage
from marketplace.listings.models import Dataset, Lineage


async def is_linked(session: AsyncSession, *, owner_id: UUID, population: str, but: UUID | None = None) -> bool:
    """Whether the owner shows these persons, or is about to, with another one. `but`: a linkage not looked at."""
    released = exists().where(Dataset.linkage_id == Linkage.id)
    mine = select(Linkage.id).where(
        or_(Linkage.lead_id == owner_id, Linkage.partner_id == owner_id),
        Linkage.population == population,
        or_(Linkage.state == "approved", released),
    )
    if but is not None:
        mine = mine.where(Linkage.id != but)
    return bool(await session.scalar(select(mine.exists())))


async def is_listed(session: AsyncSession, *, owner_id: UUID, population: str) -> bool:
    """Whether the owner has ever listed these persons by itself."""
    listed = select(Dataset.id).join(Lineage, Lineage.id == Dataset.lineage_id)
    listed = listed.where(Lineage.owner_id == owner_id, Lineage.population == population)
    return bool(await session.scalar(select(listed.exists())))
