"""On whose behalf the operator's own tool publishes."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.models import Organisation, Person
from marketplace.accounts.senders import Sender
from marketplace.listings.errors import NoSteward


async def sender_for(session: AsyncSession, *, owner_slug: str) -> Sender:
    """The owner's first active steward, who answers for the release; the log says `cli`. Raises NoSteward."""
    rows = (
        select(Person)
        .join(Organisation, Organisation.id == Person.organisation_id)
        .where(
            Organisation.kind == "owner",
            Organisation.slug == owner_slug,
            Person.deactivated_at.is_(None),
            Person.roles.contains(["steward"]),
        )
        .order_by(Person.id)
    )
    steward = await session.scalar(rows.limit(1))
    if steward is None:
        raise NoSteward(owner=owner_slug)
    return Sender(person_id=steward.id, organisation_id=steward.organisation_id, via="cli")
