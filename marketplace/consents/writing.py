"""Writing what a file staged: by COPY, in sets, and with every cohort that goes in one step."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.storage import Store
from marketplace.accounts.senders import Sender
from marketplace.consents.actions import SET_BACK
from marketplace.consents.cohorts import PEOPLE_AT_ONCE, Out, cohorts_of, log_revisions, take_out
from marketplace.consents.expiry import expire
from marketplace.consents.schemas import Imported
from marketplace.consents.staging import FAULTS_SHOWN, STAGED, Staging
from marketplace.db.locks import lock_version

_COPY = "COPY staged_consent FROM STDIN"
_WRITE = text("""
    INSERT INTO consent_event (id, dataset_id, subject, purpose, event, at, expires_at, notice_sha256,
        notice_language, notice_version, evidence, method, jurisdiction, owner_event_id, recorded_by, recorded_at)
    SELECT id, :dataset_id, subject, purpose, event, at, expires_at, notice_sha256,
        notice_language, notice_version, evidence, method, jurisdiction, owner_event_id, :by, :now
    FROM staged_consent WHERE line > :after AND line <= :until
    ON CONFLICT (dataset_id, owner_event_id) WHERE owner_event_id IS NOT NULL DO NOTHING
""")
_CONTENT = (
    "subject, purpose, event, at, expires_at, notice_sha256, notice_language, notice_version, evidence, method"
)
_CONTENT += ", jurisdiction"
_SAME = "({}) IS NOT DISTINCT FROM ({})".format(
    *(", ".join(f"{table}.{name}" for name in _CONTENT.split(", ")) for table in ("s", "c"))
)
_KNOWN = """
    FROM staged_consent s JOIN consent_event c
        ON c.dataset_id = :dataset_id AND c.owner_event_id = s.owner_event_id AND c.id <> s.id
"""
_REPEATED = text(f"""
    SELECT s.event, count(*) FILTER (WHERE {_SAME}) AS already, count(*) AS known {_KNOWN} GROUP BY s.event
""")
_CLASHING = text(f"SELECT s.line {_KNOWN} WHERE NOT {_SAME} ORDER BY s.line LIMIT :most")
_PLACE = text("SELECT current_version_id FROM dataset WHERE id = :id FOR NO KEY UPDATE")
_ENDED = text("""
    SELECT c.id, c.subject, c.purpose FROM staged_consent s JOIN consent_event c ON c.id = s.id
    WHERE s.event <> 'given' AND NOT EXISTS (
        SELECT FROM consent_event g WHERE g.dataset_id = c.dataset_id AND g.subject = c.subject
            AND g.purpose = c.purpose AND g.event = 'given' AND g.at > c.at
    )
""")


async def write(session: AsyncSession, staging: Staging, taken: dict[str, Any]) -> Imported:
    """All that is right in the file, in the register. While PostgreSQL writes a piece, a thread reads the next."""
    await session.execute(text(STAGED))
    await session.execute(text("CREATE INDEX ON staged_consent (line)"))
    written, after = 0, 0
    reading = asyncio.create_task(asyncio.to_thread(staging.next_rows))
    try:
        while (rows := await reading) is not None:
            until = staging.line
            reading = asyncio.create_task(asyncio.to_thread(staging.next_rows))
            await _copy(session, rows)
            done = await session.execute(_WRITE, taken | {"after": after, "until": until})
            written += done.rowcount  # type: ignore[attr-defined]
            after = until
    finally:
        # The thread has the file open.
        await asyncio.wait({reading})
    await session.execute(text("ANALYZE staged_consent"))
    return await _counted(session, staging, taken, written)


async def _copy(session: AsyncSession, rows: bytes) -> None:
    raw = await (await session.connection()).get_raw_connection()
    driver = raw.driver_connection
    assert driver is not None  # the connection is ours until the transaction ends
    async with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        await copy.write(rows)


async def _counted(session: AsyncSession, staging: Staging, taken: dict[str, Any], written: int) -> Imported:
    events, already = staging.events.copy(), 0
    if written < staging.staged:
        for row in (await session.execute(_REPEATED, taken)).all():
            events[row.event] -= row.known
            already += row.already
        clashing = (await session.scalars(_CLASHING, taken | {"most": FAULTS_SHOWN})).all()
        for line in clashing:
            staging.wrong(line, "consent.id_reused")
        staging.fault_count += staging.staged - written - already - len(clashing)
    return Imported(
        dataset_id=taken["dataset_id"],
        given=events["given"],
        withdrawn=events["withdrawn"],
        revoked=events["revoked"],
        already=already,
        fault_count=staging.fault_count,
        faults=tuple(sorted(staging.faults, key=lambda fault: fault.line)),
    )


async def bite(session: AsyncSession, store: Store, by: Sender, staging: Staging, imported: Imported) -> None:
    """Everybody who withdrew goes at once; the same is asked whether or not anybody is in the data."""
    dataset_id = imported.dataset_id
    if not imported.withdrawn + imported.revoked and staging.ran_out is None:
        return
    version_id = await session.scalar(_PLACE, {"id": dataset_id})
    if staging.ran_out is not None:
        await session.execute(SET_BACK, {"dataset_id": dataset_id, "expires_at": staging.ran_out})
        await expire(session, dataset_id=dataset_id, store=store)
    if version_id is None or not imported.withdrawn + imported.revoked:
        return
    await lock_version(session, version_id, shared=False)
    gone: dict[tuple[str, int], UUID] = {}
    purposes: set[str] = set()
    ended = await session.stream(_ENDED)
    async for rows in ended.partitions(PEOPLE_AT_ONCE):
        people = [Out(row.id, row.subject, row.purpose) for row in rows]
        purposes.update(each.purpose for each in people)
        places = await asyncio.to_thread(cohorts_of, people, version_id=version_id, store=store)
        gone |= places
    await take_out(session, version_id=version_id, gone=gone)
    await log_revisions(session, dataset_id=dataset_id, version_id=version_id, purposes=sorted(purposes), by=by)
