"""Offers on the wire: rates in micro-đồng, amounts in đồng, VAT included."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from marketplace.billing.terms import Terms

OfferState = Literal["open", "upcoming", "replaced", "over", "retired"]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{1,62}\Z", description="All versions of an offer have it.")]


class NewOfferBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new offer, or the next version of the one with this name. Instants have a zone; None: now, no end.

    `startup_id`: to it alone; all versions of an offer are to the same."""

    name: Name
    terms: Terms
    startup_id: UUID | None = None
    valid_from: Annotated[datetime, Meta(tz=True)] | None = None
    valid_until: Annotated[datetime, Meta(tz=True)] | None = None


class OfferView(Struct, frozen=True, kw_only=True):
    """One version of an offer. `open`: new agreements can be made on it."""

    id: UUID
    dataset_id: UUID
    dataset_slug: str
    name: str
    number: int
    state: OfferState
    startup_id: UUID | None
    startup_name: str | None
    terms: Terms
    valid_from: datetime
    valid_until: datetime | None
    made_at: datetime
    retired_at: datetime | None


class OfferList(Struct, frozen=True, kw_only=True):
    """By name, the newest version first. Its owner sees all, others what is or will be open to them."""

    items: tuple[OfferView, ...]


class ChargeView(Struct, frozen=True, kw_only=True):
    """What an agreement cost in a month without a query. code: month | statutory_fee | minimum."""

    id: UUID
    period: str
    code: str
    amount_vnd: int
    at: datetime
    organisation_id: UUID
    owner_id: UUID
    agreement_id: UUID
    dataset_id: UUID
    dataset_slug: str
    transfer_id: UUID


class ChargeList(Struct, frozen=True, kw_only=True):
    """Newest first."""

    items: tuple[ChargeView, ...]
    next: str | None
