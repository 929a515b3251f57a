"""Offers: each row is one version of one, and changes no more but that it is retired."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class Offer(Base):
    """Terms on which a dataset may be used, from an instant on. An agreement keeps the one that it was made on.

    The service's role may write `retired_at` and `retired_by`, and nothing else of a row."""

    __tablename__ = "offer"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"), index=True)
    name: Mapped[str]
    """All versions of an offer have it. `standard`: what the manifest says."""
    number: Mapped[int]
    """Of the version, from 1."""
    startup_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisation.id"))
    """To whom alone it is made; None: to everybody."""
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """`marketplace.billing.terms.Terms`"""
    valid_from: Mapped[datetime] = mapped_column(default=utcnow)
    valid_until: Mapped[datetime | None]
    """New agreements can be made on it until then."""
    made_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
    retired_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    retired_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("dataset_id", "name", "number"),)


class Charge(Base):
    """What an agreement costs in a month without a query. Insert-only, each with its transfer."""

    __tablename__ = "charge"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    """Who pays."""
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"))
    agreement_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("agreement.id"))
    code: Mapped[str]
    """month | statutory_fee | minimum"""
    period: Mapped[str]
    """YYYY-MM, Viet Nam"""
    amount_vnd: Mapped[int]
    transfer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("transfer.id"))
    at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        UniqueConstraint("agreement_id", "code", "period"),
        Index(None, "organisation_id", "period"),
        Index(None, "owner_id", "period"),
    )
