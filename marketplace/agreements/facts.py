"""What the policy has to know to say whether an application may be made or granted, read in one round trip."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.agreements.models import Agreement, Application
from marketplace.agreements.terms import Granted
from marketplace.db.base import ms_of
from marketplace.listings.facts import dataset_facts
from marketplace.listings.reads import ListedVersion
from policies.decision import (
    AgreementFacts,
    AgreementQuestion,
    ApplicationFacts,
    Caller,
    OwnerFacts,
    Promises,
)

Stage = Literal["apply", "accept"]

PARTIES = text("""
select s.kind, s.slug, s.suspended_at is not null as suspended,
       (select count(b.suspended_at) > 0 from organisation b where b.id in (:owner, :partner)) as owner_suspended,
       p.roles, p.deactivated_at is null as active, v.state_class,
       array(select c.id from person c where c.id = any(:people) and c.organisation_id = s.id
             and c.deactivated_at is null) as active_people
from organisation s join person p on p.id = :applicant
left join dataset_version v on v.id = :version
where s.id = :startup
""")


async def agreement_question(
    session: AsyncSession,
    application: Application,
    listed: ListedVersion,
    *,
    granted: Granted,
    expires_at: datetime,
    stage: Stage,
    at: datetime,
) -> AgreementQuestion:
    """The question about an application as it stands now, and the version that is listed now."""
    found = await session.execute(
        PARTIES,
        {
            "startup": application.startup_id,
            "owner": application.owner_id,
            "partner": application.partner_id,
            "applicant": application.applicant_id,
            "people": application.people,
            "version": listed.version.id,
        },
    )
    row = found.mappings().one()
    return AgreementQuestion(
        at_ms=ms_of(at),
        stage=stage,
        applicant=_applicant(application, row),
        owner=OwnerFacts(organisation_id=str(application.owner_id), suspended=row["owner_suspended"]),
        application=ApplicationFacts(
            id=str(application.id),
            purpose=application.purpose,
            purpose_judged=granted.purpose_judged,
            people=_ids(application.people),
            active_people=_ids(row["active_people"]),
            duration_days=application.duration_days,
            expires_at_ms=ms_of(expires_at),
            promises=msgspec.convert(application.promises, Promises),
            limits=granted.limits(),
        ),
        dataset=dataset_facts(application.dataset_id, listed.version, state_class=row["state_class"]),
    )


def agreed_facts(agreement: Agreement) -> AgreementFacts:
    """What both sides accepted, as the policy reads it."""
    return AgreementFacts(
        id=str(agreement.id),
        startup_id=str(agreement.startup_id),
        dataset_id=str(agreement.dataset_id),
        purpose=agreement.purpose,
        purpose_judged=agreement.purpose_judged,
        people=tuple(str(person) for person in agreement.people),
        columns=tuple(agreement.columns),
        valid_from_ms=ms_of(agreement.valid_from),
        expires_at_ms=ms_of(agreement.expires_at),
        ended=agreement.ended_at is not None,
        promises=msgspec.convert(agreement.promises, Promises),
        limits=agreement.limits,
    )


def _applicant(application: Application, row: RowMapping) -> Caller:
    return Caller(
        person_id=str(application.applicant_id),
        organisation_id=str(application.startup_id),
        organisation_kind=row["kind"],
        organisation_slug=row["slug"],
        roles=tuple(row["roles"]),
        active=row["active"],
        organisation_suspended=row["suspended"],
    )


def _ids(people: Any) -> tuple[str, ...]:
    return tuple(sorted(str(UUID(str(person))) for person in people))
