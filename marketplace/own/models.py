"""Startups' own tables."""

from __future__ import annotations

import builtins
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class OwnTable(Base):
    """The row of a file that lies encrypted below home. Without the row nobody can read the file."""

    __tablename__ = "own_table"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    columns: Mapped[list[Any]] = mapped_column(JSONB)
    """[{name, type}], DuckDB's names of types."""
    rows: Mapped[int]
    bytes: Mapped[int]
    """Of the file as kept."""
    wrapped_key: Mapped[builtins.bytes]
    """The file's own key, under the home's."""
    added_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (UniqueConstraint("organisation_id", "name"),)
