"""What the regulator's work keeps: the index that finds events of the log, which is derived from it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Identity, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class SearchTerm(Base):
    """Something that events are found by (`terms.py`), named once."""

    __tablename__ = "search_term"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    term: Mapped[str] = mapped_column(unique=True)
    __table_args__ = (Index("ix_search_term_prefix", text('term COLLATE "C"')),)


class SearchPosting(Base):
    """In which leaves of a block a term stands; a row only where it does. `positions`: `postings.py`.

    The index holds them too: the rows of one term lie a block apart, each in a page of its own, and reading a
    frequent term from there costs a page a block: 1,009 of them in a million events, 43 in the index."""

    __tablename__ = "search_posting"
    term_id: Mapped[int]
    block: Mapped[int]
    positions: Mapped[bytes]
    __table_args__ = (PrimaryKeyConstraint("term_id", "block", postgresql_include=["positions"]),)


class SavedSearch(Base):
    """A search that a regulator's reader keeps. `shared`: every reader of the organisation finds it."""

    __tablename__ = "saved_search"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str]
    shared: Mapped[bool]
    search: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (UniqueConstraint("person_id", "name"),)


class Alert(Base):
    """Something that a rule found, once a cause; acknowledged with a reason, never removed."""

    __tablename__ = "alert"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    rule: Mapped[str]
    cause: Mapped[str]
    told: Mapped[dict[str, Any]] = mapped_column(JSONB)
    dataset_id: Mapped[uuid.UUID | None]
    organisation_id: Mapped[uuid.UUID | None]
    raised_at: Mapped[datetime] = mapped_column(default=utcnow)
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str | None]
    __table_args__ = (UniqueConstraint("rule", "cause"),)


class AlertProgress(Base):
    """Each rule looked at every leaf below `leaf`."""

    __tablename__ = "alert_progress"
    rule: Mapped[str] = mapped_column(primary_key=True)
    leaf: Mapped[int]


class Incident(Base):
    """A breach of personal data, from when it is known; its state is that of its last step."""

    __tablename__ = "incident"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    opened_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    title: Mapped[str]
    dataset_ids: Mapped[list[uuid.UUID]]
    owner_ids: Mapped[list[uuid.UUID]]
    """Owners of the datasets, partners of joint ones too: they see it."""
    since: Mapped[datetime]
    until: Mapped[datetime]
    """The time in which data may have got out; not included."""
    known_at: Mapped[datetime]
    report_by: Mapped[datetime]
    law: Mapped[str]
    state: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(default=utcnow)


class IncidentStep(Base):
    """What was done about an incident, and by whom. Insert-only."""

    __tablename__ = "incident_step"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    incident_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("incident.id"), index=True)
    verb: Mapped[str]
    note: Mapped[str]
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    at: Mapped[datetime] = mapped_column(default=utcnow)


class SearchBlock(Base):
    """A full block of leaves that the index knows; blocks come one after another, from 0."""

    __tablename__ = "search_block"
    block: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    earliest: Mapped[datetime]
    latest: Mapped[datetime]
