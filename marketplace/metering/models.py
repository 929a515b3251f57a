"""Usage: one row for each dataset of a query that was charged; insert-only."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class UsageRow(Base):
    __tablename__ = "usage"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    query_id: Mapped[uuid.UUID]
    organisation_id: Mapped[uuid.UUID]
    owner_id: Mapped[uuid.UUID]
    person_id: Mapped[uuid.UUID]
    agreement_id: Mapped[uuid.UUID]
    dataset_id: Mapped[uuid.UUID]
    version_id: Mapped[str]
    outcome: Mapped[str]
    """ready | failed | cancelled"""
    bytes: Mapped[int]
    rows: Mapped[int]
    """Of the whole answer, as are the figures of time and memory: each dataset of a query says the same."""
    elements: Mapped[int] = mapped_column(default=0)
    cpu_us: Mapped[int]
    wall_us: Mapped[int]
    peak_memory_bytes: Mapped[int]
    price_vnd: Mapped[int]
    items: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default=text("'[]'::jsonb"))
    """The price's lines: `billing.price.Item`."""
    at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        UniqueConstraint("query_id", "dataset_id"),
        Index(None, "organisation_id", "at"),
        Index(None, "owner_id", "at"),
        Index(None, "agreement_id"),
        Index(None, "version_id", "at"),
    )
