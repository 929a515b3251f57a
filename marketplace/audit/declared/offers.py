"""Offers, what months cost without a query, and what startups want to spend at most."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marketplace.audit.registry import Body, event


@event("offer:retire", "no new agreement can be made on it; those that there are keep it")
class OfferNamed(Body, frozen=True):
    offer: UUID
    offer_name: str
    number: int
    startup: UUID | None
    valid_from: int
    valid_until: int | None
    via: str


@event("offer:make", "an owner offered a dataset, or the next version of an offer")
class OfferMade(OfferNamed, frozen=True):
    terms: dict[str, Any]
    """`billing.terms.Terms`, what is not zero of it."""


class Limit(Body, frozen=True):
    """`scope`: organisation, dataset or person."""

    scope: str
    month_vnd: int


@event("spending:stop", "a query did not enter: a limit of the startup's own stood against it")
class QueryStopped(Limit, frozen=True):
    agreements: tuple[UUID, ...]
    spent_vnd: int
    needed_vnd: int


@event("spending:limit", "a startup's admin set a limit, or took one away (`month_vnd` None)")
class LimitSet(Body, frozen=True):
    scope: str
    dataset: UUID | None
    person: UUID | None
    month_vnd: int | None
    alert_percent: tuple[int, ...]


@event("spending:alert", "a month's spending reached a share of a limit")
class LimitNeared(Limit, frozen=True):
    dataset: UUID | None
    person: UUID | None
    month: str
    percent: int
    spent_vnd: int


@event(
    "charge:make", "an agreement was charged for a month without a query; `code`: month, statutory_fee, minimum"
)
class MonthCharged(Body, frozen=True):
    code: str
    period: str
    transfer: UUID


@event("agreement:suspend", "the wallet did not cover a month's charge: nothing can be asked until it does")
class AgreementSuspended(Body, frozen=True):
    code: str
    period: str
    amount_vnd: int
    missing_vnd: int


@event("agreement:resume", "what was due is paid: questions can be asked again")
class AgreementResumed(Body, frozen=True):
    pass
