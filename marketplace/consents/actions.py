"""What data subjects say. A withdrawal takes the person's whole cohort out of the newest version, at once.

Whether the person is in the data shows nowhere: same checks, statements, answer, and number of events in the log.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Owner
from marketplace.audit.actions import record
from marketplace.consents.actors import Actor, DataSubject, traced
from marketplace.consents.cohorts import Cohorts, Out, cohorts_of, take_out
from marketplace.consents.errors import GivenElsewhere, OtherSubject
from marketplace.consents.rules import rules_of
from marketplace.consents.schemas import Circumstances, ConsentReceipt, Said
from marketplace.consents.subjects import pseudonym
from marketplace.db.base import ms_of, utcnow
from marketplace.db.locks import lock_version
from marketplace.errors import Forbidden, NotFound
from marketplace.inspection.register import ROW

NAMES: dict[Said, str] = {"given": "consent:give", "withdrawn": "consent:withdraw", "revoked": "consent:revoke"}
UNKNOWN = Circumstances()


class LineageKeys(Protocol):
    """The part of `db.keys.Keys` that names subjects."""

    def lineage(self, lineage_id: UUID) -> bytes:
        """The lineage's HMAC key."""


# NO KEY UPDATE where the clock of expiries may be set back: whoever moves it waits, and queries do not.
_DATASET = """
    SELECT id, lineage_id, current_version_id, manifest, linkage_id FROM dataset
    WHERE id = :id AND (CAST(:owner AS uuid) IS NULL OR :owner IN (owner_id, partner_id)) FOR {lock}
"""
_INSERT = text(f"""
    INSERT INTO consent_event AS c (id, dataset_id, subject, purpose, event, at, expires_at, notice_sha256,
        notice_language, notice_version, evidence, method, jurisdiction, recorded_by, recorded_at)
    VALUES (:id, :dataset_id, :subject, :purpose, :event, :at, :expires_at, :notice_sha256,
        :notice_language, :notice_version, :evidence, :method, :jurisdiction, :by, :recorded_at)
    RETURNING {ROW}
""")
_SUPERSEDED = text("""
    SELECT EXISTS (
        SELECT FROM consent_event WHERE dataset_id = :dataset_id AND subject = :subject AND purpose = :purpose
            AND event = 'given' AND at > :at
    )
""")
_REVISION = text("""
    SELECT coalesce(max(revision), 0) FROM excluded_cohort
    WHERE version_id = :version_id AND (purpose IS NULL OR purpose = :purpose)
""")
SET_BACK = text("""
    UPDATE dataset SET expired_until = CAST(:expires_at AS timestamptz) - interval '1 microsecond'
    WHERE id = :dataset_id AND expired_until >= :expires_at
""")
"""What ran out before it was recorded is found by the next query, as is what runs out later."""


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
    circumstances: Circumstances = UNKNOWN,
) -> ConsentReceipt:
    """Write what a person said at `at`. Given counts from the next version on, the others from the next query on.

    An owner speaks for the people of its own datasets, a data subject for herself in any dataset.

    Raises NotFound, NoSubjects, PurposeUnknown, InTheFuture, SubjectLength, ExpiryOfNothing, RunsOutBefore,
    Invalid, OtherSubject, Forbidden (a person cannot revoke), GivenElsewhere (one owner cannot give for both).
    """
    now = utcnow()
    expires_at = circumstances.expires_at
    late = expires_at is not None and expires_at <= now
    dataset = await _locked(session, by, dataset_id, event, moves_clock=late)
    rules = rules_of(dataset.manifest, now=now)
    said_at = rules.check(subject=subject, purpose=purpose, event=event, at=at, expires_at=expires_at)
    key = keys.lineage(dataset.lineage_id)
    out = Out(consent_id, pseudonym(key, subject), purpose)
    _check_actor(by, out, event, key)
    version_id = dataset.current_version_id if event != "given" else None
    if version_id is not None:  # before anything is written: queries and withdrawals take their locks in one order
        await lock_version(session, version_id, shared=False)
    row = {"id": consent_id, "dataset_id": dataset_id, "subject": out.subject, "purpose": purpose, "at": said_at}
    more = {"event": event, "by": traced(by).person_id, "recorded_at": now}
    written = await session.scalar(_INSERT, row | _columns(circumstances) | more)
    if late:
        await session.execute(SET_BACK, {"dataset_id": dataset_id, "expires_at": expires_at})
    log = _log_for(session, by, dataset_id=dataset_id, purpose=purpose)
    body = {"consent_event_id": consent_id, "said_at": said_at}
    # The person is given this event whole, as her proof: who recorded it stands in the row alone.
    await log(NAMES[event], actor_person_id=None, body=body, secrets={"row": written})
    if version_id is not None:
        superseded = bool(await session.scalar(_SUPERSEDED, row))
        number = await _taken_out(session, out, version_id, store, superseded=superseded)
        await log("dataset:revision", version_id=version_id, revision=number)
    return ConsentReceipt(
        id=consent_id, dataset_id=dataset_id, purpose=purpose, event=event, at=ms_of(said_at),
        expires_at=ms_of(expires_at) if expires_at else None, notice_sha256=circumstances.notice_sha256,
        recorded_at=ms_of(now),
    )  # fmt: skip


async def _locked(session: AsyncSession, by: Actor, dataset_id: UUID, event: Said, *, moves_clock: bool) -> Any:
    """The dataset's row, locked until the end. Raises NotFound, GivenElsewhere."""
    owner_id = by.organisation_id if isinstance(by, Owner) else None
    chosen = text(_DATASET.format(lock="NO KEY UPDATE" if moves_clock else "SHARE"))
    dataset = (await session.execute(chosen, {"id": dataset_id, "owner": owner_id})).one_or_none()
    if dataset is None:
        raise NotFound
    if dataset.linkage_id is not None and owner_id is not None and event == "given":
        raise GivenElsewhere
    return dataset


async def _taken_out(session: AsyncSession, out: Out, version_id: str, store: Cohorts, *, superseded: bool) -> int:
    """The person's cohort leaves the version, unless a later word gave consent again. The revision then.

    Looked up in any case: how long it takes must not tell whether the person is in, or what was said later."""
    gone = cohorts_of([out], version_id=version_id, store=store)
    await take_out(session, version_id=version_id, gone={} if superseded else gone)
    at = {"version_id": version_id, "purpose": out.purpose}
    return int((await session.execute(_REVISION, at)).scalar_one())


def _check_actor(by: Actor, out: Out, event: Said, key: bytes) -> None:
    if isinstance(by, DataSubject):
        if pseudonym(key, by.subject) != out.subject:
            raise OtherSubject
        if event == "revoked":
            raise Forbidden(needs="owner:*")


def _columns(circumstances: Circumstances) -> dict[str, Any]:
    """As the table holds them."""
    fields = {name: getattr(circumstances, name) for name in Circumstances.__struct_fields__}
    notice = circumstances.notice_sha256
    return fields | {"notice_sha256": bytes.fromhex(notice) if notice else None}


def _log_for(session: AsyncSession, by: Actor, *, dataset_id: UUID, purpose: str) -> partial[Any]:
    who = traced(by)
    return partial(
        record,
        session,
        actor_person_id=who.person_id,
        actor_organisation_id=who.organisation_id,
        parties=who.parties,
        dataset_id=dataset_id,
        purpose=purpose,
    )
