"""What became of each document at the tax office."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, utcnow


class EInvoice(Base):
    """An edition of a document, signed once, sent until it is answered; the answer is for good."""

    __tablename__ = "einvoice"
    invoice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invoice.id"), primary_key=True)
    edition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    message_id: Mapped[str] = mapped_column(unique=True)
    xml: Mapped[bytes]
    """HDon with the seller's signature."""
    state: Mapped[str]
    """waiting | coded | refused"""
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(default=utcnow)
    trouble: Mapped[str | None]
    """Why the last attempt settled nothing: a word of `NotAnswered`."""
    code: Mapped[str | None]
    """MCCQT"""
    coded_xml: Mapped[bytes | None]
    refusal: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    signed_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'coded', 'refused')", "state"),
        CheckConstraint("(state = 'coded') = (code is not null and coded_xml is not null)", "code"),
        CheckConstraint("(state = 'refused') = (refusal is not null)", "refusal"),
        Index("ix_einvoice_waiting", "next_at", postgresql_where=text("state = 'waiting'")),
    )
