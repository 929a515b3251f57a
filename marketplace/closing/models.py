"""How far the close of each month has got, and what each owner's statement of it was."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, utcnow


class MonthStep(Base):
    """One step of a month's close: done for good, or stuck until what is in its way has gone."""

    __tablename__ = "month_step"
    period: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    """A name of `walk.STEPS`."""
    state: Mapped[str]
    """done | stuck"""
    attempts: Mapped[int]
    cause: Mapped[str | None]
    """The code of the problem that stands in the way."""
    told: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Done: its figures. Stuck: the problem's parameters."""
    tried_at: Mapped[datetime] = mapped_column(default=utcnow)
    next_at: Mapped[datetime | None]
    """When it is tried again by itself."""
    __table_args__ = (
        CheckConstraint("state in ('done', 'stuck')", "state"),
        CheckConstraint("(state = 'stuck') = (cause is not null and next_at is not null)", "stuck"),
    )


class OwnerStatement(Base):
    """An owner's statement as it stood when its month was closed; insert-only."""

    __tablename__ = "owner_statement"
    period: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    sha256: Mapped[str]
    """Of its canonical JSON (`statements.sha256_of`); its event says the same."""
    earned_vnd: Mapped[int]
    closing_vnd: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=utcnow)
