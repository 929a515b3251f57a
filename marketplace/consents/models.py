"""The consent register: one insert-only row an event, per subject pseudonym, dataset and purpose."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class ConsentEvent(Base):
    """Fields as ISO/IEC 27560 has them, as far as a register of pseudonyms can."""

    __tablename__ = "consent_event"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"))
    subject: Mapped[bytes]
    """HMAC-SHA-256 of the subject key under the lineage's key, first 16 bytes."""
    purpose: Mapped[str]
    event: Mapped[str]
    """given | withdrawn (by the person) | revoked (by the owner) | expired (by the clock)"""
    at: Mapped[datetime]
    """When the person said it."""
    expires_at: Mapped[datetime | None]
    """Of `given`: from this instant on it no longer holds, whether or not `expired` has been written."""
    notice_sha256: Mapped[bytes | None]
    """Of the notice as it was shown."""
    notice_language: Mapped[str | None]
    notice_version: Mapped[str | None]
    evidence: Mapped[str | None]
    """Where the owner keeps the proof; never the proof itself."""
    method: Mapped[str | None]
    jurisdiction: Mapped[str | None]
    """ISO 3166 code."""
    owner_event_id: Mapped[str | None]
    """The owner's own id of the event: the same id twice is one event."""
    recorded_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    """Who recorded it for the owner; None: the person herself, or the clock."""
    recorded_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        CheckConstraint("event in ('given', 'withdrawn', 'revoked', 'expired')", "event_known"),
        CheckConstraint("expires_at is null or event = 'given'", "only_given_expires"),
        Index(None, "dataset_id", "subject", "purpose", "at"),
        Index(
            "uq_consent_event_owner_event_id", "dataset_id", "owner_event_id", unique=True,
            postgresql_where=text("owner_event_id is not null"),
        ),
        Index("ix_consent_event_expiries", "dataset_id", "expires_at",
              postgresql_where=text("expires_at is not null")),
        Index("ix_consent_event_ended", "dataset_id", "recorded_at", postgresql_where=text("event <> 'given'")),
    )  # fmt: skip
