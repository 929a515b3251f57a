"""What runs out: from its instant on the person is out, without an event needing to arrive.

Nothing wakes up at that instant. Each dataset remembers up to when its expiries have been written; whoever is
about to use the data (a query, its settling, a fetch) sees in one index look-up whether the clock has passed
another, and then writes `expired` and takes the cohorts out before going on. Where nobody asks, a sweep does.
"""

from __future__ import annotations

import logging
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.consents.cohorts import PEOPLE_AT_ONCE, Cohorts, Out, cohorts_of, log_revisions, take_out
from marketplace.db.base import micros_of
from marketplace.db.engine import Database
from marketplace.db.locks import lock_version
from marketplace.inspection.register import ROWS

logger = logging.getLogger(__name__)

DUE = """
    coalesce((
        SELECT e.expires_at FROM consent_event e WHERE e.dataset_id = d.id AND e.expires_at > d.expired_until
        ORDER BY e.expires_at LIMIT 1
    ) <= clock_timestamp(), false)
"""
"""Condition on a row `d` of dataset: the clock has passed the first expiry that is not written yet."""

_DATASET = text("""
    SELECT id, current_version_id, expired_until, clock_timestamp() AS now FROM dataset
    WHERE id = :id FOR NO KEY UPDATE
""")
_EXPIRE = text("""
    INSERT INTO consent_event (id, dataset_id, subject, purpose, event, at, recorded_at)
    SELECT gen_random_uuid(), e.dataset_id, e.subject, e.purpose, 'expired', e.expires_at, :now
    FROM consent_event e
    WHERE e.dataset_id = :dataset_id AND e.expires_at > :since AND e.expires_at <= :now
        AND NOT EXISTS (
            SELECT FROM consent_event n
            WHERE n.dataset_id = e.dataset_id AND n.subject = e.subject AND n.purpose = e.purpose
                AND CASE n.event WHEN 'expired' THEN n.at = e.expires_at
                    WHEN 'given' THEN (n.at, n.recorded_at) > (e.at, e.recorded_at) ELSE n.at >= e.at END
        )
""")
_EXPIRED = text("""
    SELECT id, subject, purpose FROM consent_event
    WHERE dataset_id = :dataset_id AND event = 'expired' AND recorded_at = :now
""")
_DIGEST = text(f"""
    SELECT {ROWS} FROM consent_event c
    WHERE c.dataset_id = :dataset_id AND c.event = 'expired' AND c.recorded_at = :now
""")
_WRITTEN = text("UPDATE dataset SET expired_until = :now WHERE id = :dataset_id")
_WAITING = text(f"SELECT d.id FROM dataset d WHERE {DUE} ORDER BY d.id")


async def expire(session: AsyncSession, *, dataset_id: UUID, store: Cohorts) -> None:
    """Write what has run out in a dataset by now, and take its cohorts out of the newest version."""
    dataset = (await session.execute(_DATASET, {"id": dataset_id})).one()
    version_id: str | None = dataset.current_version_id
    if version_id is not None:
        await lock_version(session, version_id, shared=False)
    when = {"dataset_id": dataset_id, "since": dataset.expired_until, "now": dataset.now}
    gone: dict[tuple[str, int], UUID] = {}
    purposes: dict[str, int] = {}
    await session.execute(_EXPIRE, when)
    rows = await session.stream(_EXPIRED, when)
    async for some in rows.partitions(PEOPLE_AT_ONCE):
        people = [Out(row.id, row.subject, row.purpose) for row in some]
        for each in people:
            purposes[each.purpose] = purposes.get(each.purpose, 0) + 1
        if version_id is not None:
            gone |= cohorts_of(people, version_id=version_id, store=store)
    await session.execute(_WRITTEN, when)
    if not purposes:
        return
    rows = await session.scalar(_DIGEST, when)
    body = {"expired": purposes, "recorded_us": micros_of(dataset.now)}
    await record(session, "consent:expire", dataset_id=dataset_id, body=body, secrets={"rows": rows})
    if version_id is not None:
        await take_out(session, version_id=version_id, gone=gone)
        await log_revisions(session, dataset_id=dataset_id, version_id=version_id, purposes=sorted(purposes))


async def expire_all(database: Database, store: Cohorts) -> int:
    """The sweep: every dataset in which something has run out, each in a transaction of its own; how many."""
    async with database.reading() as session:
        waiting = (await session.scalars(_WAITING)).all()
    for dataset_id in waiting:
        async with database.session() as session:
            await expire(session, dataset_id=dataset_id, store=store)
    return len(waiting)
