"""Writing what a file staged: by COPY, in sets, and with every cohort that goes in one step."""

from __future__ import annotations

import asyncio
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.storage import Store
from marketplace.accounts.senders import Sender
from marketplace.consents.actions import SET_BACK
from marketplace.consents.cohorts import PEOPLE_AT_ONCE, Out, cohorts_of, log_revisions, take_out
from marketplace.consents.expiry import expire
from marketplace.consents.schemas import Imported
from marketplace.consents.staging import COLUMNS, FAULTS_SHOWN, Piece, Staging
from marketplace.db.locks import lock_version
from marketplace.inspection.register import ROWS

_STAGED = text("CREATE TEMPORARY TABLE staged_consent (LIKE consent_event) ON COMMIT DROP")
_MERGE = text(f"""
    INSERT INTO consent_event ({COLUMNS}) SELECT {COLUMNS} FROM staged_consent WHERE id > :after
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
        ON c.dataset_id = s.dataset_id AND c.owner_event_id = s.owner_event_id AND c.id <> s.id
"""
_REPEATED = text(f"""
    SELECT s.event, count(*) FILTER (WHERE {_SAME}) AS already, count(*) AS known {_KNOWN} GROUP BY s.event
""")
_CLASHING = text(f"SELECT s.id {_KNOWN} WHERE NOT {_SAME} ORDER BY s.id LIMIT :most")
_DIGEST = text(f"SELECT {ROWS} FROM consent_event c WHERE c.id BETWEEN :first AND :last")
_PLACE = text("SELECT current_version_id FROM dataset WHERE id = :id FOR NO KEY UPDATE")
_ENDED = text("""
    SELECT c.id, c.subject, c.purpose FROM consent_event c
    WHERE c.dataset_id = :dataset_id AND c.recorded_at = :now AND c.event <> 'given' AND c.event <> 'expired'
        AND NOT EXISTS (
            SELECT FROM consent_event g WHERE g.dataset_id = c.dataset_id AND g.subject = c.subject
                AND g.purpose = c.purpose AND g.event = 'given' AND g.at > c.at
        )
""")


async def write(session: AsyncSession, staging: Staging, dataset_id: UUID) -> Imported:
    """All that is right in the file, in the register. While PostgreSQL writes a piece, a thread reads the next."""
    written, new = 0, True
    reading = asyncio.create_task(asyncio.to_thread(staging.next_piece))
    try:
        while (piece := await reading) is not None:
            reading = asyncio.create_task(asyncio.to_thread(staging.next_piece))
            if new and await _copied(session, piece):
                written += piece.count
                continue
            if new:
                await session.execute(_STAGED)
                await session.execute(text("CREATE INDEX ON staged_consent (id)"))
                new = False
            await _copy(session, piece, "staged_consent")
            done = await session.execute(_MERGE, {"after": piece.after})
            written += done.rowcount  # type: ignore[attr-defined]
    finally:
        # The thread has the file open.
        await asyncio.wait({reading})
    return await _counted(session, staging, dataset_id, written)


async def _copied(session: AsyncSession, piece: Piece) -> bool:
    """Straight into the register; nothing of it where an id is there already. A merge costs half as much again."""
    try:
        async with session.begin_nested():
            await _copy(session, piece, "consent_event")
    except UniqueViolation:
        return False
    return True


async def _copy(session: AsyncSession, piece: Piece, table: str) -> None:
    raw = await (await session.connection()).get_raw_connection()
    driver = raw.driver_connection
    assert driver is not None  # the connection is ours until the transaction ends
    async with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({COLUMNS}) FROM STDIN") as copy:
        await copy.write(piece.rows)


async def rows_digest(session: AsyncSession, staging: Staging) -> str:
    """Of what was written of a file, which the log commits to; hex."""
    first, last = staging.ids
    return str(await session.scalar(_DIGEST, {"first": first, "last": last}))


async def _counted(session: AsyncSession, staging: Staging, dataset_id: UUID, written: int) -> Imported:
    events, already = staging.events.copy(), 0
    if written < staging.staged:
        await session.execute(text("ANALYZE staged_consent"))
        for row in (await session.execute(_REPEATED)).all():
            events[row.event] -= row.known
            already += row.already
        clashing = (await session.scalars(_CLASHING, {"most": FAULTS_SHOWN})).all()
        for event_id in clashing:
            staging.wrong(staging.line_of(event_id), "consent.id_reused")
        staging.fault_count += staging.staged - written - already - len(clashing)
    return Imported(
        dataset_id=dataset_id,
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
    ended = await session.stream(_ENDED, {"dataset_id": dataset_id, "now": staging.now})
    async for rows in ended.partitions(PEOPLE_AT_ONCE):
        people = [Out(row.id, row.subject, row.purpose) for row in rows]
        purposes.update(each.purpose for each in people)
        places = await asyncio.to_thread(cohorts_of, people, version_id=version_id, store=store)
        gone |= places
    await take_out(session, version_id=version_id, gone=gone)
    await log_revisions(session, dataset_id=dataset_id, version_id=version_id, purposes=sorted(purposes), by=by)
