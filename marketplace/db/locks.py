"""Advisory locks that hold until the transaction ends."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.together import Statement, perform

_SHARED = text("select pg_advisory_xact_lock_shared(hashtextextended(:v, 0))")
_ALONE = text("select pg_advisory_xact_lock(hashtextextended(:v, 0))")


def version_locked(version_id: str, *, shared: bool) -> Statement:
    """Settling queries share it, a withdrawal takes it alone: no cohort leaves between check and commit."""
    return Statement(_SHARED if shared else _ALONE, {"v": version_id})


async def lock_version(session: AsyncSession, version_id: str, *, shared: bool) -> None:
    """Take it in a session's unit of work."""
    await perform(session, version_locked(version_id, shared=shared))
