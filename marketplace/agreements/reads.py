"""Applications and agreements of one organisation, whichever side of them it stands on."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from marketplace.accounts.models import Organisation, Person
from marketplace.agreements.facts import agreed_facts
from marketplace.agreements.models import Agreement, Application
from marketplace.agreements.parties import of_organisation
from marketplace.agreements.schemas import (
    AgreementList,
    AgreementView,
    ApplicationList,
    ApplicationView,
    PersonView,
)
from marketplace.agreements.views import agreement_view, application_view
from marketplace.db.cursor import PAGE_ROWS, cut, decode_cursor, encode_cursor
from marketplace.errors import NotFound
from marketplace.listings.facts import dataset_facts
from marketplace.listings.models import Dataset
from marketplace.listings.reads import listed_version
from marketplace.offers.models import Offer
from policies import odrl

Owner, Startup = aliased(Organisation), aliased(Organisation)
Applicant, Decider = aliased(Person), aliased(Person)


def _applications(
    organisation_id: uuid.UUID,
) -> Select[Application, Dataset, str, str, str, str, uuid.UUID, Offer]:
    return (
        select(Application, Dataset, Owner.name, Startup.name, Applicant.name, Decider.name, Agreement.id, Offer)
        .join(Dataset, Dataset.id == Application.dataset_id)
        .join(Owner, Owner.id == Application.owner_id)
        .join(Startup, Startup.id == Application.startup_id)
        .join(Applicant, Applicant.id == Application.applicant_id)
        .outerjoin(Decider, Decider.id == Application.decided_by)
        .outerjoin(Agreement, Agreement.application_id == Application.id)
        .outerjoin(Offer, Offer.id == Application.offer_id)
        .where(of_organisation(Application, organisation_id))
        .execution_options(populate_existing=True)
    )


def _agreements(organisation_id: uuid.UUID) -> Select[Agreement, Dataset, str, str, str, Offer]:
    return (
        select(Agreement, Dataset, Owner.name, Startup.name, Decider.name, Offer)
        .join(Dataset, Dataset.id == Agreement.dataset_id)
        .join(Owner, Owner.id == Agreement.owner_id)
        .join(Startup, Startup.id == Agreement.startup_id)
        .outerjoin(Decider, Decider.id == Agreement.ended_by)
        .outerjoin(Offer, Offer.id == Agreement.offer_id)
        .where(of_organisation(Agreement, organisation_id))
        .execution_options(populate_existing=True)
    )


async def applicants_of(session: AsyncSession, *, owner_id: uuid.UUID) -> tuple[PersonView, ...]:
    """Startups that have ever applied to an owner, by name."""
    rows = select(Organisation.id, Organisation.name).join(Application, Application.startup_id == Organisation.id)
    mine = of_organisation(Application, owner_id)
    found = await session.execute(rows.where(mine).distinct().order_by(Organisation.name))
    return tuple(PersonView(id=row.id, name=row.name) for row in found)


async def read_application(
    session: AsyncSession, *, application_id: uuid.UUID, organisation_id: uuid.UUID
) -> ApplicationView:
    """Raises NotFound for an application in which the organisation has no part."""
    rows = _applications(organisation_id).where(Application.id == application_id)
    row = (await session.execute(rows)).one_or_none()
    if row is None:
        raise NotFound
    return application_view(row, await _names(session, row[0].people))


async def list_applications(
    session: AsyncSession,
    *,
    organisation_id: uuid.UUID,
    state: str | None = None,
    cursor: str | None = None,
    limit: int = PAGE_ROWS,
) -> ApplicationList:
    """Newest first. Raises Invalid for a cursor we did not give out."""
    rows = _applications(organisation_id)
    if state is not None:
        rows = rows.where(Application.state == state)
    if cursor is not None:
        rows = rows.where(Application.id < decode_cursor(cursor, tuple[uuid.UUID])[0])
    rows = rows.order_by(Application.id.desc()).limit(limit + 1)
    found, last = cut((await session.execute(rows)).all(), limit)
    names = await _names(session, (person for row in found for person in row[0].people))
    items = tuple(application_view(row, names) for row in found)
    return ApplicationList(items=items, next=encode_cursor(last[0].id) if last else None)


async def read_agreement(
    session: AsyncSession, *, agreement_id: uuid.UUID, organisation_id: uuid.UUID, at: datetime
) -> AgreementView:
    """Raises NotFound for an agreement in which the organisation has no part."""
    rows = _agreements(organisation_id).where(Agreement.id == agreement_id)
    row = (await session.execute(rows)).one_or_none()
    if row is None:
        raise NotFound
    return agreement_view(row, await _names(session, row[0].people), at)


async def read_agreed(
    session: AsyncSession, *, agreement_id: uuid.UUID, organisation_id: uuid.UUID
) -> odrl.Document:
    """What both sides accepted, as ODRL 2.2 as far as the newest version allows it. Raises NotFound."""
    rows = _agreements(organisation_id).where(Agreement.id == agreement_id)
    row = (await session.execute(rows)).one_or_none()
    if row is None:
        raise NotFound
    agreement = row[0]
    listed = await listed_version(session, agreement.dataset_id)
    facts = dataset_facts(agreement.dataset_id, listed.version if listed else None, state_class=None)
    return odrl.agreement(agreed_facts(agreement), facts, owner_id=str(agreement.owner_id))


async def list_agreements(
    session: AsyncSession,
    *,
    organisation_id: uuid.UUID,
    at: datetime,
    cursor: str | None = None,
    limit: int = PAGE_ROWS,
) -> AgreementList:
    """Newest first. Raises Invalid for a cursor we did not give out."""
    rows = _agreements(organisation_id)
    if cursor is not None:
        rows = rows.where(Agreement.id < decode_cursor(cursor, tuple[uuid.UUID])[0])
    rows = rows.order_by(Agreement.id.desc()).limit(limit + 1)
    found, last = cut((await session.execute(rows)).all(), limit)
    names = await _names(session, (person for row in found for person in row[0].people))
    return AgreementList(
        items=tuple(agreement_view(row, names, at) for row in found),
        next=encode_cursor(last[0].id) if last else None,
    )


async def _names(session: AsyncSession, people: Iterable[uuid.UUID]) -> dict[uuid.UUID, PersonView]:
    rows = select(Person.id, Person.name).where(Person.id.in_(set(people)))
    return {row.id: PersonView(id=row.id, name=row.name) for row in await session.execute(rows)}
