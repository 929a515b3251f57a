"""What data subjects say. A withdrawal takes the person's whole cohort out of the newest version, at once.

Whether the person is in the data shows nowhere: same checks, statements, answer, and number of events in the log.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Owner
from marketplace.audit.actions import record
from marketplace.consents.actors import Actor, DataSubject, traced
from marketplace.consents.errors import InTheFuture, NoSubjects, OtherSubject, PurposeUnknown, SubjectLength
from marketplace.consents.schemas import ConsentReceipt, Said
from marketplace.consents.subjects import pseudonym
from marketplace.db.base import ms_of, new_id, utcnow
from marketplace.db.locks import lock_version
from marketplace.errors import Invalid, NotFound

NAMES: dict[Said, str] = {"given": "consent:give", "withdrawn": "consent:withdraw"}
MAX_SUBJECT_BYTES = 256
CLOCK_SKEW = timedelta(minutes=5)
FIRST_YEAR = 1900
"""Nobody said anything earlier; what PostgreSQL holds before year 1 Python cannot read back."""


class Cohorts(Protocol):
    """The part of `catalog.storage.Store` that a withdrawal needs."""

    def cohort_of(self, version_id: str, pseudonym: bytes) -> int | None:
        """Where a person stands, None for somebody who is not in."""


class LineageKeys(Protocol):
    """The part of `db.keys.Keys` that names subjects."""

    def lineage(self, lineage_id: UUID) -> bytes:
        """The lineage's HMAC key."""


class _Entry(Struct, frozen=True, kw_only=True):
    """A row of the register; `subject` is the pseudonym."""

    id: UUID
    dataset_id: UUID
    subject: bytes
    purpose: str
    at: datetime


_DATASET = text("""
    SELECT id, lineage_id, current_version_id, manifest FROM dataset
    WHERE id = :id AND (CAST(:owner AS uuid) IS NULL OR owner_id = :owner) FOR SHARE
""")
_INSERT = text("""
    INSERT INTO consent_event (id, dataset_id, subject, purpose, event, at, recorded_by, recorded_at)
    VALUES (:id, :dataset_id, :subject, :purpose, :event, :at, :by, :recorded_at)
""")
_EXCLUDE = text("""
    INSERT INTO excluded_cohort (id, version_id, cohort, purpose, consent_event_id, created_at)
    SELECT :id, :version_id, CAST(:cohort AS bigint), :purpose, :event_id, :now
    WHERE CAST(:cohort AS bigint) IS NOT NULL AND NOT EXISTS (
        SELECT FROM consent_event
        WHERE dataset_id = :dataset_id AND subject = :subject AND purpose = :purpose AND event = 'given'
            AND at > :at
    ) ON CONFLICT DO NOTHING RETURNING cohort
""")
_REVISION = text("""
    SELECT count(*) FROM excluded_cohort
    WHERE version_id = :version_id AND (purpose IS NULL OR purpose = :purpose)
""")
_WITHDRAWN = text("""
    SELECT id, subject, purpose, at FROM (
        SELECT DISTINCT ON (subject, purpose) id, subject, purpose, event, at FROM consent_event
        WHERE dataset_id = :dataset_id ORDER BY subject, purpose, at DESC, recorded_at DESC
    ) AS newest WHERE event = 'withdrawn'
""")


async def record_consent_event(
    session: AsyncSession,
    *,
    by: Actor,
    consent_id: UUID,
    dataset_id: UUID,
    subject: str,
    purpose: str,
    event: Said,
    at: datetime,
    store: Cohorts,
    keys: LineageKeys,
) -> ConsentReceipt:
    """Write what a person said at `at`. Given counts from the next version on, withdrawn from the next query on.

    An owner speaks for the people of its own datasets, a data subject for herself in any dataset.

    Raises NotFound, NoSubjects, PurposeUnknown, InTheFuture, SubjectLength, OtherSubject.
    """
    owner_id = by.organisation_id if isinstance(by, Owner) else None
    dataset = (await session.execute(_DATASET, {"id": dataset_id, "owner": owner_id})).one_or_none()
    if dataset is None:
        raise NotFound
    _check(dataset.manifest, subject, purpose, at)
    now = utcnow()
    key = keys.lineage(dataset.lineage_id)
    entry = _Entry(
        id=consent_id,
        dataset_id=dataset_id,
        subject=pseudonym(key, subject),
        purpose=purpose,
        # A clock that runs ahead must not make a consent outlast the withdrawal that follows it.
        at=min(at, now),
    )
    if isinstance(by, DataSubject) and pseudonym(key, by.subject) != entry.subject:
        raise OtherSubject
    who = traced(by)
    version_id: str | None = dataset.current_version_id if event == "withdrawn" else None
    if version_id is not None:
        await lock_version(session, version_id, shared=False)
    written = {**msgspec.structs.asdict(entry), "event": event, "by": who.person_id, "recorded_at": now}
    await session.execute(_INSERT, written)
    log = partial(
        record,
        session,
        actor_person_id=who.person_id,
        actor_organisation_id=who.organisation_id,
        parties=who.parties,
        dataset_id=dataset_id,
        purpose=purpose,
    )
    await log(NAMES[event], body={"consent_event_id": entry.id, "said_at": entry.at})
    if version_id is not None:
        await _take_out(session, version_id, store.cohort_of(version_id, entry.subject), entry)
        number = await session.scalar(_REVISION, {"version_id": version_id, "purpose": purpose})
        await log("dataset:revision", version_id=version_id, revision=number)
    return ConsentReceipt(
        id=consent_id,
        dataset_id=dataset_id,
        purpose=purpose,
        event=event,
        at=ms_of(entry.at),
        recorded_at=ms_of(now),
    )


async def exclude_withdrawn(session: AsyncSession, *, dataset_id: UUID, version_id: str, store: Cohorts) -> int:
    """Take out of a version, in the transaction that releases it, everybody who has withdrawn by now.

    For who withdrew while it was being made, and for files that still flag them as consenting; how many cohorts.
    """
    taken = 0
    for row in await session.execute(_WITHDRAWN, {"dataset_id": dataset_id}):
        entry = _Entry(id=row.id, dataset_id=dataset_id, subject=row.subject, purpose=row.purpose, at=row.at)
        taken += await _take_out(session, version_id, store.cohort_of(version_id, row.subject), entry)
    return taken


def _check(manifest: dict[str, Any], subject: str, purpose: str, at: datetime) -> None:
    if manifest.get("privacy_unit") != "column":
        raise NoSubjects
    if purpose not in manifest["purposes"]:
        raise PurposeUnknown(purpose=purpose, purposes=list(manifest["purposes"]))
    if at.year < FIRST_YEAR:
        raise Invalid(errors=[{"path": "at", "code": "request.unstorable", "params": {}}])
    if at > utcnow() + CLOCK_SKEW:
        raise InTheFuture
    if not 1 <= len(subject.strip().encode()) <= MAX_SUBJECT_BYTES:
        raise SubjectLength(max_bytes=MAX_SUBJECT_BYTES)


async def _take_out(session: AsyncSession, version_id: str, cohort: int | None, entry: _Entry) -> int:
    """Run alike for who is in and who is not; 1 if a cohort went that had not gone before."""
    parameters = {
        **msgspec.structs.asdict(entry),
        "event_id": entry.id,
        "id": new_id(),
        "version_id": version_id,
        "cohort": cohort,
        "now": utcnow(),
    }
    return len((await session.execute(_EXCLUDE, parameters)).all())
