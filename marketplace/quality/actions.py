"""Verbs of quality: keep what was found of a version, tell that one is overdue. Each writes its event with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.quality.drift import ColumnDrift
from catalog.quality.report import AxisScore, QualityReport, Verdict
from catalog.quality.wire import Judge, Profile
from marketplace.audit.actions import record
from marketplace.db.base import new_id
from marketplace.quality.models import QualityAttempt, QualityCheck, QualityOverdue

ATTEMPTS_MAX: Final = 5
"""A released version that could not be looked at as often is not tried again."""
AGAIN_AFTER: Final = timedelta(hours=1)
"""Not sooner, so that what is away for a while makes nobody give up."""


async def keep_source_check(
    session: AsyncSession,
    *,
    dataset_id: UUID,
    version_id: str,
    owners: Sequence[UUID],
    found: QualityReport,
    at: datetime,
) -> None:
    """What the suite found of the file that the version was made of."""
    await _keep(
        session, dataset_id, version_id, owners, "source", found.judge, found.scores, found.verdicts, at=at
    )


async def keep_released_check(
    session: AsyncSession,
    *,
    dataset_id: UUID,
    version_id: str,
    owners: Sequence[UUID],
    scores: tuple[AxisScore, ...],
    profile: Profile | None,
    drift: tuple[ColumnDrift, ...],
    at: datetime,
) -> bool:
    """What others see of a version, once; False if it was kept before."""
    seen = select(QualityCheck.id).where(QualityCheck.version_id == version_id, QualityCheck.room == "released")
    if await session.scalar(seen) is not None:
        return False
    await _keep(
        session, dataset_id, version_id, owners, "released", "own", scores, (), at=at, profile=profile, drift=drift
    )
    return True


async def _keep(
    session: AsyncSession,
    dataset_id: UUID,
    version_id: str,
    owners: Sequence[UUID],
    room: str,
    judge: Judge,
    scores: tuple[AxisScore, ...],
    verdicts: tuple[Verdict, ...],
    *,
    at: datetime,
    profile: Profile | None = None,
    drift: tuple[ColumnDrift, ...] = (),
) -> None:
    row = {
        "id": new_id(),
        "dataset_id": dataset_id,
        "version_id": version_id,
        "room": room,
        "judge": judge,
        "scores": msgspec.to_builtins(scores),
        "verdicts": msgspec.to_builtins(verdicts),
        "profile": msgspec.to_builtins(profile),
        "drift": msgspec.to_builtins(drift),
        "checked_at": at,
    }
    await session.execute(insert(QualityCheck).values(**row))
    body = {
        "room": room,
        "judge": judge,
        "scores": msgspec.to_builtins(scores),
        "failed": sum(s.failed for s in scores),
        "errors": sum(s.errors for s in scores),
        "drifted": [d.name for d in drift if d.state == "large"],
    }
    await record(session, "quality:check", parties=owners, dataset_id=dataset_id, version_id=version_id, body=body)


async def count_unseen(
    session: AsyncSession,
    *,
    dataset_id: UUID,
    version_id: str,
    owners: Sequence[UUID],
    reason: str,
    at: datetime,
) -> int:
    """That a released version could not be looked at; how often by now. The last time is told."""
    first = upsert(QualityAttempt).values(version_id=version_id, attempts=1, reason=reason, tried_at=at)
    again = {"attempts": QualityAttempt.attempts + 1, "reason": reason, "tried_at": at}
    counted = first.on_conflict_do_update(index_elements=["version_id"], set_=again)
    attempts = (await session.execute(counted.returning(QualityAttempt.attempts))).scalar_one()
    if attempts == ATTEMPTS_MAX:
        await record(
            session,
            "quality:unseen",
            parties=owners,
            dataset_id=dataset_id,
            version_id=version_id,
            body={"reason": reason, "attempts": attempts},
        )
    return attempts


async def tell_overdue(
    session: AsyncSession,
    *,
    dataset_id: UUID,
    version_id: str,
    owners: Sequence[UUID],
    due: datetime,
    at: datetime,
) -> bool:
    """That the next version should be there by now; once a version. False if it was told."""
    row = {"version_id": version_id, "dataset_id": dataset_id, "due_at": due, "told_at": at}
    told = upsert(QualityOverdue).values(**row).on_conflict_do_nothing().returning(QualityOverdue.version_id)
    if await session.scalar(told) is None:
        return False
    await record(
        session,
        "quality:overdue",
        parties=owners,
        dataset_id=dataset_id,
        version_id=version_id,
        body={"due_at": due},
    )
    return True
