"""Who consents when a version is made."""

from __future__ import annotations

import uuid

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.consents.reads import consented_subjects, withdrawn_subjects
from marketplace.listings.models import DatasetVersion, ExcludedCohort
from marketplace.listings.register import Register


async def read_register(session: AsyncSession, dataset_id: uuid.UUID) -> Register:
    """Everything about consent that a new version of the dataset must heed."""
    return Register(
        exclusions=await count_exclusions(session, dataset_id),
        given=await consented_subjects(session, dataset_id),
        withdrawn=await withdrawn_subjects(session, dataset_id),
    )


async def count_exclusions(session: AsyncSession, dataset_id: uuid.UUID) -> int:
    """As in `Register.exclusions`, now. Under the dataset's lock it cannot grow."""
    mine = select(DatasetVersion.id).where(DatasetVersion.dataset_id == dataset_id)
    return await session.scalar(select(func.count()).where(ExcludedCohort.version_id.in_(mine))) or 0
