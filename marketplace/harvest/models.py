"""Other catalogues, what they list, and a report of every look at them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class HarvestSource(Base):
    """`kind`: ckan | dcat | data_json."""

    __tablename__ = "harvest_source"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    url: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    name: Mapped[str]
    every_hours: Mapped[int]
    added_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime] = mapped_column(default=utcnow)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    """None: it was stopped, and what it listed is not shown."""
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    """As the whole catalogue was told when it was last read to its end, where one answer holds it."""
    seen_modified: Mapped[str | None]
    """CKAN: the newest `metadata_modified` of the last run that came to its end."""


class HarvestRun(Base):
    """`state`: running | done | failed | interrupted."""

    __tablename__ = "harvest_run"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    source_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("harvest_source.id"))
    began_at: Mapped[datetime] = mapped_column(default=utcnow)
    ended_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="running")
    code: Mapped[str | None]
    """Why it failed, or `not_modified`."""
    requests: Mapped[int] = mapped_column(default=0)
    new: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    returned: Mapped[int] = mapped_column(default=0)
    vanished: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    refusals: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    """The first of them: {id, code}."""
    __table_args__ = (Index(None, "source_id", "began_at"),)


class ExternalListing(Base):
    """What another catalogue lists: a description, no data. One that vanished is marked, and may come back."""

    __tablename__ = "external_listing"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    source_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("harvest_source.id"))
    foreign_id: Mapped[str]
    foreign_name: Mapped[str]
    sha256: Mapped[str]
    """Of all that it says."""
    title: Mapped[str]
    description: Mapped[str]
    url: Mapped[str | None]
    publisher: Mapped[str]
    licence: Mapped[str]
    themes: Mapped[list[str]]
    formats: Mapped[list[str]]
    spatial: Mapped[str]
    temporal: Mapped[str]
    modified: Mapped[str]
    words: Mapped[str] = mapped_column(TSVECTOR, deferred=True, server_default=text("''::tsvector"))
    """What it is found by, as `marketplace.search.lexemes` writes it."""
    edition: Mapped[str] = mapped_column(server_default="")
    """Of the synonyms that it was read by."""
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("harvest_run.id"))
    """The last that saw it."""
    first_seen_at: Mapped[datetime] = mapped_column(default=utcnow)
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)
    vanished_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("source_id", "foreign_id"),
        Index(None, "source_id", "foreign_name"),
        Index(None, "words", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index(None, "edition"),
    )
