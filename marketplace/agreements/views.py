"""Rows already read, put together as both sides see them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

import msgspec
from sqlalchemy import Row

from marketplace.agreements.machine import ApplicationState, agreement_state
from marketplace.agreements.models import Agreement, Application
from marketplace.agreements.schemas import (
    AgreedOffer,
    AgreementView,
    ApplicationView,
    LimitsView,
    PersonView,
)
from marketplace.billing.terms import Terms as OfferTerms
from marketplace.listings.models import Dataset
from marketplace.listings.schemas import SixClear
from marketplace.offers.models import Offer
from policies.decision import Promises

Names = Mapping[uuid.UUID, PersonView]
ApplicationRow = Row[Application, Dataset, str, str, str, str, uuid.UUID, Offer]
"""With owner, startup, applicant; decider and agreement are NULL until there are any; the offer accepted."""
AgreementRow = Row[Agreement, Dataset, str, str, str, Offer]
"""With owner, startup, who ended it (NULL while nobody has), and the offer agreed on."""


def application_view(row: ApplicationRow, names: Names) -> ApplicationView:
    """An application with the 6 rõ; `names` of its people."""
    application, dataset, owner, startup, applicant, decider, agreement_id, offer = row
    yes = application.first_yes if application.state == "submitted" else None
    return ApplicationView(
        id=application.id,
        state=cast(ApplicationState, application.state),
        dataset_id=dataset.id,
        dataset_slug=dataset.slug,
        dataset_title_vi=dataset.title_vi,
        dataset_title_en=dataset.title_en,
        owner_id=application.owner_id,
        owner_name=owner,
        partner_id=application.partner_id,
        yes_of=uuid.UUID(yes["owner_id"]) if yes else None,
        startup_id=application.startup_id,
        startup_name=startup,
        applicant_name=applicant,
        purpose=application.purpose,
        justification=application.justification,
        duration_days=application.duration_days,
        people=_people(application.people, names),
        promises=msgspec.convert(application.promises, Promises),
        decided_by_name=decider,
        decided_at=application.decided_at,
        reason=application.reason,
        agreement_id=agreement_id,
        offer=_agreed_offer(offer),
        created_at=application.created_at,
        updated_at=application.updated_at,
        six_clear=_six_clear(application, dataset, applicant, startup, owner, decider),
    )


def _six_clear(
    application: Application, dataset: Dataset, applicant: str, startup: str, owner: str, decider: str | None
) -> SixClear:
    return SixClear(
        who=f"{applicant} · {startup}",
        what=application.purpose,
        when=application.updated_at,
        responsibility=startup,
        product=dataset.title_vi,
        authority=f"{decider} · {owner}" if decider else owner,
    )


def agreement_view(row: AgreementRow, names: Names, at: datetime) -> AgreementView:
    """An agreement with its state at an instant; `names` of its people."""
    agreement, dataset, owner, startup, ender, offer = row
    return AgreementView(
        id=agreement.id,
        state=agreement_state(ended_at=agreement.ended_at, expires_at=agreement.expires_at, at=at),
        application_id=agreement.application_id,
        dataset_id=dataset.id,
        dataset_slug=dataset.slug,
        dataset_title_vi=dataset.title_vi,
        dataset_title_en=dataset.title_en,
        owner_id=agreement.owner_id,
        owner_name=owner,
        partner_id=agreement.partner_id,
        startup_id=agreement.startup_id,
        startup_name=startup,
        purpose=agreement.purpose,
        purpose_judged=agreement.purpose_judged,
        people=_people(agreement.people, names),
        promises=msgspec.convert(agreement.promises, Promises),
        limits=msgspec.convert(agreement.limits, LimitsView),
        columns=tuple(agreement.columns),
        offer=_agreed_offer(offer),
        unpaid_since=agreement.unpaid_since,
        valid_from=agreement.valid_from,
        expires_at=agreement.expires_at,
        ended_at=agreement.ended_at,
        ended_by_name=ender,
        end_reason=agreement.end_reason,
        six_clear=SixClear(
            who=f"{owner} · {startup}",
            what=agreement.purpose,
            when=agreement.valid_from,
            responsibility=startup,
            product=dataset.title_vi,
            authority=owner,
        ),
    )


def _agreed_offer(offer: Offer | None) -> AgreedOffer | None:
    if offer is None:
        return None
    terms = msgspec.convert(offer.terms, OfferTerms)
    return AgreedOffer(id=offer.id, name=offer.name, number=offer.number, terms=terms)


def _people(people: Sequence[uuid.UUID], names: Names) -> tuple[PersonView, ...]:
    return tuple(names[person] for person in people if person in names)
