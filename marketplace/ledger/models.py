"""Accounts and insert-only transfers between them (TigerBeetle's model): pending, post, void."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
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
    """Moves `amount` (integer đồng, or millionths of ρ) from debit to credit; its id is its idempotency key.

    kind: `single` posts at once; `pending` holds; `post` and `void` resolve one pending, once.
    A hold for a query is pending against the platform account; its post splits by further linked rows.
    """

    __tablename__ = "transfer"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    debit_account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    credit_account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(default="VND")
    pending_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("transfer.id"))
    code: Mapped[str]
    """wallet_credit | query_hold | query_charge | query_void | share_owner | share_partner |
    share_state | share_tax; query_refund | refund_owner | refund_partner | refund_state | refund_tax;
    vat_rounding;
    rho_cap | rho_grant | rho_hold | rho_spend | rho_void"""
    reference: Mapped[str | None]
    query_id: Mapped[uuid.UUID | None]
    dataset_id: Mapped[uuid.UUID | None]
    """Which of the query's datasets it pays for."""
    at: Mapped[datetime] = mapped_column(default=utcnow)
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        CheckConstraint("debit_account_id <> credit_account_id", name="two_accounts"),
        CheckConstraint("(pending_id is not null) = (kind in ('post', 'void'))", name="resolves_pending"),
        Index(
            "uq_transfer_pending_id", "pending_id", unique=True, postgresql_where=text("pending_id is not null")
        ),
        Index(None, "debit_account_id", "at"),
        Index(None, "credit_account_id", "at"),
        Index(None, "query_id"),
    )
