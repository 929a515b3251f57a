"""Applications and the agreements that come of them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class Application(Base):
    __tablename__ = "application"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"), index=True)
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    partner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    """Of a joint dataset the other owner: without its yes there is no agreement."""
    startup_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    applicant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    purpose: Mapped[str]
    justification: Mapped[str]
    duration_days: Mapped[int]
    people: Mapped[list[uuid.UUID]]
    """Persons of the startup who may ask."""
    offer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("offer.id"))
    """The version of the offer that the startup accepts by applying."""
    promises: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """What the startup said to meet the owner's conditions: `policies.decision.Promises`."""
    state: Mapped[str] = mapped_column(default="submitted")
    """submitted | returned | accepted | rejected | withdrawn"""
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    first_yes: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """Of a joint dataset, until the other owner has decided: `joint.Yes` of the one that said yes first."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)


class Agreement(Base):
    __tablename__ = "agreement"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), unique=True)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"), index=True)
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    partner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    lead_basis_points: Mapped[int | None]
    """Of a joint dataset: so much of the owners' share is the lead's, the rest the partner's."""
    startup_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    purpose: Mapped[str]
    purpose_judged: Mapped[bool] = mapped_column(default=False)
    """Whether the owner said yes to a purpose that the version covers only with akin ones."""
    people: Mapped[list[uuid.UUID]]
    promises: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    limits: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    """Obligations that the owner granted at most; the policy takes the stricter of them and its own."""
    columns: Mapped[list[str]]
    offer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("offer.id"))
    """Whose terms hold until its end, whatever is offered later; without one nothing can be asked."""
    unpaid_since: Mapped[datetime | None]
    """The wallet did not cover a charge of a month: nothing can be asked until it does."""
    valid_from: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None] = mapped_column(index=True)
    ended_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    end_reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
