"""How far the close of each month has got, and what each owner's statement of it was."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


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
    differences: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    """Stuck: the first that nobody let stand, each a `standing.Standing`."""
    tried_at: Mapped[datetime] = mapped_column(default=utcnow)
    next_at: Mapped[datetime | None]
    """When it is tried again by itself."""
    __table_args__ = (
        CheckConstraint("state in ('done', 'stuck')", "state"),
        CheckConstraint("(state = 'stuck') = (cause is not null and next_at is not null)", "stuck"),
    )


class DifferenceAcceptance(Base):
    """A difference that one person of the operator proposed to let stand in one month, with what another said."""

    __tablename__ = "difference_acceptance"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    period: Mapped[str]
    step: Mapped[str]
    key: Mapped[str]
    """Of `standing.Standing`, whose other columns follow."""
    rule: Mapped[str]
    subject: Mapped[str]
    expected: Mapped[int | None]
    found: Mapped[int | None]
    reason: Mapped[str]
    state: Mapped[str]
    """proposed | accepted | refused | lapsed: it was not found any more"""
    proposed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime] = mapped_column(default=utcnow)
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None]
    __table_args__ = (
        CheckConstraint("state in ('proposed', 'accepted', 'refused', 'lapsed')", "state"),
        CheckConstraint("decided_by <> proposed_by or state <> 'accepted'", "two_people"),
        CheckConstraint("expected is not null or found is not null", "amount"),
        Index(None, "period"),
        Index(
            "uq_difference_acceptance_open",
            "period",
            "key",
            unique=True,
            postgresql_where=text("state in ('proposed', 'accepted')"),
        ),
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
