"""Publications on their way to the list: their stages, what people did about them; and versions taken back."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow
from marketplace.publications.machine import OPEN

_OPEN = ", ".join(f"'{state}'" for state in OPEN)


class PublicationRow(Base):
    """What an owner sent, until it is listed or given up. Nobody but its owner, and the operator's reviewer once
    it is referred, sees anything of it. The file lies sealed in store/publications/<id>, its key in keys/."""

    __tablename__ = "publication"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    slug: Mapped[str]
    """Of a new dataset, or of the owner's whose next version it is to be."""
    manifest: Mapped[str]
    source_name: Mapped[str]
    source_bytes: Mapped[int]
    source_sha256: Mapped[str]
    suite_sha256: Mapped[str | None]
    """Of the suite's text (hex); None: none came, or before this was kept."""
    state: Mapped[str]
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """Why it stopped or failed where no stage says it: {code, params, reasons}."""
    overrides: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default=text("'[]'::jsonb"))
    """Findings that a person answers for: [{code, key, reason, person_id}]."""
    sent_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    via: Mapped[str]
    sent_at: Mapped[datetime] = mapped_column(default=utcnow)
    due_at: Mapped[datetime | None]
    """Of the task at hand, where a person has one."""
    told_overdue: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Whether those whose task it is were told that it is late."""
    version_id: Mapped[str | None]
    """What was made; in `dataset_version` only once it is listed."""
    state_class: Mapped[str | None]
    personal_class: Mapped[str | None]
    approved: Mapped[str | None]
    """What was approved: a hash over file, manifest, suite, overrides and classes."""
    has_files: Mapped[bool] = mapped_column(default=True)
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        Index(
            "uq_publication_open", "organisation_id", "slug", unique=True,
            postgresql_where=text(f"state in ({_OPEN})"),
        ),
        Index("ix_publication_state", "state", postgresql_where=text("has_files")),
        CheckConstraint(f"state in ({_OPEN}, 'listed', 'cancelled')", "state"),
    )  # fmt: skip


class PublicationStage(Base):
    """How a stage went: `catalog.pipeline.record.StageRecord`, and when."""

    __tablename__ = "publication_stage"
    publication_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("publication.id"), primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    attempts: Mapped[int]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class PublicationStep(Base):
    """What a person did about it, with the checklist that was ticked. Insert-only."""

    __tablename__ = "publication_step"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    publication_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("publication.id"), index=True)
    verb: Mapped[str]
    state: Mapped[str]
    """To which it led."""
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    checklist: Mapped[list[str]]
    reason: Mapped[str | None]
    subject: Mapped[str | None]
    """As `publication.approved`."""
    at: Mapped[datetime] = mapped_column(default=utcnow)


class VersionWithdrawal(Base):
    """A version that its owner took back. Insert-only."""

    __tablename__ = "version_withdrawal"
    version_id: Mapped[str] = mapped_column(ForeignKey("dataset_version.id"), primary_key=True)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"), index=True)
    reason: Mapped[str]
    note: Mapped[str]
    bars_answers: Mapped[bool]
    """Whether answers that were made of it may not be fetched any more."""
    withdrawn_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    withdrawn_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        CheckConstraint("reason in ('quality', 'privacy', 'unlawful', 'consent', 'outdated', 'other')", "reason"),
    )
