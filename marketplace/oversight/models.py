"""What the regulator's work keeps: the index that finds events of the log, which is derived from it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Identity, Index, UniqueConstraint, text
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
    """In which leaves of a block a term stands; a row only where it does. `positions`: `postings.py`."""

    __tablename__ = "search_posting"
    term_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    block: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    positions: Mapped[bytes]


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


class SearchBlock(Base):
    """A full block of leaves that the index knows; blocks come one after another, from 0."""

    __tablename__ = "search_block"
    block: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    earliest: Mapped[datetime]
    latest: Mapped[datetime]
