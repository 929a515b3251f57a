"""What was found of each version, when it became overdue, which promises broke: all of them insert-only."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class QualityCheck(Base):
    """One look at one version: at what its file said (`source`), or at what others see of it (`released`)."""

    __tablename__ = "quality_check"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"))
    version_id: Mapped[str] = mapped_column(ForeignKey("dataset_version.id"))
    room: Mapped[str]
    """source | released"""
    judge: Mapped[str]
    """own | great_expectations"""
    scores: Mapped[list[Any]] = mapped_column(JSONB)
    """`catalog.quality.report.AxisScore`"""
    verdicts: Mapped[list[Any]] = mapped_column(JSONB)
    """`catalog.quality.report.Verdict`: for the owner alone."""
    profile: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """`catalog.quality.wire.Profile` of what was released; None in dp mode, and of a source."""
    drift: Mapped[list[Any]] = mapped_column(JSONB)
    """`catalog.quality.drift.ColumnDrift` against the version before."""
    checked_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        UniqueConstraint("version_id", "room"),
        CheckConstraint("room in ('source', 'released')", "room"),
        Index(None, "dataset_id", "checked_at"),
    )


class QualityOverdue(Base):
    """A version that was not followed by the next in time: told once."""

    __tablename__ = "quality_overdue"
    version_id: Mapped[str] = mapped_column(ForeignKey("dataset_version.id"), primary_key=True)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"), index=True)
    due_at: Mapped[datetime]
    told_at: Mapped[datetime] = mapped_column(default=utcnow)


class QualityAttempt(Base):
    """How often a released version could not be looked at, and why the last time."""

    __tablename__ = "quality_attempt"
    version_id: Mapped[str] = mapped_column(ForeignKey("dataset_version.id"), primary_key=True)
    attempts: Mapped[int]
    reason: Mapped[str]
    """A code, or the name of an error: no word of data or path."""
    tried_at: Mapped[datetime] = mapped_column(default=utcnow)


class QualityBreach(Base):
    """A promise of an agreement's offer that was not kept in a month: once a promise and month."""

    __tablename__ = "quality_breach"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    agreement_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("agreement.id"))
    startup_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"))
    version_id: Mapped[str] = mapped_column(ForeignKey("dataset_version.id"))
    period: Mapped[str]
    """YYYY-MM in Viet Nam"""
    promise: Mapped[str]
    """accurate | complete | clean | live"""
    promised_permille: Mapped[int | None]
    """None for live: the version was overdue, or none was listed."""
    found_permille: Mapped[int | None]
    """None where nothing was found: what is promised must be shown."""
    credit_permille: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        UniqueConstraint("agreement_id", "period", "promise"),
        CheckConstraint("promise in ('accurate', 'complete', 'clean', 'live')", "promise"),
        CheckConstraint("credit_permille between 1 and 1000", "credit"),
        Index(None, "period"),
    )


class QualityCredit(Base):
    """That a month's broken promises of an agreement raised this credit on this invoice."""

    __tablename__ = "quality_credit"
    agreement_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("agreement.id"), primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    invoice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invoice.id"), primary_key=True)
    credit_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("credit.id"), unique=True)
