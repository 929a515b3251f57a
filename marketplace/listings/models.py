"""Datasets, lineages, versions, cohorts taken out."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class Lineage(Base):
    """All versions about one population by one owner; its HMAC key is home/keys/lineage-<id>, mode 0600."""

    __tablename__ = "lineage"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    population: Mapped[str]
    mode: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (UniqueConstraint("owner_id", "population"),)


class Dataset(Base):
    __tablename__ = "dataset"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(unique=True)
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    partner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisation.id"))
    """Of a joint dataset the other owner; `owner_id` is the lead."""
    linkage_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("linkage.id"))
    lineage_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("lineage.id"))
    title_vi: Mapped[str]
    title_en: Mapped[str]
    description_vi: Mapped[str]
    description_en: Mapped[str]
    licence: Mapped[str]
    themes: Mapped[list[str]]
    spatial: Mapped[str]
    temporal: Mapped[str]
    update_frequency: Mapped[str]
    current_version_id: Mapped[str | None]
    expired_until: Mapped[datetime] = mapped_column(default=utcnow)
    """Consents that ran out up to this instant have their `expired` event, and their cohorts are out."""
    manifest: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (Index(None, "created_at", "id"),)


class DatasetVersion(Base):
    """A row per released version; `body` is version.json."""

    __tablename__ = "dataset_version"
    id: Mapped[str] = mapped_column(primary_key=True)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"), index=True)
    number: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sample: Mapped[list[Any]] = mapped_column(JSONB)
    """Generated rows that share no record with the data; shown with that label."""
    waiting: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default=text("'[]'::jsonb"))
    """Whom it does not show yet, for its owner only: `catalog.history.Waiting`."""
    state_class: Mapped[str | None]
    personal_class: Mapped[str | None]
    """As the listing decision computed them; None before it did."""
    published_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    worn_at: Mapped[datetime | None]
    """When so many of its cohorts were gone that it should be published anew."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (UniqueConstraint("dataset_id", "number"), Index(None, "created_at", "id"))


class LegalBasis(Base):
    """On what a version rests: consent, or another basis with the id of its law. Insert-only."""

    __tablename__ = "legal_basis"
    version_id: Mapped[str] = mapped_column(ForeignKey("dataset_version.id"), primary_key=True)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"), index=True)
    kind: Mapped[str]
    law: Mapped[str]
    recorded_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    recorded_at: Mapped[datetime] = mapped_column(default=utcnow)


class ExcludedCohort(Base):
    """A cohort taken out of a version, for one purpose (None: for all). Insert-only."""

    __tablename__ = "excluded_cohort"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    version_id: Mapped[str] = mapped_column(ForeignKey("dataset_version.id"), index=True)
    cohort: Mapped[int]
    purpose: Mapped[str | None]
    revision: Mapped[int]
    """The purpose's revision that it made: one step, however many cohorts went in it."""
    consent_event_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("consent_event.id"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (UniqueConstraint("version_id", "cohort", "purpose", postgresql_nulls_not_distinct=True),)
