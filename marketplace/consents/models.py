"""The consent register: one insert-only row an event, per subject pseudonym, dataset and purpose."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class ConsentEvent(Base):
    __tablename__ = "consent_event"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"))
    subject: Mapped[bytes]
    """HMAC-SHA-256 of the subject key under the lineage's key, first 16 bytes."""
    purpose: Mapped[str]
    event: Mapped[str]
    """given | withdrawn"""
    at: Mapped[datetime]
    """When the person said it."""
    recorded_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    recorded_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (Index(None, "dataset_id", "subject", "purpose", "at"),)
