"""What people watch, what they were told of it, and datasets that are asked for."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class Watch(Base):
    """A dataset or a search that somebody is told of; the seen columns say what of it was told already."""

    __tablename__ = "watch"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    dataset_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("dataset.id"), index=True)
    q: Mapped[str | None]
    chosen: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    """Of a search: facet → values."""
    seen_version_id: Mapped[str | None]
    seen_offer_id: Mapped[uuid.UUID | None]
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        CheckConstraint("(dataset_id is null) = (q is not null)", name="one_of"),
        UniqueConstraint("person_id", "dataset_id", "q", "chosen", postgresql_nulls_not_distinct=True),
    )


class Notice(Base):
    """One thing that somebody is told: `reference` is the version, offer, dataset, application (and when),
    agreement or stuck step that it is of."""

    __tablename__ = "watch_notice"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    watch_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("watch.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    code: Mapped[str]
    """new_version | withdrawn | price_changed | new_match, of a watch; application_waits | application_accepted |
    application_returned | application_rejected | agreement_ends | agreement_ended; month_stuck, of no dataset"""
    dataset_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("dataset.id"))
    reference: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=utcnow)
    read_at: Mapped[datetime | None]
    __table_args__ = (
        # A dataset is new once; a price may come back, and its change is told each time.
        Index(None, "watch_id", "reference", unique=True, postgresql_where=text("code = 'new_match'")),
        Index(
            "uq_watch_notice_once",
            "person_id",
            "code",
            "reference",
            unique=True,
            postgresql_where=text("watch_id is null"),
        ),
        Index(None, "person_id", "id"),
        CheckConstraint(
            "(code in ('new_version', 'withdrawn', 'price_changed', 'new_match')) = (watch_id is not null)"
            " and (code = 'month_stuck') = (dataset_id is null)",
            name="of_a_watch",
        ),
    )


class Matched(Base):
    """One row: the newest dataset that the saved searches were tried on, in the order of listing."""

    __tablename__ = "watch_matched"
    dataset_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]


class Demand(Base):
    """A dataset that is not there and that somebody would use."""

    __tablename__ = "demand"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    asked_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    title: Mapped[str]
    reason: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(default=utcnow)
    closed_at: Mapped[datetime | None]


class DemandVote(Base):
    """An organisation that would use it too; who asked has voted."""

    __tablename__ = "demand_vote"
    demand_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("demand.id"), primary_key=True)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    voted_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    voted_at: Mapped[datetime] = mapped_column(default=utcnow)
