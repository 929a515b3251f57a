"""Advisory locks that hold until the transaction ends."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def lock_version(session: AsyncSession, version_id: str, *, shared: bool) -> None:
    """Settling queries share it, a withdrawal takes it alone: no cohort leaves between check and commit."""
    name = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    await session.execute(text(f"select {name}(hashtextextended(:v, 0))"), {"v": version_id})
