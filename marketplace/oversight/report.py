"""The report of a breach: what was open, who used it and how many persons it tells of, counted from the log."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.audit.proofs import newest_checkpoint
from marketplace.consents.months import Band, band
from marketplace.db.base import utcnow
from marketplace.oversight.incidents import datasets_of, incident_for, incidents_for, reports_of, steps_of
from marketplace.oversight.models import Incident

USED = ["query:settle", "query:fetch"]
"""Events by which something of a dataset left the exchange."""

_DATASETS = text("""
    SELECT dataset.id, dataset.slug, dataset.title_vi, dataset.title_en, dataset.owner_id, dataset.partner_id,
        version.state_class, version.personal_class, version.body ->> 'mode' AS mode,
        CAST(version.body ->> 'persons' AS bigint) AS persons
    FROM dataset LEFT JOIN dataset_version AS version ON version.id = dataset.current_version_id
    WHERE dataset.id = ANY(:ids) ORDER BY dataset.slug
""")
_USES = text("""
    SELECT event.dataset_id, event.agreement_id, event.actor_organisation_id AS startup_id, event.purpose,
        count(DISTINCT event.query_id) AS queries, count(*) FILTER (WHERE event.name = 'query:fetch') AS fetches,
        min(event.at) AS first, max(event.at) AS last
    FROM event
    WHERE event.dataset_id = ANY(:ids) AND event.at >= :since AND event.at < :until AND event.name = ANY(:used)
    GROUP BY 1, 2, 3, 4 ORDER BY min(event.at)
""")


class Touched(Struct, frozen=True, kw_only=True):
    """A dataset that may have got out. `persons`: of its newest version, in a band."""

    dataset_id: UUID
    slug: str
    title_vi: str
    title_en: str
    mode: str | None
    state_class: str | None
    subject_class: str | None
    persons: Band | None


class Use(Struct, frozen=True, kw_only=True):
    """What was asked and fetched under one agreement in the time of the incident."""

    dataset_id: UUID
    agreement_id: UUID | None
    startup_id: UUID | None
    purpose: str | None
    queries: int
    fetches: int
    first: datetime
    last: datetime


class Taken(Struct, frozen=True, kw_only=True):
    """A step of the timeline."""

    at: datetime
    verb: str
    note: str
    person_id: UUID
    organisation_id: UUID


class IncidentView(Struct, frozen=True, kw_only=True):
    id: UUID
    title: str
    state: str
    law: str
    since: datetime
    until: datetime
    known_at: datetime
    report_by: datetime
    opened_at: datetime
    opened_by: UUID | None
    """To an owner only where it opened it itself."""
    organisation_id: UUID
    dataset_ids: tuple[UUID, ...]
    """An owner's are its own."""
    late: bool
    """It was reported after its deadline, or is not and the deadline has passed."""


class Report(Struct, frozen=True, kw_only=True):
    """`checkpoint`: head of the log when it was counted, None for an empty log. An owner's tells of its own."""

    schema: str = "sandulieu-incident/1"
    incident: IncidentView
    timeline: tuple[Taken, ...]
    datasets: tuple[Touched, ...]
    uses: tuple[Use, ...]
    made_at: datetime
    checkpoint: str | None


async def incident_views(session: AsyncSession, by: Caller) -> tuple[IncidentView, ...]:
    """Those that the caller may see, newest first. Raises Forbidden."""
    incidents, at = await incidents_for(session, by), utcnow()
    hers = await datasets_of(session, by.organisation_id)
    reports = await reports_of(session, [each.id for each in incidents])
    return tuple(_view(each, reports.get(each.id), at, by, hers) for each in incidents)


async def report_for(session: AsyncSession, *, incident_id: UUID, by: Caller) -> Report:
    """The report as of now. Raises Forbidden, NotFound."""
    incident = await incident_for(session, incident_id, by)
    datasets = [
        row
        for row in await session.execute(_DATASETS, {"ids": incident.dataset_ids})
        if by.organisation_kind != "owner" or by.organisation_id in (row.owner_id, row.partner_id)
    ]
    asked = {
        "ids": [row.id for row in datasets], "since": incident.since, "until": incident.until, "used": USED,
    }  # fmt: skip
    uses = await session.execute(_USES, asked)
    steps = await steps_of(session, incident.id, by)
    reports = await reports_of(session, [incident.id])
    checkpoint = await newest_checkpoint(session)
    timeline = tuple(
        Taken(at=s.at, verb=s.verb, note=s.note, person_id=s.person_id, organisation_id=s.organisation_id)
        for s in steps
    )
    return Report(
        incident=_view(incident, reports.get(incident.id), utcnow(), by, {row.id for row in datasets}),
        timeline=timeline,
        datasets=tuple(
            Touched(
                dataset_id=row.id,
                slug=row.slug,
                title_vi=row.title_vi,
                title_en=row.title_en,
                mode=row.mode,
                state_class=row.state_class,
                subject_class=row.personal_class,
                persons=None if row.persons is None else band(row.persons),
            )
            for row in datasets
        ),
        uses=tuple(Use(**row._asdict()) for row in uses),
        made_at=utcnow(),
        checkpoint=checkpoint.note if checkpoint else None,
    )


def _view(
    incident: Incident, reported_at: datetime | None, at: datetime, by: Caller, hers: Set[UUID]
) -> IncidentView:
    """An incident as it is shown at an instant. `hers`: the datasets that an owner has."""
    owns = by.organisation_kind == "owner"
    waits = incident.state == "open"
    done = reported_at or (at if waits else incident.opened_at)
    fields = IncidentView.__struct_fields__
    told = {name: getattr(incident, name) for name in fields if name not in ("dataset_ids", "late", "opened_by")}
    return IncidentView(
        **told,
        dataset_ids=tuple(each for each in incident.dataset_ids if not owns or each in hers),
        opened_by=incident.opened_by if not owns or incident.organisation_id == by.organisation_id else None,
        late=done > incident.report_by,
    )
