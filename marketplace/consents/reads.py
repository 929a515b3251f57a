"""Who consents now, and what that takes out of a version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.consents.newest import NEWEST, consents, is_out
from marketplace.consents.schemas import ConsentReceipt
from marketplace.db.base import ms_of, utcnow

_EXCLUDED = text("""
    SELECT cohort, revision FROM excluded_cohort
    WHERE version_id = :version_id AND (purpose IS NULL OR purpose = :purpose)
""")
_CONSENTING = text(f"SELECT purpose, subject FROM ({NEWEST}) AS newest WHERE {consents('newest')}")
_OUT = text(f"SELECT purpose, subject FROM ({NEWEST}) AS newest WHERE {is_out('newest')}")
_ONE = text("""
    SELECT id, dataset_id, purpose, event, at, expires_at, notice_sha256, recorded_at FROM consent_event
    WHERE id = :id
""")


async def excluded(session: AsyncSession, version_id: str, purpose: str) -> tuple[frozenset[int], int]:
    """Cohorts of a version that a purpose may not see, and the number of the revision without them."""
    rows = (await session.execute(_EXCLUDED, {"version_id": version_id, "purpose": purpose})).all()
    return frozenset(row.cohort for row in rows), max((row.revision for row in rows), default=0)


async def consented_subjects(session: AsyncSession, dataset_id: UUID) -> Mapping[str, frozenset[bytes]]:
    """Purpose → pseudonyms whose newest event says given, and has not run out."""
    return await _saying(session, dataset_id, _CONSENTING)


async def withdrawn_subjects(session: AsyncSession, dataset_id: UUID) -> Mapping[str, frozenset[bytes]]:
    """Purpose → pseudonyms who consent no more: it outweighs what an owner's file still says."""
    return await _saying(session, dataset_id, _OUT)


async def read_receipt(session: AsyncSession, consent_id: UUID) -> ConsentReceipt:
    """What recording the event answered. Raises NoResultFound."""
    row = (await session.execute(_ONE, {"id": consent_id})).one()
    return ConsentReceipt(
        id=row.id,
        dataset_id=row.dataset_id,
        purpose=row.purpose,
        event=row.event,
        at=ms_of(row.at),
        expires_at=ms_of(row.expires_at) if row.expires_at else None,
        notice_sha256=row.notice_sha256.hex() if row.notice_sha256 else None,
        recorded_at=ms_of(row.recorded_at),
    )


async def _saying(session: AsyncSession, dataset_id: UUID, words: TextClause) -> Mapping[str, frozenset[bytes]]:
    found: dict[str, set[bytes]] = defaultdict(set)
    for purpose, subject in await session.execute(words, {"dataset_id": dataset_id, "now": utcnow()}):
        found[purpose].add(subject)
    return {purpose: frozenset(subjects) for purpose, subjects in found.items()}
