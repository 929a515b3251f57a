"""What startups pay in: orders, payments, refunds, disputes, the provider's events, bank lines."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow

WAITING = "state in ('starting', 'open')"


class PaymentAccount(Base):
    """A startup at the provider, and its auto top-up. Whoever changes its payments locks this row first."""

    __tablename__ = "payment_account"
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    customer_id: Mapped[str | None] = mapped_column(unique=True)
    auto_method_id: Mapped[str | None]
    auto_floor_vnd: Mapped[int | None]
    auto_amount_vnd: Mapped[int | None]
    auto_month_limit_vnd: Mapped[int | None]
    auto_paused: Mapped[str | None]
    """Why nothing is taken until a person looks: the provider's decline code."""
    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(auto_method_id, auto_floor_vnd, auto_amount_vnd, auto_month_limit_vnd) in (0, 4)",
            name="auto_whole",
        ),
    )


class SavedMethod(Base):
    """A way to pay that the provider keeps; here only what people know it by."""

    __tablename__ = "saved_method"
    id: Mapped[str] = mapped_column(primary_key=True)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    brand: Mapped[str]
    last4: Mapped[str]
    expires: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(default=utcnow)
    removed_at: Mapped[datetime | None]


class TopUp(Base):
    """A startup's wish to pay in. Amount in the currency's smallest unit; `rate_vnd`: đồng for 1 USD, then."""

    __tablename__ = "top_up"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str]
    """checkout | saved | auto | bank"""
    state: Mapped[str]
    """starting | open | paid | failed | expired"""
    currency: Mapped[str]
    amount: Mapped[int]
    amount_vnd: Mapped[int]
    rate_vnd: Mapped[int | None]
    reference: Mapped[str | None] = mapped_column(unique=True)
    """Of a bank transfer: the code to write on it."""
    provider_id: Mapped[str | None] = mapped_column(unique=True)
    url: Mapped[str | None]
    method_id: Mapped[str | None]
    save_method: Mapped[bool]
    decline_code: Mapped[str | None]
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    attempt: Mapped[int] = mapped_column(default=0)
    """Part of the idempotency key: a failure that the provider keeps is asked past with the next one."""
    looked_at: Mapped[datetime] = mapped_column(default=utcnow)
    """When the provider was asked last."""
    __table_args__ = (
        Index(None, "organisation_id", "created_at"),
        Index("ix_top_up_waiting", "looked_at", postgresql_where=text(WAITING)),
        Index(
            "uq_top_up_auto", "organisation_id", unique=True, postgresql_where=text(f"kind = 'auto' and {WAITING}")
        ),
    )


class Payment(Base):
    """Money that arrived, once for each of the provider's payments or lines of the bank's statement."""

    __tablename__ = "payment"
    id: Mapped[str] = mapped_column(primary_key=True)
    """The provider's id, or `bank:` and the bank's number of the line."""
    source: Mapped[str]
    """stripe | bank"""
    top_up_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("top_up.id"), index=True)
    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    currency: Mapped[str]
    amount: Mapped[int]
    amount_vnd: Mapped[int]
    paid_at: Mapped[datetime]
    at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (Index(None, "organisation_id", "at"),)


class Refund(Base):
    """Money on its way back. Its state only rises: requested < pending < paid < failed."""

    __tablename__ = "refund"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"), index=True)
    provider_id: Mapped[str | None] = mapped_column(unique=True)
    amount: Mapped[int]
    amount_vnd: Mapped[int]
    state: Mapped[str]
    reason: Mapped[str]
    asked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    """None: it was made at the provider, not here."""
    asked_at: Mapped[datetime] = mapped_column(default=utcnow)
    attempt: Mapped[int] = mapped_column(default=0)
    """Part of the idempotency key: a failure that the provider keeps is asked past with the next one."""
    looked_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        Index("ix_refund_waiting", "looked_at", postgresql_where=text("state in ('requested', 'pending')")),
    )


class Dispute(Base):
    """A payment that the payer's bank takes back, perhaps. Its state only rises: open < won < lost."""

    __tablename__ = "dispute"
    id: Mapped[str] = mapped_column(primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"), index=True)
    amount: Mapped[int]
    amount_vnd: Mapped[int]
    state: Mapped[str]
    reason: Mapped[str]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ProviderEvent(Base):
    """An event of the provider's, stored with its effect: its id is why a second delivery changes nothing."""

    __tablename__ = "provider_event"
    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    object_id: Mapped[str]
    created_at: Mapped[datetime]
    at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (Index(None, "created_at"),)


SPELLED = r"upper(regexp_replace(bank_reference, '\s', '', 'g'))"
"""The number as lines are kept now; those of before were kept as they were typed."""


class BankLine(Base):
    """A line of the bank's statement that the operator booked."""

    __tablename__ = "bank_line"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    bank_reference: Mapped[str] = mapped_column(unique=True)
    """The bank's own number of the line: why it is booked once."""
    amount_vnd: Mapped[int]
    memo: Mapped[str]
    received_on: Mapped[date]
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisation.id"))
    """Whose it is; None: nobody's yet."""
    booked_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    booked_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (Index("ix_bank_line_spelled", text(SPELLED)),)
