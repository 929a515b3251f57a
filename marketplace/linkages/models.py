"""Linkages of two owners, and what each has sent for the next join."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class Linkage(Base):
    """Two owners who join what they know of the same persons. The lead's manifest describes the joint dataset.

    Its HMAC key is that of its lineage (home/keys/lineage-<id>), made when the partner approves."""

    __tablename__ = "linkage"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    lead_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    partner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    population: Mapped[str]
    purposes: Mapped[list[str]]
    lead_basis_points: Mapped[int]
    """Of the owners' share of each price: so much to the lead, the rest to the partner."""
    state: Mapped[str]
    """proposed | approved | refused | ended"""
    lineage_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("lineage.id"))
    proposed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime] = mapped_column(default=utcnow)
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    ended_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    """Of the refusal or the end."""
    __table_args__ = (
        CheckConstraint("lead_id <> partner_id", "two_owners"),
        CheckConstraint("lead_basis_points between 0 and 10000", "share"),
    )


class Contribution(Base):
    """One owner's half for the next join: sealed in the store until then, afterwards only this row."""

    __tablename__ = "contribution"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    linkage_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("linkage.id"))
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    manifest: Mapped[str]
    persons: Mapped[int]
    """In its file: its owner's own knowledge."""
    agreed_to: Mapped[uuid.UUID | None]
    """The other owner's contribution with which its owner wants it joined."""
    sent_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    sent_at: Mapped[datetime] = mapped_column(default=utcnow)
    erased_at: Mapped[datetime | None]
    __table_args__ = (
        Index(
            "uq_contribution_standing", "linkage_id", "owner_id", unique=True,
            postgresql_where=text("erased_at is null"),
        ),
    )  # fmt: skip
