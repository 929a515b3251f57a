"""What the regulator's work keeps: the index that finds events of the log, which is derived from it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base


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


class SearchBlock(Base):
    """A full block of leaves that the index knows; blocks come one after another, from 0."""

    __tablename__ = "search_block"
    block: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    earliest: Mapped[datetime]
    latest: Mapped[datetime]
