"""Who consents when a version is made."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.consents.reads import read_consents
from marketplace.db.engine import Database
from marketplace.listings.models import DatasetVersion, ExcludedCohort
from marketplace.listings.register import Register


async def read_register(database: Database, dataset_id: uuid.UUID, purposes: Sequence[str]) -> Register:
    """Everything about consent to these purposes that a new version must heed, as of one instant."""
    async with database.snapshot() as session:
        return Register(
            exclusions=await count_exclusions(session, dataset_id),
            consents=await read_consents(session, dataset_id, purposes),
        )


async def count_exclusions(session: AsyncSession, dataset_id: uuid.UUID) -> int:
    """As in `Register.exclusions`, now. Under the dataset's lock it cannot grow."""
    mine = select(DatasetVersion.id).where(DatasetVersion.dataset_id == dataset_id)
    return await session.scalar(select(func.count()).where(ExcludedCohort.version_id.in_(mine))) or 0
