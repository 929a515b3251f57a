"""Where owners are paid, batches of payouts, and what the bank or Stripe said of each."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class PayoutAccount(Base):
    """An owner's account at a bank; insert-only, the newest is in force."""

    __tablename__ = "payout_account"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"))
    bank_code: Mapped[str]
    """Six digits, as the interbank network numbers banks; or `stripe`, whose account numbers are acct_…"""
    account_number: Mapped[str]
    holder: Mapped[str]
    set_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (Index(None, "owner_id", "id"),)


class PayoutBatch(Base):
    """Payouts of a month that one person of the operator proposed and another released."""

    __tablename__ = "payout_batch"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    period: Mapped[str]
    state: Mapped[str]
    """proposed | released | cancelled"""
    proposed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime] = mapped_column(default=utcnow)
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("state in ('proposed', 'released', 'cancelled')", "state"),
        CheckConstraint("state <> 'released' or decided_by <> proposed_by", "two_people"),
        CheckConstraint("(state = 'proposed') = (decided_by is null)", "decided"),
        # What two open batches would pay is the same money.
        Index("uq_payout_batch_open", "state", unique=True, postgresql_where=text("state = 'proposed'")),
    )


class Payout(Base):
    """One owner's money in a batch, to the account that was in force when it was proposed."""

    __tablename__ = "payout"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    batch_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payout_batch.id"), index=True)
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payout_account.id"))
    amount_vnd: Mapped[int]
    reference: Mapped[str] = mapped_column(unique=True)
    """What the bank carries and gives back."""
    state: Mapped[str]
    """proposed | released | cancelled | paid | returned"""
    __table_args__ = (
        CheckConstraint("amount_vnd > 0", "amount"),
        CheckConstraint("state in ('proposed', 'released', 'cancelled', 'paid', 'returned')", "state"),
    )


class PayoutNotice(Base):
    """A line of the bank's file, as it was read; insert-only."""

    __tablename__ = "payout_notice"
    bank_reference: Mapped[str] = mapped_column(primary_key=True)
    payout_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payout.id"), index=True)
    status: Mapped[str]
    """PAID | RETURNED"""
    amount_vnd: Mapped[int]
    booked_on: Mapped[date] = mapped_column(Date)
    reason: Mapped[str]
    read_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    read_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (CheckConstraint("status in ('PAID', 'RETURNED')", "status"),)


class PayoutTransfer(Base):
    """A released payout's way through Stripe."""

    __tablename__ = "payout_transfer"
    payout_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payout.id"), primary_key=True)
    transfer_id: Mapped[str | None] = mapped_column(unique=True)
    attempt: Mapped[int]
    """Part of the idempotency key: a failure that Stripe keeps is asked past with the next one."""
    trouble: Mapped[str | None]
    """Why it is not sent yet, or came back: Stripe's code."""
    looked_at: Mapped[datetime] = mapped_column(default=utcnow)
