"""The index: a row a listing, and the words that stand in any."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base


class ListingSearch(Base):
    """What a listing is found by. Derived: it can be made anew from the listing at any time."""

    __tablename__ = "listing_search"
    listing_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    words: Mapped[str] = mapped_column(TSVECTOR)
    """See `marketplace.search.lexemes`."""
    facets: Mapped[list[str]]
    """`theme:y tế`, `province:hue`, …: also lexemes, so that one index narrows and finds."""
    title_words: Mapped[int] = mapped_column(SmallInteger)
    released_at: Mapped[datetime]
    edition: Mapped[str]
    """Of the synonyms that it was read by."""
    # No pending list: a reader would have to search what writers left in it.
    __table_args__ = (
        Index(None, "words", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index(None, "edition"),
    )


class SearchWord(Base):
    """A lexeme of some listing; a question's word that is not here is completed, or mended to one that is."""

    __tablename__ = "search_word"
    word: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    listings: Mapped[int] = mapped_column(server_default=text("0"))
    """In how many, as counted last on a sample: it weighs words and chooses the plan, and decides no match."""
    __table_args__ = (
        Index(
            "ix_search_word_trigrams",
            "word",
            postgresql_using="gin",
            postgresql_ops={"word": "gin_trgm_ops"},
            postgresql_where=text("word ~ '^[a-z][0-9a-z]{3,}$'"),
        ),
    )
