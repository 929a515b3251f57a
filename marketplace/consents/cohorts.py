"""Taking cohorts out of a version: in one step, which makes one new revision of each purpose it touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.senders import Sender
from marketplace.audit.actions import record
from marketplace.consents.newest import NEWEST_OF_ENDED, is_out
from marketplace.db.base import utcnow

PEOPLE_AT_ONCE = 20_000
"""So many pseudonyms are held in memory at a time."""


class Cohorts(Protocol):
    """The part of `catalog.storage.Store` that a withdrawal needs."""

    def cohorts_of(self, version_id: str, pseudonyms: Sequence[bytes]) -> list[int | None]:
        """Where each person stands, None for somebody who is not in."""


class Out(Struct, frozen=True):
    """Somebody who may not be shown for a purpose any more, by an event of the register."""

    event_id: UUID
    subject: bytes
    purpose: str


Gone = Mapping[tuple[str, int], UUID]
"""(purpose, cohort) → an event that takes it out."""

_EXCLUDE = text("""
    WITH gone AS (
        SELECT * FROM unnest(CAST(:purposes AS text[]), CAST(:cohorts AS bigint[]), CAST(:events AS uuid[]))
            AS gone (purpose, cohort, event_id)
    ), step AS MATERIALIZED (
        SELECT purpose, 1 + coalesce((
            SELECT max(x.revision) FROM excluded_cohort x
            WHERE x.version_id = :version_id AND (x.purpose IS NULL OR x.purpose = each.purpose)
        ), 0) AS revision
        FROM (SELECT DISTINCT purpose FROM gone) AS each
    )
    INSERT INTO excluded_cohort (id, version_id, cohort, purpose, revision, consent_event_id, created_at)
    SELECT gen_random_uuid(), :version_id, gone.cohort, gone.purpose, step.revision, gone.event_id, :now
    FROM gone JOIN step USING (purpose)
    ON CONFLICT DO NOTHING RETURNING cohort
""")
_REVISIONS = text("""
    SELECT asked.purpose, coalesce(max(x.revision), 0) AS number
    FROM unnest(CAST(:purposes AS text[])) AS asked (purpose)
    LEFT JOIN excluded_cohort x ON x.version_id = :version_id AND (x.purpose IS NULL OR x.purpose = asked.purpose)
    GROUP BY asked.purpose ORDER BY asked.purpose
""")
_ALL_OUT = text(f"""
    SELECT id, subject, purpose FROM ({NEWEST_OF_ENDED}) AS newest WHERE {is_out("newest")}
""")


async def take_out(session: AsyncSession, *, version_id: str, gone: Gone) -> int:
    """How many cohorts went that had not gone before. The caller holds the version's lock.

    Asks the database the same whether or not anybody is in (`gone` may be empty).
    """
    parameters: dict[str, Any] = {
        "version_id": version_id,
        "purposes": [purpose for purpose, _ in gone],
        "cohorts": [cohort for _, cohort in gone],
        "events": list(gone.values()),
        "now": utcnow(),
    }
    return len((await session.execute(_EXCLUDE, parameters)).all())


async def log_revisions(
    session: AsyncSession,
    *,
    dataset_id: UUID,
    version_id: str,
    purposes: Sequence[str],
    by: Sender | None = None,
) -> None:
    """The revisions at which these purposes are now: an event each. `by` None: the clock."""
    found = await session.execute(_REVISIONS, {"version_id": version_id, "purposes": list(purposes)})
    for row in found.all():
        await record(
            session,
            "dataset:revision",
            by=by,
            parties=(by.organisation_id,) if by else (),
            dataset_id=dataset_id,
            purpose=row.purpose,
            version_id=version_id,
            revision=row.number,
        )


def cohorts_of(people: Sequence[Out], *, version_id: str, store: Cohorts) -> dict[tuple[str, int], UUID]:
    """The cohorts in which these people stand, of those who are in."""
    places = store.cohorts_of(version_id, [each.subject for each in people])
    return {
        (each.purpose, cohort): each.event_id
        for each, cohort in zip(people, places, strict=True)
        if cohort is not None
    }


async def take_out_everybody(session: AsyncSession, *, dataset_id: UUID, version_id: str, store: Cohorts) -> int:
    """Take out of a version, in the transaction that releases it, everybody who does not consent by now.

    For who withdrew while it was being made, and for files that still flag them as consenting; how many cohorts.
    """
    gone: dict[tuple[str, int], UUID] = {}
    found = await session.stream(_ALL_OUT, {"dataset_id": dataset_id, "now": utcnow()})
    async for rows in found.partitions(PEOPLE_AT_ONCE):
        people = [Out(row.id, row.subject, row.purpose) for row in rows]
        gone |= cohorts_of(people, version_id=version_id, store=store)
    return await take_out(session, version_id=version_id, gone=gone)
