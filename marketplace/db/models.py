"""Idempotency keys: what a POST already did."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, utcnow


class IdempotencyKey(Base):
    """`Idempotency-Key`, scoped to the organisation: same key and body, same answer; another body, 409."""

    __tablename__ = "idempotency_key"
    organisation_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes]
    subject_id: Mapped[uuid.UUID]
    """The query, transfer, application … that the first call made."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
