"""A breach of personal data: opened with the law's clock, led through its states, each step told in the log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.accounts.models import Organisation
from marketplace.audit.actions import record
from marketplace.db.base import ms_of, utcnow
from marketplace.errors import Forbidden, NotFound
from marketplace.listings.models import Dataset
from marketplace.oversight.errors import IncidentOver, IncidentWrong, LawMissing
from marketplace.oversight.models import Incident, IncidentStep
from policies.laws import law_at

LAW: Final = "decree-356-2025.breach"
State = Literal["open", "reported", "closed", "dismissed"]
Verb = Literal["note", "report", "close", "dismiss"]
TRANSITIONS: Final[dict[tuple[str, str], State]] = {
    ("open", "note"): "open",
    ("open", "report"): "reported",
    ("open", "dismiss"): "dismissed",
    ("reported", "note"): "reported",
    ("reported", "close"): "closed",
}
"""What is not in here is refused with 409: a report is not taken back, and nothing is closed unreported."""
ROLES: Final = {"regulator": {"reader"}, "operator": {"operator"}, "owner": {"steward", "approver"}}
"""Who may open, see and lead an incident."""
Told = Annotated[str, Meta(min_length=10, max_length=4_000)]


class NewIncident(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`since` (included) to `until` (not): when data may have got out. `known_at`: when the clock began."""

    title: Annotated[str, Meta(min_length=5, max_length=200)]
    note: Told
    dataset_ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=50)]
    since: Annotated[datetime, Meta(tz=True)]
    until: Annotated[datetime, Meta(tz=True)]
    known_at: Annotated[datetime, Meta(tz=True)]


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    verb: Verb
    note: Told


async def open_incident(session: AsyncSession, *, incident_id: UUID, asked: NewIncident, by: Caller) -> None:
    """The clock runs. Raises Forbidden, IncidentWrong, LawMissing, NotFound (no dataset, or another owner's)."""
    require_part(by)
    now = utcnow()
    if not asked.since < asked.until or asked.known_at > now or asked.since > now:
        raise IncidentWrong
    law = law_at(LAW, ms_of(asked.known_at))
    if law is None:
        raise LawMissing(law=LAW)
    owners = await _owners(session, asked.dataset_ids)
    if by.organisation_kind == "owner":
        hers = await datasets_of(session, by.organisation_id)
        if not hers.issuperset(asked.dataset_ids):
            raise NotFound
    row = Incident(
        id=incident_id, opened_by=by.person_id, organisation_id=by.organisation_id, title=asked.title,
        dataset_ids=sorted(set(asked.dataset_ids)), owner_ids=sorted(owners), since=asked.since, until=asked.until,
        known_at=asked.known_at, report_by=asked.known_at + timedelta(hours=law.values["report_hours"]), law=LAW,
        state="open", opened_at=now,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    await _step(session, row, "open", asked.note, by)


async def take_step(session: AsyncSession, *, incident_id: UUID, step: Step, by: Caller) -> None:
    """Raises Forbidden, NotFound, IncidentOver."""
    row = await incident_for(session, incident_id, by, lock=True)
    if not may_take(step.verb, opener_id=row.organisation_id, by=by):
        raise Forbidden(needs="regulator:reader")
    state = TRANSITIONS.get((row.state, step.verb))
    if state is None:
        raise IncidentOver(state=row.state, verb=step.verb)
    row.state = state
    await session.flush()
    await _step(session, row, step.verb, step.note, by)


def may_take(verb: str, *, opener_id: UUID, by: Caller) -> bool:
    """Whether the step is the caller's to take: the regulator alone closes, and dismisses what an owner did not
    open itself."""
    if by.organisation_kind == "regulator" or verb not in ("close", "dismiss"):
        return True
    return verb == "dismiss" and by.organisation_kind == "owner" and by.organisation_id == opener_id


async def incident_for(session: AsyncSession, incident_id: UUID, by: Caller, *, lock: bool = False) -> Incident:
    """An incident that the caller may see. Raises Forbidden, NotFound (another owner's too)."""
    require_part(by)
    row = await session.get(Incident, incident_id, with_for_update=lock)
    if row is None or (by.organisation_kind == "owner" and by.organisation_id not in row.owner_ids):
        raise NotFound
    return row


async def incidents_for(session: AsyncSession, by: Caller) -> list[Incident]:
    """Those that the caller may see, newest first; at most 500. Raises Forbidden."""
    require_part(by)
    query = select(Incident).order_by(Incident.opened_at.desc()).limit(500)
    if by.organisation_kind == "owner":
        query = query.where(Incident.owner_ids.contains([by.organisation_id]))
    return list(await session.scalars(query))


async def reports_of(session: AsyncSession, incident_ids: Iterable[UUID]) -> dict[UUID, datetime]:
    """When those of them that were reported were."""
    query = select(IncidentStep.incident_id, IncidentStep.at).where(IncidentStep.verb == "report")
    rows = await session.execute(query.where(IncidentStep.incident_id.in_(incident_ids)))
    return {row.incident_id: row.at for row in rows}


async def steps_of(session: AsyncSession, incident_id: UUID, by: Caller) -> list[IncidentStep]:
    """The timeline, oldest first; to an owner without what other owners did and wrote."""
    query = select(IncidentStep).where(IncidentStep.incident_id == incident_id).order_by(IncidentStep.id)
    if by.organisation_kind == "owner":
        query = query.join(Organisation, Organisation.id == IncidentStep.organisation_id)
        query = query.where(or_(Organisation.id == by.organisation_id, Organisation.kind != "owner"))
    return list(await session.scalars(query))


def require_part(by: Caller) -> None:
    """Raises Forbidden for whoever has no part in incidents, ScopeMissing."""
    by.require("audit")
    roles = ROLES.get(by.organisation_kind, set())
    if not roles.intersection(by.roles):
        raise Forbidden(needs="|".join(sorted(ROLES)))


async def datasets_of(session: AsyncSession, organisation_id: UUID) -> set[UUID]:
    """The datasets that an owner has, alone or with a partner."""
    hers = or_(Dataset.owner_id == organisation_id, Dataset.partner_id == organisation_id)
    return set(await session.scalars(select(Dataset.id).where(hers)))


async def _owners(session: AsyncSession, dataset_ids: Iterable[UUID]) -> set[UUID]:
    wanted = set(dataset_ids)
    found = await session.execute(
        select(Dataset.id, Dataset.owner_id, Dataset.partner_id).where(Dataset.id.in_(wanted))
    )
    rows = found.all()
    if len(rows) != len(wanted):
        raise NotFound
    return {owner for row in rows for owner in (row.owner_id, row.partner_id) if owner is not None}


async def _step(session: AsyncSession, row: Incident, verb: str, note: str, by: Caller) -> None:
    """An event for each owner that may read the note: one for all would name them to each other."""
    session.add(
        IncidentStep(
            incident_id=row.id, verb=verb, note=note, person_id=by.person_id, organisation_id=by.organisation_id
        )
    )
    await session.flush()
    for owner_id in [by.organisation_id] if by.organisation_kind == "owner" else row.owner_ids:
        await record(
            session,
            f"incident:{verb}",
            by=by,
            parties={by.organisation_id, owner_id},
            body={"incident": row.id, "state": row.state, "note": note, "report_by": row.report_by.isoformat()},
        )
