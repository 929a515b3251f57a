"""Who consents now, and what that takes out of a version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.consents.schemas import ConsentReceipt
from marketplace.db.base import ms_of

_EXCLUDED = text("""
    SELECT cohort FROM excluded_cohort WHERE version_id = :version_id AND (purpose IS NULL OR purpose = :purpose)
""")
_NEWEST = text("""
    SELECT purpose, subject FROM (
        SELECT DISTINCT ON (subject, purpose) subject, purpose, event FROM consent_event
        WHERE dataset_id = :dataset_id ORDER BY subject, purpose, at DESC, recorded_at DESC
    ) AS newest WHERE event = :event
""")
_ONE = text("SELECT id, dataset_id, purpose, event, at, recorded_at FROM consent_event WHERE id = :id")


async def excluded(session: AsyncSession, version_id: str, purpose: str) -> tuple[frozenset[int], int]:
    """Cohorts of a version that a purpose may not see, and the revision's number: how many exclusions made it."""
    cohorts = (await session.scalars(_EXCLUDED, {"version_id": version_id, "purpose": purpose})).all()
    return frozenset(cohorts), len(cohorts)


async def consented_subjects(session: AsyncSession, dataset_id: UUID) -> Mapping[str, frozenset[bytes]]:
    """Purpose → pseudonyms whose newest event says given."""
    return await _saying(session, dataset_id, "given")


async def withdrawn_subjects(session: AsyncSession, dataset_id: UUID) -> Mapping[str, frozenset[bytes]]:
    """Purpose → pseudonyms whose newest event says withdrawn: it outweighs what an owner's file still says."""
    return await _saying(session, dataset_id, "withdrawn")


async def read_receipt(session: AsyncSession, consent_id: UUID) -> ConsentReceipt:
    """What recording the event answered. Raises NoResultFound."""
    row = (await session.execute(_ONE, {"id": consent_id})).one()
    return ConsentReceipt(
        id=row.id,
        dataset_id=row.dataset_id,
        purpose=row.purpose,
        event=row.event,
        at=ms_of(row.at),
        recorded_at=ms_of(row.recorded_at),
    )


async def _saying(session: AsyncSession, dataset_id: UUID, event: str) -> Mapping[str, frozenset[bytes]]:
    found: dict[str, set[bytes]] = defaultdict(set)
    for purpose, subject in await session.execute(_NEWEST, {"dataset_id": dataset_id, "event": event}):
        found[purpose].add(subject)
    return {purpose: frozenset(subjects) for purpose, subjects in found.items()}
