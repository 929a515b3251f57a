"""Applications and agreements on the wire and on pages."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from marketplace.agreements.machine import AgreementState, ApplicationState, DecisionVerb
from marketplace.agreements.terms import Granted, Terms
from marketplace.billing.terms import Terms as OfferTerms
from marketplace.listings.schemas import SixClear
from policies.decision import Promises

Words = Annotated[str, Meta(max_length=10_000)]


class TermsBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of an application and of its resubmission. Without `people` only the applicant may ask.

    `offer_id`: the offer that it accepts; None: the one made to this startup alone, else the standard one."""

    purpose: Annotated[str, Meta(max_length=100)]
    justification: Words
    duration_days: int
    people: Annotated[tuple[uuid.UUID, ...], Meta(max_length=200)] = ()
    promises: Promises = Promises()
    offer_id: uuid.UUID | None = None

    def terms(self, applicant: uuid.UUID) -> Terms:
        """As the verbs take them."""
        return Terms(
            purpose=self.purpose,
            justification=self.justification,
            duration_days=self.duration_days,
            people=self.people or (applicant,),
            promises=self.promises,
            offer_id=self.offer_id,
        )


class DecisionBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All but `decision` and `reason` count with accept only.

    `expires_at` (with zone): at most the duration asked for. `columns`, `max_rows`: at most these; None: all that
    the version and the exchange allow. `purpose_judged`: yes to a purpose that the version covers with akin ones.
    """

    decision: DecisionVerb
    reason: Words = ""
    expires_at: datetime | None = None
    columns: Annotated[tuple[str, ...], Meta(max_length=200)] | None = None
    max_rows: Annotated[int, Meta(ge=1)] | None = None
    purpose_judged: bool = False

    def granted(self) -> Granted:
        """As the verb takes it."""
        return Granted(
            expires_at=self.expires_at,
            columns=self.columns,
            max_rows=self.max_rows,
            purpose_judged=self.purpose_judged,
        )


class EndBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Words


class PersonView(Struct, frozen=True, kw_only=True):
    id: uuid.UUID
    name: str


class AgreedOffer(Struct, frozen=True, kw_only=True):
    """The version of an offer that an application accepts, and whose terms hold until its agreement ends."""

    id: uuid.UUID
    name: str
    number: int
    terms: OfferTerms


class ApplicationView(Struct, frozen=True, kw_only=True):
    """An application as both sides see it."""

    id: uuid.UUID
    state: ApplicationState
    dataset_id: uuid.UUID
    dataset_slug: str
    dataset_title_vi: str
    dataset_title_en: str
    owner_id: uuid.UUID
    owner_name: str
    partner_id: uuid.UUID | None
    """Of a joint dataset the other owner."""
    yes_of: uuid.UUID | None
    """Of a joint dataset the owner that has said yes, while the other has not decided."""
    startup_id: uuid.UUID
    startup_name: str
    applicant_name: str
    purpose: str
    justification: str
    duration_days: int
    people: tuple[PersonView, ...]
    promises: Promises
    decided_by_name: str | None
    decided_at: datetime | None
    reason: str | None
    agreement_id: uuid.UUID | None
    offer: AgreedOffer | None
    """What the startup accepts by applying."""
    created_at: datetime
    updated_at: datetime
    six_clear: SixClear


class ApplicationList(Struct, frozen=True, kw_only=True):
    items: tuple[ApplicationView, ...]
    next: str | None


class LimitsView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the owner granted at most, beside the columns. None: what the policy gives."""

    max_rows: int | None = None


class AgreementView(Struct, frozen=True, kw_only=True):
    """An agreement as both sides see it; `state` is as of now."""

    id: uuid.UUID
    state: AgreementState
    application_id: uuid.UUID
    dataset_id: uuid.UUID
    dataset_slug: str
    dataset_title_vi: str
    dataset_title_en: str
    owner_id: uuid.UUID
    owner_name: str
    partner_id: uuid.UUID | None
    startup_id: uuid.UUID
    startup_name: str
    purpose: str
    purpose_judged: bool
    people: tuple[PersonView, ...]
    promises: Promises
    limits: LimitsView
    columns: tuple[str, ...]
    offer: AgreedOffer | None
    unpaid_since: datetime | None
    """A month's charge was not covered by the wallet: nothing can be asked until it is."""
    valid_from: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_by_name: str | None
    end_reason: str | None
    six_clear: SixClear


class AgreementList(Struct, frozen=True, kw_only=True):
    items: tuple[AgreementView, ...]
    next: str | None
