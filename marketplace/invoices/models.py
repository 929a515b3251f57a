"""Invoices and credit notes, their lines, and which use of data each line is made of: all of them insert-only."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class Invoice(Base):
    """One numbered document: an invoice of a startup's month, or a credit note on one.

    Amounts are never negative, a credit note's neither: its kind says that they go the other way."""

    __tablename__ = "invoice"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    """invoice | credit_note"""
    series: Mapped[str]
    year: Mapped[int]
    number: Mapped[int]
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    period: Mapped[str]
    """The month billed, YYYY-MM in Viet Nam."""
    corrects_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("invoice.id"), index=True)
    reason: Mapped[str | None]
    seller_name: Mapped[str]
    seller_tax_code: Mapped[str | None]
    buyer_name: Mapped[str]
    buyer_tax_code: Mapped[str | None]
    gross_vnd: Mapped[int]
    vat_vnd: Mapped[int]
    sha256: Mapped[str]
    """Of the canonical JSON of all above and of the lines (`document.canonical`); its event says the same."""
    issued_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        UniqueConstraint("series", "year", "number"),
        CheckConstraint("kind in ('invoice', 'credit_note')", "kind"),
        CheckConstraint("(kind = 'credit_note') = (corrects_id is not null)", "corrects"),
        CheckConstraint("number > 0 and vat_vnd between 0 and gross_vnd", "amounts"),
        Index(None, "organisation_id", "issued_at"),
    )


class InvoiceEdition(Base):
    """The same invoice said anew: its parties put right, under its number where the tax office refused it, else
    under the next one, in place of the number before. Insert-only."""

    __tablename__ = "invoice_edition"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    invoice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invoice.id"))
    edition: Mapped[int]
    """The row of `invoice` itself is the first."""
    series: Mapped[str]
    year: Mapped[int]
    number: Mapped[int]
    replaces: Mapped[bool]
    """Whether it stands in place of a document that has a code."""
    why: Mapped[str]
    seller_name: Mapped[str]
    seller_tax_code: Mapped[str | None]
    buyer_name: Mapped[str]
    buyer_tax_code: Mapped[str | None]
    sha256: Mapped[str]
    issued_at: Mapped[datetime]
    """The day that the document bears: of the first edition under its number."""
    made_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        UniqueConstraint("invoice_id", "edition"),
        CheckConstraint("edition > 1 and number > 0", "later"),
        Index(
            "uq_invoice_edition_number", "series", "year", "number", unique=True, postgresql_where=text("replaces")
        ),
    )


class InvoiceLine(Base):
    """What one dataset cost at one rate of tax. `items_sha256` binds the line to each use it sums."""

    __tablename__ = "invoice_line"
    invoice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invoice.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str]
    """query, or that of a charge that is none: month | statutory_fee | minimum"""
    dataset_id: Mapped[uuid.UUID]
    dataset_slug: Mapped[str]
    dataset_title: Mapped[str]
    vat_permille: Mapped[int]
    queries: Mapped[int]
    bytes: Mapped[int]
    gross_vnd: Mapped[int]
    vat_vnd: Mapped[int]
    items_sha256: Mapped[str]
    __table_args__ = (
        UniqueConstraint("invoice_id", "dataset_id", "code", "vat_permille"),
        CheckConstraint("vat_vnd between 0 and gross_vnd", "amounts"),
    )


class InvoiceItem(Base):
    """One row of usage (or a charge that is no query), on the one invoice that bills it.

    No key refers to its line: a million checks cost half a minute, and the line's `items_sha256` binds it."""

    __tablename__ = "invoice_item"
    source_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    """Of the row of `usage` or `charge`: that it is billed once is this key."""
    invoice_id: Mapped[uuid.UUID]
    dataset_id: Mapped[uuid.UUID]
    code: Mapped[str]
    vat_permille: Mapped[int]
    query_id: Mapped[uuid.UUID | None]
    gross_vnd: Mapped[int]
    __table_args__ = (Index(None, "invoice_id", "source_id"),)


class Credit(Base):
    """A refund of one invoice that one person of the operator proposed and another decides."""

    __tablename__ = "credit"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    invoice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invoice.id"), index=True)
    reason: Mapped[str]
    version_id: Mapped[str | None]
    """The version that was withdrawn for its quality, where that is why."""
    state: Mapped[str]
    """proposed | approved | refused"""
    proposed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime] = mapped_column(default=utcnow)
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    note_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("invoice.id"))
    __table_args__ = (
        CheckConstraint("state in ('proposed', 'approved', 'refused')", "state"),
        CheckConstraint("decided_by <> proposed_by", "two_people"),
        CheckConstraint("(state = 'approved') = (note_id is not null)", "note"),
    )


class CreditItem(Base):
    """How much of one billed use a credit gives back; insert-only."""

    __tablename__ = "credit_item"
    credit_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("credit.id"), primary_key=True)
    source_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("invoice_item.source_id"), primary_key=True, index=True
    )
    amount_vnd: Mapped[int]
    __table_args__ = (CheckConstraint("amount_vnd > 0", "amount"),)
