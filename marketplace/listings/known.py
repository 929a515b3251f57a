"""What the database knows for the policy when somebody publishes: who it is, what was listed before."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.listings.models import DatasetVersion
from policies.decision import Caller, PersonalClass, PreviousFacts, StateClass

PUBLISHER = text("""
select o.kind, o.slug, o.suspended_at is not null as suspended, p.roles, p.deactivated_at is null as active
from organisation o join person p on p.id = :person where o.id = :organisation
""")


async def publisher_facts(session: AsyncSession, *, person_id: UUID, organisation_id: UUID) -> Caller:
    """Who publishes, as of now."""
    found = await session.execute(PUBLISHER, {"person": person_id, "organisation": organisation_id})
    row = found.mappings().one()
    return Caller(
        person_id=str(person_id),
        organisation_id=str(organisation_id),
        organisation_kind=row["kind"],
        organisation_slug=row["slug"],
        roles=tuple(row["roles"]),
        active=row["active"],
        organisation_suspended=row["suspended"],
    )


async def previous_facts(session: AsyncSession, version_id: str | None) -> PreviousFacts:
    """The class in which the version that is listed now was listed; of none, if none is."""
    rows = select(DatasetVersion.state_class, DatasetVersion.personal_class).where(DatasetVersion.id == version_id)
    row = (await session.execute(rows)).one_or_none() if version_id else None
    if row is None:
        return PreviousFacts()
    return PreviousFacts(
        version_id=version_id,
        state_class=cast(StateClass | None, row.state_class),
        personal_class=cast(PersonalClass | None, row.personal_class),
    )
