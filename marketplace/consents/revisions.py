"""Rewriting parts ahead of the next query; noticing that a version has lost so much that a new one is due."""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID

from sqlalchemy import Row, text

from catalog.errors import VersionDamaged
from catalog.storage import Store
from marketplace.audit.actions import record
from marketplace.consents.reads import excluded
from marketplace.db.base import utcnow
from marketplace.db.engine import Database

PERMILLE = 1_000

logger = logging.getLogger(__name__)

_CURRENT = text("""
    SELECT d.id AS dataset_id, d.owner_id, d.partner_id, v.id AS version_id, v.worn_at, x.purpose,
        max(x.revision) AS number
    FROM dataset d JOIN dataset_version v ON v.id = d.current_version_id
    JOIN excluded_cohort x ON x.version_id = v.id AND x.purpose IS NOT NULL
    GROUP BY d.id, v.id, x.purpose ORDER BY d.id, x.purpose
""")
_LOST = text("SELECT count(DISTINCT cohort) FROM excluded_cohort WHERE version_id = :version_id")
_WORN = text("UPDATE dataset_version SET worn_at = :now WHERE id = :version_id AND worn_at IS NULL RETURNING id")


class Rewriter:
    """Makes the newest versions' revisions before somebody asks; remembers which it has made."""

    def __init__(self, database: Database, store: Store, *, worn_permille: int) -> None:
        self._database, self._store, self._worn = database, store, worn_permille
        self._made: dict[tuple[str, str], int] = {}

    async def run(self) -> int:
        """Once over all newest versions; how many had changed. One that is damaged keeps no other waiting."""
        async with self._database.reading() as session:
            rows = (await session.execute(_CURRENT)).all()
        changed = [row for row in rows if self._made.get((row.version_id, row.purpose)) != row.number]
        for row in changed:
            try:
                await self._rewrite(row.version_id, row.purpose)
                if row.worn_at is None:
                    await self._notice(row)
            except VersionDamaged as damaged:
                logger.error("no revision of a damaged version: %s", damaged)
            self._made[row.version_id, row.purpose] = row.number
        return len(changed)

    async def _rewrite(self, version_id: str, purpose: str) -> None:
        async with self._database.reading() as session:
            cohorts, number = await excluded(session, version_id, purpose)
        shown = purpose if self._store.version(version_id).legal_basis == "consent" else None
        await asyncio.to_thread(self._store.revision, version_id, purpose=shown, excluded=cohorts, number=number)

    async def _notice(self, row: Row[UUID, UUID, UUID | None, str, object, str, int]) -> None:
        """Once a version: the owner has an event, the catalogue a notice; neither says how much went."""
        cohorts = self._store.version(row.version_id).cohorts
        async with self._database.session() as session:
            lost = await session.scalar(_LOST, {"version_id": row.version_id}) or 0
            if lost * PERMILLE < cohorts * self._worn:
                return
            if await session.scalar(_WORN, {"version_id": row.version_id, "now": utcnow()}) is None:
                return
            await record(
                session,
                "dataset:worn",
                parties=[owner for owner in (row.owner_id, row.partner_id) if owner],
                dataset_id=row.dataset_id,
                version_id=row.version_id,
                body={"from_permille": self._worn},
            )
