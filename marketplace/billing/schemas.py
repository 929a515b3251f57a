"""What goes over the wire about money: whole đồng. Instants are RFC 3339, months YYYY-MM in Viet Nam's time."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct


class TransferView(Struct, frozen=True, kw_only=True):
    """One entry of a party's account; `amount_vnd` is positive when money came in."""

    id: UUID
    at: datetime
    kind: Literal["single", "pending", "post", "void"]
    code: str
    amount_vnd: int
    query_id: UUID | None
    reference: str | None


class WalletView(Struct, frozen=True, kw_only=True):
    """A party's account: a startup's wallet, an owner's earnings, the exchange's and the state's share."""

    account: Literal["wallet", "earnings", "platform", "state_budget"]
    balance_vnd: int
    held_vnd: int
    available_vnd: int
    transfers: tuple[TransferView, ...]


class AccountEntry(Struct, frozen=True, kw_only=True):
    """`amount_vnd`: what it changed of the balance; `held_vnd`: of what is held; `balance_vnd`: after it."""

    id: UUID
    at: datetime
    kind: Literal["single", "pending", "post", "void"]
    code: str
    amount_vnd: int
    held_vnd: int
    balance_vnd: int
    query_id: UUID | None
    dataset_id: UUID | None
    reference: str | None


class AccountStatementView(Struct, frozen=True, kw_only=True):
    """`first` to `last`: days of Viet Nam, both included. Opening and amounts make the closing."""

    account: Literal["wallet", "earnings"]
    first: date
    last: date
    opening_vnd: int
    closing_vnd: int
    items: tuple[AccountEntry, ...]
    next: str | None


class CreditBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    organisation_id: UUID
    amount_vnd: int
    reference: Annotated[str, Meta(min_length=1, max_length=200)]


class CreditView(Struct, frozen=True, kw_only=True):
    transfer_id: UUID
    organisation_id: UUID
    amount_vnd: int
    reference: str


class InvoiceLine(Struct, frozen=True, kw_only=True):
    """What one dataset cost or earned; for exchange and state all datasets together (`dataset_id` None).

    `code`: query, or that of a charge without one (month | statutory_fee | minimum); `queries`: how many."""

    code: str
    dataset_id: UUID | None
    dataset_slug: str | None
    queries: int
    bytes: int
    amount_vnd: int


class Invoice(Struct, frozen=True, kw_only=True):
    """A month's statement. `side`: cost of a startup, earning of everybody else."""

    month: str
    side: Literal["cost", "earning"]
    lines: tuple[InvoiceLine, ...]
    total_vnd: int
    issued: tuple[UUID, ...] = ()
    """Of a startup: the numbered invoices and credit notes on the month."""


class InvoiceList(Struct, frozen=True, kw_only=True):
    """Newest month first."""

    items: tuple[Invoice, ...]
