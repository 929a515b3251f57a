"""What became of each document at the tax office."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, utcnow


class EInvoice(Base):
    """An edition of a document, there as soon as it is, signed once, sent until it is answered, for good."""

    __tablename__ = "einvoice"
    invoice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invoice.id"), primary_key=True)
    edition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    message_id: Mapped[str | None] = mapped_column(unique=True)
    xml: Mapped[bytes | None]
    """HDon with the seller's signature; None until it is signed."""
    state: Mapped[str]
    """unsigned | waiting | coded | refused"""
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(default=utcnow)
    trouble: Mapped[str | None]
    """Why the last attempt settled nothing: a word of `NotAnswered`, `fault`, `seller_key` or `not_configured`."""
    fault: Mapped[str | None]
    """What went wrong here, as the service's log has it."""
    code: Mapped[str | None]
    """MCCQT"""
    coded_xml: Mapped[bytes | None]
    refusal: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    signed_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("state in ('unsigned', 'waiting', 'coded', 'refused')", "state"),
        CheckConstraint(
            "(state = 'unsigned') = (xml is null) and (xml is null) = (message_id is null)"
            " and (xml is null) = (signed_at is null)",
            "signed",
        ),
        CheckConstraint("(state = 'coded') = (code is not null and coded_xml is not null)", "code"),
        CheckConstraint("(state = 'refused') = (refusal is not null)", "refusal"),
        Index("ix_einvoice_waiting", "next_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_einvoice_unsigned", "invoice_id", postgresql_where=text("state = 'unsigned'")),
    )
