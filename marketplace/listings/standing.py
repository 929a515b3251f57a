"""Who consents when a version is made, and who stays out because a cohort of theirs was taken out before."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.storage import Store
from marketplace.consents.reads import consented_subjects, withdrawn_subjects
from marketplace.listings.models import DatasetVersion, ExcludedCohort

Taken = Mapping[tuple[str, str | None], frozenset[int]]
"""(version, purpose or None for all) → cohorts taken out of it."""


class Register(Struct, frozen=True, kw_only=True):
    """What the register says of a dataset at one moment. `exclusions`: how many cohorts of its versions went."""

    given: Mapping[str, frozenset[bytes]]
    withdrawn: Mapping[str, frozenset[bytes]]
    taken: Taken
    exclusions: int


async def read_register(session: AsyncSession, dataset_id: uuid.UUID) -> Register:
    """Everything about consent that a new version of the dataset must heed."""
    rows = (
        select(ExcludedCohort.version_id, ExcludedCohort.purpose, ExcludedCohort.cohort)
        .join(DatasetVersion, DatasetVersion.id == ExcludedCohort.version_id)
        .where(DatasetVersion.dataset_id == dataset_id)
    )
    taken: dict[tuple[str, str | None], set[int]] = defaultdict(set)
    for version_id, purpose, cohort in await session.execute(rows):
        taken[version_id, purpose].add(cohort)
    return Register(
        given=await consented_subjects(session, dataset_id),
        withdrawn=await withdrawn_subjects(session, dataset_id),
        taken={key: frozenset(cohorts) for key, cohorts in taken.items()},
        exclusions=sum(len(cohorts) for cohorts in taken.values()),
    )


async def count_exclusions(session: AsyncSession, dataset_id: uuid.UUID) -> int:
    """As in `Register.exclusions`, now. Under the dataset's lock it cannot grow."""
    mine = select(DatasetVersion.id).where(DatasetVersion.dataset_id == dataset_id)
    return await session.scalar(select(func.count()).where(ExcludedCohort.version_id.in_(mine))) or 0


def staying_out(register: Register, store: Store) -> Mapping[str, frozenset[bytes]]:
    """Purpose → who must not count as consenting in the next version. Reads files: call it in a thread.

    Not only who withdrew, but the whole cohorts that went with them: if the others came back, they alone would be
    the difference of two versions, and they are fewer than k (invariant 3).
    """
    out: dict[str, set[bytes]] = {purpose: set(people) for purpose, people in register.withdrawn.items()}
    for (version_id, purpose), cohorts in register.taken.items():
        for each in store.version(version_id).purposes if purpose is None else (purpose,):
            out.setdefault(each, set()).update(store.members_of(version_id, cohorts, purpose=each))
    return {purpose: frozenset(people) for purpose, people in out.items()}
