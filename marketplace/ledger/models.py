"""Accounts and insert-only transfers between them (TigerBeetle's model): pending, post, void."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base, new_id, utcnow


class Account(Base):
    """`floor` not null: credits − debits − pending debits never go below it, checked under the row's lock."""

    __tablename__ = "account"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str]
    """wallet | earnings | state_budget | vat | platform | funding; of privacy budgets those of
    `marketplace.billing.budget`"""
    currency: Mapped[str] = mapped_column(default="VND")
    floor: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (UniqueConstraint("organisation_id", "kind", "currency", postgresql_nulls_not_distinct=True),)


class AccountBalance(Base):
    """Fold of all transfers of an account that has a floor; written only under its lock, so always derivable."""

    __tablename__ = "account_balance"
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    debits_posted: Mapped[int] = mapped_column(default=0)
    credits_posted: Mapped[int] = mapped_column(default=0)
    debits_pending: Mapped[int] = mapped_column(default=0)
    credits_pending: Mapped[int] = mapped_column(default=0)


class Transfer(Base):
    """Moves `amount` (the currency's smallest unit) from debit to credit; its id is its idempotency key.

    kind: `single` posts at once; `pending` holds; `post` and `void` resolve one pending, once.
    A hold for a query is pending against the platform account; its post splits by further linked rows.
    The trigger `transfer_stands` sees to what a row says of others: both accounts are there and of its currency, a
    hold is resolved as it was made and not posted when it has expired, nothing is booked into a closed period.
    """

    __tablename__ = "transfer"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    debit_account_id: Mapped[uuid.UUID]
    credit_account_id: Mapped[uuid.UUID]
    amount: Mapped[int]
    """Of a post: what moves, the hold's amount or less. Of a void: the hold's."""
    released: Mapped[int | None]
    """Of a post or void: the hold's amount, which no longer counts as held."""
    currency: Mapped[str] = mapped_column(default="VND")
    pending_id: Mapped[uuid.UUID | None]
    expires_at: Mapped[datetime | None]
    """From then on a hold can be voided, and not posted."""
    code: Mapped[str]
    """wallet_credit | query_hold | query_charge | query_void | share_owner | share_partner |
    share_state | share_tax; query_refund | refund_owner | refund_partner | refund_state | refund_tax;
    vat_rounding; hold_expired;
    rho_cap | rho_grant | rho_hold | rho_spend | rho_void"""
    reference: Mapped[str | None]
    query_id: Mapped[uuid.UUID | None]
    dataset_id: Mapped[uuid.UUID | None]
    """Which of the query's datasets it pays for."""
    at: Mapped[datetime] = mapped_column(default=utcnow)
    """When it counts; which period it belongs to."""
    seq: Mapped[int] = mapped_column(Identity(always=True))
    """In the order of writing, not of commits, with gaps: where a fold has got to (`ledger.folding`)."""
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        CheckConstraint("debit_account_id <> credit_account_id", name="two_accounts"),
        CheckConstraint("(pending_id is not null) = (kind in ('post', 'void'))", name="resolves_pending"),
        CheckConstraint("kind in ('single', 'pending', 'post', 'void')", name="kind_known"),
        CheckConstraint(
            "(released is not null) = (pending_id is not null) and amount <= coalesce(released, amount)"
            " and (kind <> 'void' or amount = released)",
            name="releases_hold",
        ),
        CheckConstraint("expires_at is null or kind = 'pending'", name="only_holds_expire"),
        Index(
            "uq_transfer_pending_id", "pending_id", unique=True, postgresql_where=text("pending_id is not null")
        ),
        Index(None, "debit_account_id", "at"),
        Index(None, "credit_account_id", "at"),
        Index(None, "query_id"),
        Index(None, "seq"),
        Index(None, "expires_at", postgresql_where=text("expires_at is not null")),
    )


class AccountDay(Base):
    """Fold of an account's transfers of one Vietnamese day, as far as `LedgerFold` has got."""

    __tablename__ = "account_day"
    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    debits_posted: Mapped[int]
    credits_posted: Mapped[int]
    debits_pending: Mapped[int]
    credits_pending: Mapped[int]


class LedgerFold(Base):
    """One row: every transfer up to `seq` is in `account_day`, none after it."""

    __tablename__ = "ledger_fold"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class PeriodFence(Base):
    """From when it is committed, no transfer is booked before `until`. Insert-only."""

    __tablename__ = "period_fence"
    period: Mapped[str] = mapped_column(primary_key=True)
    """YYYY-MM, in Viet Nam's time"""
    until: Mapped[datetime]
    at: Mapped[datetime] = mapped_column(default=utcnow)


class PeriodClose(Base):
    """A closed period: the hash of its trial balance, as the event says it too. Insert-only."""

    __tablename__ = "period_close"
    period: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[bytes]
    transfers: Mapped[int]
    event_id: Mapped[uuid.UUID]
    at: Mapped[datetime] = mapped_column(default=utcnow)


class PeriodBalance(Base):
    """An account in the trial balance of a closed period: all that was booked up to its end. Insert-only."""

    __tablename__ = "period_balance"
    period: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    currency: Mapped[str]
    debits_posted: Mapped[int]
    credits_posted: Mapped[int]
    debits_pending: Mapped[int]
    credits_pending: Mapped[int]


class PeriodDifference(Base):
    """A difference that two people let stand, as the hash of its period's trial balance covers it. Insert-only."""

    __tablename__ = "period_difference"
    period: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step: Mapped[str]
    rule: Mapped[str]
    subject: Mapped[str]
    expected: Mapped[int | None]
    found: Mapped[int | None]
    reason: Mapped[str]
    proposed_by: Mapped[uuid.UUID]
    accepted_by: Mapped[uuid.UUID]


class OutsidePoint(Base):
    """Up to when the daily reconciliation found another side and the ledger to agree."""

    __tablename__ = "outside_point"
    name: Mapped[str] = mapped_column(primary_key=True)
    """Of `ledger.outside.Outside`."""
    until: Mapped[datetime]
