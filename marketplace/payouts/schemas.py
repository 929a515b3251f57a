"""What goes over the wire of payouts and owners' statements: whole đồng. Instants are RFC 3339."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

BatchState = Literal["proposed", "released", "cancelled"]
PayoutState = Literal["proposed", "released", "cancelled", "paid", "returned"]


class AccountBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`bank_code`: six digits, as the interbank network numbers banks; or `stripe`, and the number is acct_…"""

    bank_code: Annotated[str, Meta(max_length=20)]
    account_number: Annotated[str, Meta(max_length=40)]
    holder: Annotated[str, Meta(min_length=1, max_length=200)]


class AccountView(Struct, frozen=True, kw_only=True):
    """Where an owner is paid; of the number only the last four characters."""

    id: UUID
    bank_code: str
    last: str
    holder: str
    set_at: datetime


class OddLine(Struct, frozen=True, kw_only=True):
    """A line of the bank's file that fitted nothing here, and fits nothing since. `status`: PAID or RETURNED;
    `why`: unknown_reference, other_amount, not_released, twice, differs; `times`: how often it was read."""

    bank_reference: str
    reference: str
    status: str
    amount_vnd: int
    why: str
    first_read_at: datetime
    last_read_at: datetime
    times: int


class OddList(Struct, frozen=True):
    """Read last first."""

    items: tuple[OddLine, ...]


class BatchBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`period`: a month that is over, YYYY-MM."""

    period: Annotated[str, Meta(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]


class PayoutView(Struct, frozen=True, kw_only=True):
    """One owner's money on its way. `reason`: why it came back."""

    id: UUID
    batch_id: UUID
    period: str
    owner_id: UUID
    owner_name: str
    amount_vnd: int
    reference: str
    state: PayoutState
    reason: str | None


class BatchView(Struct, frozen=True, kw_only=True):
    id: UUID
    period: str
    state: BatchState
    total_vnd: int
    payouts: int
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None


class BatchDetail(BatchView, frozen=True, kw_only=True):
    """A batch with each of its payouts."""

    items: tuple[PayoutView, ...]


class BatchList(Struct, frozen=True, kw_only=True):
    """Newest first, at most 200."""

    items: tuple[BatchView, ...]


class PayoutList(Struct, frozen=True, kw_only=True):
    """Newest first, at most 200."""

    items: tuple[PayoutView, ...]


class StatementLine(Struct, frozen=True, kw_only=True):
    """What was charged for one dataset and how it was shared; refunds taken off each share.

    `code`: query, or that of a charge without one; `queries`: how many."""

    code: str
    dataset_id: UUID
    dataset_slug: str
    queries: int
    charged_vnd: int
    owner_vnd: int
    other_owner_vnd: int
    state_vnd: int
    tax_vnd: int
    platform_vnd: int


class Statement(Struct, frozen=True, kw_only=True):
    """An owner's month: opening + earned - paid out + returned = closing."""

    period: str
    owner_id: UUID
    opening_vnd: int
    lines: tuple[StatementLine, ...]
    earned_vnd: int
    paid_out_vnd: int
    returned_vnd: int
    closing_vnd: int
    law: tuple[str, ...]
    """Ids of the entries of the law book that the shares follow."""
